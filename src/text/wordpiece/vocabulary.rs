//! A vocabulary in which the longest token at the start of some bytes is found by reading each byte once.
//!
//! It is a trie over the tokens' bytes, laid out as a double array (Aoe 1989, "An Efficient Digital Search Algorithm by Using a
//! Double-Array Structure"): the child of a state by a byte stands at `base ^ byte` and names its parent, so a step is one access.
//! Tokens are whole UTF-8 strings, so a match in well-formed text that begins at a character also ends at one.

use std::collections::HashMap;

/// Tokens by their bytes.
#[derive(Debug)]
pub(super) struct Vocabulary {
    units: Vec<Unit>,
    /// Every unit before it is taken.
    first_free: u32,
}

/// A place in the vocabulary: the bytes read so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State(u32);

#[derive(Debug, Clone, Copy)]
struct Unit {
    /// The child by a byte stands at `base ^ byte`. Zero without children: no unit names such a state its parent.
    base: u32,
    parent: u32,
    token: Option<u32>,
}

/// Parents that no state has: a vocabulary of less than 4 GiB has fewer states.
const FREE: u32 = u32::MAX;
const NO_PARENT: u32 = u32::MAX - 1;
/// Units are added in blocks that `base ^ byte` cannot leave.
const BLOCK: usize = 256;

impl Vocabulary {
    /// Nothing read yet.
    pub const START: State = State(0);

    /// The vocabulary of these tokens and their ids. An empty token is never found.
    pub fn new(tokens: &HashMap<String, u32>) -> Self {
        let mut sorted: Vec<(&[u8], u32)> = tokens.iter().map(|(token, id)| (token.as_bytes(), *id)).collect();
        sorted.sort_unstable();
        let root = Unit { base: 0, parent: NO_PARENT, token: None };
        let mut vocabulary = Self { units: vec![root], first_free: 1 };
        let mut open = vec![(Self::START, sorted.as_slice(), 0)];
        while let Some((state, tokens, depth)) = open.pop() {
            // Sorted, so a token that ends here comes first, and those that go on by the same byte stand together.
            let ended = tokens.first().filter(|(bytes, _)| bytes.len() == depth);
            let longer = tokens.get(usize::from(ended.is_some())..).unwrap_or_default();
            let branches = longer.chunk_by(|(a, _), (b, _)| a.get(depth) == b.get(depth));
            let branches: Vec<_> = branches.filter_map(|branch| Some((*branch.first()?.0.get(depth)?, branch))).collect();
            let base = vocabulary.room_for(branches.iter().map(|&(byte, _)| byte));
            if let Some(unit) = vocabulary.unit_mut(state.0) {
                unit.base = base;
                unit.token = ended.map(|&(_, id)| id);
            }
            for (byte, branch) in branches {
                let child = base ^ u32::from(byte);
                if let Some(unit) = vocabulary.unit_mut(child) {
                    unit.parent = state.0;
                }
                open.push((State(child), branch, depth + 1));
            }
        }
        vocabulary
    }

    /// The state behind `bytes` from `from`; nothing when no token goes on that way.
    pub fn after(&self, from: State, bytes: &[u8]) -> Option<State> {
        bytes.iter().try_fold(from, |state, &byte| {
            let child = self.unit(state.0)?.base ^ u32::from(byte);
            (self.unit(child)?.parent == state.0).then_some(State(child))
        })
    }

    /// Length in bytes and id of the longest token made of what was read up to `from` and a non-empty beginning of `bytes`.
    #[inline]
    pub fn longest(&self, from: State, bytes: impl Iterator<Item = u8>) -> Option<(usize, u32)> {
        let mut state = from.0;
        let mut base = self.unit(state)?.base;
        let mut longest = None;
        for (index, byte) in bytes.enumerate() {
            let child = base ^ u32::from(byte);
            let Some(unit) = self.unit(child).filter(|unit| unit.parent == state) else { break };
            (state, base) = (child, unit.base);
            if let Some(token) = unit.token {
                longest = Some((index + 1, token));
            }
        }
        longest
    }

    /// A base at which the units of all these bytes are free; the units exist afterwards.
    fn room_for(&mut self, bytes: impl Iterator<Item = u8> + Clone) -> u32 {
        let Some(first) = bytes.clone().next() else { return 0 };
        while !self.is_free(self.first_free) {
            self.first_free += 1;
        }
        let mut base = self.first_free ^ u32::from(first);
        let mut next = self.first_free;
        while !bytes.clone().all(|byte| self.is_free(base ^ u32::from(byte))) {
            next += 1;
            base = next ^ u32::from(first);
        }
        let blocks = base as usize / BLOCK + 1;
        if self.units.len() < blocks * BLOCK {
            self.units.resize(blocks * BLOCK, Unit { base: 0, parent: FREE, token: None });
        }
        base
    }

    fn is_free(&self, unit: u32) -> bool {
        self.unit(unit).is_none_or(|unit| unit.parent == FREE)
    }

    fn unit(&self, unit: u32) -> Option<&Unit> {
        self.units.get(unit as usize)
    }

    fn unit_mut(&mut self, unit: u32) -> Option<&mut Unit> {
        self.units.get_mut(unit as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary(tokens: &[&str]) -> Vocabulary {
        Vocabulary::new(&tokens.iter().zip(0..).map(|(token, id)| ((*token).to_owned(), id)).collect())
    }

    fn longest(vocabulary: &Vocabulary, from: State, text: &str) -> Option<(usize, u32)> {
        vocabulary.longest(from, text.bytes())
    }

    #[test]
    fn the_longest_token_wins() {
        let vocabulary = vocabulary(&["a", "abcd", "ab", "b", "##cd", "##", "é", ""]);
        let start = Vocabulary::START;
        assert_eq!(longest(&vocabulary, start, "abc"), Some((2, 2)));
        assert_eq!(longest(&vocabulary, start, "abcde"), Some((4, 1)));
        assert_eq!(longest(&vocabulary, start, "éa"), Some((2, 6)));
        assert_eq!(longest(&vocabulary, start, "è"), None);
        assert_eq!(longest(&vocabulary, start, "c"), None);
        assert_eq!(longest(&vocabulary, start, ""), None);
        let behind = vocabulary.after(start, b"##").unwrap();
        assert_eq!(longest(&vocabulary, behind, "cd"), Some((2, 4)));
        assert_eq!(longest(&vocabulary, behind, ""), None);
        assert_eq!(vocabulary.after(start, b"#!"), None);
    }

    #[test]
    fn no_token_is_lost_and_none_is_invented() {
        let tokens: Vec<String> = (0..4096_u32).map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761) >> (n % 20))).collect();
        let tokens: HashMap<String, u32> = tokens.into_iter().zip(0..).collect();
        let vocabulary = Vocabulary::new(&tokens);
        for text in tokens.keys().cloned().chain((0..65536).map(|n| format!("{n:x}"))) {
            let wanted = (1..=text.len()).rev().find_map(|end| tokens.get(&text[..end]).map(|id| (end, *id)));
            assert_eq!(longest(&vocabulary, Vocabulary::START, &text), wanted, "{text}");
        }
        assert_eq!(Vocabulary::new(&HashMap::new()).longest(Vocabulary::START, b"a".iter().copied()), None);
    }
}
