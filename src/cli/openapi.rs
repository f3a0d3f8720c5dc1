//! `hearken openapi`: the document of the server's routes.

use crate::http::openapi_document;
use clap::Args;
use std::io::Write as _;
use std::process::ExitCode;

/// Print the OpenAPI 3.1 document that the server has under `/openapi.json`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hearken openapi > openapi.json")]
pub struct OpenapiArgs {}

impl OpenapiArgs {
    /// Runs the command.
    pub fn run() -> anyhow::Result<ExitCode> {
        writeln!(std::io::stdout(), "{}", openapi_document().to_pretty_json()?)?;
        Ok(ExitCode::SUCCESS)
    }
}
