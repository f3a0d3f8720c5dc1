//! Attention over packed rows for the forward pass: one head of one message at a time, sixteen queries to the lanes of a register.
//! A block of queries is transposed once; scores lie as `[key][query]`, so that the softmax over keys needs no sums across lanes
//! and the mixing of values reads sixteen probabilities from one place.

use super::Vectors;
use super::lanes::{LANES, Lanes, Real};
use super::math::exp;
use crate::attention::{Attending, RaggedAttention};

/// One (message, head) pair at a time.
///
/// # Safety
/// The parts of one operation have different pairs, and no two that run at once the same `member`.
#[inline(always)]
pub unsafe fn attend<T: Vectors>(op: &Attending<'_>, member: usize, pairs: std::ops::Range<usize>) {
    // SAFETY: each member has a scratch of its own.
    let scratch = unsafe { op.scratch.slice(member * op.scratch_each, op.scratch_each) };
    for pair in pairs {
        // SAFETY: the caller's promise: this pair's columns of these rows are this part's.
        unsafe { Head::of(op.input, pair).attend::<T>(op, scratch) };
    }
}

/// One head of one message.
pub struct Head<'a> {
    input: RaggedAttention<'a>,
    /// First token.
    pub start: usize,
    /// Tokens.
    pub length: usize,
    /// First column among the queries.
    pub column: usize,
}

/// Keys whose scores are in registers at once.
const KEYS: usize = 8;

impl<'a> Head<'a> {
    /// Of a (message, head) pair.
    #[inline(always)]
    pub fn of(input: RaggedAttention<'a>, pair: usize) -> Self {
        let (message, head) = (pair / input.heads, pair % input.heads);
        let (start, end) = (input.starts[message], input.starts[message + 1]);
        Self { input, start, length: end - start, column: head * input.head_dim }
    }

    /// Query (0), key (1) or value (2) of a token.
    #[inline(always)]
    pub fn part(&self, token: usize, part: usize) -> &'a [f32] {
        let width = self.input.heads * self.input.head_dim;
        &self.input.qkv[(self.start + token) * 3 * width + part * width + self.column..][..self.input.head_dim]
    }

    /// # Safety
    /// See [`attend`].
    #[inline(always)]
    unsafe fn attend<T: Vectors>(&self, op: &Attending<'_>, scratch: &mut [f32]) {
        let (queries, scores) = scratch.as_chunks_mut::<LANES>().0.split_at_mut(self.input.head_dim);
        let scores = &mut scores[..self.length];
        for first in (0..self.length).step_by(LANES) {
            self.transpose_queries(first, queries);
            self.scores::<T>(queries, scores, 1);
            let inverse = softmax_numerators::<T>(scores).map(|sum| 1.0 / sum);
            // SAFETY: the caller's promise.
            unsafe { self.mix::<T>(op, first, scores, inverse) };
        }
    }

    /// `queries[i][lane]` of the 16 queries from `first` on, times `1 / sqrt(head_dim)`; a query beyond the last is the last.
    #[inline(always)]
    pub fn transpose_queries(&self, first: usize, queries: &mut [[f32; LANES]]) {
        let scale = 1.0 / (self.input.head_dim as f32).sqrt();
        for lane in 0..LANES {
            let query = self.part((first + lane).min(self.length - 1), 0);
            for (to, q) in queries.iter_mut().zip(query) {
                to[lane] = q * scale;
            }
        }
    }

    /// `scores[token][lane]`: transposed rows times a part of every token.
    #[inline(always)]
    pub fn scores<T: Vectors>(&self, queries: &[[f32; LANES]], scores: &mut [[f32; LANES]], part: usize) {
        for (block, scores) in scores.chunks_mut(KEYS).enumerate() {
            let keys: [&[f32]; KEYS] = std::array::from_fn(|key| self.part((block * KEYS + key).min(self.length - 1), part));
            let mut sums = [T::F32::splat(0.0); KEYS];
            for (i, query) in queries.iter().enumerate() {
                let query = T::F32::load(query);
                for (sum, key) in sums.iter_mut().zip(&keys) {
                    *sum = query.multiply_add(T::F32::splat(key[i]), *sum);
                }
            }
            for (score, sum) in scores.iter_mut().zip(sums) {
                sum.store(score);
            }
        }
    }

    /// Writes the mixed values of the queries from `first` on, as far as there are.
    ///
    /// # Safety
    /// See [`attend`].
    #[inline(always)]
    unsafe fn mix<T: Vectors>(&self, op: &Attending<'_>, first: usize, scores: &[[f32; LANES]], inverse: [f32; LANES]) {
        let width = self.input.heads * self.input.head_dim;
        for from in (0..self.input.head_dim).step_by(LANES) {
            let columns = LANES.min(self.input.head_dim - from);
            let mut sums = [T::F32::splat(0.0); LANES];
            for (token, p) in scores.iter().enumerate() {
                let value = match self.part(token, 2)[from..].first_chunk() {
                    Some(whole) => T::F32::load(whole),
                    None => self.narrow::<T>(token, from),
                };
                for (sum, p) in sums.iter_mut().zip(p) {
                    *sum = value.multiply_add(T::F32::splat(*p), *sum);
                }
            }
            for (q, (sum, inverse)) in sums.into_iter().zip(inverse).enumerate().take(self.length - first) {
                // SAFETY: the caller's promise.
                let out = unsafe { op.out.slice((self.start + first + q) * width + self.column + from, columns) };
                let mut mixed = [0.0; LANES];
                sum.mul(T::F32::splat(inverse)).store(&mut mixed);
                out.copy_from_slice(&mixed[..columns]);
            }
        }
    }

    /// The last values of a head whose width is no multiple of the lanes.
    #[inline(always)]
    fn narrow<T: Vectors>(&self, token: usize, from: usize) -> T::F32 {
        let value = &self.part(token, 2)[from..];
        T::F32::load(&std::array::from_fn(|i| value.get(i).copied().unwrap_or(0.0)))
    }
}

/// Replaces scores, `[key][lane]`, by `e^(x - largest of the lane)`, and gives each lane's sum.
#[inline(always)]
pub fn softmax_numerators<T: Vectors>(scores: &mut [[f32; LANES]]) -> [f32; LANES] {
    let largest = scores.iter().fold(T::F32::splat(f32::NEG_INFINITY), |largest, row| largest.max(T::F32::load(row)));
    let mut sum = T::F32::splat(0.0);
    for row in scores.iter_mut() {
        let numerator = exp(T::F32::load(row).sub(largest));
        sum = sum.add(numerator);
        numerator.store(row);
    }
    let mut sums = [0.0; LANES];
    sum.store(&mut sums);
    sums
}
