//! What several tests share: models by name, a server in a test's own process.

use hearken::backend;
use hearken::config::ServeConfig;
use hearken::engine::{Engine, EngineOptions, WaitLimits};
use hearken::http::Service;
use hearken::model::LoadedModel;
use hearken::policy::{Policy, PolicyFile};
use std::path::PathBuf;
use std::sync::Arc;

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
    let policy = Policy::new("default", PolicyFile::default());
    let queue = config.queue;
    let loader = Box::new(move |name: &str| {
        anyhow::ensure!(repository("models").join(name).is_dir(), "there is no model `{name}`");
        Ok(engine(name, queue))
    });
    Arc::new(Service::new(engine(name, config.queue), loader, policy, config).unwrap())
}
