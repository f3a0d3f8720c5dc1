//! The tiers. `portable` holds each operation once, written so that a compiler vectorises it; a tier compiles that text for
//! its instruction set and replaces only the slots it can do better by hand.

mod portable;

/// Compiles every operation of `portable` for one instruction set and gathers them in a table.
macro_rules! tier {
    ($name:literal $(, $features:literal)?) => {
        use crate::isa::portable;
        use crate::table::{AdamW, Attention, Kernels, LayerNorm};

        /// This tier's kernels.
        pub static TABLE: Kernels = Kernels {
            name: $name,
            gelu,
            gelu_backward,
            layer_norm,
            layer_norm_backward,
            attention,
            attention_backward,
            adamw,
        };

        tier!(@ops $($features)?;
            fn gelu(x: &[f32], out: &mut [f32]);
            fn gelu_backward(x: &[f32], dy: &[f32], dx: &mut [f32]);
            fn layer_norm(x: &[f32], norm: LayerNorm<'_>, out: &mut [f32]);
            fn layer_norm_backward(x: &[f32], norm: LayerNorm<'_>, dy: &[f32], dx: &mut [f32], dgamma: &mut [f32], dbeta: &mut [f32]);
            fn attention(input: Attention<'_>, scratch: &mut [f32], out: &mut [f32]);
            fn attention_backward(input: Attention<'_>, dout: &[f32], scratch: &mut [f32], dquery: &mut [f32], dkey: &mut [f32], dvalue: &mut [f32]);
            fn adamw(step: AdamW, gradient: &[f32], parameter: &mut [f32], first: &mut [f32], second: &mut [f32]);
        );
    };
    (@ops ; $( fn $op:ident ( $($arg:ident : $kind:ty),* ); )*) => {
        $( fn $op($($arg: $kind),*) { portable::$op($($arg),*) } )*
    };
    (@ops $features:literal ; $( fn $op:ident ( $($arg:ident : $kind:ty),* ); )*) => {
        $(
            #[cfg_attr(target_arch = "x86_64", target_feature(enable = $features))]
            fn $op($($arg: $kind),*) { portable::$op($($arg),*) }
        )*
    };
}

/// Whatever the target's baseline offers.
pub mod scalar {
    tier!("scalar");
}

/// 256-bit vectors with fused multiply-add available.
pub mod avx2 {
    tier!("avx2", "avx2,fma");
}

/// 512-bit vectors.
pub mod avx512 {
    tier!("avx512", "avx2,fma,avx512f,avx512vl,avx512dq,avx512bw");
}
