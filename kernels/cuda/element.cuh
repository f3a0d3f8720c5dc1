// Values of half precision, two in 32 bits and eight in 128, and what lanes of a warp do together.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <stdint.h>

// Rows that one block works on in kernels that give a warp to each row.
constexpr int WARPS = 4;
// 16-byte vectors of a row that a lane holds: rows have at most 32 * 8 * VECTORS values.
constexpr int VECTORS = 4;

template <typename T> __device__ inline float2 unpack(uint32_t pair);
template <typename T> __device__ inline uint32_t pack(float low, float high);

template <> __device__ inline float2 unpack<__half>(uint32_t pair) {
    __half_raw low{static_cast<unsigned short>(pair)}, high{static_cast<unsigned short>(pair >> 16)};
    return make_float2(__half2float(__half(low)), __half2float(__half(high)));
}

template <> __device__ inline uint32_t pack<__half>(float low, float high) {
    __half_raw a = __float2half_rn(low), b = __float2half_rn(high);
    return uint32_t(a.x) | uint32_t(b.x) << 16;
}

template <> __device__ inline float2 unpack<__nv_bfloat16>(uint32_t pair) {
    return make_float2(__uint_as_float(pair << 16), __uint_as_float(pair & 0xffff0000u));
}

template <> __device__ inline uint32_t pack<__nv_bfloat16>(float low, float high) {
    __nv_bfloat16_raw a = __float2bfloat16_rn(low), b = __float2bfloat16_rn(high);
    return uint32_t(a.x) | uint32_t(b.x) << 16;
}

// Eight values in f32.
struct Eight {
    float x[8];
};

template <typename T> __device__ inline Eight unpack(uint4 vector) {
    const float2 a = unpack<T>(vector.x), b = unpack<T>(vector.y), c = unpack<T>(vector.z), d = unpack<T>(vector.w);
    return {{a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y}};
}

template <typename T> __device__ inline uint4 pack(const Eight &v) {
    return make_uint4(pack<T>(v.x[0], v.x[1]), pack<T>(v.x[2], v.x[3]), pack<T>(v.x[4], v.x[5]), pack<T>(v.x[6], v.x[7]));
}

// Eight values from a place that is a multiple of 16 bytes.
template <typename T> __device__ inline Eight load(const T *from) { return unpack<T>(*reinterpret_cast<const uint4 *>(from)); }

template <> __device__ inline Eight load<float>(const float *from) {
    const float4 a = reinterpret_cast<const float4 *>(from)[0], b = reinterpret_cast<const float4 *>(from)[1];
    return {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
}

template <typename T> __device__ inline void store(T *to, const Eight &v) { *reinterpret_cast<uint4 *>(to) = pack<T>(v); }

template <> __device__ inline void store<float>(float *to, const Eight &v) {
    reinterpret_cast<float4 *>(to)[0] = make_float4(v.x[0], v.x[1], v.x[2], v.x[3]);
    reinterpret_cast<float4 *>(to)[1] = make_float4(v.x[4], v.x[5], v.x[6], v.x[7]);
}

__device__ inline Eight operator+(const Eight &a, const Eight &b) {
    Eight sum;
#pragma unroll
    for (int i = 0; i < 8; i++) sum.x[i] = a.x[i] + b.x[i];
    return sum;
}

// The sum over a warp, in every lane.
__device__ inline float warp_sum(float x) {
#pragma unroll
    for (int other = 16; other > 0; other /= 2) x += __shfl_xor_sync(0xffffffffu, x, other);
    return x;
}

// The row that this warp works on.
__device__ inline int warp_row() { return blockIdx.x * WARPS + threadIdx.x / 32; }
