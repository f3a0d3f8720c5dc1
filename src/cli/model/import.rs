//! `hearken model import`: translates a foreign checkpoint into a base for training.

use crate::backend::cpu;
use crate::cli::load;
use crate::import::translate;
use anyhow::Context as _;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `model import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Reads a checkpoint of BERT, RoBERTa, XLM-R, CamemBERT, DistilBERT, DeBERTa-v2/3, ModernBERT or MPNet in Hugging Face layout: config.json, tokenizer.json,
and model.safetensors, its shards, or pytorch_model.bin, which is read as data. Writes the encoder in hearken's names; poolers and heads are
left out, and config.json keeps where it came from. `hearken train --base` does this by itself.

Example:
  hearken model import xlm-roberta-base --out bases/xlm-r
  hearken train --data my-shop --base bases/xlm-r --out models/my-shop")]
pub struct ImportArgs {
    /// Directory of the checkpoint
    source: PathBuf,
    /// Where the base is written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write into --out although it is not empty
    #[arg(long)]
    force: bool,
}

impl ImportArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        load::check_fresh(&self.out, self.force)?;
        let made = translate(&self.source, &self.out).with_context(|| format!("`{}` is not imported", self.source.display()))?;
        let (config, left) = (&made.config, made.left);
        println!(
            "imported a `{}` encoder as `{}`: {} layers, hidden {}, {} tokens; {left} other tensors left out",
            made.from, config.model_type, config.num_hidden_layers, config.hidden_size, config.max_position_embeddings
        );
        if let Err(error) = cpu::supports(config) {
            println!("{error}");
        }
        println!("try: hearken train --data DIR --base {} --out models/NAME", self.out.display());
        Ok(ExitCode::SUCCESS)
    }
}
