//! A back-test as one page.

use super::diff::Difference;
use super::report::BacktestReport;
use super::sweep::{Curve, Point};
use crate::plot::{Axis, Caption, Line, Markup, html, lines, number, page as whole, section, table, words};

/// The page: figures, the curve of a parameter, and the conversations in which two policies differ.
#[must_use]
pub fn page(report: &BacktestReport, against: Option<&BacktestReport>, differences: &[Difference], curve: Option<&Curve>) -> String {
    let facts =
        [("Policy", report.policy.clone()), ("Conversations", report.conversations.to_string()), ("Messages", report.messages.to_string())];
    let body = html! {
        (section("What would have been", "", &figures(report, against)))
        @if let Some(curve) = curve { (section("One parameter", &curve.key, &plot(curve))) }
        @if against.is_some() { (section("Where they differ", &format!("{} conversations", differences.len()), &list(differences))) }
    };
    whole("What would the policy have done?", &facts, &body)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn figures(report: &BacktestReport, against: Option<&BacktestReport>) -> Markup {
    type Figure = (&'static str, fn(&BacktestReport) -> String);
    const FIGURES: [Figure; 8] = [
        ("Policy", |report| report.policy.clone()),
        ("Conversations handed over", |report| format!("{} ({})", report.handed_over, percent(report.rate))),
        ("Hand-overs a day", |report| format!("{:.1}", report.per_day)),
        ("Messages until a hand-over", |report| report.messages_until.map_or_else(|| "–".to_owned(), |mean| format!("{mean:.1}"))),
        ("In time, of those wanted", |report| {
            let labelled = report.labelled.as_ref();
            labelled.map_or_else(|| "–".to_owned(), |found| format!("{} of {} ({})", found.in_time, found.wanted, percent(found.recall)))
        }),
        ("False alarms, of the others", |report| {
            let labelled = report.labelled.as_ref();
            labelled.map_or_else(
                || "–".to_owned(),
                |found| format!("{} of {} ({})", found.false_alarms, found.conversations - found.wanted, percent(found.false_alarm_rate)),
            )
        }),
        ("Precision", |report| report.labelled.as_ref().map_or_else(|| "–".to_owned(), |found| percent(found.precision))),
        ("First reasons", |report| report.by_rule.iter().map(|(rule, count)| format!("{rule} {count}")).collect::<Vec<_>>().join(", ")),
    ];
    let row = |(name, figure): &Figure| {
        let mut cells = vec![words(*name), words(figure(report))];
        cells.extend(against.map(|other| words(figure(other))));
        cells
    };
    let heads: &[&str] = if against.is_some() { &["", "policy", "against"] } else { &["", "policy"] };
    table(heads, &FIGURES.iter().map(row).collect::<Vec<_>>())
}

fn plot(curve: &Curve) -> Markup {
    let values = curve.points.iter().map(|point| point.value);
    let (from, to) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), value| (from.min(value), to.max(value)));
    let along = |share: fn(&Point) -> Option<f64>| -> Vec<(f64, f64)> {
        let mut points: Vec<_> = curve.points.iter().filter_map(|point| Some((point.value, share(point)?))).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points
    };
    let shown = [
        Line { name: "handed over", points: along(|point| Some(point.rate)) },
        Line { name: "in time, of those wanted", points: along(|point| point.recall) },
        Line { name: "false alarms, of the others", points: along(|point| point.false_alarm_rate) },
    ];
    let shown: Vec<Line<'_>> = shown.into_iter().filter(|line| !line.points.is_empty()).collect();
    let x = Axis { label: &curve.key, from, to };
    let height =
        |value: f64| curve.points.iter().find(|point| point.value == value).map_or(0.0, |point| point.recall.unwrap_or(point.rate));
    let mark = curve.recommended.map(|value| (value, height(value), "recommended"));
    let caption = Caption {
        id: "sweep",
        title: "Shares by value",
        description: "More hand-overs catch more of those that are wanted, and cost more false alarms.",
    };
    let row = |point: &Point| {
        let share = |share: Option<f64>| number(share.map_or_else(|| "–".to_owned(), percent));
        vec![number(format!("{:.3}", point.value)), number(percent(point.rate)), share(point.recall), share(point.false_alarm_rate)]
    };
    html! {
        (lines(&caption, (&x, &Axis::share("share of conversations")), &shown, false, mark))
        (table(&["value", "handed over", "in time", "false alarms"], &curve.points.iter().map(row).collect::<Vec<_>>()))
    }
}

fn list(differences: &[Difference]) -> Markup {
    let at = |at: Option<usize>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let row = |difference: &Difference| {
        let wanted = match difference.wanted {
            None => "not known".to_owned(),
            Some(0) => "no".to_owned(),
            Some(point) => point.to_string(),
        };
        vec![
            words(difference.conversation.clone()),
            words(at(difference.first)),
            words(at(difference.second)),
            words(wanted),
            words(difference.rules.join(", ")),
            words(difference.text.clone()),
        ]
    };
    table(
        &["conversation", "policy, at message", "against, at message", "wanted", "rules", "text"],
        &differences.iter().map(row).collect::<Vec<_>>(),
    )
}
