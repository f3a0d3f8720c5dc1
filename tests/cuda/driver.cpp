// Stands in for libcuda.so.1 on a machine without a card. The memory of the device is the host's, our kernels run on the processor,
// and all is done when it is called for; only what a stream captures waits until its graph is launched.
//
// It is stricter than a card where that shows mistakes: fresh memory and freed memory are NaN, ranges and kernels' pointers have to
// lie in what is allocated, whenever a graph is launched too, and nothing may be written behind an allocation. What is refused is
// explained on stderr.
#include "kernels.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string.h>
#include <string>
#include <thread>

#define __CUDA_API_VERSION_INTERNAL  // no macros that give functions the names of other versions
#include <cuda.h>

using Work = std::function<CUresult()>;
using Works = std::shared_ptr<std::vector<Work>>;

struct Capture {
    unsigned long long number;
    CUstreamCaptureMode mode;
    std::thread::id thread;
    bool broken = false;
    Works works = std::make_shared<std::vector<Work>>();
};
struct CUstream_st {
    std::unique_ptr<Capture> capture;
};
struct CUgraph_st {
    Works works;
};
struct CUgraphExec_st {
    Works works;
};
struct CUevent_st {
    bool timed, recorded = false;
    unsigned long long capture = 0;  // number of the capture that it was recorded in
    std::chrono::steady_clock::time_point at{};
};
struct CUfunc_st {
    std::string name;
    Bind bind;
};
struct CUctx_st {};
struct CUmod_st {};

