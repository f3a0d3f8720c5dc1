//! YAML as a tree whose every node knows its line. What stands before a syntax error is given together with the error.

use granit_parser::{Event, Parser, ScalarStyle};
use std::collections::HashMap;

/// Deepest nesting.
const MAX_DEPTH: usize = 64;
/// Most nodes that aliases may add.
const MAX_ALIASED: usize = 100_000;

/// A node and the line it begins on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The line; of a block, that of its first line of text.
    pub line: usize,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text as it is written, whatever type YAML would give it.
    Scalar {
        /// The text.
        text: String,
        /// Whether it is a literal block, whose lines are lines of the file.
        literal: bool,
        /// Whether it is neither quoted nor a block.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// Keys and values in their order.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar; `~`, `null` and nothing at all are none.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, plain, .. } => Some(text.as_str()).filter(|text| !(*plain && matches!(*text, "" | "~" | "null"))),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(pairs) => pairs.iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value),
            Value::Scalar { .. } | Value::List(_) => None,
        }
    }

    /// The elements of a list; none for anything else.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            Value::Scalar { .. } | Value::Map(_) => &[],
        }
    }

    /// What kind of node it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar { .. } => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    fn size(&self) -> usize {
        1 + match &self.value {
            Value::Scalar { .. } => 0,
            Value::List(items) => items.iter().map(Self::size).sum(),
            Value::Map(pairs) => pairs.iter().map(|(key, value)| key.size() + value.size()).sum(),
        }
    }
}

/// Where reading ended early, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The line, from 1.
    pub line: usize,
    /// Why.
    pub message: String,
}

/// The documents of a YAML text, and where reading ended early.
#[must_use]
pub fn parse(text: &str) -> (Vec<Node>, Option<Broken>) {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let taken = match event {
            Ok((event, span)) => builder.take(event, span.start.line()),
            Err(error) => Err(Broken { line: error.marker().line(), message: format!("the YAML is broken: {}", error.kind()) }),
        };
        if let Err(broken) = taken {
            while let Some(open) = builder.open.pop() {
                if open.node.size() > 1 {
                    builder.close(open);
                }
            }
            return (builder.documents, Some(broken));
        }
    }
    (builder.documents, None)
}

struct Open {
    anchor: usize,
    node: Node,
    key: Option<Node>,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), Broken> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let (plain, literal) = (style == ScalarStyle::Plain, style == ScalarStyle::Literal);
                // The parser gives the first line that is not empty; the text has the empty ones before it too.
                let empty = if literal { text.chars().take_while(|c| *c == '\n').count() } else { 0 };
                let line = line.saturating_sub(empty);
                let value = Value::Scalar { text: text.into_owned(), literal, plain };
                self.add(anchor, Node { line, value });
            }
            Event::SequenceStart(_, anchor, _) => self.begin(anchor, line, Value::List(Vec::new()))?,
            Event::MappingStart(_, anchor, _) => self.begin(anchor, line, Value::Map(Vec::new()))?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.close(open);
                }
            }
            Event::Alias(id) => {
                let broken = |message: String| Broken { line, message };
                let target = self.anchors.get(&id).ok_or_else(|| broken("an alias stands inside what it stands for".to_owned()))?;
                self.aliased += target.size();
                if self.aliased > MAX_ALIASED {
                    return Err(broken(format!("the aliases stand for more than {MAX_ALIASED} values; write the values out")));
                }
                let node = Node { line, value: target.value.clone() };
                self.add(0, node);
            }
            Event::DocumentEnd => self.anchors.clear(),
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, anchor: usize, line: usize, value: Value) -> Result<(), Broken> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Broken { line, message: format!("the YAML is nested deeper than {MAX_DEPTH} levels") });
        }
        self.open.push(Open { anchor, node: Node { line, value }, key: None });
        Ok(())
    }

    /// Where reading ended early, a key without a value is dropped.
    fn close(&mut self, open: Open) {
        self.add(open.anchor, open.node);
    }

    fn add(&mut self, anchor: usize, node: Node) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.documents.push(node);
            return;
        };
        match (&mut parent.node.value, parent.key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(pairs), Some(key)) => pairs.push((key, node)),
            (Value::Map(_), None) => parent.key = Some(node),
            (Value::Scalar { .. }, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_knows_its_line() {
        let (documents, broken) = parse("a: 1\nb:\n- x\n- key: |\n    one\n    two\n  other: 'y'\n");
        assert_eq!(broken, None);
        let list = documents[0].get("b").unwrap().items();
        assert_eq!((list[0].line, list[0].text()), (3, Some("x")));
        let block = list[1].get("key").unwrap();
        assert_eq!((block.line, block.text()), (5, Some("one\ntwo\n")));
        assert_eq!(list[1].get("other").unwrap().line, 7);
        let (documents, _) = parse("a: |\n\n\n  x\n");
        let block = documents[0].get("a").unwrap();
        assert_eq!((block.line, block.text()), (2, Some("\n\nx\n")));
    }

    #[test]
    fn what_stands_before_an_error_is_kept() {
        let (documents, broken) = parse("a:\n- x\n- y: [1, 2\nb: }\n");
        assert!(broken.is_some());
        assert_eq!(documents[0].get("a").unwrap().items()[0].text(), Some("x"));
    }

    #[test]
    fn bombs_and_depth_are_bounded() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..12 {
            bomb += &["a", &i.to_string(), ": &a", &i.to_string(), " [", &vec![format!("*a{}", i - 1); 10].join(", "), "]\n"].concat();
        }
        assert!(parse(&bomb).1.unwrap().message.contains("aliases stand for more than"));
        assert!(parse("a: &a [*a]").1.is_some());
        assert!(parse(&"[".repeat(10_000)).1.is_some());
        assert!(parse(&"- ".repeat(10_000)).1.is_some());
    }
}
