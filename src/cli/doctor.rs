//! `hearken doctor`: what this machine offers, whether the model is whole, and what the limits are.

use super::load;
use crate::backend::{BACKENDS, cores};
use crate::engine::WaitLimits;
use crate::model::LoadedModel;
use crate::text::Utterance;
use clap::Args;
use hearken_kernels::{TierStatus, chosen, tiers};
use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

/// Check this machine, the model and the limits
#[derive(Debug, Args)]
#[command(after_help = "Exit code 1 when the model cannot be served here; the last lines say why and what to do.")]
pub struct DoctorArgs {
    /// Name below models/, or directory, of the model
    #[arg(long, default_value = "storefront-en")]
    model: String,
}

impl DoctorArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let out = &mut std::io::stdout().lock();
        writeln!(out, "hearken {} on {} {}, {} cores", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH, cores())?;
        kernels(out)?;
        for backend in BACKENDS {
            match backend.check() {
                Ok(()) if backend.by_name_only() => {
                    writeln!(out, "backend {:<8} available by name; --device auto leaves it out", backend.name())?;
                }
                Ok(()) => writeln!(out, "backend {:<8} available: {}", backend.name(), backend.device())?,
                Err(error) => writeln!(out, "backend {:<8} not available: {}", backend.name(), error.reason)?,
            }
        }
        writeln!(
            out,
            "limits: {} characters a message, {} bytes a request by default",
            Utterance::MAX_CHARACTERS,
            crate::config::ServeConfig::default().body_limit
        )?;
        let directory = load::model_directory(&self.model);
        let started = Instant::now();
        let model = LoadedModel::open(&directory)?;
        writeln!(out, "model {} at {}: checked in {} ms", model.id(), directory.display(), started.elapsed().as_millis())?;
        describe(out, &model)?;
        let started = Instant::now();
        let engine = load::engine(&self.model, "auto", 1, WaitLimits::messages(1))?;
        writeln!(out, "backend {} prepared and warmed it up in {} ms", engine.backend(), started.elapsed().as_millis())?;
        writeln!(out, "all is well: hearken serve --model {}", self.model)?;
        writeln!(out, "how much it can do here, and on which device: hearken bench advise --model {}", self.model)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn kernels(out: &mut impl Write) -> std::io::Result<()> {
    if let Ok(cap) = std::env::var("HEARKEN_KERNELS") {
        let known = tiers().iter().any(|(name, _)| *name == cap);
        writeln!(out, "HEARKEN_KERNELS={cap}{}", if known { "" } else { " is not a tier; it is ignored" })?;
    }
    for (name, status) in tiers() {
        match status {
            TierStatus::Available if name == chosen() => writeln!(out, "kernels {name:<11} on, chosen: the fastest this processor runs")?,
            TierStatus::Available => writeln!(out, "kernels {name:<11} on")?,
            TierStatus::Missing(feature) => writeln!(out, "kernels {name:<11} off: missing here: {feature}")?,
            TierStatus::Capped => writeln!(out, "kernels {name:<11} off: HEARKEN_KERNELS names a lower tier")?,
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "megabytes with one decimal")]
fn describe(out: &mut impl Write, model: &LoadedModel) -> std::io::Result<()> {
    let config = &model.config;
    writeln!(
        out,
        "  encoder: {}, {} layers, hidden {}, {} heads, vocabulary {}",
        config.model_type, config.num_hidden_layers, config.hidden_size, config.num_attention_heads, config.vocab_size
    )?;
    writeln!(out, "  reads {} tokens, of them {} of context", model.manifest.max_tokens, model.manifest.context_tokens)?;
    let tensors = model.tensors();
    let bytes: usize = tensors.iter().map(|(_, _, _, bytes)| bytes).sum();
    let mut types: Vec<&str> = tensors.iter().map(|(_, kind, _, _)| kind.as_str()).collect();
    types.sort_unstable();
    types.dedup();
    writeln!(out, "  weights: {} tensors of {}, {:.1} MB", tensors.len(), types.join(" and "), bytes as f64 / 1e6)?;
    let measured =
        if model.manifest.files.contains_key("channels.safetensors") { "measured" } else { "guessed; see hearken model calibrate" };
    writeln!(out, "  channels for int8: {measured}")?;
    let heads = model.manifest.heads.rows().into_iter().map(|(name, rows)| format!("{name} {rows}")).collect::<Vec<_>>();
    writeln!(out, "  heads: {}", heads.join(", "))?;
    Ok(())
}
