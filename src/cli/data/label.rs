//! `hearken data label`: a model's suggestions for rows without labels, for people to review.

use crate::cli::load;
use crate::data::{DataDirectory, Example, OutputDirectory, Record, Split, Suggestion, lines_of_text, records_of, suggest};
use crate::engine::{Engine, Input, WaitLimits};
use crate::patterns::ValueContext;
use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Messages sent to the engine at once.
const CHUNK: usize = 64;

/// Suggest labels of a model for rows without, least sure first
#[derive(Debug, Args)]
#[command(after_help = "\
Writes the rows that lack intent, entities, sentiment or emotions, each with two more fields: `suggested` has the labels a model would give,
`confidence` its probability for each part. The row's own labels stay as they are, and training ignores both fields: what a person
accepts, that person moves. Rows the model is least sure of come first; a .txt file has one message a line.

Examples:
  hearken data label storefront-en exported --out review
  hearken data label my-shop messages.txt --out review --min-score 0.8
  jq -c 'select(.confidence.intent > 0.97) | .intent = .suggested.intent' review/train.jsonl      accept what is nearly certain")]
pub struct LabelArgs {
    /// Name below models/, or directory, of the model
    model: String,
    /// Data directory, or a file of rows (.jsonl) or messages (.txt)
    #[arg(value_name = "DIR|FILE")]
    data: PathBuf,
    /// Where the files are written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Least probability of a label that is suggested; rows below stay, for people
    #[arg(long, default_value_t = 0.0, value_name = "P")]
    min_score: f32,
    /// Backend
    #[arg(long, default_value = "auto")]
    device: String,
    /// Write into --out although it is not empty
    #[arg(long)]
    force: bool,
}

impl LabelArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        anyhow::ensure!((0.0..=1.0).contains(&self.min_score), "--min-score {} is outside [0, 1]", self.min_score);
        let files = files(&self.data)?;
        let out = OutputDirectory::create(&self.out, &self.data, self.force)?;
        let engine = load::engine(&self.model, &self.device, 0, WaitLimits::messages(CHUNK))?;
        let bar = ProgressBar::new(files.iter().map(|(_, records)| records.len() as u64).sum());
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} messages, ETA {eta}") {
            bar.set_style(style);
        }
        let mut report = Vec::new();
        for (name, records) in &files {
            let mut suggestions = suggestions(&engine, records, self.min_score, &bar)?;
            suggestions.sort_by(|(_, a), (_, b)| a.certainty.total_cmp(&b.certainty));
            out.write_lines(name, suggestions.iter().map(|(record, suggestion)| suggestion.line(record)))?;
            report.push((name, suggestions.len(), records.len() - suggestions.len()));
        }
        bar.finish_and_clear();
        let mut stdout = std::io::stdout().lock();
        for (name, written, left) in report {
            writeln!(
                stdout,
                "{}: {written} rows to review; {left} have every label that {} gives",
                self.out.join(name).display(),
                engine.id()
            )?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The rows of customers, by the file they are written to.
fn files(data: &Path) -> anyhow::Result<Vec<(String, Vec<Record>)>> {
    let mut files = Vec::new();
    if data.is_dir() {
        let directory = DataDirectory::new(data);
        for split in Split::ALL.into_iter().filter(|split| *split == Split::Train || directory.has(*split)) {
            files.push((format!("{split}.jsonl"), records_of(&directory.file(split))?));
        }
    } else {
        let stem = data.file_stem().map_or_else(|| "messages".into(), |stem| stem.to_string_lossy());
        let text = data.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
        files.push((format!("{stem}.jsonl"), if text { lines_of_text(data)? } else { records_of(data)? }));
    }
    for (_, records) in &mut files {
        records.retain(|record| record.row.is_of_customer());
    }
    anyhow::ensure!(files.iter().any(|(_, records)| !records.is_empty()), "`{}` has no message of a customer", data.display());
    Ok(files)
}

fn suggestions<'r>(engine: &Engine, records: &'r [Record], least: f32, bar: &ProgressBar) -> anyhow::Result<Vec<(&'r Record, Suggestion)>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut suggestions = Vec::with_capacity(records.len());
    for chunk in records.chunks(CHUNK) {
        let mut examples = Vec::with_capacity(chunk.len());
        for record in chunk {
            let example = Example::new(record.row.clone(), record.place.clone());
            examples.push(example.map_err(anyhow::Error::msg).with_context(|| record.place.to_string())?);
        }
        let inputs = examples.iter().map(|example| Input {
            text: example.text.clone(),
            context: example.context.clone(),
            values: ValueContext { now: None, region: None },
        });
        let outcomes = runtime.block_on(engine.classify(inputs.collect::<Vec<_>>()))?;
        for ((record, example), outcome) in chunk.iter().zip(&examples).zip(outcomes) {
            suggestions.extend(suggest(record, &example.text, &outcome.prediction, least).map(|suggestion| (record, suggestion)));
        }
        bar.inc(chunk.len() as u64);
    }
    Ok(suggestions)
}
