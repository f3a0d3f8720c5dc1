//! `Kernels::attend`: each message by itself in f64, alone and in a batch, by one and by a team.

use crate::harness::{close, refusal, same, tiers, values};
use hearken_kernels::{Kernels, RaggedAttention, Team, reference};

/// Lengths of messages around the sizes of blocks of queries (16) and keys (8).
const LENGTHS: [usize; 11] = [9, 1, 50, 2, 16, 7, 130, 8, 15, 33, 17];

/// Heads and their width.
const HEADS: [(usize, usize); 6] = [(1, 8), (3, 16), (2, 24), (2, 32), (1, 40), (1, 64)];

/// Messages one after the other.
struct Batch {
    /// `[tokens, 3 * heads * head_dim]`.
    qkv: Vec<f32>,
    starts: Vec<usize>,
    heads: usize,
    head_dim: usize,
}

impl Batch {
    /// Queries and keys in `[-2, 2]`, values in `[-1, 1]`.
    fn of_unit_scale((heads, head_dim): (usize, usize), lengths: &[usize]) -> Self {
        let mut batch = Self::shaped((heads, head_dim), lengths);
        batch.qkv = values(7, batch.tokens() * 3 * heads * head_dim, 1.0);
        batch.scale_queries_and_keys(|x| 2.0 * x);
        batch
    }

    fn shaped((heads, head_dim): (usize, usize), lengths: &[usize]) -> Self {
        let mut starts = vec![0];
        for length in lengths {
            starts.push(starts[starts.len() - 1] + length);
        }
        Self { qkv: Vec::new(), starts, heads, head_dim }
    }

    fn scale_queries_and_keys(&mut self, scale: impl Fn(f32) -> f32) {
        let width = self.heads * self.head_dim;
        for token in self.qkv.chunks_exact_mut(3 * width) {
            token[..2 * width].iter_mut().for_each(|x| *x = scale(*x));
        }
    }

    fn tokens(&self) -> usize {
        self.starts[self.starts.len() - 1]
    }

    fn input(&self) -> RaggedAttention<'_> {
        RaggedAttention { qkv: &self.qkv, starts: &self.starts, heads: self.heads, head_dim: self.head_dim }
    }

    /// A message alone.
    fn message(&self, m: usize) -> Self {
        let (width, (start, end)) = (3 * self.heads * self.head_dim, (self.starts[m], self.starts[m + 1]));
        Self { qkv: self.qkv[start * width..end * width].to_vec(), starts: vec![0, end - start], ..*self }
    }

    /// The result; scratch and result are not-a-number before.
    fn attend(&self, kernels: &Kernels, team: &mut Team) -> Vec<f32> {
        let mut out = vec![f32::NAN; self.tokens() * self.heads * self.head_dim];
        kernels.attend(team, self.input(), &mut vec![f32::NAN; 20_000], &mut out);
        out
    }

    fn name(&self, kernels: &Kernels) -> String {
        format!("{} heads={} head_dim={} starts={:?}", kernels.name, self.heads, self.head_dim, self.starts)
    }
}

#[test]
fn messages_of_unit_scale() {
    for shape in HEADS {
        let batch = Batch::of_unit_scale(shape, &LENGTHS);
        let wanted = reference::attend(batch.input());
        for kernels in tiers() {
            close("attend", &batch.name(kernels), &batch.attend(kernels, &mut Team::alone()), &wanted, |_| 1e-5);
        }
    }
}

/// Large scores that f32 holds exactly, so that the promise for unit scale stands: queries and keys are whole numbers, and the
/// root of the width is a power of two. Their differences reach beyond where the exponential is clamped.
#[test]
fn messages_with_large_scores() {
    for (shape, largest) in [((3, 16), 8.0), ((2, 64), 64.0), ((1, 16), 500.0)] {
        let mut batch = Batch::of_unit_scale(shape, &LENGTHS);
        batch.scale_queries_and_keys(|x| (x / 2.0 * largest).round());
        let wanted = reference::attend(batch.input());
        for kernels in tiers() {
            let input = format!("{} queries and keys up to {largest}", batch.name(kernels));
            close("attend", &input, &batch.attend(kernels, &mut Team::alone()), &wanted, |_| 1e-5);
        }
    }
}

