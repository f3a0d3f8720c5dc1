//! One axis: which values it shows, and where they lie.

/// The values along one side of a plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis<'a> {
    /// What is measured, with its unit.
    pub label: &'a str,
    /// Least value.
    pub from: f64,
    /// Greatest value.
    pub to: f64,
}

impl<'a> Axis<'a> {
    /// From 0 to 1.
    #[must_use]
    pub fn share(label: &'a str) -> Self {
        Self { label, from: 0.0, to: 1.0 }
    }

    /// From 0 to a round value that is not less than `most`.
    #[must_use]
    pub fn up_to(label: &'a str, most: f64) -> Self {
        let step = round_step(most.max(f64::MIN_POSITIVE));
        Self { label, from: 0.0, to: (most.max(f64::MIN_POSITIVE) / step).ceil() * step }
    }

    /// Where a value lies, in [0, 1]; values beyond the ends lie at them, what is no number at the beginning.
    pub(super) fn place(&self, value: f64) -> f64 {
        let width = self.to - self.from;
        if width > 0.0 && !value.is_nan() { ((value - self.from) / width).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Four to ten round values from one end to the other.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "at most some ten ticks")]
    pub(super) fn ticks(&self) -> Vec<f64> {
        let width = self.to - self.from;
        if !width.is_finite() || width <= 0.0 {
            return vec![self.from];
        }
        let step = round_step(width);
        let first = (self.from / step - 1e-9).ceil();
        let count = ((self.to / step + 1e-9).floor() - first).max(0.0) as usize;
        (0..=count).map(|index| (first + index as f64) * step).collect()
    }
}

/// 1, 2 or 5 times a power of ten, four to ten of which make up `width`.
fn round_step(width: f64) -> f64 {
    let power = 10f64.powf(width.log10().floor());
    match width / power {
        most if most < 2.0 => power / 5.0,
        most if most < 4.0 => power / 2.0,
        _ => power,
    }
}

/// A tick in as few digits as tell it from its neighbours.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most six digits")]
pub(super) fn tick_label(value: f64, width: f64) -> String {
    let digits = (-round_step(width).log10() - 1e-9).ceil().clamp(0.0, 6.0) as usize;
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_both_ends() {
        let close = |axis: Axis<'_>, wanted: &[f64]| {
            let ticks = axis.ticks();
            assert!(ticks.len() == wanted.len() && ticks.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9), "{ticks:?}");
        };
        close(Axis::share(""), &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        close(Axis::up_to("", 37.0), &[0.0, 10.0, 20.0, 30.0, 40.0]);
        close(Axis { label: "", from: 0.85, to: 1.0 }, &[0.86, 0.88, 0.9, 0.92, 0.94, 0.96, 0.98, 1.0]);
        assert_eq!(Axis::up_to("", 0.0).place(1.0), 1.0);
        assert_eq!([-1.0, 0.25, f64::INFINITY, f64::NAN].map(|value| Axis::share("").place(value)), [0.0, 0.25, 1.0, 0.0]);
        let labels = [tick_label(0.2, 1.0), tick_label(20.0, 40.0), tick_label(0.005, 0.03), tick_label(0.05, 0.2)];
        assert_eq!(labels, ["0.2", "20", "0.005", "0.05"]);
    }
}
