//! `hearken data stats`: what is in the data.

use crate::cli::judge;
use crate::data::{DataDirectory, stats, stats_page, stats_text};
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Count rows, labels, lengths and words, by split
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hearken data stats my-shop
  hearken data stats my-shop --html stats.html
  hearken data stats training-data/storefront-en --json

Several directories are counted together. Words are runs of letters and digits in lower case; those that train never saw tell how far
valid and test are from it. Bars are those of train.")]
pub struct StatsArgs {
    /// Data directories
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// The counts as JSON
    #[arg(long)]
    json: bool,
    /// Write the counts with plots as one HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl StatsArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let directories: Vec<_> = self.data.iter().map(|path| DataDirectory::new(path)).collect();
        let counted = stats(&directories)?;
        let mut out = std::io::stdout().lock();
        if self.json {
            let splits: serde_json::Map<String, serde_json::Value> = counted
                .splits
                .iter()
                .map(|(split, counts)| Ok((split.to_string(), serde_json::to_value(counts)?)))
                .collect::<serde_json::Result<_>>()?;
            writeln!(out, "{}", serde_json::to_string_pretty(&serde_json::json!({"data": self.data, "splits": splits}))?)?;
        } else {
            write!(out, "{}", stats_text(&counted))?;
        }
        if let Some(path) = &self.html {
            judge::write_page(path, &stats_page(&counted, &judge::names(&self.data)))?;
            eprintln!("wrote {}", path.display());
        }
        Ok(ExitCode::SUCCESS)
    }
}
