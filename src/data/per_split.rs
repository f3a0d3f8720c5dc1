//! One value for each split.

use super::Split;

/// A value for each of [`Split::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PerSplit<T> {
    /// Of train.
    pub train: T,
    /// Of valid.
    pub valid: T,
    /// Of test.
    pub test: T,
}

impl<T> PerSplit<T> {
    /// The value of a split.
    pub fn get(&self, split: Split) -> &T {
        match split {
            Split::Train => &self.train,
            Split::Valid => &self.valid,
            Split::Test => &self.test,
        }
    }

    /// The value of a split, to change it.
    pub fn get_mut(&mut self, split: Split) -> &mut T {
        match split {
            Split::Train => &mut self.train,
            Split::Valid => &mut self.valid,
            Split::Test => &mut self.test,
        }
    }
}
