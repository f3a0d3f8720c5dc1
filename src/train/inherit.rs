//! What a base's heads know already: the rows of labels that the data has too are taken over, so that a model that goes on learning does not
//! begin anew.

use super::labels::Labels;
use super::parameters::Parameters;
use crate::import::Base;
use crate::model::{Manifest, map_weights};
use candle_core::{DType, Device, Result, Tensor};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The rows that a base's heads share with those of a run.
#[derive(Debug, Default)]
pub struct Inheritance {
    weights: PathBuf,
    heads: Vec<Shared>,
}

/// One head of both.
#[derive(Debug)]
struct Shared {
    name: &'static str,
    /// Rows of the base's head.
    theirs: usize,
    /// Row here, row there.
    pairs: Vec<(usize, usize)>,
}

impl Inheritance {
    /// What a run with these labels shares with its base; nothing where the base is no model of hearken's.
    #[must_use]
    pub fn of(base: &Base, labels: &Labels) -> Self {
        let manifest = std::fs::read_to_string(base.path.join("hearken.toml")).ok().and_then(|text| Manifest::parse(&text).ok());
        let Some(manifest) = manifest else { return Self::default() };
        let mut heads = Vec::new();
        for ((name, ours), (_, theirs)) in labels.rows().into_iter().zip(Labels::of_heads(&manifest.heads).rows()) {
            let pairs = ours.iter().enumerate().filter_map(|(row, label)| Some((row, theirs.iter().position(|other| other == label)?)));
            if !ours.is_empty() && !theirs.is_empty() {
                heads.push(Shared { name, theirs: theirs.len(), pairs: pairs.collect() });
            }
        }
        Self { weights: base.path.join("model.safetensors"), heads }
    }

    /// Rows of the intent head that come from the base.
    #[must_use]
    pub fn intents(&self) -> BTreeSet<usize> {
        self.heads.iter().filter(|head| head.name == "intent").flat_map(|head| head.pairs.iter().map(|(row, _)| *row)).collect()
    }

    /// Copies the base's rows.
    ///
    /// # Errors
    /// When a head of the base is not as its manifest says.
    pub fn take(&self, parameters: &Parameters) -> Result<()> {
        if self.heads.is_empty() {
            return Ok(());
        }
        let weights = map_weights(&self.weights).map_err(candle_core::Error::wrap)?;
        for head in &self.heads {
            for part in ["weight", "bias"] {
                let name = format!("heads.{}.{part}", head.name);
                let Some(parameter) = parameters.get(&name) else { continue };
                let stored = weights.load(&name, &Device::Cpu)?.to_dtype(DType::F32)?;
                let width = parameter.elem_count() / parameter.dim(0)?.max(1);
                if stored.elem_count() != head.theirs * width {
                    candle_core::bail!(
                        "tensor `{name}` of the base has shape {:?}, but there are {} rows to it",
                        stored.dims(),
                        head.theirs
                    );
                }
                let (stored, mut values) = (stored.flatten_all()?.to_vec1::<f32>()?, parameter.flatten_all()?.to_vec1::<f32>()?);
                for (to, from) in &head.pairs {
                    let (to, from) = (values.get_mut(to * width..(to + 1) * width), stored.get(from * width..(from + 1) * width));
                    if let (Some(to), Some(from)) = (to, from) {
                        to.copy_from_slice(from);
                    }
                }
                parameter.set(&Tensor::from_vec(values, parameter.dims(), &Device::Cpu)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::candle::NetworkShape;
    use crate::import;
    use crate::model::EncoderConfig;
    use std::path::Path;

    #[test]
    fn rows_follow_their_labels() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/tiny");
        let base = import::base(&path, Path::new("")).unwrap();
        let manifest = Manifest::parse(&std::fs::read_to_string(path.join("hearken.toml")).unwrap()).unwrap();
        let theirs = Labels::of_heads(&manifest.heads);
        let mut labels = theirs.clone();
        labels.intents.insert(0, "aaa_new".to_owned());
        labels.intents.remove(2);
        labels.entities.reverse();
        let inheritance = Inheritance::of(&base, &labels);
        assert!(!inheritance.intents().contains(&0) && inheritance.intents().contains(&1));
        let config = EncoderConfig::parse(&std::fs::read_to_string(path.join("config.json")).unwrap()).unwrap();
        let parameters = Parameters::from_base(&NetworkShape::new(config, base.pooling, &labels.heads()), &path, 1).unwrap();
        inheritance.take(&parameters).unwrap();
        let stored = candle_core::safetensors::load(path.join("model.safetensors"), &Device::Cpu).unwrap();
        let stored = |name: &str| stored[name].to_dtype(DType::F32).unwrap().to_vec2::<f32>().unwrap();
        let now = |name: &str| parameters.get(name).unwrap().to_vec2::<f32>().unwrap();
        let (ours, base_rows) = (now("heads.intent.weight"), stored("heads.intent.weight"));
        assert_eq!(ours[1], base_rows[0]);
        assert_eq!(ours[2..labels.intents.len()], base_rows[2..theirs.intents.len()]);
        assert!(!base_rows.contains(&ours[0]), "a new label has a row of its own");
        let (ours, base_rows) = (now("heads.entities.weight"), stored("heads.entities.weight"));
        let last = theirs.entities.len() - 1;
        assert_eq!((&ours[0], &ours[1], &ours[2]), (&base_rows[0], &base_rows[1 + 2 * last], &base_rows[2 + 2 * last]));
    }
}
