//! The tiers. `portable` holds each operation once, written so that a compiler vectorises it; a tier compiles that text for
//! its instruction set and brings the tile kernels that it writes by hand.

pub mod portable;

#[cfg(target_arch = "x86_64")]
pub mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;

/// Compiles every operation of `portable` for one instruction set and gathers them in a table.
macro_rules! tier {
    ($(#[$doc:meta])* $module:ident, $name:literal, $tiles:ty, [$($element:ident),*] $(, $features:literal)?) => {
        $(#[$doc])*
        pub mod $module {
            use crate::isa::portable::{attention, attention_backward, math, pack, rows, training};
            use crate::attention::{Attending, AttendingBackward};
            use crate::gemm::{Product, drive};
            use crate::matmul::Side;
            use crate::rows::{Conversion, Embedding, Normalising};
            use crate::table::{AdamW, Attention, Kernels, LayerNorm, Mask};
            use std::ops::Range;

            /// This tier's kernels.
            pub static TABLE: Kernels = Kernels {
                name: $name,
                accelerated: &[$(crate::matrix::Element::$element),*],
                product,
                attend,
                attend_backward,
                pack_rows,
                pack_panels,
                embed,
                normalise,
                convert,
                exp,
                tanh,
                quick_gelu,
                softmax,
                gelu,
                gelu_backward,
                layer_norm,
                layer_norm_backward,
                attention,
                attention_backward,
                adamw,
                drop,
                add,
                column_sums,
            };

            tier!(@part ($($features)?) product = drive::<$tiles>, (op: &Product<'_>, panels: Range<usize>));
            tier!(@part ($($features)?) attend = attention::attend::<$tiles>, (op: &Attending<'_>, member: usize, pairs: Range<usize>));
            tier!(@part ($($features)?) attend_backward = attention_backward::attend_backward::<$tiles>,
                (op: &AttendingBackward<'_>, member: usize, pairs: Range<usize>));
            tier!(@part ($($features)?) pack_rows = pack::pack_rows, (side: &Side<'_>, lines: Range<usize>));
            tier!(@part ($($features)?) pack_panels = pack::pack_panels, (side: &Side<'_>, lines: Range<usize>));
            tier!(@part ($($features)?) embed = rows::embed, (op: &Embedding<'_>, range: Range<usize>));
            tier!(@part ($($features)?) normalise = rows::normalise, (op: &Normalising<'_>, range: Range<usize>));
            tier!(@part ($($features)?) convert = rows::convert, (op: &Conversion<'_>, range: Range<usize>));
            tier!(@whole ($($features)?) exp = math::exp_all::<$tiles>, (x: &mut [f32]));
            tier!(@whole ($($features)?) tanh = math::tanh_all, (x: &mut [f32]));
            tier!(@whole ($($features)?) quick_gelu = math::gelu_all::<$tiles>, (x: &mut [f32]));
            tier!(@whole ($($features)?) softmax = math::softmax::<$tiles>, (x: &mut [f32], width: usize));
            tier!(@whole ($($features)?) gelu = training::gelu, (x: &[f32], out: &mut [f32]));
            tier!(@whole ($($features)?) gelu_backward = training::gelu_backward, (x: &[f32], dy: &[f32], dx: &mut [f32]));
            tier!(@whole ($($features)?) layer_norm = training::layer_norm, (x: &[f32], norm: LayerNorm<'_>, out: &mut [f32]));
            tier!(@whole ($($features)?) layer_norm_backward = training::layer_norm_backward,
                (x: &[f32], norm: LayerNorm<'_>, dy: &[f32], dx: &mut [f32], dgamma: &mut [f32], dbeta: &mut [f32]));
            tier!(@whole ($($features)?) attention = training::attention, (input: Attention<'_>, scratch: &mut [f32], out: &mut [f32]));
            tier!(@whole ($($features)?) attention_backward = training::attention_backward,
                (input: Attention<'_>, dout: &[f32], scratch: &mut [f32], dquery: &mut [f32], dkey: &mut [f32], dvalue: &mut [f32]));
            tier!(@whole ($($features)?) adamw = training::adamw,
                (step: AdamW, gradient: &[f32], parameter: &mut [f32], first: &mut [f32], second: &mut [f32]));
            tier!(@whole ($($features)?) drop = training::drop, (mask: Mask, values: &mut [f32]));
            tier!(@whole ($($features)?) add = training::add, (from: &[f32], to: &mut [f32]));
            tier!(@whole ($($features)?) column_sums = training::column_sums, (x: &[f32], width: usize, first: usize, out: &mut [f32]));
        }
    };
    (@part ($($features:literal)?) $slot:ident = $body:expr, ($($arg:ident : $kind:ty),*)) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $slot($($arg: $kind),*) {
            // SAFETY: the caller's promise is the body's: this part is this call's alone, and the processor has the features.
            unsafe { $body($($arg),*) }
        }
    };
    (@whole ($($features:literal)?) $slot:ident = $body:expr, ($($arg:ident : $kind:ty),*)) => {
        $(#[target_feature(enable = $features)])?
        fn $slot($($arg: $kind),*) {
            $body($($arg),*);
        }
    };
}

tier!(
    /// Whatever the target's baseline offers.
    scalar, "scalar", super::portable::tiles::Plain, []
);

#[cfg(target_arch = "x86_64")]
tier!(
    /// 256-bit vectors with fused multiply-add; int8 through 16-bit products.
    avx2_tier, "avx2", super::avx2::Avx2, [Int8], "avx2,fma,f16c"
);

#[cfg(target_arch = "x86_64")]
tier!(
    /// AVX2 with the dot products of AVX-VNNI.
    avx_vnni_tier, "avx-vnni", super::avx2::AvxVnni, [Int8], "avx2,fma,f16c,avxvnni"
);

#[cfg(target_arch = "x86_64")]
tier!(
    /// 512-bit vectors with VNNI.
    avx512_tier, "avx512", super::avx512::Avx512, [Int8], "avx2,fma,f16c,avx512f,avx512vl,avx512dq,avx512bw,avx512vnni"
);

#[cfg(target_arch = "x86_64")]
tier!(
    /// AVX-512 with dot products of bf16.
    avx512_bf16_tier, "avx512-bf16", super::avx512::Avx512Bf16, [Int8, Bf16],
    "avx2,fma,f16c,avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx512bf16"
);

#[cfg(target_arch = "x86_64")]
tier!(
    /// AVX-512 with tiles of int8 and bf16.
    amx_tier, "amx", super::amx::Amx, [Int8, Bf16],
    "avx2,fma,f16c,avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx512bf16"
);

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
tier!(
    /// Every 64-bit ARM processor; int8 through 16-bit products.
    neon_tier, "neon", super::neon::Neon, [Int8], "neon"
);

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
tier!(
    /// NEON with dot products of int8.
    dotprod_tier, "dotprod", super::neon::Dotprod, [Int8], "neon,dotprod"
);

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
tier!(
    /// NEON with matrix products of int8 and bf16.
    i8mm_tier, "i8mm", super::neon::I8mm, [Int8, Bf16], "neon,dotprod,i8mm,bf16"
);
