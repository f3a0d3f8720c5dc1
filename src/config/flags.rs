//! The settings of `hearken serve` that are flags.

use serde::Serialize;
use std::net::IpAddr;
use std::path::PathBuf;

/// Settings given as flags; what is absent comes from elsewhere.
#[derive(Debug, Clone, Default, Serialize, clap::Args)]
pub struct ServeFlags {
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<IpAddr>,
    /// Port to listen on; 0 takes a free one [default: 8080]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<u16>,
    /// Name below models/, or directory, of the model [default: storefront-en]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    /// Backend: auto or candle [default: auto]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) device: Option<String>,
    /// Worker threads; 0 is one for each core [default: 0]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) threads: Option<usize>,
    /// Most messages admitted and not yet answered [default: 1024]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queue: Option<usize>,
    /// Policy file (YAML) [default: the built-in policy]
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<PathBuf>,
    /// Directory that conversations are kept in [default: hearken-data]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data_dir: Option<PathBuf>,
    /// Where conversations are kept: sqlite, `sqlite://FILE`, `postgres://USER@HOST/DATABASE` or none [default: sqlite, in the data
    /// directory]
    #[arg(long, value_name = "STORE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) store: Option<String>,
    /// Program that is told of each hand-over, by a signed POST
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) handover_url: Option<String>,
    /// File of API keys, see `hearken key`; without it everybody who reaches the server may ask
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) keys: Option<PathBuf>,
    /// Let other machines reach a server that has no keys
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) allow_public: bool,
    /// Certificate chain (PEM), for TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls_certificate: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls_key: Option<PathBuf>,
}

impl ServeFlags {
    /// Flags that say where conversations are kept, and nothing else.
    #[must_use]
    pub fn of_store(data_dir: Option<PathBuf>, store: Option<String>) -> Self {
        Self { data_dir, store, ..Self::default() }
    }
}
