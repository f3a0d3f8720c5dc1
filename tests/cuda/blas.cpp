// Stands in for libcublas.so.13: matrix products on the processor, of half precision or f32, summed in f32.
#include <cuda.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <library_types.h>

#include <algorithm>
#include <stdint.h>
#include <stdio.h>
#include <vector>

extern "C" void hearken_enqueue(void *stream, void (*run)(void *), void *work, void (*drop)(void *));

namespace {

// Values of cublasStatus_t, cublasComputeType_t and cublasOperation_t; the header with them is not in the toolkit's smallest parts.
enum Status { SUCCESS = 0, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum Compute { COMPUTE_32F = 68, COMPUTE_32F_PEDANTIC = 69, FAST_16F = 74, FAST_16BF = 75, FAST_TF32 = 77 };
enum Operation { KEPT = 0, TRANSPOSED = 1 };

struct Handle {
    void *stream = nullptr;
    int math = 0, pointers = 0;  // modes
};

// A matrix in memory, in columns that are `step` values apart, or a batch of them.
struct Matrix {
    void *data;
    cudaDataType type;
    long long step, stride;

    size_t width() const { return type == CUDA_R_32F ? 4 : 2; }
    float get(size_t i) const {
        if (type == CUDA_R_16F) return static_cast<const __half *>(data)[i];
        if (type == CUDA_R_16BF) return static_cast<const __nv_bfloat16 *>(data)[i];
        return static_cast<const float *>(data)[i];
    }
    void set(size_t i, float value) const {
        if (type == CUDA_R_16F) static_cast<__half *>(data)[i] = __float2half_rn(value);
        else if (type == CUDA_R_16BF) static_cast<__nv_bfloat16 *>(data)[i] = __float2bfloat16_rn(value);
        else static_cast<float *>(data)[i] = value;
    }
    // Whether the device has all of it, for matrices of `rows` by `columns`.
    bool is_there(const char *name, int rows, int columns, int batch) const {
        const size_t end = (stride * (batch - 1) + step * (columns - 1) + rows) * width();
        CUdeviceptr first;
        size_t bytes;
        const auto address = reinterpret_cast<CUdeviceptr>(data);
        if (cuMemGetAddressRange(&first, &bytes, address) == CUDA_SUCCESS && address - first + end <= bytes) return true;
        fprintf(stderr, "emulated cuBLAS: matrix %s of %d x %d does not lie in allocated memory\n", name, rows, columns);
        return false;
    }
};

struct Product {
    int turn_a, turn_b, m, n, k;
    float alpha, beta;
    Matrix a, b, c;
    int batch;

