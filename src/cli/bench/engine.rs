//! `hearken bench engine`: throughput on a mix of messages, and latency by length.

use super::cosine::{Cosine, compare};
use super::latency::{LENGTHS, Latency, measure};
use super::throughput::{Bench, Work};
use super::workload::Workload;
use crate::backend::cpu::supports;
use crate::backend::{Cores, Options, Runner, crew};
use crate::cli::{device, load};
use crate::model::LoadedModel;
use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Beyond this a batch gains nothing and only takes memory.
const MOST_BATCH_TOKENS: usize = 1 << 16;

/// Arguments of `bench engine`.
#[derive(Debug, Args)]
#[command(after_help = "\
Throughput is over batches of --batch-tokens tokens, one runner on each of --threads threads, on the workload in its own order; the
median of whole passes counts. With --latency, messages go one at a time, --threads threads working on each.
`text to prediction` adds tokenising, heads, decoding and patterns to what the encoder does. HEARKEN_KERNELS=avx2 (and other tiers, see
`hearken doctor`) caps the instructions used.

Examples:
  hearken bench engine
  hearken bench engine --threads 1 --latency --json
  hearken bench engine --workload my-messages.txt --model my-shop")]
pub struct EngineArgs {
    /// Name below models/, or directory, of the model
    #[arg(long, default_value = "storefront-en")]
    model: String,
    /// Backend
    #[arg(long, default_value = "auto")]
    device: String,
    /// Threads; 0 is one for each core, and on a card as many as keep it busy
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Tokens of a batch; 0 is what the backend likes best
    #[arg(long, default_value_t = 0, conflicts_with = "latency")]
    batch_tokens: usize,
    /// One message a line; without it, a built-in mix of 1,000 messages
    #[arg(long, value_name = "FILE")]
    workload: Option<PathBuf>,
    /// Measure messages one at a time, by length, instead of throughput
    #[arg(long)]
    latency: bool,
    /// Seconds for each figure
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    model: String,
    device: &'static str,
    kernel_tier: &'static str,
    precision: String,
    threads: usize,
    batch_tokens: usize,
    messages: usize,
    mean_tokens: f64,
    load_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_to_prediction_messages_per_second: Option<f64>,
    /// Vectors against those in f32.
    #[serde(skip_serializing_if = "Option::is_none")]
    cosine: Option<Cosine>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    latency_us: BTreeMap<usize, Latency>,
}

