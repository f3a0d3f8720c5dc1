//! The file of keys.

use super::Scope;
use crate::model::hex;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use subtle::ConstantTimeEq as _;

const PREFIX: &str = "hk_";
const ID_BYTES: usize = 6;
const SECRET_BYTES: usize = 32;

/// What the file knows of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Identifier, which the key begins with.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// SHA-256 of the key, in hexadecimal.
    pub sha256: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Most requests a second, in the long run; without it, as many as the server takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<u32>,
    /// When it was made.
    pub created: Timestamp,
}

impl Key {
    /// Whether it may do what needs a scope.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|own| *own == scope || *own == Scope::Admin)
    }
}

/// A key that was just made.
#[derive(Debug)]
pub struct NewKey {
    /// What the client sends; it is not kept.
    pub secret: String,
    /// What is kept.
    pub key: Key,
}

/// Every key, as the file has them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// The keys.
    #[serde(default, rename = "key")]
    pub keys: Vec<Key>,
}

/// A file of keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read or written.
    #[error("key file `{}`: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Its content is wrong.
    #[error("key file `{}`: {detail}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        detail: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
}

impl KeyFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or is wrong.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let text = std::fs::read_to_string(path).map_err(|error| KeyError::File { path: path.to_owned(), error })?;
        let content = |detail: String| KeyError::Content { path: path.to_owned(), detail };
        let file: Self = toml::from_str(&text).map_err(|error| content(error.to_string()))?;
        match file.keys.iter().find(|key| key.sha256.len() != 64 || key.scopes.is_empty() || key.requests_per_second == Some(0)) {
            Some(key) => {
                Err(content(format!("key `{}` needs a sha256 of 64 digits, a scope, and requests_per_second above 0 or none", key.id)))
            }
            None => Ok(file),
        }
    }

    /// Writes the file whole or not at all, readable by its owner alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let failed = |error| KeyError::File { path: path.to_owned(), error };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let text = toml::to_string(self).map_err(|error| KeyError::Content { path: path.to_owned(), detail: error.to_string() })?;
        // A temporary file is its owner's alone, and so stays what it becomes.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error)).map(drop)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn create(&mut self, name: &str, scopes: Vec<Scope>, requests_per_second: Option<u32>) -> Result<NewKey, KeyError> {
        let id = random_hex::<ID_BYTES>()?;
        let secret = format!("{PREFIX}{id}_{}", random_hex::<SECRET_BYTES>()?);
        let created = Timestamp::now().round(jiff::Unit::Second).unwrap_or_default();
        let key = Key { id, name: name.to_owned(), sha256: hash(&secret), scopes, requests_per_second, created };
        self.keys.push(key.clone());
        Ok(NewKey { secret, key })
    }

    /// Removes a key by its identifier; whether there was one.
    pub fn revoke(&mut self, id: &str) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| key.id != id);
        self.keys.len() < before
    }

    /// The place of the key that a client sent.
    #[must_use]
    pub fn find(&self, sent: &str) -> Option<usize> {
        let id = sent.strip_prefix(PREFIX)?.split('_').next()?;
        let place = self.keys.iter().position(|key| key.id == id)?;
        let known = &self.keys.get(place)?.sha256;
        bool::from(hash(sent).as_bytes().ct_eq(known.as_bytes())).then_some(place)
    }
}

fn hash(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

fn random_hex<const N: usize>() -> Result<String, KeyError> {
    use rand::TryRngCore as _;
    let mut bytes = [0u8; N];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| KeyError::Random(error.to_string()))?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_itself_alone_and_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let mut file = KeyFile::default();
        let one = file.create("shop", vec![Scope::Classify], Some(50)).unwrap();
        let two = file.create("ops", vec![Scope::Admin], None).unwrap();
        file.save(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&one.secret) && !text.contains(one.secret.rsplit('_').next().unwrap()), "{text}");
        let mut read = KeyFile::open(&path).unwrap();
        assert_eq!(read, file);
        assert_eq!((read.find(&one.secret), read.find(&two.secret)), (Some(0), Some(1)));
        let forged = format!("hk_{}_{}", one.key.id, "0".repeat(64));
        for wrong in ["", "hk_", "hk_x_y", one.key.id.as_str(), &forged, &one.secret[..one.secret.len() - 1]] {
            assert_eq!(read.find(wrong), None, "{wrong}");
        }
        assert!(one.key.may(Scope::Classify) && !one.key.may(Scope::Read) && two.key.may(Scope::Classify));
        assert!(read.revoke(&one.key.id) && !read.revoke(&one.key.id) && read.find(&one.secret).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        KeyFile::default().save(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
    }
}
