//! A model by name into a directory.

use super::fetch::Commit;
use super::files::{INDEX, shards, wanted};
use super::{HubError, Watcher};
use crate::model::file_sha256;
use hf_hub::api::sync::{Api, ApiBuilder};
use hf_hub::{Cache, Repo, RepoType};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The file in a model's directory that says where it comes from; written last.
pub const RECORD: &str = "source.json";

/// What to fetch, and where to.
#[derive(Debug, Clone)]
pub struct Pull {
    /// `owner/name`.
    pub name: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// Directory that is made.
    pub out: PathBuf,
    /// Ask nobody; take what the cache has.
    pub offline: bool,
}

/// What was fetched, as [`RECORD`] keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pulled {
    /// `owner/name`.
    pub name: String,
    /// As asked for.
    pub revision: String,
    /// The commit it stood for.
    pub commit: String,
    /// sha256 of each file.
    pub files: BTreeMap<String, String>,
}

/// Fetches a model.
///
/// # Errors
/// When the name makes no sense, the hub, the network or the disk refuses, or the model lacks a file that hearken needs.
pub fn pull(request: &Pull, watcher: &mut dyn Watcher) -> Result<Pulled, HubError> {
    check_name(&request.name)?;
    let cache = Cache::from_env();
    let (commit, paths) = if request.offline { cached(request, &cache)? } else { fetched(request, &cache, watcher)? };
    lay_out(request, commit, &paths)
}

/// One or two parts of letters, digits, dots, dashes and underscores.
fn check_name(name: &str) -> Result<(), HubError> {
    let plain = |part: &str| {
        let letters = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        !part.is_empty() && letters && !part.starts_with('.') && !part.contains("..")
    };
    let parts = name.split('/').collect::<Vec<_>>();
    if parts.len() <= 2 && parts.into_iter().all(plain) { Ok(()) } else { Err(HubError::Name(name.to_owned())) }
}

fn at(request: &Pull, revision: &str) -> Repo {
    Repo::with_revision(request.name.clone(), RepoType::Model, revision.to_owned())
}

fn api() -> Result<Api, HubError> {
    let set = |name: &str| std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let mut builder = ApiBuilder::from_env().with_progress(false).with_user_agent("hearken", env!("CARGO_PKG_VERSION"));
    if let Some(token) = set("HF_TOKEN") {
        builder = builder.with_token(Some(token));
    }
    if let Some(endpoint) = set("HF_ENDPOINT") {
        builder = builder.with_endpoint(endpoint.trim_end_matches('/').to_owned());
    }
    builder.build().map_err(|error| HubError::Answer(error.to_string()))
}

/// The commit and every file, by name, from the hub.
fn fetched(request: &Pull, cache: &Cache, watcher: &mut dyn Watcher) -> Result<(String, Vec<(String, PathBuf)>), HubError> {
    let api = api()?;
    let named = at(request, &request.revision);
    let info = api.repo(named.clone()).info().map_err(|error| HubError::of(error, &request.name, &request.revision, cache.path()))?;
    if info.sha.len() < 7 || !info.sha.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(HubError::Answer(format!("`{}` is no commit", info.sha)));
    }
    let there: BTreeSet<&str> = info.siblings.iter().map(|file| file.rfilename.as_str()).collect();
    let files = wanted(&request.name, &|file| there.contains(file))?;
    let commit = Commit { api: &api, cache, repo: at(request, &info.sha), name: &request.name };
    let mut paths = Vec::new();
    for file in files {
        let path = commit.fetch(file, watcher)?;
        if file == INDEX {
            for shard in shards(&read(&path)?)? {
                paths.push((shard.clone(), commit.fetch(&shard, watcher)?));
            }
        }
        paths.push((file.to_owned(), path));
    }
    // From now on --offline knows what the revision stands for.
    cache.repo(named).create_ref(&info.sha).map_err(|source| HubError::Disk { path: cache.path().clone(), source })?;
    Ok((info.sha, paths))
}

/// The same from the cache alone.
fn cached(request: &Pull, cache: &Cache) -> Result<(String, Vec<(String, PathBuf)>), HubError> {
    let missing = |what: &str| HubError::NotCached { name: request.name.clone(), what: what.to_owned(), cache: cache.path().clone() };
    let repo = cache.repo(at(request, &request.revision));
    let config = repo.get("config.json").ok_or_else(|| missing(&request.revision))?;
    let commit = config.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let files = wanted(&request.name, &|file| repo.get(file).is_some())?;
    let mut paths = Vec::new();
    for file in files {
        let path = repo.get(file).ok_or_else(|| missing(file))?;
        if file == INDEX {
            for shard in shards(&read(&path)?)? {
                let path = repo.get(&shard).ok_or_else(|| missing(&shard))?;
                paths.push((shard, path));
            }
        }
        paths.push((file.to_owned(), path));
    }
    Ok((commit, paths))
}

fn read(path: &Path) -> Result<String, HubError> {
    std::fs::read_to_string(path).map_err(|source| HubError::Disk { path: path.to_owned(), source })
}

/// Copies the files out of the cache, each under another name first, and records them.
fn lay_out(request: &Pull, commit: String, paths: &[(String, PathBuf)]) -> Result<Pulled, HubError> {
    let place = |file: &str, write: &dyn Fn(&Path) -> std::io::Result<()>| {
        let to = request.out.join(file);
        let temporary = request.out.join(format!("{file}.tmp"));
        let placed = to
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| write(&temporary))
            .and_then(|()| std::fs::rename(&temporary, &to));
        placed.map_err(|source| {
            let _ = std::fs::remove_file(&temporary); // a disk that is full needs it gone
            HubError::Disk { path: to.clone(), source }
        })
    };
    let mut files = BTreeMap::new();
    for (file, path) in paths {
        place(file, &|to| std::fs::copy(path, to).map(drop))?;
        let sum = file_sha256(&request.out.join(file)).map_err(|source| HubError::Disk { path: request.out.join(file), source })?;
        files.insert(file.clone(), sum);
    }
    let pulled = Pulled { name: request.name.clone(), revision: request.revision.clone(), commit, files };
    let text = serde_json::to_string_pretty(&pulled).unwrap_or_default();
    place(RECORD, &|to| std::fs::write(to, format!("{text}\n")))?;
    Ok(pulled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["bert-base-uncased", "sentence-transformers/all-MiniLM-L6-v2", "a/b.c_d"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "/", "a/", "../x", "a/..", "a/b/c", "a b", "https://x/y", "a\\b"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
