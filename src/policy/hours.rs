//! When people are there: a week of opening hours in a time zone, and single days on which nobody is.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days looked ahead for the next opening.
const AHEAD: usize = 15;
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// Opening hours as a policy file has them, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Hours {
    written: Written,
    zone: TimeZone,
    week: Vec<(Weekday, Time, Time)>,
    closed: Vec<Date>,
}

/// Opening hours as they are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    timezone: String,
    week: BTreeMap<String, Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    closed: Vec<String>,
}

impl From<Hours> for Written {
    fn from(hours: Hours) -> Self {
        hours.written
    }
}

impl TryFrom<Written> for Hours {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let zone = TimeZone::get(&written.timezone)
            .map_err(|_| format!("timezone: `{}` is not an IANA time zone such as Europe/London", written.timezone))?;
        let mut week = Vec::new();
        for (name, ranges) in &written.week {
            let day = DAYS.iter().find(|(short, _)| short == name).map(|(_, day)| *day);
            let day = day.ok_or_else(|| format!("week: `{name}` is no day; write mon, tue, wed, thu, fri, sat or sun"))?;
            for range in ranges {
                let wrong = || format!("week.{name}: `{range}` is no range such as 09:00-17:30 within one day");
                let (from, to) = range.split_once('-').ok_or_else(wrong)?;
                let time = |text: &str| Time::strptime("%H:%M", text.trim()).map_err(|_| wrong());
                // Midnight at the end of a day is the day's last instant.
                let (from, to) = (time(from)?, if to.trim() == "24:00" { Time::MAX } else { time(to)? });
                if from >= to {
                    return Err(wrong());
                }
                week.push((day, from, to));
            }
        }
        if week.is_empty() {
            return Err("week: no day has hours; leave the rule out where nobody is ever there".to_owned());
        }
        let date = |text: &String| text.parse().map_err(|_| format!("closed: `{text}` is no date such as 2026-12-25"));
        let closed = written.closed.iter().map(date).collect::<Result<_, _>>()?;
        Ok(Self { written, zone, week, closed })
    }
}

impl Hours {
    /// When people are there again, where they are not now: `Mon 09:00`.
    #[must_use]
    pub fn opens(&self, at: Timestamp) -> Option<String> {
        let now = at.to_zoned(self.zone.clone());
        if self.ranges(now.date()).any(|(from, to)| (from..to).contains(&now.time())) {
            return None;
        }
        let next = (0..AHEAD).find_map(|days| {
            let date = now.date().checked_add(i64::try_from(days).unwrap_or_default().days()).ok()?;
            let opens = self.ranges(date).map(|(from, _)| from).filter(|from| days > 0 || *from > now.time()).min()?;
            date.to_datetime(opens).to_zoned(self.zone.clone()).ok()
        });
        Some(next.map_or_else(|| "later".to_owned(), |next| said(&next)))
    }

    fn ranges(&self, date: Date) -> impl Iterator<Item = (Time, Time)> {
        let open = !self.closed.contains(&date);
        self.week.iter().filter(move |(day, ..)| open && *day == date.weekday()).map(|(_, from, to)| (*from, *to))
    }
}

fn said(next: &Zoned) -> String {
    next.strftime("%a %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours() -> Hours {
        serde_saphyr::from_str(
            "{timezone: Europe/London, week: {mon: [09:00-12:00, 13:00-17:30], sat: [10:00-24:00]}, closed: [2026-05-04]}",
        )
        .unwrap()
    }

    #[test]
    fn opens_says_the_next_opening_in_the_shops_own_time() {
        // 2026-05-04 is a Monday on which nobody is there; London is an hour ahead of UTC in May.
        for (at, wanted) in [
            ("2026-05-11T08:00:00Z", None),
            ("2026-05-11T07:59:59Z", Some("Mon 09:00")),
            ("2026-05-11T11:30:00Z", Some("Mon 13:00")),
            ("2026-05-11T16:30:00Z", Some("Sat 10:00")),
            ("2026-05-09T22:59:59Z", None),
            ("2026-05-04T09:00:00Z", Some("Sat 10:00")),
        ] {
            assert_eq!(hours().opens(at.parse().unwrap()).as_deref(), wanted, "{at}");
        }
    }

    #[test]
    fn what_is_no_week_is_refused_with_the_place() {
        for (yaml, place) in [
            ("{timezone: London, week: {mon: [09:00-17:00]}}", "timezone"),
            ("{timezone: UTC, week: {monday: [09:00-17:00]}}", "monday"),
            ("{timezone: UTC, week: {mon: [17:00-09:00]}}", "week.mon"),
            ("{timezone: UTC, week: {}}", "week"),
            ("{timezone: UTC, week: {mon: [09:00-17:00]}, closed: [christmas]}", "closed"),
        ] {
            let error = serde_saphyr::from_str::<Hours>(yaml).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }
}
