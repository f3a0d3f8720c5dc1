//! Which rows each run trains on and is measured on.

use super::CvArgs;
use crate::data::{DataDirectory, Example, Folds, Row, Split, part};
use crate::model::{file_sha256, hex};
use crate::train::Recipe;
use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::path::Path;

/// One training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// Share of the training rows.
    pub share: f64,
    /// Fold that is held back, from 1.
    pub fold: usize,
    /// Folds in all.
    pub folds: usize,
    /// Seed of the training.
    pub seed: u64,
}

impl Round {
    /// Name of the run's folder.
    pub fn name(&self) -> String {
        format!("share-{}-fold-{}-seed-{}", self.share, self.fold, self.seed)
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.folds {
            1 => write!(f, "seed {}", self.seed)?,
            folds => write!(f, "fold {} of {folds}, seed {}", self.fold, self.seed)?,
        }
        if self.share < 1.0 { write!(f, ", {} % of the training rows", self.share * 100.0) } else { Ok(()) }
    }
}

/// Lines of the files of one run.
pub struct Files<'a> {
    /// To train on.
    pub train: Vec<&'a [u8]>,
    /// To stop and calibrate by; nothing leaves it to the training.
    pub valid: Vec<&'a [u8]>,
    /// To measure on.
    pub test: Vec<&'a [u8]>,
}

/// One part of the data: what is checked, and its lines as they are.
#[derive(Default)]
struct Rows {
    examples: Vec<Example>,
    lines: Vec<Vec<u8>>,
    conversations: Vec<Option<String>>,
}

/// The data and how it is dealt out.
pub struct Plan {
    /// Names of the data directories.
    pub data: Vec<String>,
    /// Folds.
    pub folds: usize,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// Shares of the training rows.
    pub shares: Vec<f64>,
    base_sha256: String,
    dealt_by: u64,
    pool: Rows,
    valid: Rows,
    test: Rows,
    dealt: Folds,
}

impl Plan {
    /// Reads the data and deals it out.
    ///
    /// # Errors
    /// When it cannot be read, or is too little to be dealt out.
    pub fn new(args: &CvArgs) -> anyhow::Result<Self> {
        let folds = usize::from(args.folds);
        let (mut pool, mut valid, mut test) = (Rows::default(), Rows::default(), Rows::default());
        for path in &args.data {
            let data = DataDirectory::new(path);
            pool.add(&data, Split::Train)?;
            if data.has(Split::Valid) {
                if folds == 1 { valid.add(&data, Split::Valid)? } else { pool.add(&data, Split::Valid)? }
            }
            if folds == 1 && data.has(Split::Test) {
                test.add(&data, Split::Test)?;
            }
        }
        ensure!(folds > 1 || !test.examples.is_empty(), "--folds 1 measures on test.jsonl, and no data directory has one; give more folds");
        ensure!(pool.examples.len() >= 2 * folds, "{} rows are too few for {folds} folds", pool.examples.len());
        let dealt = Folds::new(&pool.examples, &pool.conversations, folds, args.seed);
        let base = args.base.join("model.safetensors");
        let mut shares = args.curve.clone();
        shares.sort_by(f64::total_cmp);
        shares.dedup();
        Ok(Self {
            data: args.data.iter().map(|path| path.display().to_string()).collect(),
            folds,
            seeds: (args.seed..args.seed + u64::from(args.seeds)).collect(),
            shares,
            base_sha256: file_sha256(&base).with_context(|| format!("base: `{}` cannot be read", base.display()))?,
            dealt_by: args.seed,
            pool,
            valid,
            test,
            dealt,
        })
    }

    /// Rows in all.
    pub fn rows(&self) -> usize {
        self.pool.examples.len() + self.valid.examples.len() + self.test.examples.len()
    }

    /// Every run; the whole data first, and each fold once before any is repeated.
    pub fn rounds(&self) -> Vec<Round> {
        let mut rounds = Vec::new();
        for share in self.shares.iter().rev() {
            for seed in &self.seeds {
                rounds.extend((1..=self.folds).map(|fold| Round { share: *share, fold, folds: self.folds, seed: *seed }));
            }
        }
        rounds
    }

    /// The lines of a run.
    pub fn files(&self, round: &Round) -> Files<'_> {
        let all = |rows: &'_ Rows| (0..rows.lines.len()).collect::<Vec<_>>();
        let (test, train) = if self.folds == 1 { (Vec::new(), all(&self.pool)) } else { self.dealt.round(round.fold - 1) };
        let train = if round.share < 1.0 { part(&self.pool.examples, &train, round.share, self.dealt_by) } else { train };
        Files {
            train: self.pool.pick(&train),
            valid: self.valid.pick(&all(&self.valid)),
            test: if self.folds == 1 { self.test.pick(&all(&self.test)) } else { self.pool.pick(&test) },
        }
    }

    /// What makes two cross-validations the same.
    pub fn fingerprint(&self, recipe: &Recipe) -> anyhow::Result<String> {
        let mut hash = Sha256::new();
        for line in [&self.pool, &self.valid, &self.test].iter().flat_map(|rows| &rows.lines) {
            hash.update(line);
            hash.update(b"\n");
        }
        let version = env!("CARGO_PKG_VERSION");
        hash.update(serde_json::to_vec(&(recipe, self.folds, self.dealt_by, &self.base_sha256, version))?);
        Ok(hex(&hash.finalize()))
    }
}

impl Rows {
    fn add(&mut self, data: &DataDirectory, split: Split) -> anyhow::Result<()> {
        let file = data.file(split);
        let examples = data.read(split)?;
        let bytes = std::fs::read(&file).with_context(|| format!("`{}` cannot be read", file.display()))?;
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        for example in examples {
            let line = example.place.line.checked_sub(1).and_then(|index| lines.get(index)).copied().unwrap_or_default();
            let row: Row = serde_json::from_slice(line).with_context(|| example.place.to_string())?;
            // Conversations of two directories may have the same name.
            let folder = file.parent().unwrap_or(Path::new("")).display().to_string();
            self.conversations.push(row.conversation.map(|conversation| format!("{folder}\n{conversation}")));
            self.lines.push(line.trim_ascii().to_vec());
            self.examples.push(example);
        }
        Ok(())
    }

    fn pick(&self, rows: &[usize]) -> Vec<&[u8]> {
        rows.iter().filter_map(|row| self.lines.get(*row).map(Vec::as_slice)).collect()
    }
}
