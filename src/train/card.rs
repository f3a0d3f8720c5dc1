//! `CARD.md`: what the manifest knows, in words, around what only the model's author knows.
//!
//! The author's part is `card.in.md` in the model's directory: Markdown in which a line such as `{{training}}` stands for a
//! section of what the manifest says. A model without it gets every section in their order.

use crate::model::Manifest;
use std::fmt::Write as _;
use std::path::Path;

/// The author's part of a card, in the model's directory.
const TEMPLATE: &str = "card.in.md";

/// A section by the name that stands for it.
type Section = (&'static str, fn(&Manifest) -> String);

/// Every section, in the order of a card without an author.
const SECTIONS: [Section; 6] = [
    ("title", title),
    ("labels", labels),
    ("training", training),
    ("validation", validation),
    ("thresholds", thresholds),
    ("evaluation", evaluation),
];

/// A line of a template that stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("card.in.md:{line}: `{name}` is no section of a card; there are {}", SECTIONS.map(|(name, _)| name).join(", "))]
pub struct UnknownSection {
    /// The line, from 1.
    pub line: usize,
    /// As it is written.
    pub name: String,
}

/// The card of a model whose files lie in `directory`.
///
/// # Errors
/// When the template there cannot be read or names a section that there is not.
pub fn card_of(directory: &Path, manifest: &Manifest) -> anyhow::Result<String> {
    let file = directory.join(TEMPLATE);
    let template = file.is_file().then(|| std::fs::read_to_string(&file)).transpose()?;
    Ok(card(manifest, template.as_deref())?)
}

/// The card by a template, or with every section.
///
/// # Errors
/// When the template names a section that there is not.
pub fn card(manifest: &Manifest, template: Option<&str>) -> Result<String, UnknownSection> {
    let every = SECTIONS.map(|(name, _)| format!("{{{{{name}}}}}")).join("\n\n");
    let mut card = String::new();
    for (index, line) in template.unwrap_or(&every).lines().enumerate() {
        let name = line.trim().strip_prefix("{{").and_then(|line| line.strip_suffix("}}")).map(str::trim);
        let section = match name {
            None => line.trim_end().to_owned(),
            Some(name) => {
                let section = SECTIONS.iter().find(|(other, _)| *other == name);
                section.ok_or_else(|| UnknownSection { line: index + 1, name: name.to_owned() })?.1(manifest)
            }
        };
        // A section of which the manifest knows nothing leaves no hole.
        if section.is_empty() && (card.is_empty() || card.ends_with("\n\n")) {
            continue;
        }
        card.push_str(section.trim_end());
        card.push('\n');
    }
    Ok(card.trim_end().to_owned() + "\n")
}

fn title(manifest: &Manifest) -> String {
    format!("# {} {}\n\nLanguage: {}. Reads at most {} tokens.", manifest.name, manifest.version, manifest.language, manifest.max_tokens)
}

fn labels(manifest: &Manifest) -> String {
    let heads = &manifest.heads;
    let lists = [
        ("Intents", heads.intent.as_ref().map(|head| &head.labels)),
        ("Entities", heads.entities.as_ref().map(|head| &head.labels)),
        ("Emotions", heads.emotions.as_ref().map(|head| &head.labels)),
    ];
    let list = |(title, labels): (&str, Option<&Vec<String>>)| labels.map(|labels| format!("## {title}\n\n{}", labels.join(", ")));
    lists.into_iter().filter_map(list).collect::<Vec<_>>().join("\n\n")
}

fn training(manifest: &Manifest) -> String {
    let Some(training) = &manifest.training else { return String::new() };
    let mut out = format!(
        "## Training\n\nhearken {}, seed {}, {} epochs, {} steps.\n\n| data | rows |\n|---|---|\n",
        training.hearken, training.seed, training.epochs, training.steps
    );
    for data in &training.data {
        let _ = writeln!(out, "| {} | {} |", data.file, data.rows);
    }
    out
}

fn validation(manifest: &Manifest) -> String {
    let Some(training) = &manifest.training else { return String::new() };
    let mut out = "## Figures on validation data\n\n| figure | value |\n|---|---|\n".to_owned();
    for (figure, value) in &training.validation {
        let _ = writeln!(out, "| {figure} | {} |", number(figure, *value));
    }
    out
}

fn thresholds(manifest: &Manifest) -> String {
    let Some(head) = &manifest.heads.intent else { return String::new() };
    let Some(point) = &head.operating_point else { return String::new() };
    let target = point.target_precision.map_or_else(String::new, |target| format!(", to be right in {target} of the answers"));
    let recall = point.out_of_scope_recall.map_or_else(String::new, |recall| format!(", out-of-scope recall {recall:.3}"));
    let mut out = format!(
        "## Thresholds\n\nChosen on {} in-scope and {} out-of-scope messages of validation data, as if {:.3} of all were out of scope{target}: \
         in-scope accuracy {:.3}{recall}, {:.3} of the right answers given up, {:.3} of all messages answered, {:.3} of the answers right.\n\n\
         | least score | answered | right of these |\n|---|---|---|\n",
        point.in_scope,
        point.out_of_scope,
        point.out_of_scope_share,
        point.in_scope_accuracy,
        point.right_lost,
        point.answered,
        point.precision
    );
    for [least, answered, precision] in &point.coverage {
        let _ = writeln!(out, "| {least:.2} | {answered:.3} | {precision:.3} |");
    }
    for note in &point.notes {
        let _ = write!(out, "\nNote: {note}.\n");
    }
    out
}

fn evaluation(manifest: &Manifest) -> String {
    let evaluations = &manifest.evaluations;
    if evaluations.is_empty() {
        return String::new();
    }
    let columns: Vec<_> = evaluations.iter().map(|e| format!("{}, {} rows, {}", e.file, e.rows, e.backend)).collect();
    let mut out = format!("## Figures on test data\n\n| figure | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    let mut names: Vec<&String> = evaluations.iter().flat_map(|evaluation| evaluation.figures.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let cell = |value: Option<&f64>| value.map_or_else(|| "–".to_owned(), |value| number(name, *value));
        let cells: Vec<_> = evaluations.iter().map(|evaluation| cell(evaluation.figures.get(name))).collect();
        let _ = writeln!(out, "| {name} | {} |", cells.join(" | "));
    }
    out
}

/// Counts without decimals, shares with three.
fn number(figure: &str, value: f64) -> String {
    if figure.ends_with(".examples") { format!("{value:.0}") } else { format!("{value:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest::parse(include_str!("../../models/tiny/hearken.toml")).unwrap()
    }

    #[test]
    fn what_the_author_wrote_stays_and_sections_are_filled_in() {
        let template = "{{title}}\n\nBy hand.\n\n{{training}}\n\n{{labels}}\n\n## Faults\n\nNone { known }.\n";
        let card = card(&manifest(), Some(template)).unwrap();
        for part in ["# tiny 1.0.0\n", "\nBy hand.\n", "## Emotions\n\nanger, gratitude\n", "## Faults\n\nNone { known }.\n"] {
            assert!(card.contains(part), "{part} is not in\n{card}");
        }
        assert!(!card.contains("{{") && !card.contains("\n\n\n"), "{card}");
    }

    #[test]
    fn every_section_has_its_place_and_no_other_name() {
        let mut manifest = manifest();
        let figures = [("intent.accuracy".to_owned(), 0.5)].into();
        let evaluation = crate::model::EvaluationManifest {
            file: "shop/test.jsonl".to_owned(),
            rows: 7,
            sha256: String::new(),
            backend: "candle".to_owned(),
            figures,
        };
        manifest.evaluations.push(evaluation);
        let card = card(&manifest, None).unwrap();
        assert!(card.contains("| figure | shop/test.jsonl, 7 rows, candle |\n|---|---|\n| intent.accuracy | 0.500 |"), "{card}");
        let error = super::card(&manifest, Some("a\n{{figures}}\n")).unwrap_err().to_string();
        assert!(error.contains("card.in.md:2") && error.contains("`figures`") && error.contains("evaluation"), "{error}");
    }
}
