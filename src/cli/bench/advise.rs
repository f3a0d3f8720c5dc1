//! `hearken bench advise`: what this machine can do with this model, and how to set it up for that.

use super::arrivals::{Load, Waited};
use super::workload::Workload;
use crate::backend::{self, Backend};
use crate::cli::{device, load};
use crate::engine::WaitLimits;
use crate::model::LoadedModel;
use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Shares of the capacity that are tried, until messages are answered in time.
const SHARES: [f64; 8] = [0.95, 0.9, 0.8, 0.7, 0.6, 0.45, 0.3, 0.15];

/// Measure this machine with this model, and say how to set it up
#[derive(Debug, Args)]
#[command(after_help = "\
Every device that can run the model is given messages of the built-in mix: one after the other, as many as it takes, and at random
times at falling rates until 99 of 100 are answered within --p99-ms. That rate counts. It is the engine's; HTTP takes some tenths of
a millisecond more for a message, see scripts/load-test. With prices, the cost is that of a machine that is busy at that rate all the time.
`--device auto` keeps to what is found here.

Examples:
  hearken bench advise
  hearken bench advise --p99-ms 20 --price-cpu-hour 0.04 --price-gpu-hour 2.50
  hearken bench advise --model my-shop --workload my-messages.txt --json")]
pub struct AdviseArgs {
    /// Name below models/, or directory, of the model
    #[arg(long, default_value = "storefront-en")]
    model: String,
    /// Milliseconds within which 99 of 100 messages are to be answered
    #[arg(long, default_value_t = 50.0, value_name = "MS")]
    p99_ms: f64,
    /// What an hour of this machine costs without its card, in any currency
    #[arg(long, value_name = "PRICE")]
    price_cpu_hour: Option<f64>,
    /// What an hour of this machine costs with its card
    #[arg(long, value_name = "PRICE")]
    price_gpu_hour: Option<f64>,
    /// One message a line; without it, a built-in mix of 1,000 messages
    #[arg(long, value_name = "FILE")]
    workload: Option<PathBuf>,
    /// Seconds of each measurement; there are 5 to 11 of them for each line of the table
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// A way to set the server up, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Setup {
    device: &'static str,
    threads: usize,
    /// At most so many messages a second are answered in time; nothing when not even a few are.
    messages_per_second: Option<f64>,
    /// At that rate.
    loaded: Option<Waited>,
    /// When no time is of concern.
    capacity: f64,
    /// One message after the other.
    alone: Waited,
    /// At half the capacity.
    half: Waited,
    /// Of the process, or of the card.
    memory_mib: Option<u64>,
    /// Of a million messages at that rate.
    cost_per_million: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Advice<'a> {
    model: String,
    p99_ms: f64,
    messages: usize,
    mean_tokens: f64,
    setups: &'a [Setup],
    best: Option<&'a Setup>,
    command: Option<String>,
}

impl AdviseArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        anyhow::ensure!((0.05..=600.0).contains(&self.seconds), "--seconds must be from 0.05 to 600");
        anyhow::ensure!(self.p99_ms > 0.0, "--p99-ms must be positive");
        for price in [self.price_cpu_hour, self.price_gpu_hour].into_iter().flatten() {
            anyhow::ensure!(price.is_finite() && price >= 0.0, "a price must not be negative");
        }
        let model = self.open()?;
        let workload = Arc::new(Workload::open(self.workload.as_deref(), &model)?);
        let able = backend::able(&model.config);
        anyhow::ensure!(!able.is_empty(), "no backend here runs a `{}` encoder", model.config.model_type);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(backend::cores().clamp(1, 4)).enable_all().build()?;
        let mut setups = Vec::new();
        for backend in &able {
            for threads in threads(*backend) {
                eprintln!("measuring {} ({}) with {threads} threads", backend.name(), backend.device());
                setups.push(runtime.block_on(self.measure(*backend, threads, &workload))?);
            }
        }
        let speeds = able.iter().map(|backend| (backend.name().to_owned(), capacity(&setups, backend.name())));
        device::keep(&able, &model, speeds.collect());
        self.report(&model, &workload, &setups)?;
        Ok(ExitCode::SUCCESS)
    }

    fn open(&self) -> anyhow::Result<LoadedModel> {
        LoadedModel::open(&load::model_directory(&self.model)).context("the model cannot be opened")
    }

    async fn measure(&self, backend: &'static dyn Backend, threads: usize, workload: &Arc<Workload>) -> anyhow::Result<Setup> {
        let device_bytes = backend.device_bytes();
        let engine = load::start(self.open()?, backend, threads, WaitLimits::messages(1 << 16))?;
        let time = Duration::from_secs_f64(self.seconds);
        let load = Arc::new(Load { engine: Arc::new(engine), workload: Arc::clone(workload), time });
        let alone = load.alone().await?;
        let capacity = load.capacity(threads).await?;
        let mut in_time = None;
        for share in SHARES {
            let waited = load.at(share * capacity).await?;
            if waited.p99_ms <= self.p99_ms {
                in_time = Some((share * capacity, waited));
                break;
            }
        }
        let half = load.at(0.5 * capacity).await?;
        let used = backend.device_bytes().map(|bytes| bytes.saturating_sub(device_bytes.unwrap_or(0)));
        let price = if device_bytes.is_some() { self.price_gpu_hour } else { self.price_cpu_hour };
        let cost = |(rate, _): (f64, Waited)| price.map(|price| price / (rate * 3600.0) * 1e6);
        Ok(Setup {
            device: backend.name(),
            threads,
            messages_per_second: in_time.map(|(rate, _)| rate.round()),
            loaded: in_time.map(|(_, waited)| waited),
            capacity: capacity.round(),
            alone,
            half,
            memory_mib: used.or_else(resident).map(|bytes| bytes >> 20),
            cost_per_million: in_time.and_then(cost),
        })
    }

    fn report(&self, model: &LoadedModel, workload: &Workload, setups: &[Setup]) -> anyhow::Result<()> {
        let best = best(setups);
        #[expect(clippy::cast_precision_loss, reason = "counts")]
        let mean_tokens = (workload.tokens() as f64 / workload.messages.len() as f64 * 10.0).round() / 10.0;
        let command = best.map(|best| format!("hearken serve --model {} --device {} --threads {}", self.model, best.device, best.threads));
        let messages = workload.messages.len();
        let advice = Advice { model: model.id(), p99_ms: self.p99_ms, messages, mean_tokens, setups, best, command };
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&advice)?)?;
        } else {
            table(&mut out, &advice)?;
        }
        Ok(())
    }
}

