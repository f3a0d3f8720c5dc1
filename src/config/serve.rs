//! The settings of `hearken serve`.

use super::flags::ServeFlags;
use crate::batch::PerClass;
use crate::desk::PERSONAL;
use crate::engine::WaitLimits;
use crate::handover::TargetConfig;
use crate::store::Address;
use figment::providers::{Env, Format as _, Serialized, Toml};
use figment::value::{Dict, Map};
use figment::{Figment, Metadata, Profile, Provider};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

const FILE: &str = "hearken.toml";
const PREFIX: &str = "HEARKEN_";
const DEFAULT: &str = "the default";

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
    /// File of API keys; without one everybody may ask.
    pub keys: Option<PathBuf>,
    /// Whether other machines may reach a server without keys.
    pub allow_public: bool,
    /// Certificate chain in PEM; with `tls_key` the server speaks TLS.
    pub tls_certificate: Option<PathBuf>,
    /// Private key of the certificate, in PEM.
    pub tls_key: Option<PathBuf>,
    /// Origins whose pages may ask from a browser.
    #[serde(deserialize_with = "list")]
    pub cors_origins: Vec<String>,
    /// Most connections at once; more are closed.
    pub max_connections: usize,
    /// Collector of traces over OTLP/HTTP, such as `http://localhost:4318`; none without it.
    pub otlp_endpoint: Option<String>,
    /// Milliseconds for a request's head, and until an idle connection is closed.
    pub header_timeout_ms: u64,
    /// Where conversations are kept, unless `store` says otherwise.
    pub data_dir: PathBuf,
    /// `sqlite`, a file in `data_dir`; `sqlite://FILE`; `postgres://…`; or `none`, and no conversation is kept.
    pub store: String,
    /// A program that is told of each hand-over: the target `webhook`.
    pub handover_url: Option<String>,
    /// Its signing secret, `whsec_` and base64; several, separated by commas, sign together.
    pub handover_secret: Option<String>,
    /// Whether hand-overs may go to private addresses.
    pub handover_allow_private: bool,
    /// More targets of hand-overs.
    pub handover_targets: Vec<TargetConfig>,
    /// Address of this server as people reach it, for links in hand-overs.
    pub public_url: Option<String>,
    /// Labels of entities that are masked in stored texts; `personal` stands for those that name people or things of theirs.
    #[serde(deserialize_with = "list")]
    pub mask_stored: Vec<String>,
    /// Days that texts are kept; 0 keeps them.
    pub keep_texts_days: u32,
    /// Days that a conversation is kept after it was last changed; 0 keeps it.
    pub keep_days: u32,
}

/// A list, or its elements in one text, separated by commas, as the environment has it.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        List(Vec<String>),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Text(text) => text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        Written::List(list) => list,
    })
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
            max_wait_ms: 50,
            bulk_max_wait_ms: 2000,
            max_inputs: 256,
            body_limit: 2 << 20,
            deadline_ms: 10_000,
            drain_seconds: 20,
            policy: None,
            keys: None,
            allow_public: false,
            tls_certificate: None,
            tls_key: None,
            cors_origins: Vec::new(),
            max_connections: 16_384,
            otlp_endpoint: None,
            header_timeout_ms: 75_000,
            data_dir: PathBuf::from("hearken-data"),
            store: "sqlite".to_owned(),
            handover_url: None,
            handover_secret: None,
            handover_allow_private: false,
            handover_targets: Vec::new(),
            public_url: None,
            mask_stored: Vec::new(),
            keep_texts_days: 90,
            keep_days: 400,
        }
    }
}

/// A setting, and who settled it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: serde_json::Value,
    /// Where the value came from.
    pub source: String,
}

/// Values with the name of their source.
fn named<T: Serialize>(name: &'static str, values: T) -> Named<T> {
    Named { name, values }
}

struct Named<T> {
    name: &'static str,
    values: T,
}

