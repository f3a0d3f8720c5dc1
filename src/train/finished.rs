//! Whether a model is there already that a run would only make again.

use super::checkpoint::Checkpoints;
use super::{Job, Recipe};
use crate::data::{DataDirectory, Split};
use crate::model::{LoadedModel, TrainingManifest, file_sha256};
use std::collections::BTreeSet;
use std::path::Path;

/// The whole model in the job's output, if it was made by this version of hearken from the same data, recipe, seed and base.
#[must_use]
pub fn finished(job: &Job) -> Option<LoadedModel> {
    if Checkpoints::of(&job.out).exist() {
        return None;
    }
    let model = LoadedModel::open(&job.out).ok()?;
    let training = model.manifest.training.as_ref()?;
    let same = training.hearken == env!("CARGO_PKG_VERSION")
        && training.seed == job.seed
        && same_recipe(training, &job.recipe)
        && same_data(training, job)
        && teacher_sha256(job.teacher.as_deref()).is_ok_and(|sha256| sha256 == training.teacher_sha256)
        && file_sha256(&job.base.join("model.safetensors")).is_ok_and(|sha256| sha256 == training.base_sha256);
    same.then_some(model)
}

/// sha256 of the weights of a teacher.
///
/// # Errors
/// When they cannot be read.
pub fn teacher_sha256(teacher: Option<&Path>) -> std::io::Result<Option<String>> {
    teacher.map(|path| file_sha256(&path.join("model.safetensors"))).transpose()
}

/// A recipe with other keys is of another trainer, whatever their defaults.
fn same_recipe(training: &TrainingManifest, recipe: &Recipe) -> bool {
    let Ok(now) = toml::Table::try_from(recipe) else { return false };
    keys(&training.recipe, "") == keys(&now, "") && training.recipe.clone().try_into().is_ok_and(|then: Recipe| then == *recipe)
}

fn keys(table: &toml::Table, prefix: &str) -> BTreeSet<String> {
    let of = |(key, value): (&String, &toml::Value)| match value {
        toml::Value::Table(table) => keys(table, &format!("{prefix}{key}.")),
        _ => [format!("{prefix}{key}")].into(),
    };
    table.iter().flat_map(of).collect()
}

fn same_data(training: &TrainingManifest, job: &Job) -> bool {
    let directories = job.data.iter().map(|path| DataDirectory::new(path));
    let files = directories.flat_map(|data| {
        let splits = [Split::Train, Split::Valid].into_iter().filter(|split| data.has(*split)).collect::<Vec<_>>();
        splits.into_iter().map(move |split| (data.label(split), file_sha256(&data.file(split)).unwrap_or_default()))
    });
    files.eq(training.data.iter().map(|data| (data.file.clone(), data.sha256.clone())))
}
