//! `hearken bench agree`: whether a device gives the answers of the reference.

use super::workload::Workload;
use crate::backend::{BatchLogits, Cores, HeadKind, Options, Runner};
use crate::batch::PackedBatch;
use crate::cli::{device, judge, load};
use crate::model::LoadedModel;
use anyhow::Context as _;
use clap::Args;
use ndarray::ArrayView1;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Messages of a batch.
const BATCH: usize = 64;

/// Compare a device's logits with those of the f32 reference, and a message alone with itself in a batch
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hearken bench agree --device cuda
  hearken bench agree --device cpu --workload my-messages.txt --json

An answer is the same when the greatest logit of intent and sentiment is, and that of every token for entities. The int8 kernels of
the processor are not meant to be within 2e-2 of f32; see `hearken eval --device candle` for what they cost.")]
pub struct AgreeArgs {
    /// Name below models/, or directory, of the model
    #[arg(long, default_value = "storefront-en")]
    model: String,
    /// Backend that is looked at
    #[arg(long, default_value = "auto")]
    device: String,
    /// Backend that it is compared with
    #[arg(long, default_value = "candle")]
    reference: String,
    /// One message a line; without it, a built-in mix of 1,000 messages
    #[arg(long, value_name = "FILE")]
    workload: Option<PathBuf>,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// How far two sets of logits are apart.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize)]
struct Agreement {
    largest_logit_error: f32,
    /// Share of answers that are the same.
    argmax_equal: f64,
    #[serde(skip)]
    answers: usize,
    #[serde(skip)]
    same: usize,
}

#[derive(Debug, Serialize)]
struct Report {
    model: String,
    device: &'static str,
    precision: String,
    reference: &'static str,
    messages: usize,
    #[serde(flatten)]
    agreement: Agreement,
    alone_and_in_batch: Agreement,
}

impl Agreement {
    /// Takes the logits of one message into account.
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    fn add(&mut self, got: &BatchLogits, row: usize, wanted: &BatchLogits, wanted_row: usize) {
        for kind in HeadKind::ALL {
            let (Some(got), Some(wanted)) = (got.row(kind, row), wanted.row(kind, wanted_row)) else { continue };
            for (got, wanted) in got.iter().zip(&wanted) {
                let apart = (got - wanted).abs();
                self.largest_logit_error = if apart.is_nan() { f32::INFINITY } else { self.largest_logit_error.max(apart) };
            }
            // Emotions are thresholds of their own, each.
            if kind != HeadKind::Emotions {
                self.answers += 1;
                self.same += usize::from(got.rows().into_iter().zip(wanted.rows()).all(|(got, wanted)| greatest(got) == greatest(wanted)));
            }
        }
        self.argmax_equal = self.same as f64 / self.answers.max(1) as f64;
    }
}

fn greatest(logits: ArrayView1<'_, f32>) -> Option<usize> {
    logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(index, _)| index)
}

impl AgreeArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let model = LoadedModel::open(&load::model_directory(&self.model)).context("the model cannot be opened")?;
        let (backend, reference) = (device::choose(&self.device, &model)?, device::choose(&self.reference, &model)?);
        let workload = Workload::open(self.workload.as_deref(), &model)?;
        let (mut runner, mut other) = (backend.prepare(&model, Options::default())?, reference.prepare(&model, Options::default())?);
        let (agreement, alone) = compare(runner.as_mut(), other.as_mut(), &workload)?;
        let report = Report {
            model: model.id(),
            device: backend.name(),
            precision: runner.precision(),
            reference: reference.name(),
            messages: workload.messages.len(),
            agreement,
            alone_and_in_batch: alone,
        };
        if self.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            print(&report);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn compare(runner: &mut dyn Runner, reference: &mut dyn Runner, workload: &Workload) -> anyhow::Result<(Agreement, Agreement)> {
    let (mut agreement, mut alone) = (Agreement::default(), Agreement::default());
    let bar = judge::bar(workload.encoded.len(), "messages");
    for chunk in workload.encoded.chunks(BATCH) {
        let together = runner.run(&PackedBatch::new(chunk), Cores::One)?;
        let wanted = reference.run(&PackedBatch::new(chunk), Cores::One)?;
        for (row, message) in chunk.iter().enumerate() {
            agreement.add(&together, row, &wanted, row);
            alone.add(&runner.run(&PackedBatch::new([message]), Cores::One)?, 0, &together, row);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok((agreement, alone))
}

fn print(report: &Report) {
    println!("{} on {} in {}, {} messages", report.model, report.device, report.precision, report.messages);
    let line = |what: &str, agreement: Agreement| {
        let share = 100.0 * agreement.argmax_equal;
        println!("{what:<20} {share:.3} % of the answers the same, largest distance of a logit {:.2e}", agreement.largest_logit_error);
    };
    line(&format!("with {}", report.reference), report.agreement);
    line("alone and in a batch", report.alone_and_in_batch);
}
