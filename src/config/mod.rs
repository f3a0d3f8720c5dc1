//! What did the operator ask for? Flags over environment over file over defaults become one validated value.

mod flags;
mod serve;

pub use flags::ServeFlags;
pub use serve::{ConfigError, ServeConfig, Setting};
