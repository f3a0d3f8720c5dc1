//! Points with their intervals around zero: differences.

use super::axis::{Axis, tick_label};
use super::frame::{Caption, at, figure, room};
use maud::{Markup, html};

/// One point.
#[derive(Debug, Clone, PartialEq)]
pub struct Whisker {
    /// Its name.
    pub label: String,
    /// Where it lies.
    pub value: f64,
    /// Where its interval begins.
    pub low: f64,
    /// Where its interval ends.
    pub high: f64,
    /// Whether it is good or bad, if either.
    pub good: Option<bool>,
}

/// Height of a row.
const STEP: f64 = 20.0;
/// Length of the axis.
const LENGTH: f64 = 380.0;

/// Points on an axis that has zero in its middle; `names` says what good and bad ones are.
#[must_use]
pub fn whiskers(caption: &Caption<'_>, whiskers: &[Whisker], names: (&str, &str)) -> Markup {
    let most = whiskers.iter().map(|whisker| whisker.low.abs().max(whisker.high.abs())).fold(1e-6, f64::max);
    let axis = Axis { label: "", from: -most, to: most };
    let left = room(whiskers.iter().map(|whisker| whisker.label.chars().count()).max().unwrap_or(0)) + 12.0;
    #[expect(clippy::cast_precision_loss, reason = "rows are few")]
    let bottom = whiskers.len() as f64 * STEP + 4.0;
    let across = |value: f64| left + axis.place(value) * LENGTH;
    let class = |whisker: &Whisker| match whisker.good {
        Some(true) => "whisker one",
        Some(false) => "whisker two",
        None => "whisker three",
    };
    let legend = html! {
        p.legend { span.key.one {} " " (names.0) " " span.key.two {} " " (names.1) " " span.key.three {} " may be chance" }
    };
    let content = html! {
        @for tick in axis.ticks() {
            line.grid x1=(at(across(tick))) x2=(at(across(tick))) y1="0" y2=(at(bottom + 4.0)) {}
            text.tick x=(at(across(tick))) y=(at(bottom + 18.0)) text-anchor="middle" { (tick_label(tick, most * 2.0)) }
        }
        line.axis x1=(at(across(0.0))) x2=(at(across(0.0))) y1="0" y2=(at(bottom)) {}
        @for (whisker, y) in whiskers.iter().zip((0u32..).map(|index| f64::from(index) * STEP + 10.0)) {
            text.name x=(at(left - 8.0)) y=(at(y + 4.0)) text-anchor="end" { (whisker.label) }
            g class=(class(whisker)) {
                title { (whisker.label) ": " (format!("{:+.4}, {:+.4} to {:+.4}", whisker.value, whisker.low, whisker.high)) }
                line x1=(at(across(whisker.low))) x2=(at(across(whisker.high))) y1=(at(y)) y2=(at(y)) {}
                circle cx=(at(across(whisker.value))) cy=(at(y)) r="4" {}
            }
        }
    };
    figure(caption, (left + LENGTH + 24.0, bottom + 24.0), Some(&legend), &content)
}
