// Attention within the rows of a ragged batch: no padding, no mask in memory, scores never leave the registers.
#pragma once
#include "element.cuh"
#include "mma.cuh"

// Width of a head.
constexpr int HEAD = 32;
// Queries of one warp, and keys of one step.
constexpr int TILE = 16;
// Score of a key behind the end of its row: finite, and far below any other.
constexpr float UNSEEN = -1e30f;

// Up to TILE queries of one row.
struct Tile {
    uint32_t row;      // first token of the row
    uint32_t keys;     // tokens of the row; 0 for tokens that are in no row, which get the bias alone
    uint32_t query;    // first token of the tile
    uint32_t queries;  // tokens of the tile; 0 for a tile that is not there
};

// Running softmax of two rows of scores, as flash attention keeps it (Dao et al., 2022). A lane has a part of each sum.
struct Softmax {
    float most[2] = {UNSEEN, UNSEEN};
    float sum[2] = {0, 0};

    // Turns scores into weights, by the greatest score so far; returns what earlier weights are to be multiplied with.
    __device__ inline void step(float (&scores)[2][4], float (&keep)[2]) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float highest = most[half];
#pragma unroll
            for (int n = 0; n < 2; n++) highest = fmaxf(highest, fmaxf(scores[n][2 * half], scores[n][2 * half + 1]));
            highest = fmaxf(highest, __shfl_xor_sync(0xffffffffu, highest, 1));
            highest = fmaxf(highest, __shfl_xor_sync(0xffffffffu, highest, 2));
            keep[half] = exp2f(most[half] - highest);
            most[half] = highest;
            sum[half] *= keep[half];
#pragma unroll
            for (int n = 0; n < 2; n++) {
#pragma unroll
                for (int i = 2 * half; i < 2 * half + 2; i++) {
                    scores[n][i] = exp2f(scores[n][i] - highest);
                    sum[half] += scores[n][i];
                }
            }
        }
    }

    // One over the sum of a row's weights.
    __device__ inline float inverse(int half) const {
        float total = sum[half];
        total += __shfl_xor_sync(0xffffffffu, total, 1);
        total += __shfl_xor_sync(0xffffffffu, total, 2);
        return total > 0 ? 1 / total : 0;
    }
};

// One warp takes one head of one tile. `qkv` is [tokens, 3 * hidden] without its bias, `out` [tokens, hidden]. The bias of the keys
// adds the same to every score of a query, which softmax does not see; the bias of the values comes through it unchanged, and is
// added at the end. `scale` is log2(e) / sqrt(HEAD), since powers of two are cheaper.
//
// A product over a head's width may take its columns in any order, if both factors take the same one: lane `t` of four has columns
// 8t to 8t + 7, one load of 16 bytes. Likewise the columns of the result are dealt so that a lane stores 16 bytes.
template <typename T>
__device__ inline void attention(const T *qkv, const float *bias, const Tile *tiles, T *out, int heads, float scale) {
    const int head = blockIdx.y * WARPS + threadIdx.x / 32;
    const Tile tile = tiles[blockIdx.x];
    if (head >= heads || tile.queries == 0) return;
    const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4, hidden = heads * HEAD;
    const size_t stride = 3 * size_t(hidden);
    const int column = head * HEAD + t * 8;
    const uint4 none = make_uint4(0, 0, 0, 0);

    const Eight shift = load(bias + column);
    uint32_t query[2][4];  // of two steps over the width: rows g and g + 8
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const uint32_t place = g + 8 * half;
        uint4 q = none;
        if (place < tile.queries) q = pack<T>(load(qkv + (tile.query + place) * stride + column) + shift);
        query[0][half] = q.x, query[0][half + 2] = q.y, query[1][half] = q.z, query[1][half + 2] = q.w;
    }

    const T *row = qkv + tile.row * stride;
    const T *keys = row + hidden + column;
    const T *values = row + 2 * hidden + head * HEAD + g * 4;
    Softmax softmax;
    float mixed[4][4] = {};  // columns 4n + j of the head, for n of eight
    for (uint32_t first = 0; first < tile.keys; first += TILE) {
        float scores[2][4] = {};
#pragma unroll
        for (int n = 0; n < 2; n++) {
            const uint32_t key = first + 8 * n + g;
            const uint4 k = key < tile.keys ? *reinterpret_cast<const uint4 *>(keys + key * stride) : none;
            mma<T>(scores[n], query[0], {k.x, k.y});
            mma<T>(scores[n], query[1], {k.z, k.w});
#pragma unroll
            for (int i = 0; i < 4; i++) scores[n][i] = first + 8 * n + 2 * t + i % 2 < tile.keys ? scores[n][i] * scale : UNSEEN;
        }
        float keep[2];
        softmax.step(scores, keep);
        const Fragment weights = {pack<T>(scores[0][0], scores[0][1]), pack<T>(scores[0][2], scores[0][3]),
                                  pack<T>(scores[1][0], scores[1][1]), pack<T>(scores[1][2], scores[1][3])};
        uint2 v[4];  // keys 2t, 2t + 1, 2t + 8, 2t + 9
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const uint32_t key = first + 2 * t + i % 2 + i / 2 * 8;
            v[i] = key < tile.keys ? *reinterpret_cast<const uint2 *>(values + key * stride) : make_uint2(0, 0);
        }
#pragma unroll
        for (int j = 0; j < 4; j++) {
#pragma unroll
            for (int i = 0; i < 4; i++) mixed[j][i] *= keep[i / 2];
            const unsigned halves = j % 2 ? 0x7632 : 0x5410;  // the upper or the lower 16 bits of both
            const auto pair = [&](uint2 a, uint2 b) { return j < 2 ? __byte_perm(a.x, b.x, halves) : __byte_perm(a.y, b.y, halves); };
            mma<T>(mixed[j], weights.x, {pair(v[0], v[1]), pair(v[2], v[3])});
        }
    }

    const Eight end = load(bias + 2 * hidden + column);
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const float inverse = softmax.inverse(half);
        Eight result;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            result.x[j] = mixed[j][2 * half] * inverse + end.x[j];
            result.x[j + 4] = mixed[j][2 * half + 1] * inverse + end.x[j + 4];
        }
        const uint32_t place = g + 8 * half;
        if (place < tile.queries) store(out + size_t(tile.query + place) * hidden + column, result);
    }
}
