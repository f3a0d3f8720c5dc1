//! Which words made the answer: each is left out in turn, and what the answer loses is what the word gave.
//!
//! Leave-one-out attribution, also called occlusion (Zeiler and Fergus, ECCV 2014; for text Li, Monroe and Jurafsky, 2016). It holds
//! for any model and costs a pass for each word.

use super::Engine;
use super::request::{EngineError, Input, Outcome, Request};
use crate::batch::Class;
use crate::text::{Span, Utterance};
use std::time::Instant;

/// Most parts that a message is divided into; words of longer messages are taken together.
const MOST_PARTS: usize = 64;

/// What a part of the text gave to the answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attribution {
    /// The part: a word, or in long messages several.
    pub span: Span,
    /// By how much the probability of the answered intent falls without it.
    pub intent: Option<f32>,
    /// By how much the sentiment score falls without it: negative for words that make the message sound displeased.
    pub sentiment: Option<f32>,
}

impl Engine {
    /// Explains an outcome. A message of one word explains itself and has no attributions.
    ///
    /// # Errors
    /// As [`Engine::classify`] has them: the passes are work like any other.
    pub async fn explain(&self, input: &Input, outcome: &Outcome, deadline: Option<Instant>) -> Result<Vec<Attribution>, EngineError> {
        let without = |span: &Span| {
            let text = [input.text.get(..span.start), input.text.get(span.end..)].into_iter().flatten().collect::<String>();
            Utterance::new(text).ok().map(|text| (*span, Input { text, ..input.clone() }))
        };
        let (spans, inputs): (Vec<_>, Vec<_>) = parts(&input.text).iter().filter_map(without).unzip();
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let others = self.classify(Request { inputs, class: Class::Bulk, deadline }).await?;
        let intent = outcome.prediction.intent.as_ref().and_then(|intent| intent.ranking.first());
        let attribution = |(span, other): (Span, Outcome)| {
            let left = |name: &str| {
                let ranking = &other.prediction.intent.as_ref()?.ranking;
                ranking.iter().find(|(other, _)| other == name).map(|(_, score)| *score)
            };
            Attribution {
                span,
                intent: intent.and_then(|(name, score)| Some(score - left(name)?)),
                sentiment: outcome.prediction.sentiment.zip(other.prediction.sentiment).map(|(with, without)| with.score - without.score),
            }
        };
        Ok(spans.into_iter().zip(others).map(attribution).collect())
    }
}

/// The words of a text, or runs of them where there are too many.
fn parts(text: &str) -> Vec<Span> {
    let mut words: Vec<Span> = Vec::new();
    let mut start = None;
    for (place, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, character.is_whitespace()) {
            (None, false) => start = Some(place),
            (Some(begin), true) => {
                words.push(Span { start: begin, end: place });
                start = None;
            }
            _ => {}
        }
    }
    let run = words.len().div_ceil(MOST_PARTS).max(1);
    words.chunks(run).filter_map(|run| Some(Span { start: run.first()?.start, end: run.last()?.end })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_words_and_no_more_than_sixty_four() {
        let text = "  where is\tmy  ürder ";
        let words: Vec<&str> = parts(text).into_iter().map(|span| span.slice(text)).collect();
        assert_eq!(words, ["where", "is", "my", "ürder"]);
        let long = "word ".repeat(130);
        let spans = parts(&long);
        assert_eq!((spans.len(), spans[0].slice(&long)), (44, "word word word"));
    }
}
