//! Texts that are longer than an encoder reads.

use super::{Checked, Finding, FindingKind};

/// Characters of a long text. Encoders read 256 to 512 tokens, and a token of running text has about four characters.
const LONG: usize = 2000;

/// Messages whose end a model is unlikely to see.
pub fn long(examples: &[Checked]) -> Vec<Finding> {
    let finding = |checked: &Checked| {
        let characters = checked.example.text.chars().count();
        let message = format!("{characters} characters; an encoder reads the first 256 to 512 tokens, about 1,000 to 2,000 characters");
        (characters > LONG).then(|| Finding::at(FindingKind::LongText, &checked.example.place, message))
    };
    examples.iter().filter_map(finding).collect()
}
