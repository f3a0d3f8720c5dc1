//! Tables of words and numbers.

use maud::{Markup, html};

/// What stands in a place of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Read from the left.
    Words(String),
    /// Aligned to the right.
    Number(String),
}

/// A cell of words.
#[must_use]
pub fn words(text: impl Into<String>) -> Cell {
    Cell::Words(text.into())
}

/// A cell with a number.
#[must_use]
pub fn number(text: impl ToString) -> Cell {
    Cell::Number(text.to_string())
}

/// A table; the first cell of each row is its name.
#[must_use]
pub fn table(heads: &[&str], rows: &[Vec<Cell>]) -> Markup {
    let numeric = |column: usize| rows.iter().any(|row| matches!(row.get(column), Some(Cell::Number(_))));
    html! {
        div.scroll {
            table {
                thead {
                    tr { @for (column, head) in heads.iter().enumerate() { th scope="col" class=[numeric(column).then_some("number")] { (head) } } }
                }
                tbody {
                    @for row in rows {
                        tr {
                            @for (column, cell) in row.iter().enumerate() {
                                @match cell {
                                    Cell::Words(text) if column == 0 => th scope="row" { (text) },
                                    Cell::Words(text) => td { (text) },
                                    Cell::Number(text) => td.number { (text) },
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
