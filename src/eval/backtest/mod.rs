//! What would a policy have done? The decisions of a server, over conversations that were recorded and classified.

mod diff;
mod examined;
mod html;
mod played;
mod recorded;
mod report;
mod sweep;
mod text;

pub use diff::{Difference, differences};
pub use examined::{Examined, Question, examine};
pub use html::page;
pub use played::{Played, play};
pub use recorded::{Recorded, RecordedMessage, Wanted};
pub use report::{AgainstLabels, BacktestReport, backtest};
pub use sweep::{Bound, Curve, Point, Sweep, SweepError, sweep};
pub use text::text;
