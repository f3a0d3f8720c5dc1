//! Rasa's training data, `nlu.yml`.
//!
//! <https://rasa.com/docs/rasa/training-data-format>

use super::annotated;
use crate::data::Row;
use crate::data::import::yaml::{Node, Value, parse};
use crate::data::import::{Confidence, Imported, Importer, Problem, Sample, Sink, Source};
use crate::data::row::RowSentiment;

/// Rasa's training data.
#[derive(Debug)]
pub struct Nlu;

impl Importer for Nlu {
    fn name(&self) -> &'static str {
        "rasa"
    }

    fn about(&self) -> &'static str {
        "Rasa training data (nlu.yml): intents, entities, synonyms, regex, lookup, metadata.sentiment"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let yaml = ["yml", "yaml"].contains(&sample.extension.as_str());
        Confidence::Certain.when(yaml && sample.text.lines().any(|line| line.starts_with("nlu:")))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let (documents, broken) = parse(&source.text()?);
        let mut reading = Reading { source, sink, rows: Vec::new() };
        for document in &documents {
            reading.document(document);
        }
        let rows = std::mem::take(&mut reading.rows);
        sink.rows(rows);
        match broken {
            Some(broken) => Err(source.problem(broken.line, format!("{}; what follows is not read", broken.message))),
            None => Ok(()),
        }
    }
}

struct Reading<'a, 'b> {
    source: &'a Source,
    sink: &'a mut Sink<'b>,
    rows: Vec<Imported>,
}

/// What metadata says about a message.
#[derive(Debug, Clone, Default)]
struct Labels {
    sentiment: Option<RowSentiment>,
    emotions: Option<Vec<String>>,
    escalate: Option<bool>,
}

impl Reading<'_, '_> {
    fn problem(&mut self, line: usize, message: impl Into<String>) {
        let problem = self.source.problem(line, message);
        self.sink.problem(problem);
    }

    fn document(&mut self, document: &Node) {
        match document.get("nlu") {
            Some(nlu) if matches!(nlu.value, Value::List(_)) => nlu.items().iter().for_each(|item| self.item(item)),
            Some(nlu) if nlu.text().is_none() && !matches!(nlu.value, Value::Map(_)) => {}
            Some(nlu) => self.problem(nlu.line, format!("`nlu` is {}; it is a list of `- intent:` and the like", nlu.kind())),
            None => self.problem(document.line, "there is no `nlu:` with a list of intents"),
        }
    }

    fn item(&mut self, item: &Node) {
        for kind in ["intent", "synonym", "regex", "lookup"] {
            let Some(name) = item.get(kind) else { continue };
            let Some(title) = name.text().map(str::trim).filter(|title| !title.is_empty()) else {
                return self.problem(name.line, format!("`{kind}` has no name"));
            };
            let Some(examples) = item.get("examples") else {
                return self.problem(item.line, format!("{kind} `{title}` has no `examples`"));
            };
            if kind == "intent" {
                let labels = self.labels(item, &Labels::default());
                return self.intent(title, examples, &labels);
            }
            for (line, example) in self.listed(examples) {
                match kind {
                    "synonym" => self.sink.synonym(&self.source.place(line), title, &example),
                    "regex" => self.sink.regex(title, &example),
                    _ => self.sink.value(&self.source.place(line), title, &example, []),
                }
            }
            return;
        }
        self.problem(item.line, "this is none of `intent`, `synonym`, `regex` and `lookup`");
    }

    fn intent(&mut self, intent: &str, examples: &Node, labels: &Labels) {
        if let Value::List(items) = &examples.value {
            for item in items {
                self.long_form(intent, item, labels);
            }
            return;
        }
        for (line, example) in self.listed(examples) {
            self.example(line, intent, &example, labels);
        }
    }

    /// An element of a list of examples: a text, or a map of `text` and `metadata`.
    fn long_form(&mut self, intent: &str, item: &Node, labels: &Labels) {
        if let Some(text) = item.text() {
            return self.example(item.line, intent, text.trim(), labels);
        }
        let Some(text) = item.get("text") else {
            return self.problem(item.line, format!("an example of intent `{intent}` has no `text`"));
        };
        let Some(words) = text.text() else {
            return self.problem(text.line, format!("`text` is {}; write the message there", text.kind()));
        };
        let labels = self.labels(item, labels);
        self.example(text.line, intent, words.trim(), &labels);
    }

    fn example(&mut self, line: usize, intent: &str, example: &str, labels: &Labels) {
        let read = match annotated(example) {
            Ok(read) => read,
            Err(detail) => return self.problem(line, detail),
        };
        for remark in read.remarks {
            self.problem(line, remark);
        }
        let row = Row {
            text: read.text,
            intent: Some(intent.to_owned()),
            entities: Some(read.entities).filter(|entities| !entities.is_empty()),
            sentiment: labels.sentiment,
            emotions: labels.emotions.clone(),
            escalate: labels.escalate,
            ..Row::default()
        };
        self.rows.push(Imported::new(self.source, line, row));
    }

    /// The lines `- …` of a block, or the texts of a list, each with its line.
    fn listed(&mut self, examples: &Node) -> Vec<(usize, String)> {
        if let Value::List(items) = &examples.value {
            return items.iter().filter_map(|item| Some((item.line, item.text()?.trim().to_owned()))).collect();
        }
        let Some(block) = examples.text() else {
            self.problem(examples.line, "`examples` is empty");
            return Vec::new();
        };
        let literal = matches!(examples.value, Value::Scalar { literal: true, .. });
        let mut listed = Vec::new();
        for (index, text) in block.lines().enumerate() {
            let line = if literal { examples.line + index } else { examples.line };
            match text.trim().strip_prefix('-') {
                Some(example) if !example.trim().is_empty() => listed.push((line, example.trim().to_owned())),
                Some(_) => self.problem(line, "the example is empty"),
                None if text.trim().is_empty() => {}
                None => self.problem(line, "an example begins with `- `"),
            }
        }
        listed
    }

    /// The labels of `metadata`; what it leaves out is inherited.
    fn labels(&mut self, node: &Node, inherited: &Labels) -> Labels {
        let mut labels = inherited.clone();
        let Some(metadata) = node.get("metadata") else { return labels };
        if let Some((line, text)) = metadata.get("sentiment").and_then(|node| Some((node.line, node.text()?))) {
            match RowSentiment::parse(text) {
                Ok(sentiment) => labels.sentiment = Some(sentiment),
                Err(detail) => self.problem(line, format!("`metadata.sentiment`: {detail}")),
            }
        }
        if let Some(emotions) = metadata.get("emotions") {
            labels.emotions = Some(emotions.items().iter().filter_map(|name| name.text().map(str::to_owned)).collect());
        }
        match metadata.get("escalate").map(|node| (node.line, node.text())) {
            Some((_, Some("true"))) => labels.escalate = Some(true),
            Some((_, Some("false"))) => labels.escalate = Some(false),
            Some((line, _)) => self.problem(line, "`metadata.escalate` is true or false"),
            None => {}
        }
        labels
    }
}