impl<T: Serialize> Provider for Named<T> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Serialized::defaults(&self.values).data()
    }
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
    /// A file that a `_FILE` variable names cannot be read.
    #[error("environment variable `{variable}`: `{}`: {error}", .path.display())]
    Secret {
        /// The variable.
        variable: String,
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Everybody could ask.
    #[error(
        "the server would be open to everybody on {host}: give it keys (`hearken key new --keys keys.toml`, then `--keys keys.toml`), \
         listen on 127.0.0.1, or say --allow-public where something else guards it"
    )]
    Public {
        /// The address.
        host: IpAddr,
    },
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
        Self::sources(flags, file).and_then(|figment| Self::read(&figment))
    }

    /// Each setting as JSON, with where it came from, in the order of the structure.
    ///
    /// # Errors
    /// As [`ServeConfig::load`].
    pub fn explain(flags: &ServeFlags, file: Option<&Path>) -> Result<Vec<Setting>, ConfigError> {
        let figment = Self::sources(flags, file)?;
        let config = serde_json::to_value(Self::read(&figment)?).unwrap_or_default();
        let setting = |(key, value): (&String, &serde_json::Value)| {
            let source = figment.find_metadata(key).map_or_else(
                || DEFAULT.to_owned(),
                |metadata| {
                    let place = metadata.source.as_ref().and_then(|source| Some(format!("{}", source.file_path()?.display())));
                    place.unwrap_or_else(|| metadata.name.to_string())
                },
            );
            // The environment's name for it is what one looks for.
            let source = if source.contains("environment variable") {
                format!("environment variable {PREFIX}{}", key.to_uppercase())
            } else {
                source
            };
            Setting { key: key.clone(), value: without_secrets(key, value), source }
        };
        Ok(config.as_object().into_iter().flatten().map(setting).collect())
    }

    /// Where conversations are kept; none where none are.
    ///
    /// # Errors
    /// When `store` means nothing.
    pub fn address(&self) -> Result<Option<Address>, ConfigError> {
        if self.store == "none" {
            return Ok(None);
        }
        let wrong = |error: crate::store::StoreError| ConfigError::Range { key: "store", detail: error.to_string() };
        Address::read(&self.store, &self.data_dir).map(Some).map_err(wrong)
    }

    /// Every target of hand-overs.
    #[must_use]
    pub fn targets(&self) -> Vec<TargetConfig> {
        let webhook = self.handover_url.as_ref().map(|url| TargetConfig {
            name: "webhook".to_owned(),
            kind: "webhook".to_owned(),
            url: url.clone(),
            secret: self.handover_secret.clone(),
            secret_file: None,
            account: None,
            concurrency: 4,
        });
        webhook.into_iter().chain(self.handover_targets.iter().cloned()).collect()
    }

    /// Labels of entities that are masked in stored texts.
    #[must_use]
    pub fn masked(&self) -> Vec<String> {
        let labels = |label: &String| if label == "personal" { PERSONAL.map(str::to_owned).to_vec() } else { vec![label.clone()] };
        self.mask_stored.iter().flat_map(labels).collect()
    }

    fn sources(flags: &ServeFlags, file: Option<&Path>) -> Result<Figment, ConfigError> {
        if let Some(file) = file.filter(|file| !file.is_file()) {
            return Err(ConfigError::Missing(file.to_owned()));
        }
        let defaults = serde_json::to_value(Self::default()).unwrap_or_default();
        let keys: Vec<String> = defaults.as_object().map(|keys| keys.keys().cloned().collect()).unwrap_or_default();
        let names: Vec<&str> = keys.iter().map(String::as_str).collect();
        let file = file.or(Some(Path::new(FILE)).filter(|file| file.is_file()));
        let mut figment = Figment::from(named(DEFAULT, Self::default()));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        figment = figment.merge(Env::prefixed(PREFIX).only(&names));
        for key in &keys {
            let variable = format!("{PREFIX}{}_FILE", key.to_uppercase());
            let Some(path) = std::env::var_os(&variable).map(PathBuf::from) else { continue };
            let text = std::fs::read_to_string(&path).map_err(|error| ConfigError::Secret { variable, path, error })?;
            // As the variable itself would be read: `8080` is a number.
            let value: figment::value::Value = text.trim().parse().unwrap_or_else(|_| text.trim().into());
            figment = figment.merge(named("a file named in the environment", BTreeMap::from([(key.as_str(), value)])));
        }
        Ok(figment.merge(named("a flag", flags)))
    }

    fn read(figment: &Figment) -> Result<Self, ConfigError> {
        let config: Self = figment.extract().map_err(|error| ConfigError::Value(Box::new(error)))?;
        config.check()?;
        Ok(config)
    }

    /// How much may wait in the engine, and how long.
    #[must_use]
    pub fn waiting(&self) -> WaitLimits {
        let ms = Duration::from_millis;
        WaitLimits { messages: self.queue, wait: PerClass { interactive: ms(self.max_wait_ms), bulk: ms(self.bulk_max_wait_ms) } }
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
            ("max_connections", self.max_connections as u64, 1, 1 << 20),
            ("header_timeout_ms", self.header_timeout_ms, 100, 3_600_000),
        ];
        if let Some((key, value, least, most)) = limits.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
            return Err(ConfigError::Range { key, detail: format!("{value} is outside {least}..={most}") });
        }
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return Err(ConfigError::Range { key: "tls_key", detail: "tls_certificate and tls_key go together".to_owned() });
        }
        if let Some(origin) = self.cors_origins.iter().find(|origin| !origin.starts_with("http://") && !origin.starts_with("https://")) {
            let detail = format!("`{origin}` is not an origin such as https://shop.example");
            return Err(ConfigError::Range { key: "cors_origins", detail });
        }
        self.address()?;
        if self.store == "none" && !self.targets().is_empty() {
            let detail = "is none, but there are targets of hand-overs, which need a store".to_owned();
            return Err(ConfigError::Range { key: "store", detail });
        }
        if !self.host.is_loopback() && self.keys.is_none() && !self.allow_public {
            return Err(ConfigError::Public { host: self.host });
        }
        Ok(())
    }
}

