//! `hearken data check`: a look at training data before it is used.

use crate::cli::load;
use crate::data::{DataDirectory, Finding, FindingKind, Severity, check};
use crate::text::Utterance;
use crate::train::embed;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Find rows that do not parse, wrong spans, duplicates, leaks between splits, contradicting and rare labels
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hearken data check training-data/storefront-en
  hearken data check my-shop --first 0                 every finding, not the first 10 of each kind
  hearken data check my-shop --json | jq .summary
  hearken data check my-shop --embed storefront-en --deny template,similar

Prints one finding a line as FILE:LINE: severity: what, and how many there are of each kind. Errors give exit code 1; warnings do not,
unless --strict. Errors: row (does not parse, or offsets are wrong), empty-split, leak (a text in two splits), conversation-leak,
unseen-label (never in train). Warnings: conflict (one text, two labels), duplicate, near-duplicate (but for case, punctuation or
numbers), template (but for the values of entities), similar (in another split, by the vectors of --embed), rare-label, label-spelling,
imbalance, long-text.")]
pub struct CheckArgs {
    /// Data directories
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
    /// Kinds of warning that are taken for errors
    #[arg(long, value_delimiter = ',', value_name = "KIND", value_parser = kind)]
    deny: Vec<FindingKind>,
    /// Model or base encoder whose vectors tell which texts of two splits are similar
    #[arg(long, value_name = "DIR")]
    embed: Option<String>,
    /// Least cosine of similar texts
    #[arg(long, default_value_t = 0.95, requires = "embed", value_name = "COSINE")]
    similarity: f32,
    /// Findings of each kind that are printed; 0 for all
    #[arg(long, default_value_t = 10, value_name = "N")]
    first: usize,
    /// Every finding and the summary as JSON
    #[arg(long)]
    json: bool,
}

impl CheckArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut out = std::io::stdout().lock();
        let mut findings = Vec::new();
        for path in &self.data {
            findings.extend(self.check(&DataDirectory::new(path))?);
        }
        let wrong = |finding: &&Finding| finding.severity() == Severity::Error || self.strict || self.deny.contains(&finding.kind);
        let errors = findings.iter().filter(wrong).count();
        let warnings = findings.len() - errors;
        if self.json {
            writeln!(out, "{:#}", document(&findings, errors, warnings))?;
        } else {
            self.print(&mut out, &findings)?;
            writeln!(out, "{errors} errors, {warnings} warnings")?;
        }
        Ok(if errors > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn check(&self, directory: &DataDirectory) -> anyhow::Result<Vec<Finding>> {
        let Some(encoder) = &self.embed else { return check(directory, None) };
        let work = tempfile::tempdir()?;
        let vectors = |texts: &mut dyn Iterator<Item = &Utterance>| embed(&load::model_directory(encoder), work.path(), texts);
        check(directory, Some((&vectors, self.similarity)))
    }

    fn print(&self, out: &mut impl Write, findings: &[Finding]) -> std::io::Result<()> {
        let first = if self.first == 0 { usize::MAX } else { self.first };
        let mut kinds = Vec::new();
        for kind in FindingKind::ALL {
            let count = findings.iter().filter(|finding| finding.kind == kind).count();
            for finding in findings.iter().filter(|finding| finding.kind == kind).take(first) {
                writeln!(out, "{finding}")?;
            }
            if count > first {
                writeln!(out, "... and {} more of {}", count - first, kind.name())?;
            }
            kinds.push((kind, count));
        }
        if !findings.is_empty() {
            writeln!(out)?;
        }
        for (kind, count) in kinds.into_iter().filter(|(_, count)| *count > 0) {
            writeln!(out, "{:<8} {:<18} {count:>7}", kind.severity().name(), kind.name())?;
        }
        Ok(())
    }
}

/// The kind of a name.
fn kind(name: &str) -> Result<FindingKind, String> {
    let names = || FindingKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    FindingKind::ALL
        .into_iter()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| format!("no kind is called `{name}`; there are {}", names()))
}

fn document(findings: &[Finding], errors: usize, warnings: usize) -> serde_json::Value {
    let finding = |finding: &Finding| {
        let (file, line) = finding.place.as_ref().map(|place| (place.file.to_string(), place.line)).unzip();
        serde_json::json!({"kind": finding.kind, "severity": finding.severity(), "file": file, "line": line, "message": finding.message})
    };
    let kinds: serde_json::Map<_, _> = FindingKind::ALL
        .into_iter()
        .map(|kind| (kind.name().to_owned(), findings.iter().filter(|finding| finding.kind == kind).count().into()))
        .collect();
    let all: Vec<_> = findings.iter().map(finding).collect();
    serde_json::json!({"summary": {"errors": errors, "warnings": warnings, "kinds": kinds}, "findings": all})
}
