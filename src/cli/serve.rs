//! `hearken serve`: the server, from settings to shutdown.

use super::load;
use crate::backend::cores;
use crate::config::{ServeConfig, ServeFlags};
use crate::http::{Loader, Service, serve};
use anyhow::Context as _;
use clap::Args;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Answer POST /v1/classify
#[derive(Debug, Args)]
#[command(after_help = "\
Settings come from flags, then the environment (HEARKEN_PORT, HEARKEN_MODEL, ...), then hearken.toml in the working directory or
--config, then defaults. The file also takes max_wait_ms, bulk_max_wait_ms, max_inputs, body_limit, deadline_ms and drain_seconds. The log level is RUST_LOG (default: info).

Example:
  hearken serve --port 8080
  curl -s localhost:8080/v1/classify -H 'Content-Type: application/json' -d '{\"input\": \"Where is my order A-10293?\"}'

SIGTERM and Ctrl-C stop it: no new requests are taken, those under way are answered.")]
pub struct ServeArgs {
    #[command(flatten)]
    flags: ServeFlags,
    /// Configuration file instead of hearken.toml in the working directory
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Log as JSON lines
    #[arg(long)]
    log_json: bool,
}

impl ServeArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let config = ServeConfig::load(&self.flags, self.config.as_deref())?;
        start_log(self.log_json);
        let (device, threads, waiting) = (config.device.clone(), config.threads, config.waiting());
        let loader: Loader = Box::new(move |model| load::engine(model, &device, threads, waiting));
        let engine = loader(&config.model)?;
        let policy = load::policy(config.policy.as_deref())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(cores().clamp(1, 4)).enable_all().build()?;
        runtime.block_on(async {
            let address = (config.host, config.port);
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen on {}:{}; choose another --port, or 0 for a free one", config.host, config.port))?;
            let local = listener.local_addr()?;
            let service = Arc::new(Service::new(engine, loader, policy, config)?);
            let (engine, policy) = (service.slots.stable(), service.policy.id());
            tracing::info!(model = engine.model().id(), backend = engine.backend(), policy, "listening on http://{local}");
            let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            let stop = async move {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                tracing::info!("stopping; requests under way are answered first");
            };
            serve(service, listener, stop).await?;
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn start_log(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let ansi = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi);
    if json { log.json().init() } else { log.with_target(false).init() }
}
