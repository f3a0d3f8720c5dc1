//! How does it look from outside? The wire, one route a file, and every error as a problem document.

mod answer;
mod body;
mod compat;
mod layers;
mod listen;
mod mirror;
mod openapi;
mod parse;
mod problem;
mod routes;
mod server;
mod terms;
mod wire;

pub use listen::{Certificate, certificate, serve};
pub use openapi::document as openapi_document;
pub use problem::Problem;
pub use server::{Loader, Service};
pub use wire::{Shape, Task, result};
