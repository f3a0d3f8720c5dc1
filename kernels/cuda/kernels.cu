// The encoder's operations between its matrix products. What each computes is specified by its twin in src/backend/cuda/ops/, which
// runs on a processor; tests compare the two. Everything between loading and storing is f32.
#include "attention.cuh"
#include "norm.cuh"

// x = gelu(x + bias), the exact GELU (Hendrycks and Gimpel, 2016); eight values a thread. `width` is that of a row.
template <typename T> __device__ inline void bias_gelu(T *x, const float *bias, int values, int width) {
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * 8;
    if (first >= values) return;
    Eight v = load(x + first) + load(bias + first % width);
#pragma unroll
    for (int i = 0; i < 8; i++) v.x[i] = 0.5f * v.x[i] * (1 + erff(v.x[i] * 0.70710678f));
    store(x + first, v);
}

// What the heads read, in f32: every token's vector, and behind them every row's, its mean or its first token's; one warp a vector.
template <typename T>
__device__ inline void pool(const T *x, const uint32_t *starts, float *out, int tokens, int rows, int hidden, int first_only) {
    const int line = warp_row();
    if (line >= tokens + rows) return;
    const uint32_t start = line < tokens ? line : starts[line - tokens];
    const uint32_t past = line < tokens ? line + 1 : starts[line - tokens + 1];
    const uint32_t end = first_only ? min(start + 1, past) : past;
    const float share = end > start ? 1.0f / (end - start) : 0;
    for (int column = threadIdx.x % 32 * 8; column < hidden; column += 32 * 8) {
        Eight sum = {};
        for (uint32_t token = start; token < end; token++) sum = sum + load(x + size_t(token) * hidden + column);
#pragma unroll
        for (int i = 0; i < 8; i++) sum.x[i] *= share;
        store(out + size_t(line) * hidden + column, sum);
    }
}

#define ROWS extern "C" __global__ void __launch_bounds__(WARPS * 32)
#define KERNELS(T, name)                                                                                                              \
    ROWS embed_norm_##name(const uint32_t *ids, const uint32_t *positions, const uint32_t *segments, const T *words,                 \
                           const T *position_table, const T *segment_table, const float *gamma, const float *beta, T *out,           \
                           int tokens, int hidden, float epsilon) {                                                                   \
        embed_norm(ids, positions, segments, words, position_table, segment_table, Norm{gamma, beta, epsilon}, out, tokens, hidden); \
    }                                                                                                                                 \
    ROWS add_norm_##name(const T *product, const float *bias, const T *residual, const float *gamma, const float *beta, T *out,      \
                         int tokens, int hidden, float epsilon) {                                                                     \
        add_norm(product, bias, residual, Norm{gamma, beta, epsilon}, out, tokens, hidden);                                          \
    }                                                                                                                                 \
    ROWS attention_##name(const T *qkv, const float *bias, const Tile *tiles, T *out, int heads, float scale) {                      \
        attention(qkv, bias, tiles, out, heads, scale);                                                                               \
    }                                                                                                                                 \
    ROWS bias_gelu_##name(T *x, const float *bias, int values, int width) { bias_gelu(x, bias, values, width); }                     \
    ROWS pool_##name(const T *x, const uint32_t *starts, float *out, int tokens, int rows, int hidden, int first_only) {             \
        pool(x, starts, out, tokens, rows, hidden, first_only);                                                                       \
    }

KERNELS(__half, f16)
KERNELS(__nv_bfloat16, bf16)
