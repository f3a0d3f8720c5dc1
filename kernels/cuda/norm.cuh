// Layer-norm (Ba et al., 2016) of a row that a warp holds in registers.
#pragma once
#include "element.cuh"

struct Norm {
    const float *gamma;
    const float *beta;
    float epsilon;
};

// Calls `value(column)` for every eight columns of a row, normalises what it gives, in f32, and writes it to `out`.
template <typename T, typename Value> __device__ inline void norm_row(Norm norm, int hidden, T *out, Value value) {
    const int lane = threadIdx.x % 32, vectors = hidden / 8;
    Eight row[VECTORS];
    float sum = 0;
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int vector = lane + 32 * i;
        if (vector < vectors) {
            row[i] = value(vector * 8);
#pragma unroll
            for (int j = 0; j < 8; j++) sum += row[i].x[j];
        }
    }
    const float mean = warp_sum(sum) / hidden;
    float squares = 0;
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        if (lane + 32 * i < vectors) {
#pragma unroll
            for (int j = 0; j < 8; j++) {
                row[i].x[j] -= mean;
                squares += row[i].x[j] * row[i].x[j];
            }
        }
    }
    const float scale = rsqrtf(warp_sum(squares) / hidden + norm.epsilon);
#pragma unroll
    for (int i = 0; i < VECTORS; i++) {
        const int vector = lane + 32 * i;
        if (vector < vectors) {
            const Eight gamma = load(norm.gamma + vector * 8), beta = load(norm.beta + vector * 8);
#pragma unroll
            for (int j = 0; j < 8; j++) row[i].x[j] = row[i].x[j] * scale * gamma.x[j] + beta.x[j];
            store(out + vector * 8, row[i]);
        }
    }
}

// out = layer_norm(words[id] + positions[position] + segments[segment]); one warp a token.
template <typename T>
__device__ inline void embed_norm(const uint32_t *ids, const uint32_t *at, const uint32_t *of, const T *words, const T *positions,
                                  const T *segments, Norm norm, T *out, int tokens, int hidden) {
    const int token = warp_row();
    if (token >= tokens) return;
    const T *word = words + size_t(ids[token]) * hidden;
    const T *position = positions + size_t(at[token]) * hidden;
    const T *segment = segments + size_t(of[token]) * hidden;
    norm_row(norm, hidden, out + size_t(token) * hidden,
             [&](int column) { return load(word + column) + load(position + column) + load(segment + column); });
}

// out = layer_norm(product + bias + residual); one warp a token.
template <typename T>
__device__ inline void add_norm(const T *product, const float *bias, const T *residual, Norm norm, T *out, int tokens, int hidden) {
    const int token = warp_row();
    if (token >= tokens) return;
    const size_t first = size_t(token) * hidden;
    norm_row(norm, hidden, out + first,
             [&](int column) { return load(product + first + column) + load(bias + column) + load(residual + first + column); });
}
