// The tensor cores' product of 16 x 16 by 16 x 8 values of half precision, summed in f32 (PTX ISA, mma.m16n8k16). Lane 4g + t has
//   of A:      rows g and g + 8 of columns 2t, 2t + 1 (x[0], x[1]) and of columns 2t + 8, 2t + 9 (x[2], x[3]);
//   of B:      rows 2t, 2t + 1 (x[0]) and 2t + 8, 2t + 9 (x[1]) of column g;
//   of C:      columns 2t, 2t + 1 of row g (0, 1) and of row g + 8 (2, 3).
#pragma once
#include "element.cuh"

struct Fragment {
    uint32_t x[4];
};

struct Columns {
    uint32_t x[2];
};

#ifdef HEARKEN_EMULATED
template <typename T> void mma(float (&c)[4], const uint32_t (&a)[4], Columns b);
#else
template <typename T> __device__ inline void mma(float (&c)[4], const uint32_t (&a)[4], Columns b);

template <> __device__ inline void mma<__half>(float (&c)[4], const uint32_t (&a)[4], Columns b) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b.x[0]), "r"(b.x[1]));
}

template <> __device__ inline void mma<__nv_bfloat16>(float (&c)[4], const uint32_t (&a)[4], Columns b) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b.x[0]), "r"(b.x[1]));
}
#endif
