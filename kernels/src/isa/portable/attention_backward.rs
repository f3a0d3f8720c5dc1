//! The gradient of attention over packed rows, one head of one message at a time. As in the forward pass sixteen queries are the
//! lanes of a register and scores lie as `[key][query]`; the probabilities are computed again.

use super::Vectors;
use super::attention::{Head, softmax_numerators};
use super::lanes::{LANES, Lanes, Real};
use crate::attention::AttendingBackward;
use std::ops::Range;

/// One (message, head) pair at a time.
///
/// # Safety
/// The parts of one operation have different pairs, and no two that run at once the same `member`.
#[inline(always)]
pub unsafe fn attend_backward<T: Vectors>(op: &AttendingBackward<'_>, member: usize, pairs: Range<usize>) {
    // SAFETY: each member has a scratch of its own.
    let scratch = unsafe { op.scratch.slice(member * op.scratch_each, op.scratch_each) };
    for pair in pairs {
        let head = Back { op, head: Head::of(op.input, pair) };
        // SAFETY: the caller's promise: this pair's columns of these rows are this part's.
        unsafe { head.run::<T>(scratch) };
    }
}

/// What of a token's result is meant.
#[derive(Clone, Copy)]
enum Part {
    Query = 0,
    Key = 1,
    Value = 2,
}

struct Back<'a> {
    op: &'a AttendingBackward<'a>,
    head: Head<'a>,
}

/// Up to sixteen values of a row from `from` on, zeros behind its end.
#[inline(always)]
fn load<T: Vectors>(row: &[f32], from: usize) -> T::F32 {
    match row[from..].first_chunk() {
        Some(whole) => T::F32::load(whole),
        None => T::F32::load(&std::array::from_fn(|i| row.get(from + i).copied().unwrap_or(0.0))),
    }
}

#[inline(always)]
fn store<F: Lanes>(values: F, to: &mut [f32]) {
    if let Some(whole) = to.first_chunk_mut() {
        values.store(whole);
    } else {
        let mut chunk = [0.0; LANES];
        values.store(&mut chunk);
        to.copy_from_slice(&chunk[..to.len()]);
    }
}

