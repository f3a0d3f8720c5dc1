//! Bitext's customer support data: a CSV with `flags,instruction,category,intent,response`. Its placeholders, such as
//! `{{Order Number}}`, stand where a customer would write a value; each is filled with a made-up value of its kind, chosen by the
//! seed, and labelled with the placeholder's name (`order_number`).

mod values;

use super::table::Table;
use super::{Confidence, Imported, Importer, Label, Pieces, Problem, Sample, Sink, Source};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// Bitext's data.
#[derive(Debug)]
pub struct Bitext;

impl Importer for Bitext {
    fn name(&self) -> &'static str {
        "bitext"
    }

    fn about(&self) -> &'static str {
        "Bitext customer support (CSV); {{Placeholders}} are filled with made-up values, by --seed, and labelled"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let columns = sample.columns();
        let has = |name: &str| columns.iter().any(|column| column == name);
        Confidence::Certain
            .when((has("instruction") || has("utterance")) && has("intent") && has("category") && (has("flags") || has("tags")))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let table = Table::open(source, true)?;
        let (text, intent) = (table.need(&["instruction", "utterance"])?, table.need(&["intent"])?);
        let kept = [("category", table.column(&["category"])), ("flags", table.column(&["flags", "tags"]))];
        let mut random = ChaCha8Rng::seed_from_u64(sink.settings().seed);
        for record in table {
            let record = match record {
                Ok(record) => record,
                Err(problem) => {
                    sink.problem(problem);
                    continue;
                }
            };
            let field = |column: usize| record.fields.get(column).map(|field| field.trim()).unwrap_or_default();
            let mut row = match filled(field(text), &mut random) {
                Ok(pieces) => pieces.row(Some(field(intent).to_owned())),
                Err(detail) => {
                    sink.problem(source.problem(record.line, detail));
                    continue;
                }
            };
            for (name, column) in kept {
                if let Some(column) = column {
                    row.rest.insert(name.to_owned(), field(column).into());
                }
            }
            row.entities.get_or_insert_default();
            sink.row(Imported::new(source, record.line, row));
        }
        Ok(())
    }
}

/// The text with values in place of its placeholders.
fn filled(text: &str, random: &mut ChaCha8Rng) -> Result<Pieces, String> {
    let (mut pieces, mut rest) = (Pieces::default(), text);
    while let Some((before, opened)) = rest.split_once("{{") {
        let (name, after) = opened.split_once("}}").ok_or_else(|| format!("the braces of `{{{{{opened}` are not closed"))?;
        let name = name.trim();
        if name.is_empty() {
            return Err("a placeholder has no name".to_owned());
        }
        let label: String =
            name.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
        pieces.text(before);
        pieces.entity(&values::value(&label, name, random), Label { label, role: None });
        rest = after;
    }
    pieces.text(rest);
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_labelled() {
        let text = "cancel order {{Order Number}} to {{Delivery City}}, {{Unheard-of Thing}}";
        let row = filled(text, &mut ChaCha8Rng::seed_from_u64(1)).unwrap().row(None);
        let entities = row.entities.unwrap();
        let labels: Vec<_> = entities.iter().map(|entity| entity.label.as_str()).collect();
        assert_eq!(labels, ["order_number", "delivery_city", "unheard_of_thing"]);
        let slice = |at: usize| row.text.chars().skip(entities[at].start).take(entities[at].end - entities[at].start).collect::<String>();
        assert!(slice(0).chars().any(|c| c.is_ascii_digit()), "{}", row.text);
        assert_eq!(slice(2), "unheard-of thing");
        let again = filled(text, &mut ChaCha8Rng::seed_from_u64(1)).unwrap().row(None);
        assert_eq!(again.text, row.text);
    }
}
