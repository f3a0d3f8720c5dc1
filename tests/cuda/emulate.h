// Runs CUDA kernels on the processor: what nvcc gives to a kernel, for a compiler of plain C++.
//
// A warp's 32 lanes are fibers, which are switched where lanes exchange values: each runs until it comes to a collective, and when all
// have come, the collective is done for all of them. Warps run one after the other, and so do blocks. There is no shared memory and
// no __syncthreads, since our kernels have no use for them.
//
// Compile with HEARKEN_EMULATED, and with kernels/cuda and the toolkit's headers in the include path.
#pragma once
#undef _FORTIFY_SOURCE  // its longjmp only goes down the stack that it is called on
#include <bit>
#include <functional>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <tuple>
#include <ucontext.h>
#include <utility>
#include <vector>

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#ifndef __global__
#define __global__
#endif
#ifndef __device__
#define __device__
#endif
#undef __launch_bounds__
#define __launch_bounds__(threads)

inline uint3 threadIdx, blockIdx;
inline dim3 blockDim, gridDim;

// What a kernel is called with: a copy of its arguments, so that it can be called later, and more than once.
struct Call {
    std::function<void()> run;           // one thread of it
    std::vector<const void *> pointers;  // those of the arguments that are pointers
};

// Takes the arguments from where cuLaunchKernel's `kernelParams` points to.
template <typename... Types> Call bind(void (*kernel)(Types...), void **parameters) {
    const auto copy = [&]<size_t... I>(std::index_sequence<I...>) { return std::tuple(*static_cast<Types *>(parameters[I])...); };
    Call call;
    const auto note = [&](auto argument) {
        if constexpr (std::is_pointer_v<decltype(argument)>) call.pointers.push_back(argument);
    };
    const auto arguments = copy(std::index_sequence_for<Types...>());
    std::apply([&](auto... argument) { (note(argument), ...); }, arguments);
    call.run = [=] { std::apply(kernel, arguments); };
    return call;
}

// The warp that is running. There is one for the whole process: whoever launches holds a lock.
class Warp {
public:
    static constexpr int LANES = 32;
    // What a collective does once all lanes are there: lane i came with operands[i], and gets its result in them.
    using Work = void (*)(void *const *operands);

    // Runs the first `threads` lanes of a warp, whose first thread is number `first` of its block.
    void run(const std::function<void()> &kernel, unsigned first, int threads) {
        body = &kernel;
        for (int i = 0; i < LANES; i++) lanes[i].ended = i >= threads;
        for (;;) {
            int ended = 0;
            for (lane = 0; lane < LANES; lane++) {
                if (!lanes[lane].ended) {
                    const unsigned thread = first + lane;
                    threadIdx = {thread % blockDim.x, thread / blockDim.x % blockDim.y, thread / blockDim.x / blockDim.y};
                    resume(lanes[lane]);
                }
                ended += lanes[lane].ended;
            }
            if (ended == LANES) return;
            meet(ended);
        }
    }

    // Comes to a collective, and returns when it is done. Another `work` is another collective.
    void join(const char *collective, Work work, void *mine) {
        lanes[lane].collective = collective, lanes[lane].work = work, operands[lane] = mine;
        suspend();
    }

    [[noreturn]] static void die(const char *format, ...) {
        va_list values;
        va_start(values, format);
        fprintf(stderr, "emulated CUDA: block %u %u %u: ", blockIdx.x, blockIdx.y, blockIdx.z);
        vfprintf(stderr, format, values);
        fputc('\n', stderr);
        abort();
    }

private:
    struct Lane {
        bool started, ended;
        const char *collective;
        Work work;
        jmp_buf at;  // where it goes on
        alignas(64) char stack[1 << 16];
    };

    // All lanes that go on wait. PTX wants all 32 in a collective; a card does not notice, and gives some value.
    void meet(int ended) {
        const Lane *some = nullptr;
        for (const Lane &each : lanes) {
            if (each.ended) continue;
            if (some && each.work != some->work) die("lanes wait in %s and in %s at once", some->collective, each.collective);
            some = &each;
        }
        if (ended) die("%d lanes wait in %s, but %d lanes have ended or never were", LANES - ended, some->collective, ended);
        some->work(operands);
    }

    // Only the first entry of a fiber is a system call; _setjmp and _longjmp switch without any.
    __attribute__((noinline)) void resume(Lane &next) {
        if (_setjmp(scheduler)) return;
        if (next.started) _longjmp(next.at, 1);
        next.started = true;
        ucontext_t begin;
        getcontext(&begin);
        begin.uc_stack.ss_sp = next.stack;
        begin.uc_stack.ss_size = sizeof next.stack;
        makecontext(&begin, live, 0);
        setcontext(&begin);
    }