namespace {

constexpr size_t TOTAL_MEMORY = size_t(16) << 30;
constexpr size_t GUARD = 4096;  // bytes behind an allocation that nobody may write
constexpr int LATEST = 13000;   // version of CUDA

std::recursive_mutex lock;          // held by whoever is in here
thread_local CUcontext current;     // the thread's context
thread_local const char *function;  // what the thread calls
bool ready = false;                 // after cuInit
CUctx_st context;
CUmod_st module;  // a module is whatever it is loaded from: its kernels are those that we have
std::map<CUdeviceptr, size_t> allocations;
size_t allocated = 0;
CUstream_st default_stream;
std::set<CUstream> streams = {&default_stream};
std::set<CUevent> events;
std::map<std::string_view, CUfunc_st> functions;  // those that were asked for
unsigned long long captures = 0;

__attribute__((format(printf, 2, 3))) CUresult refuse(CUresult why, const char *format, ...) {
    va_list values;
    va_start(values, format);
    fprintf(stderr, "emulated CUDA: %s: ", function);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    return why;
}

// What needs no context.
template <typename Body> CUresult before(const char *name, Body body) {
    std::lock_guard hold(lock);
    function = name;
    return ready ? body() : refuse(CUDA_ERROR_NOT_INITIALIZED, "cuInit was not called");
}

// What needs a context.
template <typename Body> CUresult inside(const char *name, Body body) {
    return before(name, [&] { return current ? body() : refuse(CUDA_ERROR_INVALID_CONTEXT, "this thread has no context"); });
}

CUresult give(auto *to, auto value) {
    *to = value;
    return CUDA_SUCCESS;
}

// Memory

void *memory(CUdeviceptr address) { return reinterpret_cast<void *>(address); }

// The allocation that `address` is in, or the end.
auto find(CUdeviceptr address) {
    auto found = allocations.upper_bound(address);
    if (found == allocations.begin()) return allocations.end();
    --found;
    return address - found->first < found->second ? found : allocations.end();
}

CUresult check_range(CUdeviceptr address, size_t bytes) {
    const auto found = find(address);
    if (bytes == 0 || (found != allocations.end() && bytes <= found->second - (address - found->first))) return CUDA_SUCCESS;
    return refuse(CUDA_ERROR_INVALID_VALUE, "%zu bytes at %#llx are not within an allocation", bytes, address);
}

CUresult allocate(CUdeviceptr *address, size_t bytes) {
    if (bytes == 0) return refuse(CUDA_ERROR_INVALID_VALUE, "no bytes are asked for");
    if (bytes > TOTAL_MEMORY - allocated) return refuse(CUDA_ERROR_OUT_OF_MEMORY, "there are no %zu bytes left", bytes);
    const size_t whole = (bytes + GUARD + 255) / 256 * 256;
    void *fresh = aligned_alloc(256, whole);
    if (!fresh) return refuse(CUDA_ERROR_OUT_OF_MEMORY, "the host has no %zu bytes left", whole);
    memset(fresh, 0xff, whole);
    *address = reinterpret_cast<CUdeviceptr>(fresh);
    allocations[*address] = bytes;
    allocated += bytes;
    return CUDA_SUCCESS;
}

CUresult release(CUdeviceptr address) {
    const auto found = allocations.find(address);
    if (found == allocations.end()) return refuse(CUDA_ERROR_INVALID_VALUE, "%#llx is no allocation", address);
    const size_t bytes = found->second;
    const auto *end = static_cast<const uint8_t *>(memory(address)) + bytes;
    const bool intact = std::all_of(end, end + GUARD, [](uint8_t byte) { return byte == 0xff; });
    memset(memory(address), 0xff, bytes);
    free(memory(address));
    allocated -= bytes;
    allocations.erase(found);
    return intact ? CUDA_SUCCESS
                  : refuse(CUDA_ERROR_ILLEGAL_ADDRESS, "behind the %zu bytes at %#llx something was written", bytes, address);
}

// Streams

// Calls `body` with a stream.
template <typename Body> CUresult with_stream(const char *name, CUstream stream, Body body) {
    return inside(name, [&] {
        if (!stream || stream == CU_STREAM_LEGACY || stream == CU_STREAM_PER_THREAD) return body(&default_stream);
        return streams.contains(stream) ? body(stream) : refuse(CUDA_ERROR_INVALID_HANDLE, "there is no such stream");
    });
}

template <typename Body> CUresult with_event(const char *name, CUevent event, Body body) {
    return inside(name, [&] { return events.contains(event) ? body() : refuse(CUDA_ERROR_INVALID_HANDLE, "there is no such event"); });
}

// Does `work`, or keeps it for the graph that the stream captures.
CUresult on_stream(const char *name, CUstream handle, Work work) {
    return with_stream(name, handle, [&](CUstream stream) {
        if (!stream->capture) return work();
        if (stream->capture->broken) return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
        stream->capture->works->push_back(std::move(work));
        return CUDA_SUCCESS;
    });
}

CUresult break_capture(CUstream stream, CUresult why, const char *reason) {
    stream->capture->broken = true;
    return refuse(why, "%s", reason);
}

// Refuses what a stream that captures cannot do: to allocate, to free, and to be waited for.
CUresult check_stream(CUstream stream) {
    if (!stream->capture) return CUDA_SUCCESS;
    return break_capture(stream, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "this stream captures a graph");
}

// Refuses what nobody may do while a stream captures, in so far as the capture's mode says so.
CUresult check_captures() {
    for (CUstream stream : streams) {
        const Capture *capture = stream->capture.get();
        if (!capture || capture->mode == CU_STREAM_CAPTURE_MODE_RELAXED) continue;
        if (capture->mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL && capture->thread != std::this_thread::get_id()) continue;
        return break_capture(stream, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "a stream captures a graph");
    }
    return CUDA_SUCCESS;
}

// `body` if `checked` is no error.
template <typename Body> CUresult then(CUresult checked, Body body) { return checked == CUDA_SUCCESS ? body() : checked; }

Work copy_work(void *to, const void *from, size_t bytes, bool to_device, bool from_device) {
    return [=] {
        const auto address = [](const void *place) { return reinterpret_cast<CUdeviceptr>(place); };
        const CUresult written = to_device ? check_range(address(to), bytes) : CUDA_SUCCESS;
        return then(then(written, [&] { return from_device ? check_range(address(from), bytes) : CUDA_SUCCESS; }), [&] {
            memmove(to, from, bytes);
            return CUDA_SUCCESS;
        });
    };
}

template <typename T> Work fill_work(CUdeviceptr to, T value, size_t count) {
    return [=] {
        return then(check_range(to, count * sizeof(T)), [&] {
            std::fill_n(static_cast<T *>(memory(to)), count, value);
            return CUDA_SUCCESS;
        });
    };
}

CUresult at_once(const char *name, Work work) {
    return inside(name, [&] { return then(check_captures(), work); });
}

// Whether an event may be asked about.
CUresult check_event(CUevent event) {
    return event->capture ? refuse(CUDA_ERROR_CAPTURED_EVENT, "the event was recorded in a graph") : CUDA_SUCCESS;
}

CUresult check_shape(dim3 grid, dim3 block, unsigned shared) {
    const auto within = [](unsigned value, unsigned most) { return value >= 1 && value <= most; };
    if (!within(grid.x, INT32_MAX) || !within(grid.y, UINT16_MAX) || !within(grid.z, UINT16_MAX))
        return refuse(CUDA_ERROR_INVALID_VALUE, "a grid of %u x %u x %u blocks", grid.x, grid.y, grid.z);
    if (!within(block.x, MOST_THREADS) || !within(block.y, MOST_THREADS) || !within(block.z, 64) ||
        block.x * block.y * block.z > MOST_THREADS)
        return refuse(CUDA_ERROR_INVALID_VALUE, "a block of %u x %u x %u threads", block.x, block.y, block.z);
    return shared <= 48 << 10 ? CUDA_SUCCESS : refuse(CUDA_ERROR_INVALID_VALUE, "%u bytes of shared memory", shared);
}

// Names and explanations of the errors that are returned here.
#define ERRORS(X)                                                                     \
    X(CUDA_SUCCESS, "no error")                                                       \
    X(CUDA_ERROR_INVALID_VALUE, "invalid argument")                                   \
    X(CUDA_ERROR_OUT_OF_MEMORY, "out of memory")                                      \
    X(CUDA_ERROR_NOT_INITIALIZED, "initialization error")                             \
    X(CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal")                            \
    X(CUDA_ERROR_INVALID_CONTEXT, "invalid device context")                           \
    X(CUDA_ERROR_INVALID_HANDLE, "invalid resource handle")                           \
    X(CUDA_ERROR_ILLEGAL_STATE, "the operation cannot be performed in this state")    \
    X(CUDA_ERROR_NOT_FOUND, "named symbol not found")                                 \
    X(CUDA_ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered")         \
    X(CUDA_ERROR_NOT_SUPPORTED, "operation not supported")                            \
    X(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "not permitted when a stream captures")  \
    X(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "an earlier error broke the capture")    \
    X(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "dependency on work outside the capture")  \
    X(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "another thread began the capture")     \
    X(CUDA_ERROR_CAPTURED_EVENT, "not permitted on an event recorded in a capture")

}  // namespace

