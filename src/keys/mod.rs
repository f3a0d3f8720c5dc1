//! Who may ask? API keys with scopes. A key is shown once, when it is made; the file has its hash.
//!
//! A key is `hk_` and an identifier, which finds the entry, and 256 random bits, which prove it. So much chance needs no slow hash: SHA-256
//! is enough, and is compared in constant time.

mod file;

pub use file::{Key, KeyError, KeyFile, NewKey};

use serde::{Deserialize, Serialize};

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Classify messages.
    Classify,
    /// Read and change conversations, hand-overs, events and what is counted of them.
    Conversations,
    /// Read what the server knows: models, policy, metrics.
    Read,
    /// Change the server: models, policy. Has the other scopes too.
    Admin,
}

impl Scope {
    /// Name on the wire and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Classify => "classify",
            Self::Conversations => "conversations",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}
