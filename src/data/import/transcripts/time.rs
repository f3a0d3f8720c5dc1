//! When was it said? Seconds, milliseconds or microseconds since 1970, or a date and time in ISO 8601.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Microseconds since 1970; none where the value is no time. A date without a zone is taken as UTC.
#[must_use]
pub fn microseconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_f64().and_then(since_1970),
        Value::String(text) => {
            let text = text.trim();
            let number = text.parse::<f64>().ok().and_then(since_1970);
            let stamp = || text.parse::<Timestamp>().ok();
            let civil =
                || text.trim_end_matches(" UTC").parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
            number.or_else(|| stamp().or_else(civil).map(Timestamp::as_microsecond))
        }
        _ => None,
    }
}

/// The unit is told by the size: seconds reach 10^11 in the year 5138, milliseconds were there in 1973.
fn since_1970(number: f64) -> Option<i64> {
    let microseconds = match number.abs() {
        size if size < 1e11 => number * 1e6,
        size if size < 1e14 => number * 1e3,
        size if size < 1e17 => number,
        size if size < 1e19 => number / 1e3,
        _ => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "within 10^17")]
    Some(microseconds as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_moment_in_every_writing() {
        for value in [
            json!(1_746_093_600),
            json!(1_746_093_600.0),
            json!(1_746_093_600_000u64),
            json!(1_746_093_600_000_000u64),
            json!("1746093600"),
            json!("2025-05-01T10:00:00Z"),
            json!("2025-05-01T12:00:00+02:00"),
            json!("2025-05-01 10:00:00"),
            json!("2025-05-01 10:00:00 UTC"),
        ] {
            assert_eq!(microseconds(&value), Some(1_746_093_600_000_000), "{value}");
        }
        for value in [json!("yesterday"), json!(null), json!(1e300), json!("NaN"), json!("")] {
            assert_eq!(microseconds(&value), None, "{value}");
        }
    }
}
