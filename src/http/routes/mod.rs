//! One route a file.

pub mod classify;
pub mod models;
pub mod probes;
pub mod stream;
