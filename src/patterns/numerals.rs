//! Numbers written as digits or as English words, up to the thousands.

/// Number words and short digit runs, for use inside a form; no articles.
macro_rules! numeral {
    () => {
        concat!(
            "(?:[0-9]{1,3}|(?i:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|",
            "seventeen|eighteen|nineteen|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)",
            "(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|(?:a|one|two|three) hundred))"
        )
    };
}
pub(super) use numeral;

const SMALL: &[(&str, u32)] = &[
    ("zero", 0),
    ("a", 1),
    ("an", 1),
    ("one", 1),
    ("two", 2),
    ("couple", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
];

/// The integer that digits or lower-case English words stand for: `12`, `1,200`, `two`, `twenty-five`, `half a dozen`, `a couple`.
#[must_use]
pub fn integer(words: &str) -> Option<u32> {
    let words = words.trim();
    if words.starts_with(|c: char| c.is_ascii_digit()) && !words.contains(' ') {
        return digits(words);
    }
    let mut total = 0u32;
    let mut group: Option<u32> = None;
    for word in words.split([' ', '-']).filter(|word| !word.is_empty()) {
        match word {
            "and" | "of" => {}
            "half" => return (words == "half a dozen" || words == "half dozen").then_some(6),
            "dozen" => group = Some(group.unwrap_or(1).checked_mul(12)?),
            "hundred" => group = Some(group.unwrap_or(1).checked_mul(100)?),
            "thousand" => total = total.checked_add(group.take().unwrap_or(1).checked_mul(1000)?)?,
            _ => {
                let value = SMALL.iter().find(|(name, _)| *name == word).map(|(_, value)| *value).or_else(|| digits(word))?;
                group = Some(combine(group, value)?);
            }
        }
    }
    match group {
        Some(rest) => total.checked_add(rest),
        None => (total > 0).then_some(total),
    }
}

/// `twenty` and `five`, `a hundred` and `six`, `a` and `couple`; two plain numbers in a row are no number.
fn combine(group: Option<u32>, value: u32) -> Option<u32> {
    match group {
        None => Some(value),
        Some(1) if value == 2 => Some(2),
        Some(tens) if value < 10 && tens >= 20 && tens % 10 == 0 => tens.checked_add(value),
        Some(hundreds) if value < 100 && hundreds >= 100 && hundreds % 100 == 0 => hundreds.checked_add(value),
        Some(_) => None,
    }
}

/// Digits, with a comma or point before each group of three where there is one.
fn digits(word: &str) -> Option<u32> {
    let mut groups = word.split([',', '.']);
    let mut all = groups.next()?.to_owned();
    for group in groups {
        if group.len() != 3 || all.len() > 6 {
            return None;
        }
        all.push_str(group);
    }
    all.bytes().all(|b| b.is_ascii_digit()).then(|| all.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_digits_are_integers() {
        for (words, wanted) in [
            ("12", Some(12)),
            ("1,200", Some(1200)),
            ("two", Some(2)),
            ("an", Some(1)),
            ("a couple", Some(2)),
            ("a couple of", Some(2)),
            ("a dozen", Some(12)),
            ("half a dozen", Some(6)),
            ("2 dozen", Some(24)),
            ("twenty-five", Some(25)),
            ("a hundred and five", Some(105)),
            ("two thousand", Some(2000)),
            ("three thousand and twelve", Some(3012)),
            ("", None),
            ("several", None),
            ("two three", None),
            ("1.5", None),
            ("99999999999", None),
            ("half", None),
            ("thousand thousand thousand thousand thousand hundred hundred hundred hundred hundred", None),
        ] {
            assert_eq!(integer(words), wanted, "{words}");
        }
    }
}
