//! Attention of every message of a ragged batch, for the forward pass.

use crate::isa::portable::LANES;
use crate::memory::Shared;
use crate::table::Kernels;
use crate::team::Team;

/// Shape of the attention of a ragged batch.
#[derive(Debug, Clone, Copy)]
pub struct RaggedAttention<'a> {
    /// Queries, keys and values side by side, `[tokens, 3 * heads * head_dim]`.
    pub qkv: &'a [f32],
    /// Message `m` is tokens `starts[m]..starts[m + 1]`; rising, at least one token each.
    pub starts: &'a [usize],
    /// Number of heads.
    pub heads: usize,
    /// Width of one head; a multiple of 8.
    pub head_dim: usize,
}

/// A checked attention. A part of it is a range of (message, head) pairs.
#[derive(Debug)]
pub(crate) struct Attending<'a> {
    pub input: RaggedAttention<'a>,
    pub out: Shared<f32>,
    pub scratch: Shared<f32>,
    /// Values of scratch for each member of the team.
    pub scratch_each: usize,
}

impl Kernels {
    /// `softmax(q k^T / sqrt(head_dim)) v` of each head of each message (Vaswani et al., 2017), every token seeing every token of
    /// its own message, `[tokens, heads * head_dim]`; error at most 1e-5 for inputs of unit scale. `scratch` grows as needed and is
    /// best kept for the next call.
    ///
    /// # Panics
    /// When a length does not fit.
    pub fn attend(&self, team: &mut Team, input: RaggedAttention<'_>, scratch: &mut Vec<f32>, out: &mut [f32]) {
        let RaggedAttention { qkv, starts, heads, head_dim } = input;
        let tokens = starts.last().copied().unwrap_or(0);
        assert!(starts.first().is_none_or(|start| *start == 0), "attend: the first message does not start at 0");
        assert!(starts.windows(2).all(|pair| pair[0] < pair[1]), "attend: a message is empty");
        assert!(head_dim > 0 && head_dim.is_multiple_of(8), "attend: the width of a head is not a multiple of 8");
        let width = heads * head_dim;
        assert!(qkv.len() == 3 * tokens * width && out.len() == tokens * width, "attend: lengths differ");
        let longest = starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        let scratch_each = LANES * (head_dim + longest);
        if scratch.len() < scratch_each * team.members() {
            scratch.resize(scratch_each * team.members(), 0.0);
        }
        let (out, scratch) = (Shared(out.as_mut_ptr()), Shared(scratch.as_mut_ptr()));
        let op = Attending { input, out, scratch, scratch_each };
        let pairs = starts.len().saturating_sub(1) * heads;
        if team.members() == 1 {
            // SAFETY: the processor has this tier, the sizes are checked, and there is one part.
            return unsafe { (self.attend)(&op, 0, 0..pairs) };
        }
        // SAFETY: as above; parts have different pairs, and a member does one part at a time.
        team.run(pairs, &|member, pair| unsafe { (self.attend)(&op, member, pair..pair + 1) });
    }
}
