//! What every encoder is to the network around it, and the parts that encoders other than BERT are built from.

use super::deberta::Deberta;
use super::modernbert::ModernBert;
use super::mpnet::Mpnet;
use super::network::{Bert, Load};
use super::{Dropout, Ops};
use crate::batch::PackedBatch;
use crate::model::{Architecture, EncoderConfig};
use candle_core::{D, DType, Result, Tensor};
use std::ops::Range;

/// Token ids to token vectors, differentiable by candle.
pub trait Encoder: Send + Sync {
    /// Vectors of a batch's tokens, `[tokens, hidden]`. A row sees only itself.
    ///
    /// # Errors
    /// When an id is beyond its embedding or the device fails.
    fn forward(&self, batch: &PackedBatch, ops: &dyn Ops, dropout: &mut Dropout) -> Result<Tensor>;
}

/// The encoder that a configuration describes.
///
/// # Errors
/// When `load` has not what is asked for.
pub fn load_encoder(config: &EncoderConfig, load: &mut Load<'_>) -> Result<Box<dyn Encoder>> {
    Ok(match &config.architecture {
        Architecture::Bert => Box::new(Bert::load(config, load)?),
        Architecture::DebertaV2(own) => Box::new(Deberta::load(config, own, load)?),
        Architecture::ModernBert(own) => Box::new(ModernBert::load(config, own, load)?),
        Architecture::Mpnet(own) => Box::new(Mpnet::load(config, own.buckets, load)?),
    })
}

/// Rows of a table, `[ids, columns]`.
///
/// # Errors
/// When an id is beyond the table.
pub fn gather(table: &Tensor, ids: &[u32]) -> Result<Tensor> {
    table.index_select(&Tensor::new(ids, table.device())?, 0)
}

/// A linear layer, with a shift or without.
pub struct Dense {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Dense {
    /// Loads `[rows, columns]` and, if there is one, the bias of `[rows]`.
    ///
    /// # Errors
    /// When `load` has it not.
    pub fn load(name: &str, rows: usize, columns: usize, bias: bool, load: &mut Load<'_>) -> Result<Self> {
        let weight = load(&format!("{name}.weight"), &[rows, columns])?;
        Ok(Self { weight, bias: bias.then(|| load(&format!("{name}.bias"), &[rows])).transpose()? })
    }

    /// `[tokens, columns]` to `[tokens, rows]`.
    ///
    /// # Errors
    /// When shapes do not fit or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let product = x.matmul(&self.weight.t()?)?;
        match &self.bias {
            Some(bias) => product.broadcast_add(bias),
            None => Ok(product),
        }
    }
}

/// A layer-norm, with a shift or without.
pub struct Norm {
    gamma: Tensor,
    beta: Tensor,
    epsilon: f64,
}

impl Norm {
    /// Loads it.
    ///
    /// # Errors
    /// When `load` has it not.
    pub fn load(name: &str, config: &EncoderConfig, bias: bool, load: &mut Load<'_>) -> Result<Self> {
        let shape = [config.hidden_size];
        let gamma = load(&format!("{name}.weight"), &shape)?;
        // A shift of nothing is no parameter: training leaves it.
        let beta = if bias { load(&format!("{name}.bias"), &shape)? } else { Tensor::zeros(&shape, DType::F32, gamma.device())? };
        Ok(Self { gamma, beta, epsilon: config.layer_norm_eps })
    }

    /// `[tokens, hidden]`, each row normalised.
    ///
    /// # Errors
    /// When shapes do not fit or the device fails.
    pub fn forward(&self, x: &Tensor, ops: &dyn Ops) -> Result<Tensor> {
        ops.layer_norm(x, &self.gamma, &self.beta, self.epsilon)
    }
}

/// `[tokens, hidden]` as `[heads, tokens, head_dim]`.
///
/// # Errors
/// When the heads do not divide the hidden size.
pub fn into_heads(x: &Tensor, heads: usize) -> Result<Tensor> {
    let (tokens, hidden) = x.dims2()?;
    x.reshape((tokens, heads, hidden / heads.max(1)))?.transpose(0, 1)?.contiguous()
}

