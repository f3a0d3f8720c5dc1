//! `hearken serve`: the server, from settings to shutdown.

use super::{load, upkeep};
use crate::backend::cores;
use crate::config::{ServeConfig, ServeFlags};
use crate::desk::{Desk, DeskOptions};
use crate::handover::{Links, Outbox, OutboxOptions};
use crate::http::{Certificate, Loader, Service, certificate, serve};
use crate::keys::KeyFile;
use crate::policy::Policy;
use crate::store::Store;
use crate::telemetry;
use anyhow::Context as _;
use arc_swap::ArcSwap;
use clap::Args;
use std::io::IsTerminal as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

/// Answer POST /v1/classify
#[derive(Debug, Args)]
#[command(after_help = "\
Settings come from flags, then the environment (HEARKEN_PORT, HEARKEN_MODEL, ...), then hearken.toml in the working directory or
--config, then defaults; HEARKEN_PORT_FILE and so on name a file that has the value. The log level is RUST_LOG (default: info).

Example:
  hearken serve --port 8080
  curl -s localhost:8080/v1/classify -H 'Content-Type: application/json' -d '{\"input\": \"Where is my order A-10293?\"}'

Conversations are kept below --data-dir; `--store none` keeps none. Keys (`hearken key new`), the policy file and the certificate are read
again on SIGHUP. SIGTERM and Ctrl-C stop it: no new requests are taken, those under
way are answered. `hearken config show` says what every setting is and where it comes from.")]
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
        let standard = || std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok();
        let _exporting = config.otlp_endpoint.clone().or_else(standard).map(|endpoint| telemetry::export(&endpoint)).transpose()?;
        let policy = load::policy(config.policy.as_deref())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(cores().clamp(1, 4)).enable_all().build()?;
        runtime.block_on(async {
            let address = (config.host, config.port);
            let listener = TcpListener::bind(address)
                .with_context(|| format!("cannot listen on {}:{}; choose another --port, or 0 for a free one", config.host, config.port))?;
            let local = listener.local_addr()?;
            let certificate = match (&config.tls_certificate, &config.tls_key) {
                (Some(chain), Some(key)) => {
                    Some(certificate(chain, key).await.with_context(|| format!("TLS: `{}` and `{}`", chain.display(), key.display()))?)
                }
                _ => None,
            };
            let policy = Arc::new(ArcSwap::from_pointee(policy));
            let (desk, _at_work) = match desk(&config, &policy).await? {
                Some((desk, at_work)) => (Some(desk), Some(at_work)),
                None => (None, None),
            };
            let store = desk.as_ref().map(|desk| desk.store().clone());
            let service = Arc::new(Service::new(engine, loader, policy, desk, config)?);
            set_keys(&service)?;
            let (engine, policy) = (service.slots.stable(), service.policy());
            let kept = store.as_ref().map_or_else(|| "nowhere".to_owned(), Store::shown);
            let scheme = if certificate.is_some() { "https" } else { "http" };
            tracing::info!(
                model = engine.id(),
                backend = engine.backend(),
                policy = policy.id(),
                conversations = kept,
                "listening on {scheme}://{local}"
            );
            drop(engine);
            let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            tokio::spawn(reload(Arc::clone(&service), certificate.clone(), signal(SignalKind::hangup())?));
            let stop = async move {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                tracing::info!("stopping; requests under way are answered first");
            };
            serve(service, listener, certificate, stop).await?;
            if let Some(store) = store {
                store.close().await;
            }
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// The desk, where conversations are kept, and what works beside it.
async fn desk(config: &ServeConfig, policy: &Arc<ArcSwap<Policy>>) -> anyhow::Result<Option<(Desk, JoinSet<()>)>> {
    let Some(address) = config.address()? else { return Ok(None) };
    let options = OutboxOptions { targets: config.targets(), allow_private: config.handover_allow_private };
    let (outbox, couriers) = Outbox::new(&options)?;
    if options.targets.is_empty() {
        tracing::warn!("hand-overs are recorded, but nobody is told of them; --handover-url or [[handover_targets]] says who is");
    }
    let store = Store::open(address).await.context("say --store none to keep no conversations")?;
    let mut at_work = couriers.start(&store);
    at_work.spawn(upkeep::run(store.clone(), config.keep_texts_days, config.keep_days));
    let options = DeskOptions { masked: config.masked(), links: Links { public_url: config.public_url.clone() } };
    Ok(Some((Desk::new(store, Arc::clone(policy), outbox, options), at_work)))
}

/// Puts the policy of the settings' file into force.
fn set_policy(service: &Service) -> anyhow::Result<()> {
    if let Some(path) = &service.config.policy {
        service.set_policy(load::policy(Some(path))?);
    }
    Ok(())
}

/// Puts the keys of the settings' file into force.
fn set_keys(service: &Service) -> anyhow::Result<()> {
    if let Some(path) = &service.config.keys {
        service.set_keys(KeyFile::open(path)?);
    }
    Ok(())
}

/// On each SIGHUP reads keys, policy and certificate again. What cannot be read leaves in force what was.
async fn reload(service: Arc<Service>, certificate: Option<Certificate>, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        match set_keys(&service) {
            Ok(()) => tracing::info!("keys read again"),
            Err(error) => tracing::error!("keys stay as they were: {error:#}"),
        }
        match set_policy(&service) {
            Ok(()) => telemetry::policy_changed(service.policy().id()),
            Err(error) => tracing::error!("the policy stays as it was: {error:#}"),
        }
        let config = &service.config;
        if let (Some(certificate), Some(chain), Some(key)) = (&certificate, &config.tls_certificate, &config.tls_key) {
            match certificate.reload_from_pem_file(chain, key).await {
                Ok(()) => tracing::info!("certificate read again"),
                Err(error) => tracing::error!("the certificate stays as it was: {error}"),
            }
        }
    }
}

fn start_log(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let ansi = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi);
    if json { log.json().init() } else { log.with_target(false).init() }
}
