//! `hearken data split`: data dealt out to train, valid and test.

use crate::data::{DataDirectory, OutputDirectory, PerSplit, Record, Split, SplitOptions, records_of, split};
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Rows that no split can hold without a leak.
const LEFT_OUT: &str = "left_out.jsonl";

/// Deal data out to train, valid and test
#[derive(Debug, Args)]
#[command(after_help = "\
Takes every row of the directory, whatever file it stands in, and deals it out anew. Rows of one `conversation` stay on one side, and so do
rows that say the same but for case and punctuation; each intent has its share on every side. The same data and seed give the same files.
A row is copied as it stands. A text that many conversations share (`hi`) would tie them all together: rows of valid and test whose text
stands in train too go to left_out.jsonl instead.

Examples:
  hearken data split exported --out my-shop
  hearken data split exported --out my-shop --valid 0.15 --test 0 --seed 7")]
pub struct SplitArgs {
    /// Data directory
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// Where the files are written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Share of valid
    #[arg(long, default_value_t = 0.1, value_name = "SHARE")]
    valid: f64,
    /// Share of test
    #[arg(long, default_value_t = 0.1, value_name = "SHARE")]
    test: f64,
    /// Seed of every random choice
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write into --out although it is not empty
    #[arg(long)]
    force: bool,
}

impl SplitArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let directory = DataDirectory::new(&self.data);
        let mut records = Vec::new();
        for split in Split::ALL.into_iter().filter(|split| *split == Split::Train || directory.has(*split)) {
            records.extend(records_of(&directory.file(split))?);
        }
        let parts = split(&records, &SplitOptions { valid: self.valid, test: self.test, seed: self.seed })?;
        let out = OutputDirectory::create(&self.out, &self.data, self.force)?;
        let of = |side: Option<Split>| {
            let kept = move |(record, there): (&'_ Record, &Option<Split>)| (*there == side).then_some(record.line.clone());
            records.iter().zip(&parts.sides).filter_map(kept)
        };
        let left_out = of(None).count();
        for side in Split::ALL.into_iter().map(Some).chain([None]) {
            let file = side.map_or_else(|| LEFT_OUT.to_owned(), |split| format!("{split}.jsonl"));
            if of(side).next().is_some() { out.write_lines(&file, of(side))? } else { out.remove(&file)? }
        }
        let mut stdout = std::io::stdout().lock();
        write!(stdout, "{}", table(&parts.counts(&records), left_out > 0))?;
        if left_out > 0 {
            writeln!(stdout, "{left_out} rows of valid and test went to {LEFT_OUT}: their text stands in train or valid too")?;
        }
        writeln!(stdout, "wrote {}; try: hearken data check {}", self.out.display(), self.out.display())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Rows of each label and side, and their sums.
fn table(counts: &std::collections::BTreeMap<&str, (PerSplit<usize>, usize)>, left_out: bool) -> String {
    let mut total = (PerSplit::default(), 0);
    for (sides, out) in counts.values() {
        for split in Split::ALL {
            *total.0.get_mut(split) += sides.get(split);
        }
        total.1 += out;
    }
    let width = counts.keys().map(|label| label.chars().count()).chain(["intent".len()]).max().unwrap_or_default();
    let last = |text: String| if left_out { format!("  {text:>8}") } else { String::new() };
    let row = |label: &str, (sides, out): &(PerSplit<usize>, usize)| {
        let PerSplit { train, valid, test } = sides;
        format!("{label:<width$}  {train:>7}  {valid:>6}  {test:>6}{}\n", last(out.to_string()))
    };
    let head = format!("{:<width$}  {:>7}  {:>6}  {:>6}{}\n", "intent", "train", "valid", "test", last("left out".to_owned()));
    let rows: String = counts.iter().map(|(label, counts)| row(label, counts)).collect();
    head + &rows + &row("all", &total)
}
