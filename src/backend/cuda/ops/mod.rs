//! The encoder's operations as in-place operations of candle: each writes a tensor that is there already, so that a forward pass takes
//! no memory and can be recorded as a graph.
//!
//! Each has two forms. On a card it is one launch of a kernel of `kernels/cuda/` (or cuBLAS's product), in half precision with sums in
//! f32. On the processor it is its twin: the plain loops that specify it, in whatever element the tensors have. The twins are compared
//! with the reference, the kernels with the twins.

mod add_norm;
mod attention;
mod bias_gelu;
mod embed_norm;
#[cfg(feature = "cuda")]
mod launch;
mod norm;
mod operation;
mod pool;
mod product;
mod values;

pub use add_norm::AddNorm;
pub use attention::{Attention, HEAD_DIM, TILE, Tile};
pub use bias_gelu::BiasGelu;
pub use embed_norm::EmbedNorm;
pub use operation::{Operation, apply};
pub use pool::Pool;
pub use product::Product;

/// Widest row that the kernels normalise: 32 lanes with four vectors of eight values each.
pub const WIDEST: usize = 1024;
