//! What every encoder is to the network around it, and the parts that encoders other than BERT are built from.

use super::deberta::Deberta;
use super::modernbert::ModernBert;
use super::mpnet::Mpnet;
use super::network::{Bert, Load};
use super::{Dropout, Ops};
use crate::batch::PackedBatch;
use crate::model::{Architecture, EncoderConfig};
use candle_core::{DType, Result, Tensor};

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
