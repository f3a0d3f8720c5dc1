//! The parameters that training changes, by their names in the model file.

use crate::backend::candle::{Network, NetworkShape};
use crate::model::{LoadedModel, map_weights};
use candle_core::{DType, Device, Result, Storage, Tensor, Var};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;
use std::path::Path;

/// Standard deviation of a new head's weights, as BERT initialises.
const INITIAL_DEVIATION: f32 = 0.02;

/// Every parameter with its name, in the order of the names.
pub struct Parameters(BTreeMap<String, Var>);

impl Parameters {
    /// The encoder's parameters from a base checkpoint, and new heads by `seed`.
    ///
    /// # Errors
    /// When the base lacks a tensor or one has another shape.
    pub fn from_base(shape: &NetworkShape, base: &Path, seed: u64) -> Result<Self> {
        let base = map_weights(&base.join("model.safetensors")).map_err(candle_core::Error::wrap)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        Self::build(shape, &mut |name, size| {
            if name.starts_with("heads.") {
                return initial(size, &mut random);
            }
            let stored = base.load(name, &Device::Cpu).or_else(|_| base.load(&format!("bert.{name}"), &Device::Cpu))?;
            let tensor = stored.to_dtype(DType::F32)?;
            if tensor.dims() != size {
                candle_core::bail!("tensor `{name}` of the base has shape {:?}, but its config.json calls for {size:?}", tensor.dims());
            }
            Ok(tensor)
        })
    }

    /// Those of a whole model, heads included.
    ///
    /// # Errors
    /// When the model lacks a tensor or one has another shape.
    pub fn from_model(shape: &NetworkShape, model: &LoadedModel) -> Result<Self> {
        Self::build(shape, &mut |name, size| model.tensor(name, size, &Device::Cpu).map_err(candle_core::Error::wrap))
    }

    /// Parameters from saved tensors.
    ///
    /// # Errors
    /// When a tensor is missing.
    pub fn from_tensors(shape: &NetworkShape, tensors: &HashMap<String, Tensor>) -> Result<Self> {
        Self::build(shape, &mut |name, _| {
            tensors.get(name).cloned().ok_or_else(|| candle_core::Error::Msg(format!("the checkpoint lacks `{name}`")))
        })
    }

    fn build(shape: &NetworkShape, give: &mut dyn FnMut(&str, &[usize]) -> Result<Tensor>) -> Result<Self> {
        let mut vars = BTreeMap::new();
        Network::load(shape, &mut |name, size| {
            let var = Var::from_tensor(&give(name, size)?)?;
            let tensor = var.as_tensor().clone();
            vars.insert(name.to_owned(), var);
            Ok(tensor)
        })?;
        Ok(Self(vars))
    }

    /// Parameters of their own with the same values.
    ///
    /// # Errors
    /// When memory is short.
    pub fn copy(&self) -> Result<Self> {
        self.0.iter().map(|(name, var)| Ok((name.clone(), Var::from_tensor(&var.as_tensor().copy()?)?))).collect::<Result<_>>().map(Self)
    }

    /// Moves every value by `share` of the way to those of `other`.
    ///
    /// # Errors
    /// When `other` has other parameters.
    pub fn follow(&self, other: &Self, share: f64) -> Result<()> {
        for ((_, var), (_, other)) in self.iter().zip(other.iter()) {
            var.set(&((var.as_tensor() * (1.0 - share))? + (other.as_tensor() * share)?)?)?;
        }
        Ok(())
    }

    /// Exchanges all values with those of `other`.
    ///
    /// # Errors
    /// When `other` has other parameters.
    pub fn exchange(&self, other: &Self) -> Result<()> {
        for ((_, var), (_, other)) in self.iter().zip(other.iter()) {
            let mine = var.as_tensor().copy()?;
            var.set(other.as_tensor())?;
            other.set(&mine)?;
        }
        Ok(())
    }

    /// The network over these parameters. It sees their changes.
    ///
    /// # Errors
    /// When a parameter is missing.
    pub fn network(&self, shape: &NetworkShape) -> Result<Network> {
        Network::load(shape, &mut |name, _| {
            self.0.get(name).map(|var| var.as_tensor().clone()).ok_or_else(|| candle_core::Error::Msg(format!("no parameter `{name}`")))
        })
    }

    /// The parameter of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.0.get(name)
    }

    /// The values of every parameter, to be read until the result is dropped; changing one meanwhile would wait for ever.
    ///
    /// # Errors
    /// When a parameter is not contiguous.
    pub fn read(&self) -> Result<Reading<'_>> {
        if let Some((name, _)) = self.0.iter().find(|(_, var)| !var.as_tensor().is_contiguous()) {
            candle_core::bail!("parameter `{name}` is not contiguous");
        }
        Ok(Reading(self.0.iter().map(|(name, var)| (name.as_str(), guard(var))).collect()))
    }

    /// Name and parameter, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.0.iter().map(|(name, var)| (name.as_str(), var))
    }

    /// The present values, detached from the graph.
    #[must_use]
    pub fn tensors(&self) -> HashMap<String, Tensor> {
        self.0.iter().map(|(name, var)| (name.clone(), var.as_tensor().detach())).collect()
    }
}

/// The values of every parameter while nobody changes them.
pub struct Reading<'a>(BTreeMap<&'a str, Box<dyn Deref<Target = Storage> + 'a>>);

fn guard(var: &Var) -> Box<dyn Deref<Target = Storage> + '_> {
    Box::new(var.as_tensor().storage_and_layout().0)
}

impl Reading<'_> {
    /// The values of one.
    ///
    /// # Errors
    /// When there is none of this name, or it is not f32 in main memory.
    pub fn get(&self, name: &str) -> Result<&[f32]> {
        match self.0.get(name).map(|guard| &***guard) {
            Some(Storage::Cpu(storage)) => storage.as_slice(),
            Some(_) => candle_core::bail!("parameter `{name}` is not in main memory"),
            None => candle_core::bail!("no parameter `{name}`"),
        }
    }
}

/// Zero for a bias, which has one dimension; normal (Box and Muller, 1958) for a matrix.
fn initial(size: &[usize], random: &mut ChaCha8Rng) -> Result<Tensor> {
    if size.len() == 1 {
        return Tensor::zeros(size, DType::F32, &Device::Cpu);
    }
    let mut normal = || {
        let (a, b): (f32, f32) = (random.random(), random.random());
        (-2.0 * (1.0 - a).ln()).sqrt() * (std::f32::consts::TAU * b).cos() * INITIAL_DEVIATION
    };
    let values: Vec<f32> = (0..size.iter().product()).map(|_| normal()).collect();
    Tensor::from_vec(values, size, &Device::Cpu)
}
