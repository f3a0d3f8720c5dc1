//! What is in a model directory? Configuration, tokenizer, weights and manifest become one checked, memory-mapped value.

mod architecture;
mod config;
mod directory;
mod error;
mod intent;
mod manifest;

pub use architecture::{ARCHITECTURES, Architecture, Disentangled, Rotary};
pub use config::{Activation, EncoderConfig};
pub use directory::{LoadedModel, export, file_sha256, hex, map_weights, write_card, write_channels, write_evaluations, write_heads};
pub use error::ModelError;
pub use intent::{IntentCalibration, IntentManifest, OperatingPoint, REJECTION};
pub use manifest::{
    Calibration, DataProvenance, EmotionsManifest, EntitiesManifest, EvaluationManifest, HeadsManifest, Manifest, Pooling,
    SentimentManifest, TrainingManifest,
};