extern "C" {

CUresult cuGetErrorName(CUresult error, const char **name) {
#define NAME(code, text) if (error == code) return give(name, #code);
    ERRORS(NAME)
    return give(name, "CUDA_ERROR_UNKNOWN");
}

CUresult cuGetErrorString(CUresult error, const char **string) {
#define TEXT(code, text) if (error == code) return give(string, text);
    ERRORS(TEXT)
    return give(string, "unknown error");
}

CUresult cuInit(unsigned) {
    std::lock_guard hold(lock);
    return give(&ready, true);
}
CUresult cuDriverGetVersion(int *version) { return give(version, LATEST); }

// The device

CUresult cuDeviceGetCount(int *count) { return before(__func__, [&] { return give(count, 1); }); }
CUresult cuDeviceGet(CUdevice *device, int ordinal) {
    return before(__func__, [&] {
        return ordinal == 0 ? give(device, 0) : refuse(CUDA_ERROR_INVALID_DEVICE, "there is no device %d", ordinal);
    });
}
CUresult cuDeviceGetName(char *name, int size, CUdevice) {
    return before(__func__, [&] {
        snprintf(name, size, "emulated");
        return CUDA_SUCCESS;
    });
}
CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice) { return before(__func__, [&] { return give(bytes, TOTAL_MEMORY); }); }
CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice) {
    static const std::map<int, int> values = {
        {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 9},
        {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0},
        {CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED, 1},
        {CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING, 1},
        {CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 132},
        {CU_DEVICE_ATTRIBUTE_WARP_SIZE, Warp::LANES},
        {CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1024},
        {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X, 1024},
        {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y, 1024},
        {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z, 64},
        {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, INT32_MAX},
        {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, UINT16_MAX},
        {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z, UINT16_MAX},
    };
    return before(__func__, [&] {
        const auto found = values.find(attribute);
        return give(value, found == values.end() ? 0 : found->second);
    });
}

