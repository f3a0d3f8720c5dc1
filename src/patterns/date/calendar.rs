//! Names of months, weekdays and yearly feasts.

use jiff::civil::{Date, Weekday};

/// English month names and abbreviations, for use inside a form.
macro_rules! month_name {
    () => {
        concat!(
            "(?i:january|february|march|april|june|july|august|september|october|november|december|",
            "jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec|may)"
        )
    };
}
/// English weekday names in full, for use inside a form.
macro_rules! weekday_name {
    () => {
        "(?i:monday|tuesday|wednesday|thursday|friday|saturday|sunday|tues|weds|thurs)"
    };
}
pub(super) use {month_name, weekday_name};

const MONTHS: &[&str] =
    &["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

const WEEKDAYS: &[(&str, Weekday)] = &[
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// Days that fall on the same date every year.
const FEASTS: &[(&str, i8, i8)] = &[
    ("christmas", 12, 25),
    ("christmas day", 12, 25),
    ("xmas", 12, 25),
    ("christmas eve", 12, 24),
    ("boxing day", 12, 26),
    ("new year", 1, 1),
    ("new years", 1, 1),
    ("new years day", 1, 1),
    ("new years eve", 12, 31),
    ("halloween", 10, 31),
    ("valentines day", 2, 14),
    ("valentines", 2, 14),
];

/// The month of a lower-case name or its abbreviation.
#[must_use]
pub fn month(name: &str) -> Option<i8> {
    let name = name.trim_end_matches('.');
    let full =
        |month: &&str| **month == *name || (name.len() == 3 && month.starts_with(name)) || (name == "sept" && **month == *"september");
    MONTHS.iter().position(full).and_then(|place| i8::try_from(place + 1).ok())
}

/// The weekday of a lower-case name or its abbreviation.
#[must_use]
pub fn weekday(name: &str) -> Option<Weekday> {
    let name = name.trim_end_matches('.');
    WEEKDAYS.iter().find(|(day, _)| day.starts_with(name) && name.len() >= 3).map(|(_, weekday)| *weekday)
}

/// The date of a feast in a year.
#[must_use]
pub fn feast(name: &str, year: i16) -> Option<Date> {
    let name = name.replace('\'', "");
    let (_, month, day) = FEASTS.iter().find(|(feast, ..)| *feast == name)?;
    Date::new(year, *month, *day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn names_are_known_by_their_beginning() {
        assert_eq!((month("may"), month("sept"), month("december"), month("ma"), month("decem")), (Some(5), Some(9), Some(12), None, None));
        assert_eq!(
            (weekday("thurs"), weekday("sun"), weekday("su"), weekday("sunny")),
            (Some(Weekday::Thursday), Some(Weekday::Sunday), None, None)
        );
        assert_eq!(feast("new year's eve", 2026), Some(date(2026, 12, 31)));
        assert_eq!(feast("easter", 2026), None);
    }
}
