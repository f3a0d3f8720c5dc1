//! The network that learns, and the gradients of a step. BERT's encoder runs on our kernels or on a card, other encoders on candle's
//! graph; heads and losses are candle's in every case.

use super::device::TrainingDevice;
use super::parameters::Parameters;
use crate::backend::BatchLogits;
use crate::backend::candle::{Dropout, Fused, Network, NetworkShape, Output};
use crate::backend::training::{Dropping, EncoderGradients, Gradient, Incoming, LearningEncoder, Vectors};
use crate::batch::PackedBatch;
use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};

/// The network that learns.
pub struct Learner {
    shape: NetworkShape,
    network: Network,
    /// The encoder apart from the graph of heads and losses, and its gradients; nothing where it is part of that graph.
    encoder: Option<(Box<dyn LearningEncoder>, EncoderGradients)>,
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
    /// A learner of these parameters, which it sees change, with its encoder on `device`.
    ///
    /// # Errors
    /// When a parameter is missing, a thread cannot be started, or the device cannot train such an encoder.
    pub fn new(shape: &NetworkShape, parameters: &Parameters, device: TrainingDevice) -> Result<Self> {
        let encoder = device.encoder(shape)?.map(|encoder| (encoder, EncoderGradients::new(&shape.encoder)));
        Ok(Self { shape: shape.clone(), network: parameters.network(shape)?, encoder })
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
        let Some((encoder, gradients)) = &mut self.encoder else {
            let output = self.network.forward(batch, &Fused, &mut Dropout::new(dropping.probability, dropping.seed))?;
            let Some(loss) = loss(&self.network, &output)? else { return Ok(None) };
            return Ok(Some((f64::from(loss.to_scalar::<f32>()?), StepGradients { encoder: None, graph: loss.backward()? })));
        };
        let reading = parameters.read()?;
        let get = |name: &str| reading.get(name);
        let output = output_of(encoder.forward(&get, batch, dropping)?, self.shape.encoder.hidden_size)?;
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
        encoder.backward(&get, Incoming { tokens: &dtokens, pooled: &dpooled }, gradients)?;
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
        let Some((encoder, _)) = &mut self.encoder else { return self.network.forward(batch, &Fused, &mut Dropout::none()) };
        let reading = parameters.read()?;
        output_of(encoder.forward(&|name| reading.get(name), batch, Dropping::NONE)?, self.shape.encoder.hidden_size)
    }
}

/// What the encoder gave, as tensors.
fn output_of(Vectors { tokens, pooled }: Vectors, hidden: usize) -> Result<Output> {
    let (length, rows) = (tokens.len() / hidden, pooled.len() / hidden);
    Ok(Output {
        tokens: Tensor::from_vec(tokens, (length, hidden), &Device::Cpu)?,
        pooled: Tensor::from_vec(pooled, (rows, hidden), &Device::Cpu)?,
    })
}
