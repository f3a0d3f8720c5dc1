//! What is in a model directory? Configuration, tokenizer, weights and manifest become one checked, memory-mapped value.

mod architecture;
mod config;
mod directory;
mod error;
mod manifest;

pub use architecture::{ARCHITECTURES, Architecture, Disentangled, Rotary};
pub use config::{Activation, EncoderConfig};
pub use directory::{LoadedModel, export, file_sha256, hex, map_weights, write_channels};
pub use error::ModelError;
pub use manifest::{
    Calibration, DataProvenance, EmotionsManifest, EntitiesManifest, HeadsManifest, IntentManifest, Manifest, Pooling, SentimentManifest,
    TrainingManifest,
};