    __attribute__((noinline)) void suspend() {
        if (!_setjmp(lanes[lane].at)) _longjmp(scheduler, 1);
    }

    // A fiber lives on, with its stack, and runs one thread after the other.
    static void live();

    const std::function<void()> *body;
    int lane;
    void *operands[LANES];
    Lane lanes[LANES];
    jmp_buf scheduler;
};

inline Warp warp;

inline void Warp::live() {
    for (;;) {
        (*warp.body)();
        warp.lanes[warp.lane].ended = true;
        warp.suspend();
    }
}

// Runs all threads of a launch.
inline void launch(dim3 grid, dim3 block, const std::function<void()> &kernel) {
    blockDim = block, gridDim = grid;
    const unsigned threads = block.x * block.y * block.z;
    for (blockIdx.z = 0; blockIdx.z < grid.z; blockIdx.z++)
        for (blockIdx.y = 0; blockIdx.y < grid.y; blockIdx.y++)
            for (blockIdx.x = 0; blockIdx.x < grid.x; blockIdx.x++)
                for (unsigned first = 0; first < threads; first += Warp::LANES)
                    warp.run(kernel, first, threads - first < Warp::LANES ? threads - first : Warp::LANES);
}

inline float __shfl_xor_sync(unsigned mask, float value, int distance) {
    struct Exchange {
        float value, result;
        int distance;
    } mine{value, 0, distance};
    if (mask != 0xffffffffu) Warp::die("__shfl_xor_sync of a part of a warp");
    const Warp::Work work = [](void *const *operands) {
        const auto lanes = reinterpret_cast<Exchange *const *>(operands);
        for (int i = 0; i < Warp::LANES; i++) lanes[i]->result = lanes[(i ^ lanes[i]->distance) % Warp::LANES]->value;
    };
    warp.join("__shfl_xor_sync", work, &mine);
    return mine.result;
}

inline uint32_t __byte_perm(uint32_t a, uint32_t b, uint32_t selector) {
    const uint64_t bytes = uint64_t(b) << 32 | a;
    uint32_t result = 0;
    for (int i = 0; i < 4; i++) result |= uint32_t(bytes >> (selector >> 4 * i & 7) * 8 & 0xff) << 8 * i;
    return result;
}

inline float __uint_as_float(uint32_t bits) { return std::bit_cast<float>(bits); }
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
inline uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }

#include "mma.cuh"

// C += A * B, as PTX ISA has it under "Matrix Fragments for mma.m16n8k16 with floating point type": `i` counts a lane's values, two
// in each register of A and B, the first in the lower half. Read from there and not from our kernels, which this is to test.
template <typename T> void mma(float (&c)[4], const uint32_t (&a)[4], Columns b) {
    struct Fragments {
        float *c;
        const uint32_t *a, *b;
    } mine{c, a, b.x};
    const Warp::Work work = [](void *const *operands) {
        const auto value = [](const uint32_t *registers, int i) {
            return float(std::bit_cast<T>(static_cast<uint16_t>(registers[i / 2] >> 16 * (i % 2))));
        };
        float A[16][16], B[16][8], C[16][8];
        const auto each_c = [&](auto use) {
            for (int lane = 0; lane < Warp::LANES; lane++) {
                const int group = lane >> 2, thread = lane % 4;
                float *own = static_cast<const Fragments *>(operands[lane])->c;
                for (int i = 0; i < 4; i++) use(own[i], C[i < 2 ? group : group + 8][thread * 2 + (i & 1)]);
            }
        };
        for (int lane = 0; lane < Warp::LANES; lane++) {
            const auto own = static_cast<const Fragments *>(operands[lane]);
            const int group = lane >> 2, thread = lane % 4;
            for (int i = 0; i < 8; i++) {
                const int row = i < 2 || (4 <= i && i < 6) ? group : group + 8;
                const int column = i < 4 ? thread * 2 + (i & 1) : thread * 2 + (i & 1) + 8;
                A[row][column] = value(own->a, i);
            }
            for (int i = 0; i < 4; i++) B[i < 2 ? thread * 2 + (i & 1) : thread * 2 + (i & 1) + 8][group] = value(own->b, i);
        }
        each_c([](float &own, float &c) { c = own; });
        for (int row = 0; row < 16; row++)
            for (int k = 0; k < 16; k++)
                for (int column = 0; column < 8; column++) C[row][column] += A[row][k] * B[k][column];
        each_c([](float &own, float &c) { own = c; });
    };
    warp.join("mma", work, &mine);
}
