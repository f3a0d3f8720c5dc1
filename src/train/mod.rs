//! How does a base encoder become a model? Multi-task fine-tuning with calibration, and the export of a model directory.

mod batches;
mod calibrate;
mod card;
mod checkpoint;
mod corpus;
mod device;
mod embed;
mod finished;
mod inherit;
mod labels;
mod learner;
mod loss;
mod noise;
mod optimizer;
mod parameters;
mod prototypes;
mod recipe;
mod run;
mod speed;
mod teach;
mod validate;

pub use calibrate::{CalibrationOptions, recalibrate};
pub use card::{UnknownSection, card, card_of};
pub use device::TrainingDevice;
pub use embed::embed;
pub use finished::finished;
pub use recipe::{Contrastive, LossWeights, Recipe, RecipeError};
pub use run::{Job, Observer, Outcome, Progress, run};
pub use speed::{StepSize, step_times};
