//! What mail programs and people put beneath.

use super::{Changes, Distortion, Message, one_of};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

const SIGNATURES: &[&str] = &[
    "\n\nSent from my iPhone",
    "\n\nKind regards,\n",
    "\n\n--\nThis message and its attachments are confidential and meant for the addressee only.\n",
    "\n\nCheers,\n",
    "\n\nGet Outlook for Android",
    "\n\nBest wishes,\n",
    "\n\nSent from Yahoo Mail on the go",
    "\n\nYours sincerely,\n",
    "\n\n--\nPlease think of the environment before you print this mail.\n",
    "\n\nWith best regards,\n",
];
const NAMES: &[&str] =
    &["Dana Whitlock", "Ravi", "Imogen Tate", "Luis", "Carol-Ann", "Tomasz Nowik", "Ade Bankole", "Freya", "Mr Hollis", "Sunita"];

/// A closing line, with a name where it asks for one.
pub struct Signature;

impl Distortion for Signature {
    fn name(&self) -> &'static str {
        "signature"
    }

    fn about(&self) -> &'static str {
        "a closing line, often with a name, which is one more entity"
    }

    fn distort(&self, message: &Message<'_>, dice: &mut ChaCha8Rng) -> Changes {
        let list = message.purpose.half(SIGNATURES);
        let line = list.get(dice.random_range(0..list.len())).copied().unwrap_or_default();
        if !line.ends_with(",\n") {
            return Changes { after: line.trim_end().to_owned(), ..Changes::default() };
        }
        let signed = one_of(message.purpose.half(NAMES), dice);
        let name = signed.strip_prefix("Mr ").unwrap_or(signed);
        Changes { after: format!("{line}{signed}"), entity: Some((name, "person")), ..Changes::default() }
    }
}
