//! When the best two intents are too close to choose: the margin under which the best is right at most every other time.

use super::LEAST;
use super::decision::{Decision, count};

/// The margin where there are too few close decisions to choose it by.
const DEFAULT_MARGIN: f32 = 0.1;

/// The widest margin of 0.03, 0.06 … 0.30 under which in-scope answers are no better than a coin.
pub fn choose(decisions: &[Decision]) -> f32 {
    let margins = (1..=10u8).rev().map(|step| f32::from(step) * 0.03);
    margins.into_iter().find(|margin| unreliable_below(*margin, decisions)).unwrap_or(DEFAULT_MARGIN)
}

fn unreliable_below(margin: f32, decisions: &[Decision]) -> bool {
    let close = |d: &Decision| !d.outside && d.score - d.second < margin;
    let all = count(decisions, close);
    all >= LEAST && 2 * count(decisions, |d| close(d) && d.right) <= all
}
