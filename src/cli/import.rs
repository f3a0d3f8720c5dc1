//! `hearken import`: other systems' training data and transcripts become a data directory.

use crate::data::import::{
    IMPORTERS, Imported, Importer, Lexicon, Problem, Receiver, Settings, Source, find, import, label_names, names, recognise,
};
use crate::data::{DataWriter, Split, WriteError, Written};
use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Problems that are printed; the rest are counted.
const SHOWN: usize = 20;

/// Make a data directory of another system's training data or transcripts
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hearken import nlu.yml --out my-shop                  the format is told from the file
  hearken import rasa nlu.yml more.yml --out my-shop
  hearken import --list                                 the formats

Writes train.jsonl into --out, valid.jsonl and test.jsonl where the format marks such rows, and lexicon.json where it has synonyms,
lookup tables or regular expressions. What cannot be read is listed as FILE:LINE: what, and the rest is imported.
Exit code 1 when nothing could be read, or with --strict on any problem. Then: hearken data check my-shop")]
pub struct ImportArgs {
    /// Name of the format, if it should not be told from the files; then the files
    #[arg(value_name = "[FORMAT] FILE", required_unless_present = "list")]
    files: Vec<String>,
    /// Directory to write
    #[arg(long, value_name = "DIR", required_unless_present = "list")]
    out: Option<PathBuf>,
    /// Write over the data in --out
    #[arg(long)]
    force: bool,
    /// Write nothing and fail on any problem
    #[arg(long)]
    strict: bool,
    /// Put every row into this split, whatever the format marks
    #[arg(long, value_name = "SPLIT")]
    split: Option<Split>,
    /// File with the names of numbered labels: one a line, or Hugging Face's config.json or dataset-info file
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Seed of every random choice
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the formats
    #[arg(long)]
    list: bool,
}

impl ImportArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut out = std::io::stdout().lock();
        if self.list {
            for importer in IMPORTERS {
                writeln!(out, "{:<18} {}", importer.name(), importer.about())?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let (format, files) = self.format()?;
        let directory = self.out.context("--out is missing")?;
        let labels = self.labels.as_deref().map(names_in).transpose()?.unwrap_or_default();
        let settings = Settings { seed: self.seed, labels };
        let writer = DataWriter::create(&directory, self.force)?;
        let mut intake = Intake::new(writer, self.split, files.iter().map(Source::size).sum());
        let mut sources = Vec::new();
        for source in files {
            let named = format.map_or_else(|| recognise(&source), Ok);
            match named {
                Ok(importer) => sources.push((source, importer)),
                Err(problem) => intake.problem(problem),
            }
        }
        intake.watch(sources.iter().map(|(source, _)| source.clone()).collect());
        let lexicon = import(&sources, &settings, &mut intake);
        intake.bar.finish_and_clear();
        for (source, importer) in &sources {
            writeln!(out, "{}: {}", source.name(), importer.name())?;
        }
        intake.finish(&mut out, &directory, &lexicon, self.strict)
    }

    /// The format, where the first argument names one, and the files.
    fn format(&self) -> anyhow::Result<(Option<&'static dyn Importer>, Vec<Source>)> {
        let sources = |files: &[String]| files.iter().map(|file| Source::file(file.as_ref())).collect();
        let Some((first, rest)) = self.files.split_first() else { bail!("no file is named") };
        match find(first) {
            Some(importer) if !rest.is_empty() => Ok((Some(importer), sources(rest))),
            Some(_) => bail!("`{first}` is a format; name the files to read behind it"),
            None if !rest.is_empty() && !first.contains(['.', '/']) && !Path::new(first).exists() => {
                bail!("`{first}` is neither a format nor a file; the formats are {}", names())
            }
            None => Ok((None, sources(&self.files))),
        }
    }
}

/// The names of numbered labels in a file.
fn names_in(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("--labels: `{}` cannot be read", path.display()))?;
    label_names(&text).map_err(|detail| anyhow!("--labels: `{}`: {detail}", path.display()))
}