impl EngineArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        anyhow::ensure!((0.01..=3600.0).contains(&self.seconds), "--seconds must be from 0.01 to 3600");
        anyhow::ensure!(self.batch_tokens <= MOST_BATCH_TOKENS, "--batch-tokens must be at most {MOST_BATCH_TOKENS}");
        let model = LoadedModel::open(&load::model_directory(&self.model)).context("the model cannot be opened")?;
        let backend = device::choose(&self.device, &model)?;
        let threads = if self.threads == 0 { backend.workers() } else { self.threads };
        let started = Instant::now();
        let first = backend.prepare(&model, Options { cores: threads })?;
        let load_ms = (started.elapsed().as_secs_f64() * 1e4).round() / 10.0;
        let workload = Workload::open(self.workload.as_deref(), &model)?;
        let limit = first.limits().tokens;
        let batch_tokens = if self.batch_tokens == 0 { limit } else { self.batch_tokens };
        let mut report = Report {
            model: model.id(),
            device: backend.name(),
            kernel_tier: hearken_kernels::chosen(),
            precision: first.precision(),
            threads,
            batch_tokens,
            messages: workload.messages.len(),
            mean_tokens: mean(workload.tokens(), workload.messages.len()),
            load_ms,
            messages_per_second: None,
            tokens_per_second: None,
            text_to_prediction_messages_per_second: None,
            cosine: None,
            latency_us: BTreeMap::new(),
        };
        if self.latency {
            self.latencies(first, &workload, &model, threads, &mut report)?;
        } else {
            self.throughput(first, &model, &workload, &mut report)?;
        }
        if self.json {
            writeln!(std::io::stdout(), "{}", serde_json::to_string(&report)?)?;
        } else {
            print(&mut std::io::stdout().lock(), &report)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn latencies(
        &self,
        mut runner: Box<dyn Runner>,
        workload: &Workload,
        model: &LoadedModel,
        threads: usize,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let cores = if threads > 1 { Cores::All } else { Cores::One };
        for length in LENGTHS.into_iter().filter(|length| *length <= model.manifest.max_tokens) {
            let time = Duration::from_secs_f64(self.seconds);
            report.latency_us.insert(length, measure(runner.as_mut(), workload, length, time, cores)?);
        }
        Ok(())
    }

    /// Whole passes, the two kinds of work in turn, as long as the time allows and at least three of each.
    fn throughput(&self, mut first: Box<dyn Runner>, model: &LoadedModel, workload: &Workload, report: &mut Report) -> anyhow::Result<()> {
        report.cosine = supports(&model.config).is_ok().then(|| compare(first.as_mut(), model, workload)).transpose()?;
        let mut runners = crew(first, report.threads)?;
        let bench = Bench::new(model, workload);
        let batches = workload.batches(report.batch_tokens);
        let mut times = [Vec::new(), Vec::new()];
        for work in [Work::Encoder, Work::TextToPrediction] {
            bench.pass(&mut runners, &batches, work)?; // warm-up
        }
        let started = Instant::now();
        while times.iter().any(|times| times.len() < 3) || started.elapsed().as_secs_f64() < 2.0 * self.seconds {
            for (work, times) in [Work::Encoder, Work::TextToPrediction].into_iter().zip(&mut times) {
                times.push(bench.pass(&mut runners, &batches, work)?);
            }
        }
        let [encoder, whole] = times.map(median);
        report.messages_per_second = Some(rate(report.messages, encoder));
        report.tokens_per_second = Some(rate(workload.tokens(), encoder));
        report.text_to_prediction_messages_per_second = Some(rate(report.messages, whole));
        Ok(())
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "counts")]
fn rate(count: usize, time: Duration) -> f64 {
    (count as f64 / time.as_secs_f64() * 10.0).round() / 10.0
}

#[expect(clippy::cast_precision_loss, reason = "counts")]
fn mean(total: usize, count: usize) -> f64 {
    (total as f64 / count.max(1) as f64 * 100.0).round() / 100.0
}

fn print(out: &mut impl Write, report: &Report) -> std::io::Result<()> {
    writeln!(out, "model     {} on {}, kernels {}, {}", report.model, report.device, report.kernel_tier, report.precision)?;
    writeln!(out, "work      {} messages of {} tokens on average, {} threads", report.messages, report.mean_tokens, report.threads)?;
    writeln!(out, "load      {:.1} ms to bring the weights into the backend's form", report.load_ms)?;
    if let (Some(messages), Some(tokens)) = (report.messages_per_second, report.tokens_per_second) {
        writeln!(out, "encoder   {messages:.0} messages/s, {tokens:.0} tokens/s, batches of {} tokens", report.batch_tokens)?;
        if let Some(whole) = report.text_to_prediction_messages_per_second {
            writeln!(out, "in all    {whole:.0} messages/s from text to prediction: {:.1} % more time", (messages / whole - 1.0) * 100.0)?;
        }
    }
    if let Some(cosine) = report.cosine {
        writeln!(
            out,
            "vectors   cosine to f32 {:.5} on average, {:.5} at worst, of {} messages",
            cosine.mean, cosine.worst, cosine.messages
        )?;
    }
    for (length, latency) in &report.latency_us {
        writeln!(out, "alone     {length:>4} tokens: p50 {:.0} us, p99 {:.0} us ({} runs)", latency.p50, latency.p99, latency.samples)?;
    }
    Ok(())
}
