//! Spellings of speech, of messages and of two countries.

use super::swaps::swaps;
use super::{Changes, Distortion, Message};
use rand_chacha::ChaCha8Rng;

const SPELLINGS: &[(&str, &str)] = &[
    ("you", "u"),
    ("your", "ur"),
    ("you're", "ur"),
    ("are", "r"),
    ("please", "pls"),
    ("thanks", "thx"),
    ("thank", "thnk"),
    ("because", "cos"),
    ("what", "wot"),
    ("with", "wiv"),
    ("the", "da"),
    ("that", "dat"),
    ("this", "dis"),
    ("my", "me"),
    ("and", "n"),
    ("for", "4"),
    ("to", "2"),
    ("going", "goin"),
    ("getting", "gettin"),
    ("waiting", "waitin"),
    ("something", "summat"),
    ("nothing", "nowt"),
    ("anything", "owt"),
    ("isn't", "aint"),
    ("don't", "dont"),
    ("can't", "cant"),
    ("won't", "wont"),
    ("didn't", "didnt"),
    ("doesn't", "doesnt"),
    ("haven't", "havent"),
    ("i'm", "im"),
    ("i've", "ive"),
    ("i'd", "id"),
    ("it's", "its"),
    ("that's", "thats"),
    ("where's", "wheres"),
    ("what's", "whats"),
    ("colour", "color"),
    ("color", "colour"),
    ("cancelled", "canceled"),
    ("canceled", "cancelled"),
    ("grey", "gray"),
    ("gray", "grey"),
    ("favourite", "favorite"),
    ("cheque", "check"),
    ("jewellery", "jewelry"),
    ("tyre", "tire"),
    ("catalogue", "catalog"),
    ("realise", "realize"),
    ("tonight", "2nite"),
    ("tomorrow", "tmrw"),
    ("today", "2day"),
    ("great", "gr8"),
    ("before", "b4"),
    ("message", "msg"),
    ("people", "ppl"),
    ("order", "ordr"),
    ("number", "no."),
    ("delivery", "delivry"),
    ("really", "rly"),
    ("though", "tho"),
    ("through", "thru"),
    ("about", "abt"),
    ("yes", "aye"),
    ("no", "nah"),
    ("hello", "ello"),
    ("hi", "hiya"),
    ("everything", "everyfing"),
    ("them", "em"),
    ("have", "hav"),
    ("want", "wanna"),
    ("very", "well"),
    ("from", "frm"),
    ("got", "gots"),
    ("should", "shud"),
    ("would", "wud"),
    ("could", "cud"),
    ("why", "y"),
    ("see", "c"),
];

/// `u`, `wiv`, `summat`, `color`.
pub struct Dialect;

impl Distortion for Dialect {
    fn name(&self) -> &'static str {
        "dialect"
    }

    fn about(&self) -> &'static str {
        "spellings of speech and of messages, and of the other side of the ocean"
    }

    fn distort(&self, message: &Message<'_>, dice: &mut ChaCha8Rng) -> Changes {
        let edits = swaps(message.text, SPELLINGS, 0.7, dice);
        Changes { edits, ..Changes::default() }
    }
}
