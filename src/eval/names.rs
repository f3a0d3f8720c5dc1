//! Names of labels as numbers, so that scoring a thousand resamples compares no strings.

/// Distinct names in alphabetical order; a label's number is its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Names<'a>(Vec<&'a str>);

impl<'a> Names<'a> {
    pub(super) fn of(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    /// The number of a name; names that are not there have none.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.0.binary_search(&name).ok()
    }

    /// One default value for each name.
    pub(super) fn values<T: Default + Clone>(&self) -> Vec<T> {
        vec![T::default(); self.0.len()]
    }

    pub(super) fn get(&self, number: usize) -> &'a str {
        self.0.get(number).copied().unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.0.iter().copied()
    }
}
