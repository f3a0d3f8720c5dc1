//! One route a file.

pub mod classify;
pub mod probes;
