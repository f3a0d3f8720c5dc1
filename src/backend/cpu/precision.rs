//! Which product is computed in which element: int8 where it is free, a wider one where it would cost answers.

use hearken_kernels::{Element, Kernels};

/// The element of each kind of product of an encoder layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Precision {
    /// Queries, keys and values.
    pub qkv: Element,
    /// Output of the attention.
    pub output: Element,
    /// First half of the feed-forward layer.
    pub up: Element,
    /// Second half of the feed-forward layer.
    pub down: Element,
}

impl Precision {
    /// One element for every product.
    #[must_use]
    pub fn uniform(element: Element) -> Self {
        Self { qkv: element, output: element, up: element, down: element }
    }

    /// The default on a tier: int8 where it is faster than f32, which is everywhere but on the scalar tier.
    #[must_use]
    pub fn of(kernels: &Kernels) -> Self {
        Self::uniform(if kernels.accelerates(Element::Int8) { Element::Int8 } else { Element::F32 })
    }

    /// In a word, for logs: `int8`, or `qkv=int8 output=int8 up=int8 down=bf16`.
    #[must_use]
    pub fn describe(self) -> String {
        let Self { qkv, output, up, down } = self;
        if self == Self::uniform(qkv) {
            return qkv.name().to_owned();
        }
        format!("qkv={} output={} up={} down={}", qkv.name(), output.name(), up.name(), down.name())
    }
}
