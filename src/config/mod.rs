//! What did the operator ask for? Flags over environment over file over defaults become one validated value.

mod serve;

pub use serve::{ConfigError, ServeConfig, ServeFlags, Setting};
