//! The little words before a date that belong to it.

use crate::patterns::surroundings::word_before;

/// What the particle does to the date behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Particle {
    /// `by`, `until`: the date is still to come.
    Deadline,
    /// `before`, `after`: to come or gone by.
    Side,
    /// `since`: gone by.
    Since,
    /// `in`: counted from now.
    In,
    /// `within`, `over`: a length.
    Within,
}

const WORDS: &[(&str, Particle)] = &[
    ("by", Particle::Deadline),
    ("until", Particle::Deadline),
    ("till", Particle::Deadline),
    ("til", Particle::Deadline),
    ("'til", Particle::Deadline),
    ("before", Particle::Side),
    ("after", Particle::Side),
    ("since", Particle::Since),
    ("in", Particle::In),
    ("within", Particle::Within),
    ("over", Particle::Within),
];

/// Words between particle and date that say nothing, or that a model may have left at the front of its span.
const IDLE: &[&str] = &["the", "on", "at", "for", "from"];

impl Particle {
    fn of(word: &str) -> Option<Self> {
        WORDS.iter().find(|(name, _)| *name == word).map(|(_, particle)| *particle)
    }

    /// Whether the particle belongs to the span of a point in time, or to that of a length.
    #[must_use]
    pub fn suits(self, length: bool) -> bool {
        match self {
            Self::Deadline => !length,
            Self::Side | Self::Since => true,
            Self::In | Self::Within => length,
        }
    }
}

/// Words after which `in 20 minutes` is the time something took, not the time until it happens; so are those that end in `ed`.
const TOOK: &[&str] =
    &["made", "done", "time", "times", "been", "built", "up", "anything", "nothing", "update", "updates", "reply", "word", "answer"];

/// The particle right before `at`, and where it begins.
#[must_use]
pub fn before(text: &str, at: usize) -> Option<(Particle, usize)> {
    let span = word_before(text, at).filter(|span| span.end < at)?;
    let particle = Particle::of(&span.slice(text).to_lowercase())?;
    let verb = word_before(text, span.start).map(|word| word.slice(text).to_lowercase()).unwrap_or_default();
    let took = particle == Particle::In && (verb.ends_with("ed") || TOOK.contains(&verb.as_str()));
    (!took).then_some((particle, span.start))
}

/// Lower-case words without their particle and without idle words at the front.
#[must_use]
pub fn split(words: &str) -> (Option<Particle>, &str) {
    let mut particle = None;
    let mut rest = words;
    while let Some((word, behind)) = rest.split_once(' ') {
        match Particle::of(word) {
            Some(found) if particle.is_none() && !behind.starts_with("yesterday") => particle = Some(found),
            None if IDLE.contains(&word) => {}
            _ => break,
        }
        rest = behind;
    }
    (particle, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn particles_are_taken_off_the_front() {
        assert_eq!(split("by friday"), (Some(Particle::Deadline), "friday"));
        assert_eq!(split("until the 3rd of may"), (Some(Particle::Deadline), "3rd of may"));
        assert_eq!(split("for over a week"), (Some(Particle::Within), "a week"));
        assert_eq!(split("day before yesterday"), (None, "day before yesterday"));
        assert_eq!(split("by"), (None, "by"));
        assert_eq!(before("send By Friday", 8), Some((Particle::Deadline, 5)));
        assert_eq!(before("stand-by Friday", 9), Some((Particle::Deadline, 6)));
        assert_eq!(before("the Friday", 4), None);
    }
}
