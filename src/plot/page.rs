//! The page around plots and tables: one file, readable in light and dark, that a browser is told to fetch nothing for.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Colours and measures. Plots name their colours by class, so that dark and light are decided here alone.
const STYLE: &str = include_str!("page.css");

/// A whole page: a title, facts beneath it as name and value, and the rest.
#[must_use]
pub fn page(title: &str, facts: &[(&str, String)], body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    dl { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
                }
                main { (body) }
            }
        }
    }
    .into_string()
}

/// A part of the page under a heading.
#[must_use]
pub fn section(title: &str, note: &str, body: &Markup) -> Markup {
    html! { section { h2 { (title) @if !note.is_empty() { " " small { (note) } } } (body) } }
}

/// Something that is shown when asked for.
#[must_use]
pub fn fold(summary: &str, body: &Markup) -> Markup {
    html! { details { summary { (summary) } (body) } }
}
