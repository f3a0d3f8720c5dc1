//! What do the stored outcomes come to? Rates, trends, pain points and what is worth a look, counted by the database.

mod anomalies;
mod escalations;
mod intents;
mod pain;
mod range;
mod review;
mod sentiment;
mod summary;

pub use anomalies::{Anomaly, anomalies};
pub use escalations::{Escalations, escalations};
pub use intents::{IntentFigures, intents};
pub use pain::{PainPoints, pain_points};
pub use range::{Bucket, Range, RangeError};
pub use review::{Review, reviews};
pub use sentiment::{Grouping, Mood, sentiment};
pub use summary::{Summary, summary};
