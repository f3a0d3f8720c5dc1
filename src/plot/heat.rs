//! A matrix of counts, darker where there are more.

use super::frame::{Caption, at, figure, room};
use maud::{Markup, html};

/// Counts of rows by columns that have the same names.
#[derive(Debug, Clone, PartialEq)]
pub struct Heat<'a> {
    /// Names of rows and columns.
    pub labels: Vec<&'a str>,
    /// Row, column and count; what is missing is zero.
    pub cells: Vec<(usize, usize, usize)>,
    /// What rows are.
    pub rows: &'a str,
    /// What columns are.
    pub columns: &'a str,
}

/// Side of a cell.
const CELL: f64 = 26.0;
/// Characters of a label at most.
const LABEL: usize = 26;

/// The matrix. The diagonal, where both names are the same, is outlined and not coloured, so that it does not outshine the rest.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "labels and counts are small")]
pub fn heat(caption: &Caption<'_>, heat: &Heat<'_>) -> Markup {
    let short = |label: &str| {
        let short: String = label.chars().take(LABEL).collect();
        if short.len() < label.len() { format!("{short}…") } else { short }
    };
    let longest = room(heat.labels.iter().map(|label| short(label).chars().count()).max().unwrap_or(0));
    let (left, top) = (longest + 34.0, longest * 0.75 + 40.0);
    let side = heat.labels.len() as f64 * CELL;
    let most = heat.cells.iter().filter(|(row, column, _)| row != column).map(|cell| cell.2).max().unwrap_or(1).max(1);
    let place = |index: usize| index as f64 * CELL;
    // The root keeps single confusions visible beside frequent ones.
    let shade = |count: usize| 0.15 + 0.85 * (count as f64 / most as f64).sqrt();
    let name = |index: usize| heat.labels.get(index).copied().unwrap_or_default();
    let content = html! {
        text.label x=(at(left + side / 2.0)) y="14" text-anchor="middle" { (heat.columns) }
        text.label x="12" y=(at(top + side / 2.0)) text-anchor="middle" transform={ "rotate(-90 12 " (at(top + side / 2.0)) ")" } { (heat.rows) }
        @for (index, label) in heat.labels.iter().enumerate() {
            text.name x=(at(left - 6.0)) y=(at(top + place(index) + 17.0)) text-anchor="end" { (short(label)) title { (label) } }
            text.name x=(at(left + place(index) + 15.0)) y=(at(top - 6.0))
                transform={ "rotate(-48 " (at(left + place(index) + 15.0)) " " (at(top - 6.0)) ")" } { (short(label)) title { (label) } }
            line.grid x1=(at(left)) x2=(at(left + side)) y1=(at(top + place(index))) y2=(at(top + place(index))) {}
            line.grid x1=(at(left + place(index))) x2=(at(left + place(index))) y1=(at(top)) y2=(at(top + side)) {}
        }
        rect.frame x=(at(left)) y=(at(top)) width=(at(side)) height=(at(side)) {}
        @for (row, column, count) in &heat.cells {
            @let right = row == column;
            rect class=(if right { "same" } else { "cell" }) x=(at(left + place(*column) + 1.0)) y=(at(top + place(*row) + 1.0))
                width=(at(CELL - 2.0)) height=(at(CELL - 2.0)) fill-opacity=(if right { "1".to_owned() } else { format!("{:.2}", shade(*count)) }) {
                title { (name(*row)) ", " (name(*column)) ": " (count) }
            }
            text class=(if !right && shade(*count) > 0.6 { "count strong" } else { "count" })
                x=(at(left + place(*column) + CELL / 2.0)) y=(at(top + place(*row) + 17.0)) text-anchor="middle" { (count) }
        }
    };
    figure(caption, (left + side + longest * 0.6 + 20.0, top + side + 6.0), None, &content)
}