impl Back<'_> {
    /// The gradient of a token's part, `[head_dim]`.
    ///
    /// # Safety
    /// Nothing else of this pair's result is borrowed.
    #[expect(clippy::mut_from_ref, reason = "the result is the operation's, shared by its parts; see the promise")]
    #[inline(always)]
    unsafe fn out(&self, token: usize, part: Part) -> &mut [f32] {
        let width = self.op.input.heads * self.op.input.head_dim;
        // SAFETY: these columns of this row are this pair's, and the caller's promise.
        unsafe {
            self.op.out.slice((self.head.start + token) * 3 * width + part as usize * width + self.head.column, self.op.input.head_dim)
        }
    }

    /// The gradient that comes in for a token, `[head_dim]`.
    #[inline(always)]
    fn dout(&self, token: usize) -> &[f32] {
        let width = self.op.input.heads * self.op.input.head_dim;
        &self.op.dout[(self.head.start + token) * width + self.head.column..][..self.op.input.head_dim]
    }

    /// # Safety
    /// See [`attend_backward`].
    #[inline(always)]
    unsafe fn run<T: Vectors>(&self, scratch: &mut [f32]) {
        let (dim, length) = (self.op.input.head_dim, self.head.length);
        let scratch = scratch.as_chunks_mut::<LANES>().0;
        let (queries, scratch) = scratch.split_at_mut(dim);
        let (incoming, scratch) = scratch.split_at_mut(dim);
        let (probabilities, scores) = scratch.split_at_mut(length);
        let scores = &mut scores[..length];
        for token in 0..length {
            // SAFETY: each slice ends before the next is borrowed.
            unsafe {
                self.out(token, Part::Key).fill(0.0);
                self.out(token, Part::Value).fill(0.0);
            }
        }
        for first in (0..length).step_by(LANES) {
            let count = LANES.min(length - first);
            self.head.transpose_queries(first, queries);
            for (lane, token) in (first..first + count).enumerate() {
                for (to, d) in incoming.iter_mut().zip(self.dout(token)) {
                    to[lane] = *d;
                }
            }
            self.head.scores::<T>(queries, probabilities, 1);
            let inverse = softmax_numerators::<T>(probabilities).map(|sum| 1.0 / sum);
            self.head.scores::<T>(incoming, scores, 2);
            score_gradients::<T>(probabilities, scores, T::F32::load(&inverse));
            // SAFETY: the caller's promise.
            unsafe {
                self.queries::<T>(first, count, scores);
                self.spread::<T>(Part::Key, first, count, scores);
                self.spread::<T>(Part::Value, first, count, probabilities);
            }
        }
    }

    #[inline(always)]
    fn scale(&self) -> f32 {
        1.0 / (self.op.input.head_dim as f32).sqrt()
    }

    /// Gradient of the block's queries: scores' gradients times keys.
    ///
    /// # Safety
    /// See [`attend_backward`].
    #[inline(always)]
    unsafe fn queries<T: Vectors>(&self, first: usize, count: usize, scores: &[[f32; LANES]]) {
        let dim = self.op.input.head_dim;
        for from in (0..dim).step_by(LANES) {
            let mut sums = [T::F32::splat(0.0); LANES];
            for (token, gradient) in scores.iter().enumerate() {
                let key = load::<T>(self.head.part(token, 1), from);
                for (sum, g) in sums.iter_mut().zip(gradient) {
                    *sum = key.multiply_add(T::F32::splat(*g), *sum);
                }
            }
            for (q, sum) in sums.into_iter().enumerate().take(count) {
                // SAFETY: the slice ends with this statement.
                let out = unsafe { self.out(first + q, Part::Query) };
                store(sum.mul(T::F32::splat(self.scale())), &mut out[from..dim.min(from + LANES)]);
            }
        }
    }

    /// What a query contributes to keys (itself, scaled) or to values (the gradient that comes in), from column `from` on.
    #[inline(always)]
    fn contribution<T: Vectors>(&self, query: usize, part: Part, from: usize) -> T::F32 {
        match part {
            Part::Value => load::<T>(self.dout(query), from),
            Part::Key | Part::Query => load::<T>(self.head.part(query, 0), from).mul(T::F32::splat(self.scale())),
        }
    }

    /// Adds the block's share to the gradient of every key or value: `sum over queries of weights[token][query] * contribution`.
    ///
    /// # Safety
    /// See [`attend_backward`].
    #[inline(always)]
    unsafe fn spread<T: Vectors>(&self, part: Part, first: usize, count: usize, weights: &[[f32; LANES]]) {
        let dim = self.op.input.head_dim;
        for from in (0..dim).step_by(LANES) {
            let mut rows = [T::F32::splat(0.0); LANES];
            for (q, to) in rows.iter_mut().enumerate().take(count) {
                *to = self.contribution::<T>(first + q, part, from);
            }
            for (token, weights) in weights.iter().enumerate() {
                // SAFETY: the slice ends with this round.
                let out = unsafe { self.out(token, part) };
                let mut sum = load::<T>(out, from);
                for (row, w) in rows.iter().zip(weights) {
                    sum = row.multiply_add(T::F32::splat(*w), sum);
                }
                store(sum, &mut out[from..dim.min(from + LANES)]);
            }
        }
    }
}

/// Makes numerators into probabilities, and `scores`, which hold the gradients of the probabilities, into those of the scores:
/// `p * (dp - sum over keys of p * dp)`.
#[inline(always)]
fn score_gradients<T: Vectors>(probabilities: &mut [[f32; LANES]], scores: &mut [[f32; LANES]], inverse: T::F32) {
    let mut expected = T::F32::splat(0.0);
    for (p, dp) in probabilities.iter_mut().zip(scores.iter()) {
        let probability = T::F32::load(p).mul(inverse);
        probability.store(p);
        expected = probability.multiply_add(T::F32::load(dp), expected);
    }
    for (p, dp) in probabilities.iter().zip(scores) {
        T::F32::load(p).mul(T::F32::load(dp).sub(expected)).store(dp);
    }
}
