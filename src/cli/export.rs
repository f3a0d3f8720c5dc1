//! `hearken export`: a data directory becomes another system's file.

use super::review;
use super::store::StoreArgs;
use crate::data::export::{EXPORTERS, find};
use crate::data::import::{Imported, Problem, Receiver, Settings, Source, find as importer, import};
use crate::data::{DataDirectory, Split};
use anyhow::{Context as _, bail};
use clap::Args;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write a data directory in another system's format
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hearken export rasa my-shop --out nlu.yml
  hearken export conll my-shop --split test --out test.conll
  hearken export --list                            the formats
  hearken export review --out review.jsonl         messages of the store that are worth a label

Rows that the format cannot say exactly are listed as FILE:LINE: why, and the rest is written. Exit code 1 when nothing could be
written, or with --strict on any such row.

`review` reads a server's store: messages that were corrected, with the corrected labels, then those that were not understood, without an intent
to be filled in and with what the model said as `suggested`. Check them, then train with them.")]
pub struct ExportArgs {
    /// Name of the format
    #[arg(required_unless_present = "list")]
    format: Option<String>,
    /// Data directory; none with `review`
    #[arg(value_name = "DIR")]
    data: Option<PathBuf>,
    /// File to write
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    out: Option<PathBuf>,
    /// Which split
    #[arg(long, default_value_t = Split::Train)]
    split: Split,
    /// Write over the file
    #[arg(long)]
    force: bool,
    /// Write nothing and fail when a row cannot be said
    #[arg(long)]
    strict: bool,
    /// Print the formats
    #[arg(long)]
    list: bool,
    /// Of `review`: days back from now
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    days: u32,
    /// Of `review`: most messages
    #[arg(long, value_name = "N", default_value_t = 1000)]
    limit: usize,
    #[command(flatten)]
    store: StoreArgs,
}

/// Takes every row.
#[derive(Default)]
struct Rows {
    rows: Vec<Imported>,
    problems: Vec<Problem>,
}

impl Receiver for Rows {
    fn row(&mut self, imported: Imported) {
        self.rows.push(imported);
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

impl ExportArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut out = std::io::stdout().lock();
        if self.list {
            for exporter in EXPORTERS {
                writeln!(out, "{:<8} {}", exporter.name(), exporter.about())?;
            }
            writeln!(out, "{:<8} messages of a server's store that are worth a label (JSON Lines)", review::NAME)?;
            return Ok(ExitCode::SUCCESS);
        }
        if self.format.as_deref() == Some(review::NAME) {
            let file = self.out.context("--out is needed")?;
            if file.exists() && !self.force {
                bail!("`{}` is there already; choose another --out, or write over it with --force", file.display());
            }
            let written = review::run(&self.store, &file, self.days, self.limit)?;
            writeln!(out, "wrote {written} rows to {}", file.display())?;
            return Ok(ExitCode::SUCCESS);
        }
        let (Some(format), Some(data), Some(file)) = (self.format, self.data, self.out) else {
            bail!("a format, a directory and --out are needed")
        };
        let names = || EXPORTERS.iter().map(|exporter| exporter.name()).collect::<Vec<_>>().join(", ");
        let exporter = find(&format).with_context(|| format!("`{format}` is no format; the formats are {}", names()))?;
        if file.exists() && !self.force {
            bail!("`{}` is there already; choose another --out, or write over it with --force", file.display());
        }
        let mut rows = Rows::default();
        let reader = importer("jsonl").context("rows cannot be read")?;
        import(&[(Source::file(&DataDirectory::new(&data).file(self.split)), reader)], &Settings::default(), &mut rows);
        let part = part_of(&file);
        let mut writer = BufWriter::new(File::create(&part).with_context(|| format!("`{}` cannot be written", file.display()))?);
        let refused = exporter.write(&rows.rows, &mut writer).and_then(|refused| writer.flush().map(|()| refused));
        let refused =
            refused.inspect_err(|_| drop(fs::remove_file(&part))).with_context(|| format!("`{}` cannot be written", file.display()))?;
        let written = rows.rows.len().saturating_sub(refused.len());
        rows.problems.extend(refused);
        report(&mut out, &rows.problems)?;
        if written == 0 || (self.strict && !rows.problems.is_empty()) {
            let _ = fs::remove_file(&part);
            bail!(
                "{}; nothing was written",
                if written == 0 { "no row could be written" } else { "not every row could be written, and --strict is on" }
            );
        }
        fs::rename(&part, &file).with_context(|| format!("`{}` cannot be written", file.display()))?;
        writeln!(out, "wrote {}: {written} rows of {}", file.display(), self.split)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn part_of(file: &Path) -> PathBuf {
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    file.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

fn report(out: &mut impl std::io::Write, problems: &[Problem]) -> anyhow::Result<()> {
    const SHOWN: usize = 20;
    if problems.is_empty() {
        return Ok(());
    }
    writeln!(out, "{} row{} left out", problems.len(), if problems.len() == 1 { "" } else { "s" })?;
    for problem in problems.iter().take(SHOWN) {
        writeln!(out, "  {problem}")?;
    }
    if problems.len() > SHOWN {
        writeln!(out, "  … and {} more", problems.len() - SHOWN)?;
    }
    Ok(())
}