    bool is_there() const {
        const bool a_there = turn_a ? a.is_there("A", k, m, batch) : a.is_there("A", m, k, batch);
        const bool b_there = turn_b ? b.is_there("B", n, k, batch) : b.is_there("B", k, n, batch);
        return a_there && b_there && c.is_there("C", m, n, batch);
    }
    void run() const;
};

// Rows and columns of C that are summed at once: their sums stay in registers.
constexpr int ROWS = 8, COLUMNS = 4;

// C = alpha * op(A) * op(B) + beta * C, for each of the batch. Both factors are first laid out as the sums go through them: of A,
// ROWS rows of each column, of B, COLUMNS columns of each row, with zeros at the edges.
void Product::run() const {
    const auto whole = [](int size, int part) { return size_t(size + part - 1) / part * part; };
    std::vector<float> left(whole(m, ROWS) * k), right(whole(n, COLUMNS) * k);
    for (int item = 0; item < batch; item++) {
        for (int i = 0; i < m; i++)
            for (int l = 0; l < k; l++)
                left[i / ROWS * size_t(ROWS) * k + l * ROWS + i % ROWS] =
                    a.get(item * a.stride + (turn_a ? l + i * a.step : i + l * a.step));
        for (int j = 0; j < n; j++)
            for (int l = 0; l < k; l++)
                right[j / COLUMNS * size_t(COLUMNS) * k + l * COLUMNS + j % COLUMNS] =
                    b.get(item * b.stride + (turn_b ? j + l * b.step : l + j * b.step));
        for (int row = 0; row < m; row += ROWS) {
            for (int column = 0; column < n; column += COLUMNS) {
                float sums[COLUMNS][ROWS] = {};
                const float *x = &left[size_t(row) * k], *y = &right[size_t(column) * k];
                for (int l = 0; l < k; l++, x += ROWS, y += COLUMNS)
                    for (int j = 0; j < COLUMNS; j++)
                        for (int i = 0; i < ROWS; i++) sums[j][i] += x[i] * y[j];
                for (int j = 0; j < std::min(COLUMNS, n - column); j++) {
                    for (int i = 0; i < std::min(ROWS, m - row); i++) {
                        const size_t at = item * c.stride + row + i + (column + j) * c.step;
                        // What is there may be NaN, and does not count without beta.
                        c.set(at, alpha * sums[j][i] + (beta == 0 ? 0 : beta * c.get(at)));
                    }
                }
            }
        }
    }
}

Status refuse(const char *why, int value) {
    fprintf(stderr, "emulated cuBLAS: %s: %d\n", why, value);
    return NOT_SUPPORTED;
}

Status multiply(const Handle *handle, const Product &product, int compute) {
    for (int turn : {product.turn_a, product.turn_b})
        if (turn != KEPT && turn != TRANSPOSED) return refuse("operation", turn);
    for (cudaDataType type : {product.a.type, product.b.type, product.c.type})
        if (type != CUDA_R_16F && type != CUDA_R_16BF && type != CUDA_R_32F) return refuse("type", type);
    if (compute != COMPUTE_32F && compute != COMPUTE_32F_PEDANTIC && compute != FAST_16F && compute != FAST_16BF && compute != FAST_TF32)
        return refuse("compute type", compute);
    if (product.a.type != product.b.type) return refuse("factors of two types, the second of", product.b.type);
    if (handle->pointers != 0) return refuse("pointer mode", handle->pointers);
    const auto &[turn_a, turn_b, m, n, k, alpha, beta, a, b, c, batch] = product;
    if (m < 0 || n < 0 || k < 0 || batch < 0 || a.step < std::max(1, turn_a ? k : m) || b.step < std::max(1, turn_b ? n : k) ||
        c.step < std::max(1, m)) {
        fprintf(stderr, "emulated cuBLAS: invalid sizes: %d x %d x %d, steps of %lld, %lld, %lld\n", m, n, k, a.step, b.step, c.step);
        return INVALID_VALUE;
    }
    if (m == 0 || n == 0 || k == 0 || batch == 0) return SUCCESS;
    if (!product.is_there()) return INVALID_VALUE;
    // A graph may run it when the matrices are there no longer.
    const auto run = [](void *work) {
        const auto product = static_cast<const Product *>(work);
        if (product->is_there()) product->run();
    };
    hearken_enqueue(handle->stream, run, new Product(product), [](void *work) { delete static_cast<Product *>(work); });
    return SUCCESS;
}

Matrix matrix(const void *data, int type, long long step, long long stride) {
    return {const_cast<void *>(data), cudaDataType(type), step, stride};
}

float scalar(const void *from) { return *static_cast<const float *>(from); }

}  // namespace

extern "C" {

int cublasCreate_v2(Handle **handle) {
    *handle = new Handle;
    return SUCCESS;
}
int cublasDestroy_v2(Handle *handle) {
    delete handle;
    return SUCCESS;
}
int cublasSetStream_v2(Handle *handle, void *stream) {
    handle->stream = stream;
    return SUCCESS;
}
int cublasGetStream_v2(Handle *handle, void **stream) {
    *stream = handle->stream;
    return SUCCESS;
}
int cublasSetWorkspace_v2(Handle *, void *, size_t) { return SUCCESS; }
int cublasSetMathMode(Handle *handle, int mode) {
    handle->math = mode;
    return SUCCESS;
}
int cublasGetMathMode(Handle *handle, int *mode) {
    *mode = handle->math;
    return SUCCESS;
}
int cublasSetPointerMode_v2(Handle *handle, int mode) {
    handle->pointers = mode;
    return SUCCESS;
}
int cublasGetPointerMode_v2(Handle *handle, int *mode) {
    *mode = handle->pointers;
    return SUCCESS;
}

int cublasGemmStridedBatchedEx(Handle *handle, int turn_a, int turn_b, int m, int n, int k, const void *alpha, const void *a, int a_type,
                               int a_step, long long a_stride, const void *b, int b_type, int b_step, long long b_stride, const void *beta,
                               void *c, int c_type, int c_step, long long c_stride, int batch, int compute, int) {
    const Product product = {turn_a, turn_b, m, n, k, scalar(alpha), scalar(beta), matrix(a, a_type, a_step, a_stride),
                             matrix(b, b_type, b_step, b_stride), matrix(c, c_type, c_step, c_stride), batch};
    return multiply(handle, product, compute);
}
int cublasGemmEx(Handle *handle, int turn_a, int turn_b, int m, int n, int k, const void *alpha, const void *a, int a_type, int a_step,
                 const void *b, int b_type, int b_step, const void *beta, void *c, int c_type, int c_step, int compute, int algorithm) {
    return cublasGemmStridedBatchedEx(handle, turn_a, turn_b, m, n, k, alpha, a, a_type, a_step, 0, b, b_type, b_step, 0, beta, c, c_type,
                                      c_step, 0, 1, compute, algorithm);
}
int cublasSgemmStridedBatched(Handle *handle, int turn_a, int turn_b, int m, int n, int k, const float *alpha, const float *a, int a_step,
                              long long a_stride, const float *b, int b_step, long long b_stride, const float *beta, float *c, int c_step,
                              long long c_stride, int batch) {
    return cublasGemmStridedBatchedEx(handle, turn_a, turn_b, m, n, k, alpha, a, CUDA_R_32F, a_step, a_stride, b, CUDA_R_32F, b_step,
                                      b_stride, beta, c, CUDA_R_32F, c_step, c_stride, batch, COMPUTE_32F, 0);
}
int cublasSgemm_v2(Handle *handle, int turn_a, int turn_b, int m, int n, int k, const float *alpha, const float *a, int a_step,
                   const float *b, int b_step, const float *beta, float *c, int c_step) {
    return cublasSgemmStridedBatched(handle, turn_a, turn_b, m, n, k, alpha, a, a_step, 0, b, b_step, 0, beta, c, c_step, 0, 1);
}
}
