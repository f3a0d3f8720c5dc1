//! Upright columns over ranges of a number: histograms, and reliability diagrams with their diagonal.

use super::axis::Axis;
use super::frame::{Area, Caption, at, figure};
use maud::{Markup, html};

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Its height.
    pub value: f64,
    /// What it says when pointed at.
    pub note: String,
    /// Whether it rests on too little to be looked at.
    pub pale: bool,
}

/// Columns over `x`, as high as `y` says; with the diagonal where both should be equal.
#[must_use]
pub fn columns(caption: &Caption<'_>, x: &Axis<'_>, y: &Axis<'_>, columns: &[Column], diagonal: bool) -> Markup {
    let area = Area { x, y };
    let content = html! {
        (area.axes())
        @for column in columns {
            rect.bar.pale[column.pale] x=(at(area.across(column.from) + 0.5)) y=(at(area.up(column.value)))
                width=(at((area.across(column.to) - area.across(column.from) - 1.0).max(0.5)))
                height=(at(area.up(y.from) - area.up(column.value))) { title { (column.note) } }
        }
        @if diagonal { (area.diagonal()) }
    };
    figure(caption, Area::SIZE, None, &content)
}
