//! What a telephone makes of a spoken message.

use super::swaps::swaps;
use super::{Changes, Distortion, Edit, Message, bare, one_of};
use crate::text::Span;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// Words that sound alike, or nearly.
const HEARD: &[(&str, &str)] = &[
    ("there", "their"),
    ("their", "there"),
    ("they're", "there"),
    ("you're", "your"),
    ("your", "you're"),
    ("its", "it's"),
    ("it's", "its"),
    ("to", "too"),
    ("too", "to"),
    ("for", "four"),
    ("by", "buy"),
    ("buy", "by"),
    ("right", "write"),
    ("wear", "where"),
    ("where", "wear"),
    ("here", "hear"),
    ("hear", "here"),
    ("wait", "weight"),
    ("weight", "wait"),
    ("mail", "male"),
    ("sale", "sail"),
    ("sent", "cent"),
    ("cost", "costs"),
    ("won't", "want"),
    ("want", "won"),
    ("then", "than"),
    ("than", "then"),
    ("know", "no"),
    ("new", "knew"),
    ("been", "bean"),
    ("our", "are"),
    ("are", "our"),
    ("which", "witch"),
    ("whole", "hole"),
    ("pair", "pear"),
    ("piece", "peace"),
    ("week", "weak"),
    ("address", "a dress"),
    ("refund", "re fund"),
    ("receipt", "receive"),
    ("order", "older"),
    ("parcel", "partial"),
    ("delivery", "delivery"),
    ("cancel", "counsel"),
    ("of", "have"),
    ("have", "of"),
    ("and", "an"),
    ("one", "won"),
    ("ordered", "order"),
    ("him", "them"),
    ("size", "sighs"),
];
const FILLERS: &[&str] = &["um", "so yeah", "like", "uh", "you know", "er", "basically", "I mean"];

/// Words that sound alike, fillers, no punctuation.
pub struct Speech;

impl Distortion for Speech {
    fn name(&self) -> &'static str {
        "speech"
    }

    fn about(&self) -> &'static str {
        "as dictated: words that sound alike, fillers, no punctuation"
    }

    fn distort(&self, message: &Message<'_>, dice: &mut ChaCha8Rng) -> Changes {
        let mut edits = swaps(message.text, HEARD, 0.35, dice);
        let marks = bare::Bare.distort(message, dice).edits;
        let free = |edit: &Edit, edits: &[Edit]| edits.iter().all(|other| !other.span.overlaps(edit.span));
        let marks: Vec<Edit> = marks.into_iter().filter(|edit| free(edit, &edits)).collect();
        edits.extend(marks);
        for (at, _) in message.text.match_indices(' ') {
            let filler =
                Edit { span: Span { start: at, end: at + 1 }, words: format!(" {} ", one_of(message.purpose.half(FILLERS), dice)) };
            if dice.random_bool(0.08) && free(&filler, &edits) {
                edits.push(filler);
            }
        }
        edits.sort_by_key(|edit| edit.span.start);
        let before = format!("{} ", one_of(message.purpose.half(FILLERS), dice));
        Changes { before, edits, ..Changes::default() }
    }
}