/// Writes rows as they come, and counts.
struct Intake {
    writer: DataWriter,
    split: Option<Split>,
    failed: Option<WriteError>,
    rows: usize,
    intents: BTreeMap<String, usize>,
    entities: BTreeMap<String, usize>,
    problems: Vec<Problem>,
    more: usize,
    sources: Vec<Source>,
    bar: ProgressBar,
}

impl Intake {
    fn new(writer: DataWriter, split: Option<Split>, bytes: u64) -> Self {
        let bar = ProgressBar::new(bytes);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {bytes}/{total_bytes}, ETA {eta} {msg}") {
            bar.set_style(style);
        }
        let (intents, entities) = (BTreeMap::new(), BTreeMap::new());
        Self { writer, split, failed: None, rows: 0, intents, entities, problems: Vec::new(), more: 0, sources: Vec::new(), bar }
    }

    fn watch(&mut self, sources: Vec<Source>) {
        self.sources = sources;
    }

    fn progress(&self) {
        if self.rows.is_multiple_of(256) {
            self.bar.set_position(self.sources.iter().map(Source::bytes_read).sum());
            self.bar.set_message(format!("{} rows", self.rows));
        }
    }

    fn finish(self, out: &mut impl std::io::Write, directory: &Path, lexicon: &Lexicon, strict: bool) -> anyhow::Result<ExitCode> {
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        let problems = self.problems.len() + self.more;
        let refused = strict && problems > 0;
        if self.rows > 0 && !refused {
            summary(out, directory, &self.writer.finish(lexicon)?, lexicon)?;
            list(out, "intents", &self.intents)?;
            list(out, "entities", &self.entities)?;
        }
        if problems > 0 {
            writeln!(out, "{problems} problem{}", if problems == 1 { "" } else { "s" })?;
            for problem in &self.problems {
                writeln!(out, "  {problem}")?;
            }
            if self.more > 0 {
                writeln!(out, "  … and {} more", self.more)?;
            }
        }
        if refused {
            bail!("nothing was written, because of --strict");
        }
        if self.rows == 0 {
            bail!("no row could be read; nothing was written");
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn summary(out: &mut impl std::io::Write, directory: &Path, written: &Written, lexicon: &Lexicon) -> anyhow::Result<()> {
    let splits: Vec<_> = written.splits.iter().map(|(split, rows)| format!("{split}.jsonl {rows} rows")).collect();
    writeln!(out, "wrote {}: {}", directory.display(), splits.join(", "))?;
    if written.lexicon {
        let (synonyms, lookups, patterns) = lexicon.counts();
        writeln!(
            out,
            "lexicon.json: {synonyms} synonyms, values of {lookups} entities, {patterns} regular expressions; training does not read it"
        )?;
    }
    Ok(())
}

fn list(out: &mut impl std::io::Write, what: &str, counts: &BTreeMap<String, usize>) -> anyhow::Result<()> {
    let names: Vec<_> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    writeln!(out, "{} {what}{}{}", counts.len(), if names.is_empty() { "" } else { ": " }, names.join(", "))?;
    Ok(())
}

impl Receiver for Intake {
    fn row(&mut self, imported: Imported) {
        if self.failed.is_some() {
            return;
        }
        let split = self.split.or(imported.split).unwrap_or(Split::Train);
        if let Err(error) = self.writer.row(split, &imported.row) {
            self.failed = Some(error);
            return;
        }
        self.rows += 1;
        if let Some(intent) = imported.row.intent {
            *self.intents.entry(intent).or_default() += 1;
        }
        for entity in imported.row.entities.into_iter().flatten() {
            *self.entities.entry(entity.label).or_default() += 1;
        }
        self.progress();
    }

    fn problem(&mut self, problem: Problem) {
        if self.problems.len() < SHOWN { self.problems.push(problem) } else { self.more += 1 }
    }
}
