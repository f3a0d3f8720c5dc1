//! The settings of `hearken serve`.

use crate::engine::WaitLimits;
use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

const FILE: &str = "hearken.toml";

/// The settings of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServeConfig {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Name or directory of the model.
    pub model: String,
    /// Backend, or `auto`.
    pub device: String,
    /// Worker threads; 0 is one for each core.
    pub threads: usize,
    /// Most messages admitted and not yet answered.
    pub queue: usize,
    /// Longest expected wait, in milliseconds, with which a request that a person waits for is taken; else 429.
    pub max_wait_ms: u64,
    /// The same for bulk requests.
    pub bulk_max_wait_ms: u64,
    /// Most messages of one request; at most `queue`.
    pub max_inputs: usize,
    /// Most bytes of a request's body.
    pub body_limit: usize,
    /// Milliseconds until a request is given up.
    pub deadline_ms: u64,
    /// Seconds that requests under way get to finish at shutdown.
    pub drain_seconds: u64,
    /// Policy file; the built-in policy without one.
    pub policy: Option<PathBuf>,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8080,
            model: "storefront-en".to_owned(),
            device: "auto".to_owned(),
            threads: 0,
            queue: 1024,
            max_wait_ms: 100,
            bulk_max_wait_ms: 2000,
            max_inputs: 256,
            body_limit: 2 << 20,
            deadline_ms: 10_000,
            drain_seconds: 20,
            policy: None,
        }
    }
}

/// Settings given as flags; what is absent comes from elsewhere.
#[derive(Debug, Clone, Default, Serialize, clap::Args)]
pub struct ServeFlags {
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<IpAddr>,
    /// Port to listen on; 0 takes a free one [default: 8080]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    /// Name below models/, or directory, of the model [default: storefront-en]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Backend: auto or candle [default: auto]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    /// Worker threads; 0 is one for each core [default: 0]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<usize>,
    /// Most messages admitted and not yet answered [default: 1024]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<usize>,
    /// Policy file (YAML) [default: the built-in policy]
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<PathBuf>,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was asked for is not there.
    #[error("configuration file `{}` does not exist", .0.display())]
    Missing(PathBuf),
    /// A value or key; names the key and where it came from.
    #[error("configuration: {0}")]
    Value(Box<figment::Error>),
    /// A value out of range.
    #[error("configuration, key `{key}`: {detail}")]
    Range {
        /// The key.
        key: &'static str,
        /// What is wrong.
        detail: String,
    },
}

impl ServeConfig {
    /// Brings flags, environment (`HEARKEN_PORT` and so on), file and defaults together.
    ///
    /// # Errors
    /// When a file is missing, a key is unknown, or a value is of the wrong type or out of range.
    pub fn load(flags: &ServeFlags, file: Option<&Path>) -> Result<Self, ConfigError> {
        if let Some(file) = file.filter(|file| !file.is_file()) {
            return Err(ConfigError::Missing(file.to_owned()));
        }
        let keys = [
            "host",
            "port",
            "model",
            "device",
            "threads",
            "queue",
            "max_wait_ms",
            "bulk_max_wait_ms",
            "max_inputs",
            "body_limit",
            "deadline_ms",
            "drain_seconds",
            "policy",
        ];
        let file = file.or(Some(Path::new(FILE)).filter(|file| file.is_file()));
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let config: Self = figment
            .merge(Env::prefixed("HEARKEN_").only(&keys))
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(|error| ConfigError::Value(Box::new(error)))?;
        config.check()?;
        Ok(config)
    }

    /// How much may wait in the engine, and how long.
    #[must_use]
    pub fn waiting(&self) -> WaitLimits {
        let ms = Duration::from_millis;
        WaitLimits { messages: self.queue, interactive: ms(self.max_wait_ms), bulk: ms(self.bulk_max_wait_ms) }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let limits = [
            ("threads", self.threads as u64, 0, 1024),
            ("queue", self.queue as u64, 1, 1 << 20),
            ("max_wait_ms", self.max_wait_ms, 1, 3_600_000),
            ("bulk_max_wait_ms", self.bulk_max_wait_ms, 1, 3_600_000),
            ("max_inputs", self.max_inputs as u64, 1, self.queue as u64),
            ("body_limit", self.body_limit as u64, 1024, 1 << 30),
            ("deadline_ms", self.deadline_ms, 1, 3_600_000),
            ("drain_seconds", self.drain_seconds, 0, 3600),
        ];
        match limits.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
            Some((key, value, least, most)) => Err(ConfigError::Range { key, detail: format!("{value} is outside {least}..={most}") }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_over_file_over_defaults_and_unknown_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        std::fs::write(&file, "port = 9000\nqueue = 7\nmax_inputs = 7").unwrap();
        let flags = ServeFlags { port: Some(9001), ..ServeFlags::default() };
        let config = ServeConfig::load(&flags, Some(&file)).unwrap();
        assert_eq!((config.port, config.queue, config.model.as_str()), (9001, 7, "storefront-en"));
        for (text, key) in [("prot = 1", "prot"), ("port = \"high\"", "port"), ("queue = 0", "queue")] {
            std::fs::write(&file, text).unwrap();
            let error = ServeConfig::load(&ServeFlags::default(), Some(&file)).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        assert!(ServeConfig::load(&flags, Some(Path::new("nowhere.toml"))).is_err());
    }
}
