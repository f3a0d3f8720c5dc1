//! Attention within the rows of a ragged batch, by tiles of queries.

use super::operation::Operation;
use super::values::{floats, integers, write};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, Layout, Result, bail};
use hearken_kernels::best;

/// Width of a head that the kernel takes.
pub const HEAD_DIM: usize = 32;

/// Queries of a tile, at most.
pub const TILE: usize = 16;

/// Queries of one row that are worked on together; four whole numbers on a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// First token of the row.
    pub row: u32,
    /// Tokens of the row; none for tokens that are in no row, which get the bias of the values alone.
    pub keys: u32,
    /// First token of the tile.
    pub query: u32,
    /// Tokens of the tile; none for a tile that is not there.
    pub queries: u32,
}

impl Tile {
    /// A tile that is not there.
    pub const NONE: Self = Self { row: 0, keys: 0, query: 0, queries: 0 };

    /// As it lies in memory.
    #[must_use]
    pub const fn words(self) -> [u32; 4] {
        [self.row, self.keys, self.query, self.queries]
    }
}

/// `out = softmax(query * key^T / sqrt(32)) * value` in each head, within each row; out is `[tokens, heads * 32]`.
///
/// Sources: query, key and value side by side `[tokens, 3 * heads * 32]`, before their bias; the bias `[3 * heads * 32]` in f32; and tiles
/// `[tiles, 4]` that cover every token.
#[derive(Debug, Clone, Copy)]
pub struct Attention {
    /// Heads.
    pub heads: usize,
}

impl Attention {
    /// What scores are multiplied with.
    fn scale() -> f32 {
        1.0 / 32.0f32.sqrt()
    }
}

impl Operation<3> for Attention {
    fn name(&self) -> &'static str {
        "hearken-tiled-attention"
    }

    fn cpu_fwd(&self, out: &mut CpuStorage, layout: &Layout, [qkv, bias, tiles]: [(&CpuStorage, &Layout); 3]) -> Result<()> {
        let hidden = self.heads * HEAD_DIM;
        let (mut qkv, bias) = (floats(qkv.0, qkv.1)?, floats(bias.0, bias.1)?);
        let Some(value_bias) = bias.get(2 * hidden..3 * hidden) else { bail!("attention has a bias of {} values", bias.len()) };
        qkv.chunks_exact_mut(bias.len()).for_each(|token| best().add(&bias, token));
        let mut mixed = floats(out, layout)?;
        for tile in integers(tiles.0, tiles.1)?.as_chunks::<4>().0 {
            let [row, keys, query, queries] = tile.map(|value| value as usize);
            let row = qkv.get(row * 3 * hidden..(row + keys) * 3 * hidden);
            let queries_of = qkv.get(query * 3 * hidden..(query + queries) * 3 * hidden);
            let into = mixed.get_mut(query * hidden..(query + queries) * hidden);
            let (Some(row), Some(queries), Some(into)) = (row, queries_of, into) else { bail!("a tile is beyond the tokens") };
            for (query, into) in queries.chunks_exact(3 * hidden).zip(into.chunks_exact_mut(hidden)) {
                if row.is_empty() {
                    into.copy_from_slice(value_bias);
                    continue;
                }
                for head in 0..self.heads {
                    attend(query, row, head, hidden, into);
                }
            }
        }
        write(out, layout, &mixed)
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, out: &mut CudaStorage, layout: &Layout, sources: [(&CudaStorage, &Layout); 3]) -> Result<()> {
        use super::launch::{Argument, by_tiles, count, launch, place};
        let [qkv, bias, tiles] = sources;
        let number = tiles.1.shape().elem_count() / 4;
        // Powers of two are what the card computes.
        let scale = Argument::Number(Self::scale() * std::f32::consts::LOG2_E);
        let places = [place(qkv.0, qkv.1)?, place(bias.0, bias.1)?, place(tiles.0, tiles.1)?, place(out, layout)?];
        let arguments: Vec<Argument> = places.into_iter().chain([count(self.heads)?, scale]).collect();
        launch(out, "attention", by_tiles(number, self.heads)?, &arguments)
    }
}

/// One head of one query over the tokens of its row, of which there is one at least, each `[3 * hidden]`.
fn attend(query: &[f32], row: &[f32], head: usize, hidden: usize, into: &mut [f32]) {
    let columns = |part: usize| part * hidden + head * HEAD_DIM..part * hidden + (head + 1) * HEAD_DIM;
    let of = |token: &[f32], part: usize| token.get(columns(part)).map(<[f32]>::to_vec).unwrap_or_default();
    let query = of(query, 0);
    let dot = |key: Vec<f32>| query.iter().zip(key).map(|(q, k)| q * k).sum::<f32>() * Attention::scale();
    let mut weights: Vec<f32> = row.chunks_exact(3 * hidden).map(|token| dot(of(token, 1))).collect();
    let most = weights.iter().copied().fold(f32::MIN, f32::max);
    for weight in &mut weights {
        *weight = (*weight - most).exp();
    }
    let sum: f32 = weights.iter().sum();
    let mut mixed = [0.0f32; HEAD_DIM];
    for (token, weight) in row.chunks_exact(3 * hidden).zip(&weights) {
        mixed.iter_mut().zip(of(token, 2)).for_each(|(mixed, value)| *mixed += weight / sum * value);
    }
    if let Some(into) = into.get_mut(columns(0)) {
        into.copy_from_slice(&mixed);
    }
}
