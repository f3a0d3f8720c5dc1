//! The memory of a pass.

use super::bucket::Bucket;
use crate::model::EncoderConfig;
use candle_core::{DType, Device, Result, Tensor};

/// What a pass over one bucket reads and writes. Workspaces of smaller buckets are views of a larger one's memory.
pub struct Workspace {
    /// Everything about a batch that is sent to the device, as [`Bucket::fill`] writes it.
    pub input: Tensor,
    /// Parts of the input.
    pub ids: Tensor,
    /// Position of each token in its row.
    pub positions: Tensor,
    /// Segment of each token.
    pub segments: Tensor,
    /// Tiles of attention, `[tiles, 4]`.
    pub tiles: Tensor,
    /// First token of each row, and the end.
    pub starts: Tensor,
    /// Before and after each layer, `[tokens, hidden]`, like the two below.
    pub x: Tensor,
    /// After the attention block.
    pub middle: Tensor,
    /// Mixed values.
    pub mixed: Tensor,
    /// The product that closes a block.
    pub product: Tensor,
    /// Query, key and value, `[tokens, 3 * hidden]`.
    pub qkv: Tensor,
    /// Of the feed-forward, `[tokens, intermediate]`.
    pub inner: Tensor,
    /// Tokens' and then rows' vectors, `[tokens + rows, hidden]` in f32.
    pub vectors: Tensor,
    /// Logits of every head for each of them, `[tokens + rows, classes]` in f32, before their bias.
    pub logits: Tensor,
}

impl Workspace {
    /// Memory for passes of up to `bucket`, of an encoder in `dtype` with `classes` logits.
    pub fn new(config: &EncoderConfig, classes: usize, bucket: Bucket, dtype: DType, device: &Device) -> Result<Self> {
        let (tokens, hidden) = (bucket.tokens, config.hidden_size);
        let rows = |width| Tensor::zeros((tokens, width), dtype, device);
        let vectors = |width| Tensor::zeros((tokens + bucket.rows(), width), DType::F32, device);
        let input = Tensor::zeros(bucket.places().end, DType::U32, device)?;
        let whole = Self {
            ids: input.clone(),
            positions: input.clone(),
            segments: input.clone(),
            tiles: input.clone(),
            starts: input.clone(),
            input,
            x: rows(hidden)?,
            middle: rows(hidden)?,
            mixed: rows(hidden)?,
            product: rows(hidden)?,
            qkv: rows(3 * hidden)?,
            inner: rows(config.intermediate_size)?,
            vectors: vectors(hidden)?,
            logits: vectors(classes)?,
        };
        whole.part(bucket)
    }

    /// The beginning of the memory, for passes of a bucket that is not larger.
    pub fn part(&self, bucket: Bucket) -> Result<Self> {
        let places = bucket.places();
        let tokens = |tensor: &Tensor| tensor.narrow(0, 0, bucket.tokens);
        let vectors = |tensor: &Tensor| tensor.narrow(0, 0, bucket.tokens + bucket.rows());
        let of = |from, to: usize| self.input.narrow(0, from, to - from);
        Ok(Self {
            input: of(0, places.end)?,
            ids: of(0, places.positions)?,
            positions: of(places.positions, places.segments)?,
            segments: of(places.segments, places.tiles)?,
            tiles: of(places.tiles, places.starts)?,
            starts: of(places.starts, places.end)?,
            x: tokens(&self.x)?,
            middle: tokens(&self.middle)?,
            mixed: tokens(&self.mixed)?,
            product: tokens(&self.product)?,
            qkv: tokens(&self.qkv)?,
            inner: tokens(&self.inner)?,
            vectors: vectors(&self.vectors)?,
            logits: vectors(&self.logits)?,
        })
    }
}
