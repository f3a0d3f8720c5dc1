//! Time of a message that has the machine to itself, by its number of tokens.

use super::workload::Workload;
use crate::backend::{Cores, Runner};
use crate::batch::PackedBatch;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Lengths that are measured.
pub const LENGTHS: [usize; 5] = [8, 16, 32, 64, 128];
/// Different messages of each length.
const MESSAGES: usize = 50;

/// Microseconds of one message.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    pub p50: f64,
    pub p99: f64,
    pub samples: usize,
}

/// Measures messages of `length` tokens for `time`, after a warm-up.
pub fn measure(runner: &mut dyn Runner, workload: &Workload, length: usize, time: Duration, cores: Cores) -> anyhow::Result<Latency> {
    let batches: Vec<PackedBatch> = workload.of_length(length, MESSAGES).iter().map(|encoded| PackedBatch::new([encoded])).collect();
    for batch in &batches {
        runner.encode(batch, cores)?;
    }
    let mut samples = Vec::new();
    let end = Instant::now() + time;
    for batch in batches.iter().cycle() {
        let started = Instant::now();
        runner.encode(batch, cores)?;
        samples.push(started.elapsed());
        if Instant::now() > end {
            break;
        }
    }
    samples.sort_unstable();
    let at = |share: usize| samples.get((samples.len() - 1) * share / 100).map_or(0.0, |time| micros(*time));
    Ok(Latency { p50: at(50), p99: at(99), samples: samples.len() })
}

/// Microseconds with one decimal.
fn micros(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e7).round() / 10.0
}
