//! What is wrong, or likely wrong, with a data directory: rows that do not parse, duplicates, leaks between splits, texts
//! labelled in two ways, labels too rare to learn.

use super::{DataDirectory, DataError, Example, Place, Split};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// Fewer examples than this are too few to learn a label from.
const RARE: usize = 5;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Training refuses it, or an evaluation on it would be wrong.
    Error,
    /// Likely a slip.
    Warning,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where, if it has a place.
    pub place: Option<Place>,
    /// What.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        match &self.place {
            Some(place) => write!(f, "{place}: {severity}: {}", self.message),
            None => write!(f, "{severity}: {}", self.message),
        }
    }
}

/// Checks every split that is there.
///
/// # Errors
/// When a file cannot be read.
pub fn check(directory: &DataDirectory) -> Result<Vec<Finding>, DataError> {
    let mut findings = Vec::new();
    let mut examples = Vec::new();
    for split in Split::ALL.into_iter().filter(|split| *split == Split::Train || directory.has(*split)) {
        let (read, wrong) = directory.read_all(split)?;
        let wrong = wrong.into_iter().map(|(place, message)| Finding { severity: Severity::Error, place: Some(place), message });
        findings.extend(wrong);
        if read.is_empty() {
            findings.push(Finding { severity: Severity::Error, place: None, message: format!("{split} holds no example") });
        }
        examples.extend(read.into_iter().map(|example| (split, example)));
    }
    repeated(&examples, &mut findings);
    labels(&examples, &mut findings);
    Ok(findings)
}

/// Message and context as duplicates are told.
fn key(example: &Example) -> String {
    example.context.iter().map(|turn| &turn.text).chain([&example.text]).map(|text| folded(text)).collect::<Vec<_>>().join("\n")
}

/// Letters and digits in lower case, one space between words; a text without any as it is.
pub(super) fn folded(text: &str) -> String {
    let lower = text.to_lowercase();
    let words: Vec<_> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { lower } else { words.join(" ") }
}

fn repeated(examples: &[(Split, Example)], findings: &mut Vec<Finding>) {
    let mut seen: HashMap<String, &(Split, Example)> = HashMap::new();
    for entry in examples {
        let (split, example) = entry;
        let Some((first_split, first)) = seen.get(&key(example)).copied() else {
            seen.insert(key(example), entry);
            continue;
        };
        let here = Some(example.place.clone());
        if first_split != split {
            let message = format!("the text stands in {first_split} too ({}): a score on it means nothing", first.place);
            findings.push(Finding { severity: Severity::Error, place: here, message });
        } else if first.intent.is_some() && example.intent.is_some() && first.intent != example.intent {
            let name = |example: &Example| example.intent.as_ref().map_or_else(String::new, |intent| intent.name().to_owned());
            let message = format!("intent `{}`, but `{}` at {}", name(example), name(first), first.place);
            findings.push(Finding { severity: Severity::Warning, place: here, message });
        } else {
            findings.push(Finding { severity: Severity::Warning, place: here, message: format!("duplicate of {}", first.place) });
        }
    }
}

fn labels(examples: &[(Split, Example)], findings: &mut Vec<Finding>) {
    let mut counts: BTreeMap<(&str, &str), [usize; 3]> = BTreeMap::new();
    for (split, example) in examples {
        let intent = example.intent.iter().map(|intent| ("intent", intent.name()));
        let entities = example.entities.iter().flatten().map(|entity| ("entity", entity.label.as_str()));
        let emotions = example.emotions.iter().flatten().map(|name| ("emotion", name.as_str()));
        for label in intent.chain(entities).chain(emotions) {
            let [train, valid, test] = counts.entry(label).or_default();
            match split {
                Split::Train => *train += 1,
                Split::Valid => *valid += 1,
                Split::Test => *test += 1,
            }
        }
    }
    for ((kind, name), [train, valid, test]) in counts {
        if train == 0 {
            let message = format!("{kind} `{name}` stands in valid or test ({}) but never in train", valid + test);
            findings.push(Finding { severity: Severity::Error, place: None, message });
        } else if train < RARE {
            let message = format!("{kind} `{name}` has {train} examples in train; {RARE} are the least to learn from");
            findings.push(Finding { severity: Severity::Warning, place: None, message });
        }
    }
}
