//! `hearken model card`: writes CARD.md from what the model knows of itself, what it is measured on, and what its author wrote.

use crate::cli::{judge, load};
use crate::data::{DataDirectory, Split};
use crate::engine::WaitLimits;
use crate::eval::report;
use crate::model::{EvaluationManifest, LoadedModel, file_sha256, write_card, write_evaluations};
use crate::train::card_of;
use anyhow::Context as _;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Figures that a card shows.
const FIGURES: [&str; 16] = [
    "intent.accuracy",
    "intent.macro_f1",
    "intent.in_scope_accuracy",
    "intent.in_scope_top3",
    "intent.out_of_scope_precision",
    "intent.out_of_scope_recall",
    "intent.out_of_scope_auroc",
    "intent.expected_calibration_error",
    "entities.micro_f1",
    "entities.macro_f1",
    "sentiment.accuracy",
    "sentiment.macro_f1",
    "emotions.micro_f1",
    "emotions.macro_f1",
    "escalation.precision",
    "escalation.recall",
];

/// Arguments of `model card`.
#[derive(Debug, Args)]
#[command(after_help = "\
CARD.md is made anew from hearken.toml and card.in.md. card.in.md is the author's part: Markdown in which a line of its own such as
{{training}} stands for a section: title, labels, training, validation, thresholds, evaluation. Without it the card has every section.

--data measures the model first and keeps the figures in hearken.toml (which loses its comments), one column for each file and backend;
a file measured before is measured again. Running the command twice changes nothing.

Examples:
  hearken model card my-shop
  hearken model card my-shop --data my-shop-data
  hearken model card my-shop --data my-shop-data --device candle")]
pub struct CardArgs {
    /// Name below models/, or directory, of the model
    model: String,
    /// Data directory to measure the model on; may be given several times
    #[arg(long, value_name = "DIR")]
    data: Vec<PathBuf>,
    /// Split to measure on
    #[arg(long, default_value_t = Split::Test)]
    split: Split,
    /// Backend to measure
    #[arg(long, default_value = "auto")]
    device: String,
}

impl CardArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let directory = load::model_directory(&self.model);
        let open = || LoadedModel::open(&directory).with_context(|| format!("model `{}` cannot be opened", self.model));
        let mut evaluations = open()?.manifest.evaluations;
        for data in &self.data {
            let measured = self.measure(&directory, data)?;
            println!("measured {} on {} rows of {}, {}", self.model, measured.rows, measured.file, measured.backend);
            let same = |other: &EvaluationManifest| other.file == measured.file && other.backend == measured.backend;
            match evaluations.iter().position(same) {
                Some(index) => evaluations.splice(index..=index, [measured]).for_each(drop),
                None => evaluations.push(measured),
            }
        }
        if !self.data.is_empty() {
            write_evaluations(&directory, evaluations).with_context(|| format!("`{}` cannot be written", directory.display()))?;
        }
        let card = card_of(&directory, &open()?.manifest)?;
        let changed = write_card(&directory, &card).with_context(|| format!("`{}` cannot be written", directory.display()))?;
        println!("{} {}", directory.join("CARD.md").display(), if changed { "is written" } else { "is as it was" });
        Ok(ExitCode::SUCCESS)
    }

    fn measure(&self, directory: &Path, data: &Path) -> anyhow::Result<EvaluationManifest> {
        let data = DataDirectory::new(data);
        let examples = data.read(self.split)?;
        let engine = load::engine(&directory.display().to_string(), &self.device, 0, WaitLimits::messages(judge::CHUNK))?;
        let figures = report(&judge::judge(&engine, None, &examples)?).figures();
        let backend = match engine.backend() {
            "cpu" => format!("cpu ({})", hearken_kernels::best().name),
            other => other.to_owned(),
        };
        let shown = |(name, value): (String, f64)| FIGURES.contains(&name.as_str()).then(|| (name, (value * 1e6).round() / 1e6));
        Ok(EvaluationManifest {
            file: data.label(self.split),
            rows: examples.len(),
            sha256: file_sha256(&data.file(self.split))?,
            backend,
            figures: figures.into_iter().filter_map(shown).collect(),
        })
    }
}