// Contexts

CUresult cuDevicePrimaryCtxRetain(CUcontext *to, CUdevice) { return before(__func__, [&] { return give(to, &context); }); }
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice) { return CUDA_SUCCESS; }
CUresult cuCtxSetCurrent(CUcontext to) { return before(__func__, [&] { return give(&current, to); }); }
CUresult cuCtxGetCurrent(CUcontext *to) { return before(__func__, [&] { return give(to, current); }); }
CUresult cuCtxSetFlags(unsigned) { return CUDA_SUCCESS; }
CUresult cuCtxSynchronize() { return inside(__func__, check_captures); }

// Memory

CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
    return inside(__func__, [&] { return give(free, (*total = TOTAL_MEMORY) - allocated); });
}
CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) { return at_once(__func__, [=] { return allocate(address, bytes); }); }
CUresult cuMemAllocAsync(CUdeviceptr *address, size_t bytes, CUstream stream) {
    return with_stream(__func__, stream, [&](CUstream own) { return then(check_stream(own), [&] { return allocate(address, bytes); }); });
}
CUresult cuMemFree_v2(CUdeviceptr address) { return at_once(__func__, [=] { return address ? release(address) : CUDA_SUCCESS; }); }
CUresult cuMemFreeAsync(CUdeviceptr address, CUstream stream) {
    return with_stream(__func__, stream, [&](CUstream own) { return then(check_stream(own), [&] { return release(address); }); });
}
CUresult cuMemGetAddressRange_v2(CUdeviceptr *first, size_t *bytes, CUdeviceptr address) {
    return inside(__func__, [&] {
        const auto found = find(address);
        if (found == allocations.end()) return refuse(CUDA_ERROR_NOT_FOUND, "%#llx is not within an allocation", address);
        if (first) *first = found->first;
        return bytes ? give(bytes, found->second) : CUDA_SUCCESS;
    });
}
CUresult cuMemHostAlloc(void **to, size_t bytes, unsigned) {
    return at_once(__func__, [=] {
        *to = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
        if (!*to) return CUDA_ERROR_OUT_OF_MEMORY;
        memset(*to, 0xff, bytes);
        return CUDA_SUCCESS;
    });
}
CUresult cuMemAllocHost_v2(void **to, size_t bytes) { return cuMemHostAlloc(to, bytes, 0); }
CUresult cuMemFreeHost(void *from) {
    return at_once(__func__, [=] {
        free(from);
        return CUDA_SUCCESS;
    });
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
    return at_once(__func__, copy_work(memory(to), from, bytes, true, false));
}
CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes) {
    return at_once(__func__, copy_work(to, memory(from), bytes, false, true));
}
CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
    return at_once(__func__, copy_work(memory(to), memory(from), bytes, true, true));
}
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
    return on_stream(__func__, stream, copy_work(memory(to), from, bytes, true, false));
}
CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return on_stream(__func__, stream, copy_work(to, memory(from), bytes, false, true));
}
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
    return on_stream(__func__, stream, copy_work(memory(to), memory(from), bytes, true, true));
}
CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count) { return at_once(__func__, fill_work(to, value, count)); }
CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count) { return at_once(__func__, fill_work(to, value, count)); }
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream) {
    return on_stream(__func__, stream, fill_work(to, value, count));
}
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream stream) {
    return on_stream(__func__, stream, fill_work(to, value, count));
}