/// The way back from [`into_heads`].
///
/// # Errors
/// When the device fails.
pub fn from_heads(x: &Tensor) -> Result<Tensor> {
    let (heads, tokens, head_dim) = x.dims3()?;
    x.transpose(0, 1)?.reshape((tokens, heads * head_dim))
}

/// Attention within each row: from query, key and value, `[tokens, hidden]`, to what each token gathers, `[tokens, hidden]`. `scores` gives
/// those of one row, `[heads, tokens, tokens]`, from its query and key, `[heads, tokens, head_dim]`.
///
/// # Errors
/// When shapes do not fit or the device fails.
pub fn attend(
    [query, key, value]: [&Tensor; 3],
    rows: &[Range<usize>],
    heads: usize,
    scores: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let one = |row: &Range<usize>| -> Result<Tensor> {
        let part = |x: &Tensor| into_heads(&x.narrow(0, row.start, row.len())?, heads);
        let scores = scores(&part(query)?, &part(key)?)?;
        from_heads(&candle_nn::ops::softmax(&scores, D::Minus1)?.matmul(&part(value)?)?)
    };
    Tensor::cat(&rows.iter().map(one).collect::<Result<Vec<_>>>()?, 0)
}

/// Scores of content against content: the product of query and key over the root of a head's width.
///
/// # Errors
/// When shapes do not fit or the device fails.
pub fn content_scores(query: &Tensor, key: &Tensor) -> Result<Tensor> {
    #[expect(clippy::cast_precision_loss, reason = "a head is at most some hundred wide")]
    let scale = 1.0 / (query.dim(D::Minus1)? as f64).sqrt();
    query.matmul(&key.t()?)? * scale
}

/// Query, key and value of a layer of BERT and MPNet.
pub struct Projections {
    query: Dense,
    key: Dense,
    value: Dense,
}

impl Projections {
    /// Loads those of layer `index`.
    ///
    /// # Errors
    /// When `load` has them not.
    pub fn load(index: usize, config: &EncoderConfig, load: &mut Load<'_>) -> Result<Self> {
        let hidden = config.hidden_size;
        let mut square = |part: &str| Dense::load(&format!("encoder.layer.{index}.attention.self.{part}"), hidden, hidden, true, load);
        Ok(Self { query: square("query")?, key: square("key")?, value: square("value")? })
    }

    /// `[tokens, hidden]` to the three of them, each `[tokens, hidden]`.
    ///
    /// # Errors
    /// When shapes do not fit or the device fails.
    pub fn forward(&self, x: &Tensor) -> Result<[Tensor; 3]> {
        Ok([self.query.forward(x)?, self.key.forward(x)?, self.value.forward(x)?])
    }
}

/// What follows attention in a layer of BERT, DeBERTa and MPNet: output, feed-forward, and a layer-norm behind each.
pub struct PostNorm {
    attended: Dense,
    attended_norm: Norm,
    up: Dense,
    down: Dense,
    down_norm: Norm,
}

impl PostNorm {
    /// Loads that of layer `index`.
    ///
    /// # Errors
    /// When `load` has it not.
    pub fn load(index: usize, config: &EncoderConfig, load: &mut Load<'_>) -> Result<Self> {
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        Ok(Self {
            attended: Dense::load(&name("attention.output.dense"), hidden, hidden, true, load)?,
            attended_norm: Norm::load(&name("attention.output.LayerNorm"), config, true, load)?,
            up: Dense::load(&name("intermediate.dense"), inner, hidden, true, load)?,
            down: Dense::load(&name("output.dense"), hidden, inner, true, load)?,
            down_norm: Norm::load(&name("output.LayerNorm"), config, true, load)?,
        })
    }

    /// The layer's result, from its input and what attention gathered, both `[tokens, hidden]`.
    ///
    /// # Errors
    /// When shapes do not fit or the device fails.
    pub fn forward(&self, x: &Tensor, mixed: &Tensor, ops: &dyn Ops, dropout: &mut Dropout) -> Result<Tensor> {
        let x = self.attended_norm.forward(&(x + dropout.apply(&self.attended.forward(mixed)?)?)?, ops)?;
        let fed = self.down.forward(&ops.gelu(&self.up.forward(&x)?)?)?;
        self.down_norm.forward(&(x + dropout.apply(&fed)?)?, ops)
    }
}
