//! `hearken data augment`: more to train on, from what there is.

use crate::data::{AugmentOptions, Augmenter, DISTORTIONS, DataDirectory, Distortion, OutputDirectory, Split, distortion, records_of};
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Add copies of the training rows with other values, typed worse, and behind other turns
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub struct AugmentArgs {
    /// Data directory
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// Where the files are written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Copies of each row with other values in the place of its entities
    #[arg(long, default_value_t = 1, value_name = "N")]
    values: u32,
    /// Copies of each row that are typed worse, each in one way
    #[arg(long, default_value_t = 1, value_name = "N")]
    distorted: u32,
    /// Share of the rows that get a copy behind turns of another conversation; those of conversations, if they can be understood
    /// alone, get one without turns as well
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = share)]
    contexts: f64,
    /// Ways to type worse; all when absent
    #[arg(long, value_delimiter = ',', value_name = "KIND", value_parser = known)]
    kinds: Vec<Kind>,
    /// Seed of every random choice
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write into --out although it is not empty
    #[arg(long)]
    force: bool,
}

/// A distortion that was named.
#[derive(Clone)]
struct Kind(&'static dyn Distortion);

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name())
    }
}

fn known(name: &str) -> Result<Kind, String> {
    distortion(name).map(Kind)
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "not a number from 0 to 1".to_owned())
}

fn after_help() -> String {
    let kinds = DISTORTIONS.iter().map(|kind| format!("  {:<14} {}\n", kind.name(), kind.about())).collect::<Vec<_>>().concat();
    format!(
        "Writes train.jsonl with every row and its copies; valid.jsonl and test.jsonl as they are. A value is a code with other digits, or what\n\
         another row has under the same label. The same data and seed give the same files. `hearken robustness` measures with the same kinds,\n\
         but with other stories, signatures and the like than are learned from here.\n\n\
         Kinds:\n{kinds}\n\
         Examples:\n  hearken data augment my-shop --out my-shop-more\n  hearken data augment my-shop --out my-shop-more --values 2 --distorted 0\n  \
         hearken data augment my-shop --out my-shop-more --kinds typos,speech\n  hearken data augment my-shop --out my-shop-more --contexts 0.3"
    )
}

impl AugmentArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let directory = DataDirectory::new(&self.data);
        let records = records_of(&directory.file(Split::Train))?;
        let kinds: Vec<&dyn Distortion> =
            if self.kinds.is_empty() { DISTORTIONS.to_vec() } else { self.kinds.iter().map(|kind| kind.0).collect() };
        let options = AugmentOptions { values: self.values, distorted: self.distorted, contexts: self.contexts, seed: self.seed };
        let augmenter = Augmenter::new(options, kinds, &records)?;
        let mut lines = Vec::with_capacity(records.len());
        for record in &records {
            lines.push(record.line.clone());
            if record.row.is_of_customer() {
                lines.extend(augmenter.copies(record)?);
            }
        }
        let out = OutputDirectory::create(&self.out, &self.data, self.force)?;
        let added = lines.len() - records.len();
        out.write_lines("train.jsonl", lines)?;
        for split in [Split::Valid, Split::Test] {
            let file = format!("{split}.jsonl");
            if directory.has(split) {
                out.write_lines(&file, records_of(&directory.file(split))?.into_iter().map(|record| record.line))?;
            } else {
                out.remove(&file)?;
            }
        }
        writeln!(std::io::stdout(), "{} rows and {added} copies; wrote {}", records.len(), self.out.display())?;
        Ok(ExitCode::SUCCESS)
    }
}
