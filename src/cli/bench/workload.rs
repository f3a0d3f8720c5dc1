//! What is measured on: messages from a file or the built-in mix, and messages of an exact number of tokens made from them.

use crate::model::LoadedModel;
use crate::text::{Encoded, Utterance};
use anyhow::Context as _;
use std::path::Path;

/// 1,000 messages: median 14 tokens, 95th percentile 44, longest 128. `benches/peers/workload.py` makes it.
const MIX: &str = include_str!("../../../benches/peers/workload.txt");

/// Messages and their tokens.
pub struct Workload {
    pub messages: Vec<Utterance>,
    pub encoded: Vec<Encoded>,
}

impl Workload {
    /// One message a line of `file`, or the built-in mix.
    pub fn open(file: Option<&Path>, model: &LoadedModel) -> anyhow::Result<Self> {
        let text = match file {
            Some(path) => std::fs::read_to_string(path).with_context(|| format!("workload `{}` cannot be read", path.display()))?,
            None => MIX.to_owned(),
        };
        let name = file.map_or_else(|| "the built-in mix".into(), |path| path.display().to_string());
        let mut messages = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            messages.push(Utterance::new(line).with_context(|| format!("{name}, line {}", index + 1))?);
        }
        anyhow::ensure!(!messages.is_empty(), "{name} has no message; it wants one a line");
        let encoded = messages.iter().map(|message| model.text.encode(message, &[])).collect::<Result<Vec<_>, _>>()?;
        let some = encoded.iter().any(|encoded| encoded.ids.len() > 2);
        anyhow::ensure!(some, "{name} has no message with a token of its own");
        Ok(Self { messages, encoded })
    }

    /// Tokens of all messages.
    pub fn tokens(&self) -> usize {
        self.encoded.iter().map(|encoded| encoded.ids.len()).sum()
    }

    /// Ranges of messages in order, each of at most `tokens` tokens or of one message.
    pub fn batches(&self, tokens: usize) -> Vec<std::ops::Range<usize>> {
        let mut batches = Vec::new();
        let (mut from, mut held) = (0, 0);
        for (index, encoded) in self.encoded.iter().enumerate() {
            if index > from && held + encoded.ids.len() > tokens {
                batches.push(from..index);
                (from, held) = (index, 0);
            }
            held += encoded.ids.len();
        }
        batches.push(from..self.encoded.len());
        batches
    }

    /// `count` messages of exactly `length` tokens: the inner tokens of the messages end to end, cut to size.
    pub fn of_length(&self, length: usize, count: usize) -> Vec<Encoded> {
        let inner = |encoded: &Encoded| encoded.ids.get(1..encoded.ids.len() - 1).map(<[u32]>::to_vec).unwrap_or_default();
        let mut tokens = self.encoded.iter().cycle().flat_map(inner);
        let frame = |index: usize| self.encoded.first().and_then(|encoded| encoded.ids.get(index).copied()).unwrap_or_default();
        let last = self.encoded.first().map_or(0, |encoded| encoded.ids.len() - 1);
        (0..count)
            .map(|_| {
                let middle = tokens.by_ref().take(length.saturating_sub(2));
                let ids: Vec<u32> = std::iter::once(frame(0)).chain(middle).chain([frame(last)]).collect();
                Encoded { segments: vec![0; ids.len()], ids, words: Vec::new(), truncated: false }
            })
            .collect()
    }
}
