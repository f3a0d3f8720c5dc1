//! One route a file.

pub mod analytics;
pub mod backtest;
pub mod classify;
pub mod conversations;
pub mod events;
pub mod handovers;
pub mod models;
pub mod policy;
pub mod probes;
pub mod stream;