/// Numbers of workers that are tried: all that the backend likes, and half of them where they are cores, which often do two threads' work.
fn threads(backend: &dyn Backend) -> Vec<usize> {
    let all = backend.workers();
    if backend.device_bytes().is_none() && all > 1 { vec![all, all.div_ceil(2)] } else { vec![all] }
}

fn capacity(setups: &[Setup], device: &str) -> f64 {
    setups.iter().filter(|setup| setup.device == device).map(|setup| setup.capacity).fold(0.0, f64::max)
}

/// The cheapest of those that answer in time, where all of them have a price; else the one that answers most.
fn best(setups: &[Setup]) -> Option<&Setup> {
    let in_time: Vec<&Setup> = setups.iter().filter(|setup| setup.messages_per_second.is_some()).collect();
    let priced = in_time.iter().all(|setup| setup.cost_per_million.is_some());
    // A price of nothing does not tell one from another.
    let worth = |setup: &&&Setup| {
        let cost = if priced { setup.cost_per_million.unwrap_or(0.0) } else { 0.0 };
        (-cost, setup.messages_per_second.unwrap_or(0.0))
    };
    let better = |a: &&&Setup, b: &&&Setup| {
        let (a, b) = (worth(a), worth(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    };
    in_time.iter().max_by(better).copied()
}

/// Memory of this process.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

fn table(out: &mut impl Write, advice: &Advice<'_>) -> std::io::Result<()> {
    let (model, messages, tokens, wanted) = (&advice.model, advice.messages, advice.mean_tokens, advice.p99_ms);
    writeln!(out, "{model}, {messages} messages of {tokens} tokens on average; 99 of 100 are to be answered within {wanted} ms\n")?;
    writeln!(
        out,
        "{:<7} {:>7} {:>11} {:>9} {:>9}   {:>15} {:>15} {:>10} {:>12}",
        "device", "threads", "messages/s", "p99 ms", "at most/s", "alone p50/p99", "half p50/p99", "memory MiB", "per million"
    )?;
    let pair = |waited: Waited| format!("{:.2} / {:.2}", waited.p50_ms, waited.p99_ms);
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    for setup in advice.setups {
        writeln!(
            out,
            "{:<7} {:>7} {:>11} {:>9} {:>9}   {:>15} {:>15} {:>10} {:>12}",
            setup.device,
            setup.threads,
            or_dash(setup.messages_per_second.map(|rate| format!("{rate:.0}"))),
            or_dash(setup.loaded.map(|waited| format!("{:.1}", waited.p99_ms))),
            format!("{:.0}", setup.capacity),
            pair(setup.alone),
            pair(setup.half),
            or_dash(setup.memory_mib.map(|mib| mib.to_string())),
            or_dash(setup.cost_per_million.map(|cost| format!("{cost:.4}"))),
        )?;
    }
    match (advice.best, &advice.command) {
        (Some(best), Some(command)) => {
            let rate = best.messages_per_second.unwrap_or(0.0);
            writeln!(out, "\nUse\n    {command}\nfor up to {rate:.0} messages a second, about {:.1} million a day.", rate * 0.0864)?;
            writeln!(out, "Beyond that rate messages wait longer than {wanted} ms: add a machine, or accept it with a larger --p99-ms.")
        }
        _ => writeln!(out, "\nNo setup answers 99 of 100 messages within {wanted} ms; try a larger --p99-ms, or a smaller model."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(device: &'static str, rate: Option<f64>, cost: Option<f64>) -> Setup {
        let waited = Waited { p50_ms: 1.0, p99_ms: 2.0 };
        Setup {
            device,
            threads: 1,
            messages_per_second: rate,
            loaded: None,
            capacity: 1.0,
            alone: waited,
            half: waited,
            memory_mib: None,
            cost_per_million: cost,
        }
    }

    #[test]
    fn the_cheapest_in_time_is_advised_and_without_prices_the_fastest() {
        let device = |setups: &[Setup]| best(setups).map(|setup| setup.device);
        let (cpu, gpu) = (setup("cpu", Some(2000.0), Some(0.01)), setup("cuda", Some(90_000.0), Some(0.02)));
        assert_eq!(device(&[cpu.clone(), gpu.clone()]), Some("cpu"));
        assert_eq!(device(&[setup("cpu", Some(2000.0), None), gpu.clone()]), Some("cuda"), "one has no price");
        assert_eq!(device(&[setup("cpu", None, None), gpu]), Some("cuda"), "the other is too slow");
        assert_eq!(device(&[setup("cpu", None, None)]), None);
        assert_eq!(device(&[cpu]), Some("cpu"));
    }
}
