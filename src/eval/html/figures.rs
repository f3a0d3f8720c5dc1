//! The main figures as tables, and numbers as the page writes them.

use crate::eval::render::examples;
use crate::eval::{FIGURES, Interval, PARTS, Report};
use crate::plot::{Cell, Markup, html, number, table, words};

/// A figure with four digits.
pub fn fixed(value: f64) -> String {
    format!("{value:.4}")
}

/// A share with three digits.
pub fn share(value: f64) -> String {
    format!("{value:.3}")
}

/// An interval, or nothing.
pub fn interval(interval: Option<&Interval>) -> String {
    interval.map_or_else(String::new, |interval| format!("{:.4} to {:.4}", interval.low, interval.high))
}

/// Every main figure, one table a part.
pub fn overview(report: &Report) -> Markup {
    let rows = |part: &str| -> Vec<Vec<Cell>> {
        let figures = FIGURES.iter().filter(|figure| figure.part() == part);
        let row = |figure: &crate::eval::Figure| {
            let value = (figure.of)(report)?;
            Some(vec![words(figure.title), number(fixed(value)), number(interval(report.intervals.get(figure.path)))])
        };
        figures.filter_map(row).collect()
    };
    html! {
        div.pair {
            @for (part, title) in PARTS {
                @if let Some(examples) = examples(report, part) {
                    div { h3 { (title) } (table(&[&format!("{examples} messages"), "value", "95 % interval"], &rows(part))) }
                }
            }
        }
    }
}