/// A setting as it may be shown.
fn without_secrets(key: &str, value: &serde_json::Value) -> serde_json::Value {
    let hidden = || serde_json::Value::from("(hidden)");
    match (key, value) {
        ("handover_secret", serde_json::Value::String(_)) => hidden(),
        ("store", serde_json::Value::String(text)) => Address::read(text, Path::new("")).map_or_else(
            |_| value.clone(),
            |address| match address {
                Address::Postgres(_) => address.shown().into(),
                Address::Sqlite(_) => value.clone(),
            },
        ),
        ("handover_targets", serde_json::Value::Array(targets)) => {
            let mut targets = targets.clone();
            for secret in targets.iter_mut().filter_map(|target| target.get_mut("secret")) {
                *secret = hidden();
            }
            targets.into()
        }
        _ => value.clone(),
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

    #[test]
    fn a_server_that_everybody_could_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        let load = |text: &str| {
            std::fs::write(&file, text).unwrap();
            ServeConfig::load(&ServeFlags::default(), Some(&file))
        };
        let error = load("host = \"0.0.0.0\"").unwrap_err().to_string();
        assert!(error.contains("--allow-public") && error.contains("hearken key new"), "{error}");
        for guarded in ["allow_public = true", "keys = \"keys.toml\""] {
            load(&format!("host = \"0.0.0.0\"\n{guarded}")).unwrap();
        }
        for (text, key) in [("tls_key = \"k.pem\"", "tls_certificate"), ("cors_origins = [\"*\"]", "cors_origins")] {
            assert!(load(text).unwrap_err().to_string().contains(key), "{text}");
        }
    }

    #[test]
    fn every_setting_says_where_it_came_from() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        std::fs::write(&file, "queue = 300").unwrap();
        let flags = ServeFlags { port: Some(9001), ..ServeFlags::default() };
        let settings = ServeConfig::explain(&flags, Some(&file)).unwrap();
        let source = |key: &str| settings.iter().find(|setting| setting.key == key).map(|setting| setting.source.clone()).unwrap();
        assert_eq!((source("port").as_str(), source("host").as_str()), ("a flag", DEFAULT));
        assert!(source("queue").ends_with("c.toml"), "{}", source("queue"));
    }
}
