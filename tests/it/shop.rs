//! What several tests share: models by name, a server in a test's own process.

use arc_swap::ArcSwap;
use hearken::backend;
use hearken::config::ServeConfig;
use hearken::desk::{Desk, DeskOptions};
use hearken::engine::{Engine, EngineOptions, WaitLimits};
use hearken::handover::{Links, Outbox, OutboxOptions};
use hearken::http::Service;
use hearken::model::LoadedModel;
use hearken::policy::{Policy, PolicyFile};
use hearken::store::Store;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinSet;

pub fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn model(name: &str) -> LoadedModel {
    LoadedModel::open(&repository("models").join(name)).unwrap()
}

pub fn engine(name: &str, queue: usize) -> Engine {
    let options = EngineOptions { workers: 2, cores: 2, waiting: WaitLimits::messages(queue) };
    Engine::start(model(name), backend::choose("auto").unwrap(), options).unwrap()
}

pub fn service(name: &str, config: ServeConfig) -> Arc<Service> {
    assemble(name, config, Arc::new(ArcSwap::from_pointee(Policy::new("default", PolicyFile::default()))), None)
}

/// A server that keeps conversations in a store, with couriers at work for its settings' targets.
pub async fn shop(name: &str, config: ServeConfig, store: &Store) -> (Arc<Service>, JoinSet<()>) {
    let policy = Arc::new(ArcSwap::from_pointee(Policy::new("default", PolicyFile::default())));
    let options = OutboxOptions { targets: config.targets(), allow_private: config.handover_allow_private };
    let (outbox, couriers) = Outbox::new(&options).unwrap();
    let options = DeskOptions { masked: config.masked(), links: Links { public_url: config.public_url.clone() } };
    let desk = Desk::new(store.clone(), Arc::clone(&policy), outbox, options);
    (assemble(name, config, policy, Some(desk)), couriers.start(store))
}

fn assemble(name: &str, config: ServeConfig, policy: Arc<ArcSwap<Policy>>, desk: Option<Desk>) -> Arc<Service> {
    let queue = config.queue;
    let loader = Box::new(move |name: &str| {
        anyhow::ensure!(repository("models").join(name).is_dir(), "there is no model `{name}`");
        Ok(engine(name, queue))
    });
    Arc::new(Service::new(engine(name, config.queue), loader, policy, desk, config).unwrap())
}
