//! How far figures differ between runs of the same thing.

use serde::Serialize;
use std::collections::BTreeMap;

/// One figure over several runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Runs that have the figure.
    pub runs: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation of the runs (n − 1); 0 of a single run.
    pub sd: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Spread {
    /// The spread of some values; nothing of none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "runs are few")]
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        let (least, most) =
            values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(*value), most.max(*value)));
        Some(Self { runs: values.len(), mean, sd: (squares / (n - 1.0).max(1.0)).sqrt(), least, most })
    }
}

/// The spread of every figure that any run has.
#[must_use]
pub fn spread<'a>(runs: impl IntoIterator<Item = &'a BTreeMap<String, f64>>) -> BTreeMap<String, Spread> {
    let mut values: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
    for (name, value) in runs.into_iter().flatten() {
        values.entry(name).or_default().push(*value);
    }
    values.into_iter().filter_map(|(name, values)| Some((name.clone(), Spread::of(&values)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let runs = [0.8, 0.9, 0.85].map(|value| BTreeMap::from([("a".to_owned(), value)]));
        let found = spread(&runs)["a"];
        assert_eq!((found.runs, found.least, found.most), (3, 0.8, 0.9));
        assert!((found.mean - 0.85).abs() < 1e-12 && (found.sd - 0.05).abs() < 1e-12, "{found:?}");
        assert_eq!(Spread::of(&[0.5]).unwrap().sd, 0.0);
        assert_eq!(Spread::of(&[]), None);
    }
}
