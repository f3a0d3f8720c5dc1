//! Integration tests, one binary.

mod batches;
mod cli;
mod golden;
mod gradients;
mod http;
mod layering;
mod models;
mod shop;
mod text;
mod training;
