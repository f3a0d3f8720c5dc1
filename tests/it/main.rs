//! Integration tests, one binary.
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test fails where it stands")]

mod access;
mod analytics;
mod backtest;
mod bases;
mod batches;
mod calibration;
mod cli;
mod compat;
mod conversations;
mod cuda;
mod data;
mod eval;
mod golden;
mod gradients;
mod handover;
mod http;
mod http_client;
#[cfg(feature = "hub")]
mod hub;
mod import;
mod layering;
mod models;
mod openapi;
mod operator;
mod parity;
mod policy;
mod queueing;
mod shop;
mod slots;
mod sockets;
mod store;
mod storefront;
mod stores;
mod stream;
mod targets;
mod text;
mod training;
mod transcripts;
mod words;
