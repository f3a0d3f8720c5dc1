//! A back-test for people, in a terminal.

use super::diff::Difference;
use super::report::BacktestReport;
use super::sweep::Curve;
use std::fmt::Write as _;

/// Differences that are listed.
const LISTED: usize = 20;

/// The report, and where there are any, the curve and the differences.
#[must_use]
pub fn text(report: &BacktestReport, against: Option<&BacktestReport>, differences: &[Difference], curve: Option<&Curve>) -> String {
    let mut out = one(report);
    if let Some(other) = against {
        let _ = write!(out, "\nagainst\n\n{}", one(other));
        let _ = writeln!(out, "\n{} conversations differ", differences.len());
        for difference in differences.iter().take(LISTED) {
            let at = |at: Option<usize>| at.map_or_else(|| "never".to_owned(), |at| format!("message {at}"));
            let wanted = match difference.wanted {
                None => String::new(),
                Some(0) => ", none wanted".to_owned(),
                Some(point) => format!(", wanted from message {point}"),
            };
            let _ = writeln!(
                out,
                "  {}: {} beside {}{wanted} ({}): {}",
                difference.conversation,
                at(difference.first),
                at(difference.second),
                difference.rules.join(", "),
                shortened(&difference.text)
            );
        }
    }
    if let Some(curve) = curve {
        let _ = writeln!(out, "\n{} (now {})\n   value  handed over  in time  false alarms", curve.key, curve.now);
        for point in &curve.points {
            let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), percent);
            let mark = if Some(point.value) == curve.recommended { "  <- recommended" } else { "" };
            let (value, rate) = (point.value, percent(point.rate));
            let _ = writeln!(out, "{value:>8.3}  {rate:>11}  {:>7}  {:>12}{mark}", share(point.recall), share(point.false_alarm_rate));
        }
    }
    out
}

fn one(report: &BacktestReport) -> String {
    let mut out = String::new();
    let BacktestReport { policy, conversations, messages, handed_over, .. } = report;
    let _ = writeln!(out, "{policy}: {conversations} conversations, {messages} messages");
    let _ = writeln!(out, "handed over     {handed_over} ({}), {:.1} a day", percent(report.rate), report.per_day);
    if let Some(until) = report.messages_until {
        let _ = writeln!(out, "at              message {until:.1} of the customer, in the mean");
    }
    let counts = |counts: Vec<(&str, usize)>| counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ");
    let _ = writeln!(out, "first reason    {}", counts(report.by_rule.iter().map(|(rule, count)| (rule.as_str(), *count)).collect()));
    let _ = writeln!(out, "priority        {}", counts(report.by_priority.iter().map(|(name, count)| (*name, *count)).collect()));
    if !report.errors.is_empty() {
        let _ = writeln!(out, "could not tell  {}", counts(report.errors.iter().map(|(rule, count)| (rule.as_str(), *count)).collect()));
    }
    if let Some(labelled) = &report.labelled {
        let _ = writeln!(
            out,
            "in time         {} of {} that a human should take over ({}), within {} messages; {} late, {} missed",
            labelled.in_time,
            labelled.wanted,
            percent(labelled.recall),
            labelled.within,
            labelled.late,
            labelled.missed
        );
        let calm = labelled.conversations - labelled.wanted;
        let _ = writeln!(
            out,
            "false alarms    {} of {calm} others ({}), {:.0} per 1,000 conversations; precision {}",
            labelled.false_alarms,
            percent(labelled.false_alarm_rate),
            labelled.false_alarms_per_1000,
            percent(labelled.precision)
        );
        if let Some(saved) = labelled.messages_saved {
            let _ = writeln!(out, "sooner by       {saved:+.1} messages than labelled, in the mean");
        }
        if !labelled.worst_missed.is_empty() {
            let _ = writeln!(out, "missed or late  {}", labelled.worst_missed.join(", "));
        }
        if !labelled.worst_false.is_empty() {
            let _ = writeln!(out, "false           {}", labelled.worst_false.join(", "));
        }
    }
    out
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn shortened(text: &str) -> String {
    let line = text.replace(['\n', '\r'], " ");
    if line.chars().count() <= 80 { line } else { line.chars().take(79).chain(['…']).collect() }
}