// Streams and events

CUresult cuStreamCreate(CUstream *stream, unsigned) {
    return inside(__func__, [&] { return give(stream, *streams.insert(new CUstream_st).first); });
}
CUresult cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int) { return cuStreamCreate(stream, flags); }
CUresult cuStreamDestroy_v2(CUstream stream) {
    return inside(__func__, [&] {
        if (!streams.erase(stream)) return refuse(CUDA_ERROR_INVALID_HANDLE, "there is no such stream");
        delete stream;
        return CUDA_SUCCESS;
    });
}
CUresult cuStreamSynchronize(CUstream stream) { return with_stream(__func__, stream, check_stream); }
CUresult cuStreamQuery(CUstream stream) { return with_stream(__func__, stream, check_stream); }
CUresult cuLaunchHostFunc(CUstream stream, CUhostFn run, void *data) {
    return on_stream(__func__, stream, [=] {
        run(data);
        return CUDA_SUCCESS;
    });
}
CUresult cuEventCreate(CUevent *event, unsigned flags) {
    return inside(__func__, [&] { return give(event, *events.insert(new CUevent_st{!(flags & CU_EVENT_DISABLE_TIMING)}).first); });
}
CUresult cuEventDestroy_v2(CUevent event) {
    return with_event(__func__, event, [&] {
        events.erase(event);
        delete event;
        return CUDA_SUCCESS;
    });
}
CUresult cuEventRecord(CUevent event, CUstream handle) {
    return with_event(__func__, event, [&] {
        return with_stream("cuEventRecord", handle, [&](CUstream stream) {
            event->recorded = true;
            event->capture = stream->capture ? stream->capture->number : 0;
            return give(&event->at, std::chrono::steady_clock::now());
        });
    });
}
CUresult cuStreamWaitEvent(CUstream handle, CUevent event, unsigned) {
    return with_event(__func__, event, [&] {
        return with_stream("cuStreamWaitEvent", handle, [&](CUstream stream) {
            if (!event->recorded) return CUDA_SUCCESS;
            if (!stream->capture) return check_event(event);
            if (event->capture == stream->capture->number) return CUDA_SUCCESS;
            return break_capture(stream, CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "the event was not recorded in the graph");
        });
    });
}
CUresult cuEventSynchronize(CUevent event) { return with_event(__func__, event, [&] { return check_event(event); }); }
CUresult cuEventQuery(CUevent event) { return with_event(__func__, event, [&] { return check_event(event); }); }
CUresult cuEventElapsedTime_v2(float *milliseconds, CUevent start, CUevent end) {
    return with_event(__func__, start, [&] {
        if (!events.contains(end) || !start->timed || !end->timed || !start->recorded || !end->recorded)
            return refuse(CUDA_ERROR_INVALID_HANDLE, "both events have to be recorded, with their times");
        return give(milliseconds, std::chrono::duration<float, std::milli>(end->at - start->at).count());
    });
}
CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) { return cuEventElapsedTime_v2(milliseconds, start, end); }

// Modules and kernels

CUresult cuModuleLoadData(CUmodule *to, const void *) { return inside(__func__, [&] { return give(to, &module); }); }
CUresult cuModuleLoadDataEx(CUmodule *to, const void *image, unsigned, CUjit_option *, void **) { return cuModuleLoadData(to, image); }
CUresult cuModuleUnload(CUmodule) { return CUDA_SUCCESS; }
CUresult cuModuleGetFunction(CUfunction *to, CUmodule, const char *name) {
    return inside(__func__, [&] {
        const auto found = TABLE.find(name);
        if (found == TABLE.end()) return refuse(CUDA_ERROR_NOT_FOUND, "there is no kernel %s", name);
        return give(to, &functions.try_emplace(found->first, CUfunc_st{name, found->second}).first->second);
    });
}
CUresult cuFuncGetAttribute(int *value, CUfunction_attribute attribute, CUfunction) {
    return inside(__func__, [&] { return give(value, attribute == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK ? int(MOST_THREADS) : 0); });
}
CUresult cuFuncSetAttribute(CUfunction, CUfunction_attribute, int) { return CUDA_SUCCESS; }
CUresult cuFuncSetCacheConfig(CUfunction, CUfunc_cache) { return CUDA_SUCCESS; }

