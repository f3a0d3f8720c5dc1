//! The worst confusions, with messages and where they stand.

use crate::eval::render::what;
use crate::eval::{Confused, Mistake, Report};
use crate::plot::{Markup, html};

/// The confusions of a part, or nothing.
pub fn confused(report: &Report, part: &str) -> Markup {
    let confused: Vec<&Confused> = report.confused.iter().filter(|confused| confused.part == part).collect();
    html! {
        @if !confused.is_empty() {
            h3 { "The most frequent mistakes" }
            @for confusion in confused {
                p { strong { (confusion.count) " × " (what(confusion)) } }
                ul.examples { @for mistake in &confusion.examples { li { (example(mistake)) } } }
            }
        }
    }
}

fn example(mistake: &Mistake) -> Markup {
    let score = mistake.score.map_or_else(String::new, |score| format!(", score {score:.3}"));
    html! {
        (mistake.text)
        @match (&mistake.known, &mistake.said) {
            (Some(known), Some(said)) if known != said => { " (" strong { (known) } ", said " strong { (said) } ")" },
            (Some(words), _) | (None, Some(words)) => { " (" strong { (words) } ")" },
            (None, None) => {},
        }
        span.place { (mistake.place) (score) }
    }
}
