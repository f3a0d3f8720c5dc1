//! The outbox: one courier for each target, woken when something is written and when something is due.

use super::courier::Courier;
use super::target::{Target, TargetConfig, TargetError, address, client};
use super::targets::KINDS;
use crate::store::Store;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Where hand-overs go.
#[derive(Debug, Clone, Default)]
pub struct OutboxOptions {
    /// The targets.
    pub targets: Vec<TargetConfig>,
    /// Whether targets may have private addresses.
    pub allow_private: bool,
}

/// The door to the couriers.
#[derive(Debug, Clone)]
pub struct Outbox {
    targets: Arc<[String]>,
    bell: Arc<Notify>,
}

/// Couriers that are not yet at work.
pub struct Couriers(Vec<(TargetConfig, Box<dyn Target>)>, reqwest::Client, Arc<Notify>);

impl std::fmt::Debug for Couriers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(config, _)| config)).finish()
    }
}

impl Outbox {
    /// Checks the targets; the couriers begin when they are started.
    ///
    /// # Errors
    /// When a target's settings mean nothing.
    pub fn new(options: &OutboxOptions) -> Result<(Self, Couriers), TargetError> {
        let wrong = |target: &str, detail: String| TargetError { target: target.to_owned(), detail };
        let http = client(options.allow_private).map_err(|error| wrong("all", error.to_string()))?;
        let mut couriers: Vec<(TargetConfig, Box<dyn Target>)> = Vec::new();
        for config in &options.targets {
            let mut config = config.clone();
            if couriers.iter().any(|(other, _)| other.name == config.name) {
                return Err(wrong(&config.name, "two targets have this name".to_owned()));
            }
            if let Some(file) = &config.secret_file {
                let text = std::fs::read_to_string(file);
                let text = text.map_err(|error| wrong(&config.name, format!("secret_file `{}`: {error}", file.display())))?;
                config.secret = Some(text.trim().to_owned());
            }
            let build = KINDS.iter().find(|(kind, _)| *kind == config.kind).map(|(_, build)| build);
            let kinds = || KINDS.iter().map(|(kind, _)| *kind).collect::<Vec<_>>().join(", ");
            let build =
                build.ok_or_else(|| wrong(&config.name, format!("there is no kind `{}`; the kinds are {}", config.kind, kinds())))?;
            if config.concurrency == 0 {
                return Err(wrong(&config.name, "concurrency is 0; write 1 or more".to_owned()));
            }
            let target = build(&config, address(&config, options.allow_private)?)?;
            couriers.push((config, target));
        }
        let bell = Arc::new(Notify::new());
        let targets = couriers.iter().map(|(config, _)| config.name.clone()).collect();
        Ok((Self { targets, bell: Arc::clone(&bell) }, Couriers(couriers, http, bell)))
    }

    /// Names of the targets.
    #[must_use]
    pub fn targets(&self) -> &[String] {
        &self.targets
    }

    /// Something new is in the outbox.
    pub fn wake(&self) {
        self.bell.notify_waiters();
    }
}

impl Couriers {
    /// Sets the couriers to work; they end when the set is dropped.
    #[must_use]
    pub fn start(self, store: &Store) -> JoinSet<()> {
        let Self(couriers, http, bell) = self;
        let mut tasks = JoinSet::new();
        for (config, target) in couriers {
            let courier = Courier::new(store.clone(), config, target, http.clone(), Arc::clone(&bell));
            tasks.spawn(courier.run());
        }
        tasks
    }
}