/// Scores near the end of f32: the results stay mixtures of values.
#[test]
fn messages_with_huge_scores() {
    for shape in HEADS {
        let mut batch = Batch::of_unit_scale(shape, &LENGTHS);
        batch.scale_queries_and_keys(|x| x * 1e18);
        for kernels in tiers() {
            let out = batch.attend(kernels, &mut Team::alone());
            let outside = out.iter().position(|x| x.is_nan() || x.abs() > 1.000_01);
            assert_eq!(outside, None, "{}: {:?}", batch.name(kernels), outside.map(|i| out[i]));
        }
    }
}

#[test]
fn alone_and_in_a_batch() {
    for shape in HEADS {
        let batch = Batch::of_unit_scale(shape, &LENGTHS);
        let width = batch.heads * batch.head_dim;
        for kernels in tiers() {
            let together = batch.attend(kernels, &mut Team::alone());
            for m in 0..LENGTHS.len() {
                let alone = batch.message(m);
                let wanted = &together[batch.starts[m] * width..batch.starts[m + 1] * width];
                same("a message alone", &alone.name(kernels), &alone.attend(kernels, &mut Team::alone()), wanted);
            }
        }
    }
}

/// A message that is no number stays by itself.
#[test]
fn a_message_that_is_no_number() {
    for kernels in tiers() {
        let mut batch = Batch::of_unit_scale((2, 24), &LENGTHS);
        let before = batch.attend(kernels, &mut Team::alone());
        let (width, (start, end)) = (48, (batch.starts[4], batch.starts[5]));
        batch.qkv[start * 3 * width..end * 3 * width].fill(f32::NAN);
        let after = batch.attend(kernels, &mut Team::alone());
        same("messages before", &batch.name(kernels), &after[..start * width], &before[..start * width]);
        same("messages behind", &batch.name(kernels), &after[end * width..], &before[end * width..]);
    }
}

#[test]
fn teams_give_the_bits_of_one() {
    for members in [2, 3] {
        let mut team = Team::of(members).unwrap();
        for kernels in tiers() {
            for shape in HEADS {
                for lengths in [&LENGTHS[..], &[130], &[1], &[]] {
                    let batch = Batch::of_unit_scale(shape, lengths);
                    let wanted = batch.attend(kernels, &mut Team::alone());
                    same(&format!("a team of {members}"), &batch.name(kernels), &batch.attend(kernels, &mut team), &wanted);
                }
            }
        }
    }
}

#[test]
fn scratch_grows_and_is_used_again() {
    for kernels in tiers() {
        let mut scratch = Vec::new();
        for lengths in [&[3, 1][..], &[130], &[7, 50], &[]] {
            let batch = Batch::of_unit_scale((2, 24), lengths);
            let mut out = vec![0.0; batch.tokens() * 48];
            kernels.attend(&mut Team::alone(), batch.input(), &mut scratch, &mut out);
            same("with kept scratch", &batch.name(kernels), &out, &batch.attend(kernels, &mut Team::alone()));
        }
        kernels.attend(&mut Team::alone(), RaggedAttention { qkv: &[], starts: &[], heads: 2, head_dim: 8 }, &mut scratch, &mut []);
    }
}

#[test]
fn attention_refuses_what_does_not_fit() {
    let cases = [
        ("the first message does not start at 0", 48, &[1, 2][..], 1, 8, 16),
        ("an empty message", 48, &[0, 1, 1, 2], 1, 8, 16),
        ("messages that overlap", 48, &[0, 2, 1], 1, 8, 16),
        ("a head without width", 0, &[0, 2], 1, 0, 0),
        ("a head of 12", 72, &[0, 2], 1, 12, 24),
        ("too few inputs", 47, &[0, 2], 1, 8, 16),
        ("too many inputs", 49, &[0, 2], 1, 8, 16),
        ("too short a result", 48, &[0, 2], 1, 8, 15),
        ("too long a result", 48, &[0, 2], 1, 8, 17),
    ];
    for kernels in tiers() {
        for (what, inputs, starts, heads, head_dim, outputs) in cases {
            let (qkv, mut out) = (vec![0.0; inputs], vec![0.0; outputs]);
            let input = RaggedAttention { qkv: &qkv, starts, heads, head_dim };
            let message = refusal(what, || kernels.attend(&mut Team::alone(), input, &mut Vec::new(), &mut out));
            assert!(message.contains("attend"), "{what}: {message}");
        }
    }
}