CUresult cuLaunchKernel(CUfunction kernel, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                        unsigned block_z, unsigned shared, CUstream stream, void **parameters, void **extra) {
    return inside(__func__, [&] {
        if (std::none_of(functions.begin(), functions.end(), [&](const auto &each) { return &each.second == kernel; }))
            return refuse(CUDA_ERROR_INVALID_HANDLE, "there is no such kernel");
        if (!parameters || extra) return refuse(CUDA_ERROR_NOT_SUPPORTED, "%s: arguments in a buffer", kernel->name.c_str());
        const dim3 grid(grid_x, grid_y, grid_z), block(block_x, block_y, block_z);
        return then(check_shape(grid, block, shared), [&] {
            return on_stream("cuLaunchKernel", stream, [=, call = kernel->bind(parameters)] {
                for (const void *pointer : call.pointers) {
                    if (find(reinterpret_cast<CUdeviceptr>(pointer)) == allocations.end())
                        return refuse(CUDA_ERROR_ILLEGAL_ADDRESS, "%s: %p is not within an allocation", kernel->name.c_str(), pointer);
                }
                launch(grid, block, call.run);
                return CUDA_SUCCESS;
            });
        });
    });
}

// For other libraries' work on a stream: `run` is called now, or by the graph that the stream captures, and `drop` at the end.
void hearken_enqueue(void *stream, void (*run)(void *), void *work, void (*drop)(void *)) {
    const std::shared_ptr<void> kept(work, drop);
    on_stream(__func__, CUstream(stream), [=] {
        run(kept.get());
        return CUDA_SUCCESS;
    });
}

// Graphs

CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
    return with_stream(__func__, handle, [&](CUstream stream) {
        if (stream == &default_stream) return refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the default stream cannot capture");
        if (stream->capture) return refuse(CUDA_ERROR_ILLEGAL_STATE, "the stream captures already");
        stream->capture = std::make_unique<Capture>(Capture{++captures, mode, std::this_thread::get_id()});
        return CUDA_SUCCESS;
    });
}
CUresult cuStreamEndCapture(CUstream handle, CUgraph *graph) {
    return with_stream(__func__, handle, [&](CUstream stream) {
        *graph = nullptr;
        if (!stream->capture) return refuse(CUDA_ERROR_ILLEGAL_STATE, "the stream does not capture");
        if (stream->capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED && stream->capture->thread != std::this_thread::get_id())
            return refuse(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "another thread began the capture");
        const auto capture = std::move(stream->capture);
        if (capture->broken) return refuse(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "an earlier error broke the capture");
        return give(graph, new CUgraph_st{capture->works});
    });
}
CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus *status) {
    return with_stream(__func__, handle, [&](CUstream stream) {
        if (!stream->capture) return give(status, CU_STREAM_CAPTURE_STATUS_NONE);
        return give(status, stream->capture->broken ? CU_STREAM_CAPTURE_STATUS_INVALIDATED : CU_STREAM_CAPTURE_STATUS_ACTIVE);
    });
}
CUresult cuGraphInstantiateWithFlags(CUgraphExec *exec, CUgraph graph, unsigned long long) {
    return inside(__func__, [&] { return give(exec, new CUgraphExec_st{graph->works}); });
}
CUresult cuGraphUpload(CUgraphExec, CUstream) { return CUDA_SUCCESS; }
CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream) {
    return on_stream(__func__, stream, [works = exec->works] {
        for (const Work &work : *works) {
            if (const CUresult failed = work()) return failed;
        }
        return CUDA_SUCCESS;
    });
}
CUresult cuGraphExecDestroy(CUgraphExec exec) {
    delete exec;
    return CUDA_SUCCESS;
}
CUresult cuGraphDestroy(CUgraph graph) {
    delete graph;
    return CUDA_SUCCESS;
}
}
