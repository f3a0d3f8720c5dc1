//! Texts that say nearly the same: one frame with other values, and, by an encoder's vectors, other words for one message across splits.

use super::{Checked, Finding, FindingKind, again};
use crate::data::folding::folded;
use crate::data::rewrite::{Edit, Rewritten};
use ndarray::ArrayView2;

/// A frame of fewer words than this is no frame: half of all answers to a question are `my number is …`.
const LEAST_WORDS: usize = 4;

/// Rows that are the same but for the values of their entities, numbers included.
pub fn templates(examples: &[Checked]) -> Vec<Finding> {
    let told = |(first, again): &(&Checked, &Checked)| first.key != again.key;
    let finding = |(first, again): (&Checked, &Checked)| {
        let message = format!("differs from {} in the values of its entities only", first.example.place);
        Finding::at(FindingKind::Template, &again.example.place, message)
    };
    again(examples, frame).into_iter().filter(told).map(finding).collect()
}

/// The folded text with labels in the place of entities and `0` in that of digits; nothing where there is no entity or hardly a word.
fn frame(checked: &Checked) -> Option<String> {
    let text: &str = &checked.example.text;
    let mut entities: Vec<_> = checked.example.entities.iter().flatten().collect();
    if entities.is_empty() {
        return None;
    }
    entities.sort_by_key(|entity| entity.span);
    let edits: Vec<Edit> = entities.iter().map(|entity| Edit { span: entity.span, words: format!(" {}\u{a7} ", entity.label) }).collect();
    let frame = folded(&Rewritten::new(text, &edits).text);
    let words = frame.split(' ').count().saturating_sub(entities.iter().map(|entity| entity.label.split('_').count()).sum());
    let before: Vec<String> = checked.example.context.iter().map(|turn| folded(&turn.text)).collect();
    let digits = frame.replace(|c: char| c.is_ascii_digit(), "0");
    (words >= LEAST_WORDS).then(|| format!("{}\n{digits}", before.join("\n")))
}

/// Rows without context whose unit vectors (`[rows, size]`, in the order of the examples) are closer than `threshold` to one of another split.
pub fn across_splits(examples: &[Checked], vectors: ArrayView2<'_, f32>, threshold: f32) -> Vec<Finding> {
    let lone = |index: &usize| examples.get(*index).is_some_and(|checked| checked.example.context.is_empty());
    let indices: Vec<usize> = (0..examples.len().min(vectors.nrows())).filter(lone).collect();
    let mut findings = Vec::new();
    for &index in &indices {
        let Some(checked) = examples.get(index) else { continue };
        let earlier = indices.iter().copied().take_while(|other| *other < index);
        let elsewhere = earlier.filter(|other| examples.get(*other).is_some_and(|other| other.split != checked.split));
        let cosine = |other| (vectors.row(other).dot(&vectors.row(index)), other);
        let closest = elsewhere.map(cosine).max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((cosine, other)) = closest
            && cosine >= threshold
            && let Some(first) = examples.get(other)
            && first.key != checked.key
        {
            let (place, split) = (&first.example.place, first.split);
            let message = format!(
                "nearly what stands in {split} ({place}), cosine {cosine:.3}: `{}` / `{}`",
                &*checked.example.text, &*first.example.text
            );
            findings.push(Finding::at(FindingKind::Similar, &checked.example.place, message));
        }
    }
    findings
}
