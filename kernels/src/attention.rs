//! Attention of every message of a ragged batch, and its gradient.

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

/// A checked gradient of attention, cut as the attention is.
#[derive(Debug)]
pub(crate) struct AttendingBackward<'a> {
    pub input: RaggedAttention<'a>,
    /// `[tokens, heads * head_dim]`.
    pub dout: &'a [f32],
    /// `[tokens, 3 * heads * head_dim]`.
    pub out: Shared<f32>,
    pub scratch: Shared<f32>,
    pub scratch_each: usize,
}

impl RaggedAttention<'_> {
    /// Checks sizes and gives the tokens and the longest message.
    fn check(&self) -> (usize, usize) {
        let tokens = self.starts.last().copied().unwrap_or(0);
        assert!(self.starts.first().is_none_or(|start| *start == 0), "attend: the first message does not start at 0");
        assert!(self.starts.windows(2).all(|pair| pair[0] < pair[1]), "attend: a message is empty");
        assert!(self.head_dim > 0 && self.head_dim.is_multiple_of(8), "attend: the width of a head is not a multiple of 8");
        assert!(self.qkv.len() == 3 * tokens * self.width(), "attend: lengths differ");
        (tokens, self.starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0))
    }

    fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// (message, head) pairs.
    fn pairs(&self) -> usize {
        self.starts.len().saturating_sub(1) * self.heads
    }
}

/// Room for `each` values for each member.
fn scratch_for(team: &Team, each: usize, scratch: &mut Vec<f32>) -> Shared<f32> {
    if scratch.len() < each * team.members() {
        scratch.resize(each * team.members(), 0.0);
    }
    Shared(scratch.as_mut_ptr())
}

impl Kernels {
    /// `softmax(q k^T / sqrt(head_dim)) v` of each head of each message (Vaswani et al., 2017), every token seeing every token of
    /// its own message, `[tokens, heads * head_dim]`; error at most 1e-5 for inputs of unit scale. `scratch` grows as needed and is
    /// best kept for the next call.
    ///
    /// # Panics
    /// When a length does not fit.
    pub fn attend(&self, team: &mut Team, input: RaggedAttention<'_>, scratch: &mut Vec<f32>, out: &mut [f32]) {
        let (tokens, longest) = input.check();
        assert!(out.len() == tokens * input.width(), "attend: lengths differ");
        let scratch_each = LANES * (input.head_dim + longest);
        let scratch = scratch_for(team, scratch_each, scratch);
        let op = Attending { input, out: Shared(out.as_mut_ptr()), scratch, scratch_each };
        let pairs = input.pairs();
        if team.members() == 1 {
            // SAFETY: the processor has this tier, the sizes are checked, and there is one part.
            return unsafe { (self.attend)(&op, 0, 0..pairs) };
        }
        // SAFETY: as above; parts have different pairs, and a member does one part at a time.
        team.run(pairs, &|member, pair| unsafe { (self.attend)(&op, member, pair..pair + 1) });
    }

    /// The gradient of [`Kernels::attend`] by its input, `[tokens, 3 * heads * head_dim]`, from the gradient by its result, `dout`,
    /// `[tokens, heads * head_dim]`; error at most 2e-5 for inputs of unit scale. `dqkv` is overwritten.
    ///
    /// # Panics
    /// When a length does not fit.
    pub fn attend_backward(&self, team: &mut Team, input: RaggedAttention<'_>, dout: &[f32], scratch: &mut Vec<f32>, dqkv: &mut [f32]) {
        let (tokens, longest) = input.check();
        assert!(dout.len() == tokens * input.width() && dqkv.len() == input.qkv.len(), "attend_backward: lengths differ");
        let scratch_each = LANES * 2 * (input.head_dim + longest);
        let scratch = scratch_for(team, scratch_each, scratch);
        let op = AttendingBackward { input, dout, out: Shared(dqkv.as_mut_ptr()), scratch, scratch_each };
        // SAFETY: the processor has this tier, the sizes are checked, parts have different pairs, and a member does one part at a time.
        team.run(input.pairs(), &|member, pair| unsafe { (self.attend_backward)(&op, member, pair..pair + 1) });
    }
}
