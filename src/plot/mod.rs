//! What do figures look like on a page? Plots as SVG and tables as HTML, in one file that fetches nothing: no script, no font, no image.
//!
//! Every plot has a title and a description for those who do not see it, takes its colours from the page, so that it is readable in light
//! and in dark, and stands beside a table of its numbers. All text is escaped by the `maud` macros that write it.

mod axis;
mod bars;
mod columns;
mod frame;
mod heat;
mod lines;
mod page;
mod table;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
mod whiskers;

pub use axis::Axis;
pub use bars::{Bar, bars};
pub use columns::{Column, columns};
pub use frame::Caption;
pub use heat::{Heat, heat};
pub use lines::{Line, lines};
pub use maud::{Markup, html};
pub use page::{fold, page, section};
pub use table::{Cell, number, table, words};
pub use whiskers::{Whisker, whiskers};
