//! hearken reads what a customer writes: intent, entities and sentiment in one transformer pass, and whether a human should
//! take over. The map is `src/docs/architecture.md`.

pub mod analytics;
pub mod backend;
pub mod batch;
pub mod cli;
pub mod config;
pub mod conversation;
pub mod data;
pub mod desk;
pub mod engine;
pub mod eval;
pub mod handover;
pub mod heads;
pub mod http;
#[cfg(feature = "hub")]
pub mod hub;
pub mod import;
pub mod keys;
pub mod model;
pub mod patterns;
pub mod plot;
pub mod policy;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod train;
