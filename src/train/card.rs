//! The first draft of a model card: what the manifest knows, in words. Its author adds what only they know.

use crate::model::Manifest;
use std::fmt::Write as _;

/// `CARD.md` for a model.
#[must_use]
pub fn card(manifest: &Manifest) -> String {
    let mut card = format!(
        "# {} {}\n\nLanguage: {}. Reads at most {} tokens.\n",
        manifest.name, manifest.version, manifest.language, manifest.max_tokens
    );
    let heads = &manifest.heads;
    let lists = [
        ("Intents", heads.intent.as_ref().map(|head| &head.labels)),
        ("Entities", heads.entities.as_ref().map(|head| &head.labels)),
        ("Emotions", heads.emotions.as_ref().map(|head| &head.labels)),
    ];
    for (title, labels) in lists {
        if let Some(labels) = labels {
            let _ = write!(card, "\n## {title}\n\n{}\n", labels.join(", "));
        }
    }
    if let Some(training) = &manifest.training {
        let _ = write!(
            card,
            "\n## Training\n\nhearken {}, seed {}, {} epochs, {} steps.\n\n| data | rows |\n|---|---|\n",
            training.hearken, training.seed, training.epochs, training.steps
        );
        for data in &training.data {
            let _ = writeln!(card, "| {} | {} |", data.file, data.rows);
        }
        let _ = write!(card, "\n## Figures on validation data\n\n| figure | value |\n|---|---|\n");
        for (figure, value) in &training.validation {
            let _ = writeln!(card, "| {figure} | {value:.3} |");
        }
    }
    card
}
