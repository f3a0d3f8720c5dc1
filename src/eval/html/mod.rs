//! The report as one self-contained page.

mod confused;
mod figures;
mod parts;
mod plots;

use super::Report;
use crate::plot::{html, page as whole, section};
pub(super) use figures::{fixed, interval};

/// What a report is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct About {
    /// Name and version of the model.
    pub model: String,
    /// What computed it.
    pub backend: String,
    /// The data directories.
    pub data: String,
    /// The split.
    pub split: String,
    /// Messages that were read.
    pub messages: usize,
    /// Resamples behind the intervals.
    pub resamples: usize,
}

/// The page: figures, plots beside their tables, and the worst confusions with examples.
#[must_use]
pub fn page(report: &Report, about: &About) -> String {
    let facts = [
        ("Model", about.model.clone()),
        ("Computed by", about.backend.clone()),
        ("Data", about.data.clone()),
        ("Split", about.split.clone()),
        ("Messages", about.messages.to_string()),
    ];
    let note = match about.resamples {
        0 => String::new(),
        resamples => format!("with 95 % intervals of {resamples} bootstrap resamples of the messages"),
    };
    let body = html! {
        (section("Main figures", &note, &figures::overview(report)))
        (parts::sections(report))
    };
    whole(&format!("How right is {}?", about.model), &facts, &body)
}
