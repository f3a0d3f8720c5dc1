//! Horizontal bars, one a label: for names that are read.

use super::axis::Axis;
use super::frame::{Caption, at, figure, room};
use maud::{Markup, html};

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Its length.
    pub value: f64,
    /// A second value, marked by a stroke across the bar.
    pub mark: Option<f64>,
    /// What stands behind it.
    pub note: String,
}

/// Height of a bar with the space below it.
const STEP: f64 = 20.0;
/// Length of the longest bar.
const LENGTH: f64 = 360.0;
/// Characters of a label at most.
const LABEL: usize = 36;

/// Bars from the axis's least value, with `mark` saying in words what the strokes are.
#[must_use]
pub fn bars(caption: &Caption<'_>, axis: &Axis<'_>, bars: &[Bar], mark: Option<&str>) -> Markup {
    let label = |bar: &Bar| -> String {
        let short: String = bar.label.chars().take(LABEL).collect();
        if short.len() < bar.label.len() { format!("{short}…") } else { short }
    };
    let left = room(bars.iter().map(|bar| label(bar).chars().count()).max().unwrap_or(0)) + 12.0;
    let right = room(bars.iter().map(|bar| bar.note.chars().count()).max().unwrap_or(0)) + 16.0;
    #[expect(clippy::cast_precision_loss, reason = "bars are few")]
    let height = bars.len() as f64 * STEP + 4.0;
    let legend = mark.map(|mark| {
        html! { p.legend { span.key.one {} " " (axis.label) " " span.key.stroke {} " " (mark) } }
    });
    let content = html! {
        @for (bar, y) in bars.iter().zip((0u32..).map(|index| f64::from(index) * STEP)) {
            text.name x=(at(left - 8.0)) y=(at(y + 14.0)) text-anchor="end" { (label(bar)) title { (bar.label) } }
            rect.bar x=(at(left)) y=(at(y + 3.0)) width=(at(axis.place(bar.value) * LENGTH)) height=(at(STEP - 6.0)) rx="2" {
                title { (bar.label) ": " (bar.note) }
            }
            @if let Some(mark) = bar.mark {
                line.mark x1=(at(left + axis.place(mark) * LENGTH)) x2=(at(left + axis.place(mark) * LENGTH)) y1=(at(y + 1.0)) y2=(at(y + STEP - 1.0)) {}
            }
            text.tick x=(at(left + axis.place(bar.mark.map_or(bar.value, |mark| mark.max(bar.value))) * LENGTH + 6.0)) y=(at(y + 14.0)) { (bar.note) }
        }
        line.axis x1=(at(left)) x2=(at(left)) y1="0" y2=(at(height)) {}
    };
    figure(caption, (left + LENGTH + right, height), legend.as_ref(), &content)
}
