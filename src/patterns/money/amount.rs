//! The number of an amount, however its groups and decimals are marked.

use crate::patterns::numerals::integer;
use crate::patterns::surface::folded;
use rust_decimal::Decimal;

/// The number as a plain decimal with the decimals as written: `1.299,00` and `1,299.00` are both `1299.00`.
///
/// A single mark before exactly three digits groups thousands, unless only a zero stands before it; any other single mark is the
/// decimal one. Of two different marks the last is the decimal one.
#[must_use]
pub fn decimal(written: &str) -> Option<String> {
    if !written.starts_with(|c: char| c.is_ascii_digit()) {
        return integer(&folded(written)).map(|n| n.to_string());
    }
    let written: String = written.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '\u{2019}')).collect();
    let (whole, fraction) = written.split_at_checked(decimals_from(&written)?)?;
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    let fraction: String = fraction.chars().filter(char::is_ascii_digit).collect();
    let plain = if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") };
    plain.parse::<Decimal>().ok().map(|amount| amount.to_string())
}

/// Where the decimals begin, or the end where there are none; nothing when the marks make no number.
fn decimals_from(written: &str) -> Option<usize> {
    let marks: Vec<(usize, char)> = written.char_indices().filter(|(_, c)| !c.is_ascii_digit()).collect();
    let Some(&(last, mark)) = marks.last() else { return Some(written.len()) };
    if marks.iter().any(|(_, c)| !matches!(c, '.' | ',')) {
        return None;
    }
    let tail = written.len() - last - 1;
    let same = marks.iter().filter(|(_, c)| *c == mark).count();
    match (same, marks.len()) {
        (1, 1) if tail == 3 && written.get(..last) != Some("0") => Some(written.len()),
        (1, _) if (1..=3).contains(&tail) => Some(last),
        (_, count) if same == count && tail == 3 => Some(written.len()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_told_apart() {
        for (written, wanted) in [
            ("49.90", Some("49.90")),
            ("49,9", Some("49.9")),
            ("1.299,00", Some("1299.00")),
            ("1,299.00", Some("1299.00")),
            ("1,299", Some("1299")),
            ("9.800", Some("9800")),
            ("0.500", Some("0.500")),
            ("1.299.000", Some("1299000")),
            ("4 500", Some("4500")),
            ("1'200.50", Some("1200.50")),
            ("twenty", Some("20")),
            ("Twenty five", Some("25")),
            ("1\u{202f}299,00", Some("1299.00")),
            ("1,2345", None),
            ("1.2.3", None),
            ("", None),
            ("12a", None),
            ("99999999999999999999999999999999", None),
        ] {
            assert_eq!(decimal(written).as_deref(), wanted, "{written}");
        }
    }
}
