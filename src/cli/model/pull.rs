//! `hearken model pull`: fetches a model from a Hugging Face hub.

use crate::cli::load;
use crate::hub::{Pull, RECORD, Watcher, pull};
use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `model pull`.
#[derive(Debug, Args)]
#[command(after_help = "\
Fetches config.json, tokenizer.json and the weights of one commit into --out and writes source.json with the commit and the sha256 of each
file. An interrupted download goes on where it stopped. Files are kept in the cache of HF_HOME, which other programs share.

Environment: HF_ENDPOINT (another hub), HF_HOME (cache), HF_TOKEN (private and gated models), HF_HUB_OFFLINE=1 (as --offline).

Examples:
  hearken model pull sentence-transformers/all-MiniLM-L6-v2 --out bases/minilm
  hearken model pull answerdotai/ModernBERT-base --revision main --out bases/modernbert
  hearken train --data my-shop --base bases/minilm --out models/my-shop")]
pub struct PullArgs {
    /// OWNER/NAME at the hub
    name: String,
    /// Branch, tag or commit
    #[arg(long, default_value = "main")]
    revision: String,
    /// Where the model is written [default: models/ and the model's name]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Take the model from the cache and ask nobody
    #[arg(long, env = "HF_HUB_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    offline: bool,
    /// Write into --out although something else is there
    #[arg(long)]
    force: bool,
}

impl PullArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let folder = self.name.rsplit('/').next().unwrap_or_default();
        let out = self.out.unwrap_or_else(|| Path::new("models").join(folder));
        let ours = out.join(RECORD).is_file(); // fetched before: it may be fetched again
        load::check_fresh(&out, self.force || ours)?;
        let request = Pull { name: self.name, revision: self.revision, out, offline: self.offline };
        let mut console = Console::new();
        let pulled = pull(&request, &mut console);
        console.bar.finish_and_clear();
        let pulled = pulled.with_context(|| format!("`{}` is not fetched", request.name))?;
        println!("{} at {}: {} files in {}", pulled.name, pulled.commit, pulled.files.len(), request.out.display());
        println!("try: hearken train --data DIR --base {} --out models/NAME", request.out.display());
        Ok(ExitCode::SUCCESS)
    }
}

struct Console {
    bar: ProgressBar,
    file: String,
}

impl Console {
    fn new() -> Self {
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template("{msg} {bar:24} {bytes}/{total_bytes} {bytes_per_sec}, ETA {eta}") {
            bar.set_style(style);
        }
        Self { bar, file: String::new() }
    }
}

impl Watcher for Console {
    fn file(&mut self, name: &str, bytes: u64) {
        if self.bar.is_hidden() && self.file != name {
            eprintln!("fetching {name}, {bytes} bytes");
        }
        name.clone_into(&mut self.file);
        self.bar.set_message(self.file.clone());
        self.bar.set_length(bytes);
    }

    fn position(&mut self, bytes: u64) {
        self.bar.set_position(bytes);
    }
}
