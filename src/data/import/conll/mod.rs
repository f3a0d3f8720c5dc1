//! CoNLL: one token and its tag a line, an empty line between messages. Comments before a message say what is known of it as a whole:
//! `# intent = track_order`, `# sentiment = -0.6`, `# text = …` (the text as it was written, without which tokens are joined with
//! spaces).

mod tags;

pub use tags::{Tagged, spans};

use super::{Confidence, Imported, Importer, Problem, Sample, Sink, Source};
use crate::data::Row;
use crate::data::row::{RowEntity, RowSentiment};

/// Files of tagged tokens.
#[derive(Debug)]
pub struct Conll;

impl Importer for Conll {
    fn name(&self) -> &'static str {
        "conll"
    }

    fn about(&self) -> &'static str {
        "CoNLL: a token and its tag a line (IOB1, BIO, BILOU, BIOES), with comments `# intent = …`, `# sentiment = …`"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let lines = || sample.text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#')).take(200);
        let (tagged, other) = lines().fold((0, 0), |(tagged, other), line| {
            let is_one = columns(line).split_first().is_some_and(|(_, rest)| rest.last().is_some_and(|tag| tags::is_one(tag)));
            if is_one || line.starts_with("-DOCSTART-") { (tagged + 1, other) } else { (tagged, other + 1) }
        });
        Confidence::Likely.when(tagged > 0 && tagged >= 4 * other)
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let mut message = Message::default();
        for line in source.lines()? {
            let line = match line {
                Ok(line) => line,
                Err(problem) => {
                    sink.problem(problem);
                    message.wrong = true;
                    continue;
                }
            };
            if line.text.trim().is_empty() {
                std::mem::take(&mut message).end(source, sink);
            } else if let Err(detail) = message.line(line.number, &line.text) {
                sink.problem(source.problem(line.number, detail));
                message.wrong = true;
            }
        }
        message.end(source, sink);
        Ok(())
    }
}

/// The columns of a line: by tab where there is one, else by white space.
fn columns(line: &str) -> Vec<&str> {
    if line.contains('\t') { line.split('\t').map(str::trim).collect() } else { line.split_whitespace().collect() }
}

/// A message as it is read.
#[derive(Debug, Default)]
struct Message {
    /// Line of its first token or comment.
    start: usize,
    tokens: Vec<String>,
    tags: Vec<String>,
    text: Option<String>,
    row: Row,
    /// The tags say nothing of entities.
    unknown: bool,
    /// A problem of it was reported; it is left out.
    wrong: bool,
}

impl Message {
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if self.start == 0 {
            self.start = number;
        }
        if self.tokens.is_empty()
            && let Some(comment) = line.strip_prefix('#')
            && let Some((key, value)) = comment.split_once(" = ")
        {
            return self.comment(key.trim(), value);
        }
        let columns = columns(line);
        let (Some((token, rest)), true) = (columns.split_first(), !line.starts_with("-DOCSTART-")) else { return Ok(()) };
        let tag = rest.last().copied().unwrap_or_default();
        if tag.is_empty() {
            return if line.starts_with('#') { Ok(()) } else { Err(format!("`{token}` has no tag; write the token, a tab and its tag")) };
        }
        if !tags::is_one(tag) {
            return Err(format!("`{tag}` is no tag; tags are O and B-LABEL, I-LABEL and the like"));
        }
        self.tokens.push((*token).to_owned());
        self.tags.push(tag.to_owned());
        Ok(())
    }

    fn comment(&mut self, key: &str, value: &str) -> Result<(), String> {
        let trimmed = value.trim();
        match key {
            "text" => self.text = Some(value.to_owned()),
            "text.json" => {
                self.text = Some(serde_json::from_str(trimmed).map_err(|error| format!("`# text.json` is no JSON string: {error}"))?);
            }
            "intent" => self.row.intent = Some(trimmed.to_owned()),
            "sentiment" => self.row.sentiment = Some(RowSentiment::parse(trimmed).map_err(|detail| format!("`# sentiment`: {detail}"))?),
            "emotions" => {
                self.row.emotions = Some(trimmed.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect());
            }
            "entities" => self.unknown = trimmed == "unknown",
            "escalate" => self.row.escalate = Some(trimmed.parse().map_err(|_| "`# escalate` is true or false".to_owned())?),
            "conversation" => self.row.conversation = Some(trimmed.to_owned()),
            "turn" => self.row.turn = Some(trimmed.parse().map_err(|_| format!("`# turn`: `{trimmed}` is no number"))?),
            _ => {}
        }
        Ok(())
    }

    fn end(self, source: &Source, sink: &mut Sink<'_>) {
        if self.wrong || self.tokens.is_empty() {
            return;
        }
        match self.row() {
            Ok((start, row)) => sink.row(Imported { split: source.split_by_name(), ..Imported::new(source, start, row) }),
            Err((start, detail)) => sink.problem(source.problem(start, detail)),
        }
    }

    fn row(self) -> Result<(usize, Row), (usize, String)> {
        let (text, places) = match self.text {
            Some(text) => {
                let places = align(&text, &self.tokens).map_err(|detail| (self.start, detail))?;
                (text, places)
            }
            None => joined(&self.tokens),
        };
        let spans = spans(&self.tags).map_err(|detail| (self.start, detail))?;
        let entity = |tagged: Tagged| {
            let (start, end) = (places.get(tagged.first)?.0, places.get(tagged.last)?.1);
            Some(RowEntity::new(start, end, tagged.label))
        };
        let entities = spans.into_iter().filter_map(entity).collect();
        Ok((self.start, Row { text, entities: Some(entities).filter(|_| !self.unknown), ..self.row }))
    }
}

/// Tokens joined with spaces, and where each stands, in code points.
fn joined(tokens: &[String]) -> (String, Vec<(usize, usize)>) {
    let mut start = 0;
    let places = tokens.iter().map(|token| {
        let end = start + token.chars().count();
        let place = (start, end);
        start = end + 1;
        place
    });
    (tokens.join(" "), places.collect())
}

/// Where each token stands in the text, in code points; only white space may stand between them.
fn align(text: &str, tokens: &[String]) -> Result<Vec<(usize, usize)>, String> {
    let (mut rest, mut at) = (text, 0);
    let mut places = Vec::with_capacity(tokens.len());
    for token in tokens {
        let trimmed = rest.trim_start();
        at += rest.chars().count() - trimmed.chars().count();
        rest = trimmed.strip_prefix(token.as_str()).ok_or_else(|| format!("`# text` does not go on with the token `{token}`"))?;
        let end = at + token.chars().count();
        places.push((at, end));
        at = end;
    }
    if rest.trim().is_empty() { Ok(places) } else { Err(format!("`# text` has more than the tokens: `{}`", rest.trim())) }
}
