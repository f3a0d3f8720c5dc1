//! `hearken cv`: how right would a model of this data be, and how far does that depend on chance?

mod plan;
mod round;
mod summary;

use super::train::{Console, stop_on_interrupt};
use crate::train::Recipe;
use anyhow::{Context as _, ensure};
use clap::Args;
use plan::Plan;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Cross-validate: train and measure on parts of the data in turn
#[derive(Debug, Args)]
#[command(after_help = "\
The rows of train.jsonl and valid.jsonl are dealt out to folds alike in their intents; a conversation stays together, and a text never
stands on both sides. For each fold and seed a model is trained on the rest, which sets a part of itself aside to stop and calibrate by, and
measured on the fold as `hearken eval` measures. --folds 1 trains on train.jsonl and measures on test.jsonl instead, once a seed.

--curve trains on shares of the training rows as well: what more data would bring.

Examples:
  hearken cv --data my-shop --base models/storefront-en --out cv-my-shop
  hearken cv --data my-shop --base models/storefront-en --out cv-my-shop --folds 5 --seeds 3 --json > cv.json
  hearken cv --data my-shop --base models/storefront-en --out curve --folds 1 --curve 0.1,0.25,0.5,1.0

Ctrl-C stops (exit code 130); the same command goes on where it stood, and repeats nothing that is finished. OUT/report.json has every
run, OUT/runs what is needed to go on; models are not kept, unless --keep.")]
pub struct CvArgs {
    /// Data directory; may be given several times
    #[arg(long, required = true, value_name = "DIR")]
    data: Vec<PathBuf>,
    /// Base encoder in Hugging Face layout
    #[arg(long, value_name = "DIR")]
    base: PathBuf,
    /// Directory for the report and what is needed to go on
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Parts; each is measured once for each seed
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    folds: u16,
    /// Seeds of training
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    seeds: u16,
    /// The first seed; the folds are dealt by it too
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Shares of the training rows, such as 0.1,0.25,0.5,1.0
    #[arg(long, value_name = "SHARES", value_delimiter = ',', default_value = "1.0", value_parser = share)]
    curve: Vec<f64>,
    /// TOML file with the numbers of the runs
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Backend that measures
    #[arg(long, default_value = "auto")]
    device: String,
    /// The report as JSON
    #[arg(long)]
    json: bool,
    /// Keep the models, in OUT/runs
    #[arg(long)]
    keep: bool,
    /// Start anew although --out holds other runs
    #[arg(long)]
    force: bool,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.trim().parse().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| format!("`{text}` is not a share; write numbers in (0, 1], such as 0.1,0.5,1.0"))
}

impl CvArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let recipe = self.recipe.as_deref().map(Recipe::open).transpose()?.unwrap_or_default();
        let stop = stop_on_interrupt()?;
        let plan = Plan::new(&self)?;
        let folder = self.out.join("runs");
        check_output(&self.out, &plan.fingerprint(&recipe)?, self.force)?;
        let rounds = plan.rounds();
        let (mut done, mut trained, started) = (Vec::new(), 0u32, Instant::now());
        for (index, round) in rounds.iter().enumerate() {
            let place = folder.join(round.name());
            if let Some(finished) = round::finished(&place) {
                done.push(finished);
                continue;
            }
            let left = u32::try_from(rounds.len() - index).unwrap_or(u32::MAX);
            let eta = started.elapsed().checked_div(trained).map_or_else(String::new, |each| format!("; {} left", minutes(each * left)));
            eprintln!("run {} of {}: {}{eta}", index + 1, rounds.len(), round);
            let mut console = Console::new(std::sync::Arc::clone(&stop));
            let work = round::Work { recipe: &recipe, base: &self.base, device: &self.device, keep: self.keep };
            let finished = if stop.load(Ordering::Relaxed) { None } else { round::run(&plan, round, &place, &work, &mut console)? };
            console.clear();
            let Some(finished) = finished else {
                eprintln!("interrupted; {} of {} runs are done: the same command goes on", done.len(), rounds.len());
                return Ok(ExitCode::from(130));
            };
            done.push(finished);
            trained += 1;
        }
        let summary = summary::Summary::new(&plan, &self.base, done);
        let json = serde_json::to_string_pretty(&summary)? + "\n";
        std::fs::write(self.out.join("report.json"), &json)?;
        if self.json {
            print!("{json}");
        } else {
            print!("{}", summary.text());
            println!("every figure of every run is in {}", self.out.join("report.json").display());
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn minutes(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("about {seconds} s"),
        seconds => format!("about {} min", seconds.div_ceil(60)),
    }
}

/// Makes the output, and refuses one that belongs to other runs.
fn check_output(out: &Path, fingerprint: &str, force: bool) -> anyhow::Result<()> {
    let mark = out.join("runs/fingerprint");
    let begun = std::fs::read_to_string(&mark).ok();
    if begun.as_deref() == Some(fingerprint) && !force {
        return Ok(());
    }
    let name = out.display();
    if begun.is_some() {
        ensure!(
            force,
            "the runs in `{name}` are of other data, folds, seeds, recipe or base; give the same ones, another --out, or --force"
        );
        std::fs::remove_dir_all(out.join("runs")).with_context(|| format!("`{name}` cannot be cleared"))?;
    } else {
        let occupied = out.read_dir().is_ok_and(|mut entries| entries.next().is_some());
        ensure!(!occupied || force, "`{name}` is not empty and holds no runs; give another --out, or --force to write into it");
    }
    std::fs::create_dir_all(out.join("runs")).with_context(|| format!("`{name}` cannot be made"))?;
    std::fs::write(&mark, fingerprint).with_context(|| format!("`{name}` cannot be written"))
}
