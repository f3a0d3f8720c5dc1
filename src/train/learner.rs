//! The network that learns, and the gradients of a step. BERT's encoder runs on our kernels, other encoders on candle's graph; heads
//! and losses are candle's in both cases.

use super::parameters::Parameters;
use crate::backend::candle::{Dropout, Fused, Network, NetworkShape, Output};
use crate::backend::cpu::supports;
use crate::backend::training::{Dropping, EncoderGradients, EncoderWeights, Gradient, Incoming, TrainingEncoder};
use crate::backend::{BatchLogits, cores};
use crate::batch::PackedBatch;
use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};

/// The network that learns.
pub struct Learner {
    shape: NetworkShape,
    network: Network,
    /// The encoder on kernels and its gradients, where there are kernels for it.
    kernels: Option<(TrainingEncoder, EncoderGradients)>,
}

/// Gradients of one step, by the names of the parameters.
pub struct StepGradients<'a> {
    encoder: Option<&'a EncoderGradients>,
    graph: GradStore,
}

impl StepGradients<'_> {
    /// Sum of the squares of every gradient.
    ///
    /// # Errors
    /// When the device fails.
    pub fn squares(&self, parameters: &Parameters) -> Result<f64> {
        let mut squares = self.encoder.map_or(0.0, EncoderGradients::squares);
        for (_, var) in parameters.iter() {
            if let Some(gradient) = self.graph.get(var.as_tensor()) {
                squares += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
            }
        }
        Ok(squares)
    }

    /// Calls `f` with each parameter that has a gradient: its name, itself, and the gradient.
    ///
    /// # Errors
    /// What `f` says.
    pub fn each(&self, parameters: &Parameters, mut f: impl FnMut(&str, &Var, Gradient<'_>) -> Result<()>) -> Result<()> {
        for (name, gradient) in self.encoder.iter().flat_map(|encoder| encoder.iter()) {
            if let Some(var) = parameters.get(name) {
                f(name, var, gradient)?;
            }
        }
        for (name, var) in parameters.iter() {
            if let Some(gradient) = self.graph.get(var.as_tensor()) {
                f(name, var, Gradient::Dense(&gradient.flatten_all()?.to_vec1()?))?;
            }
        }
        Ok(())
    }
}

impl Learner {
    /// A learner of these parameters, which it sees change.
    ///
    /// # Errors
    /// When a parameter is missing or a thread cannot be started.
    pub fn new(shape: &NetworkShape, parameters: &Parameters) -> Result<Self> {
        let kernels = if supports(&shape.encoder).is_ok() {
            Some((TrainingEncoder::new(&shape.encoder, shape.pooling, cores())?, EncoderGradients::new(&shape.encoder)))
        } else {
            None
        };
        Ok(Self { shape: shape.clone(), network: parameters.network(shape)?, kernels })
    }

    /// Loss and gradients of a batch of at least one row. `loss` gives none where the batch says nothing.
    ///
    /// # Errors
    /// When the device fails.
    pub fn step(
        &mut self,
        parameters: &Parameters,
        batch: &PackedBatch,
        dropping: Dropping,
        loss: impl FnOnce(&Network, &Output) -> Result<Option<Tensor>>,
    ) -> Result<Option<(f64, StepGradients<'_>)>> {
        let Some((encoder, gradients)) = &mut self.kernels else {
            let output = self.network.forward(batch, &Fused, &mut Dropout::new(dropping.probability, dropping.seed))?;
            let Some(loss) = loss(&self.network, &output)? else { return Ok(None) };
            return Ok(Some((f64::from(loss.to_scalar::<f32>()?), StepGradients { encoder: None, graph: loss.backward()? })));
        };
        let reading = parameters.read()?;
        let weights = EncoderWeights::of(&self.shape.encoder, &|name| reading.get(name))?;
        encoder.forward(&weights, batch, dropping);
        let output = output_of(encoder, self.shape.encoder.hidden_size)?;
        let (tokens, pooled) = (Var::from_tensor(&output.tokens)?, Var::from_tensor(&output.pooled)?);
        let output = Output { tokens: tokens.as_tensor().clone(), pooled: pooled.as_tensor().clone() };
        let Some(loss) = loss(&self.network, &output)? else { return Ok(None) };
        let value = f64::from(loss.to_scalar::<f32>()?);
        let graph = loss.backward()?;
        let incoming = |var: &Var| match graph.get(var.as_tensor()) {
            Some(gradient) => gradient.flatten_all()?.to_vec1(),
            None => Ok(Vec::new()),
        };
        let (dtokens, dpooled) = (incoming(&tokens)?, incoming(&pooled)?);
        encoder.backward(&weights, Incoming { tokens: &dtokens, pooled: &dpooled }, gradients);
        Ok(Some((value, StepGradients { encoder: Some(gradients), graph })))
    }

    /// Logits of every head for a batch, without dropout.
    ///
    /// # Errors
    /// When the device fails.
    pub fn logits(&mut self, parameters: &Parameters, batch: &PackedBatch) -> Result<BatchLogits> {
        let output = self.encode(parameters, batch)?;
        self.network.head_logits(&output, batch)
    }

    /// Vector of each message, `[rows, hidden]`, without dropout.
    ///
    /// # Errors
    /// When the device fails.
    pub fn pooled(&mut self, parameters: &Parameters, batch: &PackedBatch) -> Result<Vec<f32>> {
        self.encode(parameters, batch)?.pooled.flatten_all()?.to_vec1()
    }

    fn encode(&mut self, parameters: &Parameters, batch: &PackedBatch) -> Result<Output> {
        let Some((encoder, _)) = &mut self.kernels else { return self.network.forward(batch, &Fused, &mut Dropout::none()) };
        let reading = parameters.read()?;
        let weights = EncoderWeights::of(&self.shape.encoder, &|name| reading.get(name))?;
        encoder.forward(&weights, batch, Dropping::NONE);
        output_of(encoder, self.shape.encoder.hidden_size)
    }
}

/// What the encoder gave, as tensors.
fn output_of(encoder: &TrainingEncoder, hidden: usize) -> Result<Output> {
    let (tokens, pooled) = (encoder.tokens(), encoder.pooled());
    let rows = pooled.len() / hidden;
    Ok(Output {
        tokens: Tensor::from_slice(tokens, (tokens.len() / hidden, hidden), &Device::Cpu)?,
        pooled: Tensor::from_vec(pooled, (rows, hidden), &Device::Cpu)?,
    })
}
