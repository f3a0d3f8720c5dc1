//! What dates must and must not be found, and what they mean on one Wednesday.

use super::*;
use crate::patterns::testing::{context, context_in, found, nowhere};

#[test]
fn dates_are_found() {
    for (text, wanted) in [
        ("on 2024-05-01, 12/04/2025 and 28.02.2025", vec!["2024-05-01", "12/04/2025", "28.02.2025"]),
        ("the 3rd of May or May 3 or 3 May 2025", vec!["3rd of May", "May 3", "3 May 2025"]),
        ("today, tomorrow; yesterday evening", vec!["today", "tomorrow", "yesterday evening"]),
        ("last Monday, next Friday, on Tuesday", vec!["last Monday", "next Friday", "Tuesday"]),
        ("send it by Friday or before 2pm", vec!["by Friday", "before 2pm"]),
        ("3 days ago, two weeks ago, an hour ago", vec!["3 days ago", "two weeks ago", "an hour ago"]),
        ("in 2 days, within 30 days, over a week, for 3 days", vec!["in 2 days", "within 30 days", "over a week", "3 days"]),
        ("last week and since last month", vec!["last week", "since last month"]),
        ("3-5 days or 3 to 5 days", vec!["3-5 days", "3 to 5 days"]),
        ("the day before yesterday", vec!["the day before yesterday"]),
        ("before Christmas, since 2019, since March, in March", vec!["before Christmas", "since 2019", "since March", "March"]),
        ("by fri pls", vec!["by fri"]),
        ("November 2023, Dec 20, 2025", vec!["November 2023", "Dec 20, 2025"]),
        ("at 11:42 or 3 pm", vec!["11:42", "3 pm"]),
        ("\u{1f600}today\u{1f600} \u{2764}\u{fe0f}by Friday", vec!["today", "by Friday"]),
        ("10 business days", vec!["10 business days"]),
        ("refunded on 3 June. Then 3 Jan. 2025", vec!["3 June", "3 Jan. 2025"]),
        ("this weekend or last weekend", vec!["this weekend", "last weekend"]),
        ("Saturday 1 pm, or 6:30 tomorrow; after 7 pm tonight", vec!["Saturday 1 pm", "6:30 tomorrow", "after 7 pm tonight"]),
        ("8 am to 1 pm", vec!["8 am to 1 pm"]),
        ("before the 20th, after the 1st delivery", vec!["before the 20th"]),
        ("until the end of March, by end of Thursday", vec!["until the end of March", "by end of Thursday"]),
        ("has not moved in 11 days, comes in 11 days", vec!["11 days", "in 11 days"]),
        ("for an hour, half an hour", vec!["an hour", "half an hour"]),
        ("bought in 2021", vec!["2021"]),
        ("last  Monday, 3\u{a0}days, by\u{202f}3 May", vec!["last  Monday", "3\u{a0}days", "by\u{202f}3 May"]),
    ] {
        assert_eq!(found(&Date, text), wanted, "{text}");
    }
}

#[test]
fn what_is_no_date_is_left() {
    for text in [
        "every Monday",
        "every 3 days",
        "next day delivery",
        "soon",
        "ages",
        "it may 3 times",
        "I may",
        "31/31/2025",
        "99.99.2025",
        "1.2.3",
        "v1.2.2024.5",
        "3 years old",
        "once a week",
        "an hour",
        "sat down",
        "the sun",
        "32 May",
        "Mondays",
        "order 2024",
        "2024/11/30-0081",
        "today\u{301}",
        "5 items",
        "25:61",
        "in total",
        "by mail",
        "2-day delivery",
        "midnight blue",
    ] {
        assert_eq!(found(&Date, text), Vec::<&str>::new(), "{text}");
    }
}

fn check(context: &ValueContext, table: &[(&str, Option<Value>)]) {
    for (surface, wanted) in table {
        assert_eq!(Date.value(surface, context), *wanted, "{surface}");
    }
}

fn day(date: &str) -> Option<Value> {
    json!({ "date": date }).into()
}

fn days(start: &str, end: &str) -> Option<Value> {
    json!({"start": start, "end": end}).into()
}

fn length(duration: &str) -> Option<Value> {
    json!({ "duration": duration }).into()
}

