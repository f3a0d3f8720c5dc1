//! Bounds that figures must keep: what makes a build fail.

use super::Report;
use std::collections::BTreeMap;

/// A figure and the least or most it may be, such as `intent.accuracy>=0.9`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Dotted path of the figure.
    pub figure: String,
    /// Whether the bound is the least (or the most).
    pub at_least: bool,
    /// The bound.
    pub bound: f64,
}

impl std::str::FromStr for Gate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a gate; write FIGURE>=NUMBER or FIGURE<=NUMBER, such as intent.accuracy>=0.9");
        let (figure, at_least, bound) = match (text.split_once(">="), text.split_once("<=")) {
            (Some((figure, bound)), None) => (figure, true, bound),
            (None, Some((figure, bound))) => (figure, false, bound),
            _ => return Err(wrong()),
        };
        let bound: f64 = bound.trim().parse().map_err(|_| wrong())?;
        if bound.is_nan() {
            return Err(wrong());
        }
        Ok(Self { figure: figure.trim().to_owned(), at_least, bound })
    }
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.figure, if self.at_least { ">=" } else { "<=" }, self.bound)
    }
}

impl Gate {
    /// Whether a report passes, or what is wrong.
    ///
    /// # Errors
    /// When the report has no such figure.
    pub fn passes(&self, report: &Report) -> Result<bool, String> {
        let value = report.figure(&self.figure).ok_or_else(|| {
            format!("{}, and those of single labels, such as intent.labels.LABEL.recall", self.unknown(&report.figures()))
        })?;
        Ok(self.holds(value))
    }

    /// Whether figures by name pass, or what is wrong.
    ///
    /// # Errors
    /// When there is no such figure.
    pub fn passes_figures(&self, figures: &BTreeMap<String, f64>) -> Result<bool, String> {
        figures.get(&self.figure).map(|value| self.holds(*value)).ok_or_else(|| self.unknown(figures))
    }

    fn holds(&self, value: f64) -> bool {
        if self.at_least { value >= self.bound } else { value <= self.bound }
    }

    fn unknown(&self, figures: &BTreeMap<String, f64>) -> String {
        let names: Vec<_> = figures.keys().map(String::as_str).collect();
        format!("the report has no figure `{}`; it has {}", self.figure, names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_read_and_hold() {
        let gate: Gate = " intent.accuracy >= -0.005".parse().unwrap();
        assert_eq!(gate.to_string(), "intent.accuracy >= -0.005");
        let figures = |value| BTreeMap::from([("intent.accuracy".to_owned(), value)]);
        assert_eq!((gate.passes_figures(&figures(-0.005)), gate.passes_figures(&figures(-0.006))), (Ok(true), Ok(false)));
        let most: Gate = "sentiment.mean_absolute_error<=0.2".parse().unwrap();
        assert!(most.passes_figures(&figures(0.1)).unwrap_err().contains("intent.accuracy"));
        for wrong in ["intent.accuracy", "a>=b", "a>=nan", "a>=1<=2", "a=1"] {
            assert!(wrong.parse::<Gate>().unwrap_err().contains("FIGURE>=NUMBER"), "{wrong}");
        }
    }
}
