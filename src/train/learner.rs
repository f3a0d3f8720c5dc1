//! The network that learns: encoder on our kernels, heads and losses on candle's graph, and the gradients of a step.

use super::parameters::Parameters;
use crate::backend::candle::{Network, NetworkShape, Output};
use crate::backend::training::{Dropping, EncoderGradients, EncoderWeights, Gradient, Incoming, TrainingEncoder};
use crate::backend::{BatchLogits, cores};
use crate::batch::PackedBatch;
use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};

/// The network that learns.
pub struct Learner {
    shape: NetworkShape,
    network: Network,
    encoder: TrainingEncoder,
    gradients: EncoderGradients,
}

/// Gradients of one step, by the names of the parameters.
pub struct StepGradients<'a> {
    encoder: &'a EncoderGradients,
    graph: GradStore,
}

impl StepGradients<'_> {
    /// Sum of the squares of every gradient.
    ///
    /// # Errors
    /// When the device fails.
    pub fn squares(&self, parameters: &Parameters) -> Result<f64> {
        let mut squares = self.encoder.squares();
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
        for (name, gradient) in self.encoder.iter() {
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
        Ok(Self {
            shape: shape.clone(),
            network: parameters.network(shape)?,
            encoder: TrainingEncoder::new(&shape.encoder, shape.pooling, cores())?,
            gradients: EncoderGradients::new(&shape.encoder),
        })
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
        let reading = parameters.read()?;
        let weights = EncoderWeights::of(&self.shape.encoder, &|name| reading.get(name))?;
        self.encoder.forward(&weights, batch, dropping);
        let (tokens, pooled) = (self.encoder_tokens()?, self.encoder_pooled()?);
        let (tokens, pooled) = (Var::from_tensor(&tokens)?, Var::from_tensor(&pooled)?);
        let output = Output { tokens: tokens.as_tensor().clone(), pooled: pooled.as_tensor().clone() };
        let Some(loss) = loss(&self.network, &output)? else { return Ok(None) };
        let value = f64::from(loss.to_scalar::<f32>()?);
        let graph = loss.backward()?;
        let incoming = |var: &Var| match graph.get(var.as_tensor()) {
            Some(gradient) => gradient.flatten_all()?.to_vec1(),
            None => Ok(Vec::new()),
        };
        let (dtokens, dpooled) = (incoming(&tokens)?, incoming(&pooled)?);
        self.encoder.backward(&weights, Incoming { tokens: &dtokens, pooled: &dpooled }, &mut self.gradients);
        Ok(Some((value, StepGradients { encoder: &self.gradients, graph })))
    }

    /// Logits of every head for a batch, without dropout.
    ///
    /// # Errors
    /// When the device fails.
    pub fn logits(&mut self, parameters: &Parameters, batch: &PackedBatch) -> Result<BatchLogits> {
        let reading = parameters.read()?;
        let weights = EncoderWeights::of(&self.shape.encoder, &|name| reading.get(name))?;
        self.encoder.forward(&weights, batch, Dropping::NONE);
        self.network.head_logits(&Output { tokens: self.encoder_tokens()?, pooled: self.encoder_pooled()? }, batch)
    }

    /// Vector of each message, `[rows, hidden]`, without dropout.
    ///
    /// # Errors
    /// When a parameter is missing.
    pub fn pooled(&mut self, parameters: &Parameters, batch: &PackedBatch) -> Result<Vec<f32>> {
        let reading = parameters.read()?;
        let weights = EncoderWeights::of(&self.shape.encoder, &|name| reading.get(name))?;
        self.encoder.forward(&weights, batch, Dropping::NONE);
        Ok(self.encoder.pooled())
    }

    fn encoder_tokens(&self) -> Result<Tensor> {
        let hidden = self.shape.encoder.hidden_size;
        Tensor::from_slice(self.encoder.tokens(), (self.encoder.tokens().len() / hidden, hidden), &Device::Cpu)
    }

    fn encoder_pooled(&self) -> Result<Tensor> {
        let (hidden, pooled) = (self.shape.encoder.hidden_size, self.encoder.pooled());
        Tensor::from_vec(pooled.clone(), (pooled.len() / hidden, hidden), &Device::Cpu)
    }
}