#[test]
fn days_have_a_date() {
    check(
        &context(),
        &[
            ("2024-05-01", day("2024-05-01")),
            ("2024-05-01T10:00:00Z", day("2024-05-01")),
            ("17/02/2024", day("2024-02-17")),
            ("2/14/25", day("2025-02-14")),
            ("28.02.2025", day("2025-02-28")),
            ("05/05/2025", day("2025-05-05")),
            ("3rd of May 2025", day("2025-05-03")),
            ("May 3, 2025", day("2025-05-03")),
            ("Nov 20", day("2026-11-20")),
            ("3 January", day("2027-01-03")),
            ("since 25 January", day("2026-01-25")),
            ("until 1 November", day("2027-11-01")),
            ("today", day("2026-11-18")),
            ("Tomorrow morning", day("2026-11-19")),
            ("last night", day("2026-11-17")),
            ("the day before yesterday", day("2026-11-16")),
            ("last Monday", day("2026-11-16")),
            ("last Wednesday", day("2026-11-11")),
            ("next Friday", day("2026-11-20")),
            ("by Friday", day("2026-11-20")),
            ("since Friday", day("2026-11-13")),
            ("3 days ago", day("2026-11-15")),
            ("two weeks ago", day("2026-11-04")),
            ("a month ago", day("2026-10-18")),
            ("in 2 days", day("2026-11-20")),
            ("in two weeks", day("2026-12-02")),
            ("before Christmas", day("2026-12-25")),
            ("by the end of the month", day("2026-11-30")),
            ("until the end of March", day("2027-03-31")),
            ("before the 20th", day("2026-11-20")),
            ("by the 15th", day("2026-12-15")),
            ("since the 15th", day("2026-11-15")),
            ("31/02/2024", None),
            ("Monday", None),
            ("8", None),
            ("soon", None),
            ("3 to 5 days", None),
            ("10 business days", None),
            ("in 3000 years", None),
        ],
    );
}

#[test]
fn spans_have_two_ends_or_a_length() {
    check(
        &context(),
        &[
            ("last week", days("2026-11-09", "2026-11-15")),
            ("this weekend", days("2026-11-21", "2026-11-22")),
            ("next month", days("2026-12-01", "2026-12-31")),
            ("last year", days("2025-01-01", "2025-12-31")),
            ("since last week", days("2026-11-09", "2026-11-15")),
            ("November 2023", days("2023-11-01", "2023-11-30")),
            ("02/2024", days("2024-02-01", "2024-02-29")),
            ("last May", days("2026-05-01", "2026-05-31")),
            ("since 2019", days("2019-01-01", "2019-12-31")),
            ("3 days", length("P3D")),
            ("within 30 days", length("P30D")),
            ("over two weeks", length("P2W")),
            ("18 months", length("P18M")),
            ("24h", length("PT24H")),
            ("half an hour", length("PT30M")),
            ("3pm", Some(json!({"time": "15:00"}))),
            ("12 am", Some(json!({"time": "00:00"}))),
            ("before 11:42", Some(json!({"time": "11:42"}))),
            ("2 hours ago", Some(json!({"date": "2026-11-18", "time": "13:30"}))),
            ("tomorrow at noon", Some(json!({"date": "2026-11-19", "time": "12:00"}))),
            ("before 10 am Monday", Some(json!({"date": "2026-11-23", "time": "10:00"}))),
            ("6:30 tomorrow", Some(json!({"date": "2026-11-19", "time": "06:30"}))),
            ("Saturday 1 pm", None),
            ("8 am to 1 pm", None),
            ("two days later", None),
            ("13 pm", None),
        ],
    );
}

#[test]
fn a_region_orders_day_and_month() {
    for (region, wanted) in [("US", day("2025-12-04")), ("GB", day("2025-04-12")), ("de", day("2025-04-12")), ("CA", None)] {
        assert_eq!(Date.value("12/04/2025", &context_in(region)), wanted, "{region}");
    }
    assert_eq!(Date.value("12/04/2025", &context()), None);
}

#[test]
fn relative_words_mean_nothing_without_a_now() {
    for surface in ["today", "last Monday", "by Friday", "3 days ago", "in 2 days", "May 3", "last week"] {
        assert_eq!(Date.value(surface, &nowhere()), None, "{surface}");
    }
    check(&nowhere(), &[("3 days", length("P3D")), ("3 May 2025", day("2025-05-03")), ("within 30 days", length("P30D"))]);
}
