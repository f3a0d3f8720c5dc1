//! One layer: attention, feed-forward, each with dropout, residual and layer-norm, forward and backward.

use super::gradients::LayerGradients;
use super::weights::LayerWeights;
use super::{Machine, VALUES};
use crate::model::EncoderConfig;
use hearken_kernels::{Epilogue, Mask, RaggedAttention};

/// What a layer's pass depends on.
pub(super) struct Pass<'a> {
    pub config: &'a EncoderConfig,
    pub weights: &'a LayerWeights<'a>,
    /// First token of each message, and the end.
    pub starts: &'a [usize],
    /// Dropout behind attention and behind feed-forward.
    pub masks: [Option<Mask>; 2],
}

/// What the forward pass leaves for the backward pass. `t` is tokens, `h` the hidden size, `i` the feed-forward width.
#[derive(Default)]
pub(super) struct LayerMemory {
    /// Input, `[t, h]`.
    input: Vec<f32>,
    /// `[t, 3h]`.
    qkv: Vec<f32>,
    /// Mixed values, `[t, h]`.
    attended: Vec<f32>,
    /// Before the layer-norm of attention, `[t, h]`.
    attended_sum: Vec<f32>,
    /// After it, `[t, h]`.
    middle: Vec<f32>,
    /// Before GELU, `[t, i]`.
    up: Vec<f32>,
    /// After it, `[t, i]`.
    inner: Vec<f32>,
    /// Before the layer-norm of feed-forward, `[t, h]`.
    down_sum: Vec<f32>,
}

/// Gradients on their way through a layer; shared by all layers.
#[derive(Default)]
pub(super) struct LayerBuffers {
    sum: Vec<f32>,
    branch: Vec<f32>,
    attended: Vec<f32>,
    inner: Vec<f32>,
    up: Vec<f32>,
    qkv: Vec<f32>,
}

impl LayerMemory {
    /// The layer's result for `x`, `[t, h]`, which is kept. Gives a vector that was in use before.
    pub fn forward(&mut self, machine: &mut Machine, pass: &Pass<'_>, x: Vec<f32>) -> Vec<f32> {
        let (hidden, weights) = (pass.config.hidden_size, pass.weights);
        let tokens = x.len() / hidden;
        let mut out = std::mem::replace(&mut self.input, x);
        for (buffer, width) in [
            (&mut out, hidden),
            (&mut self.qkv, 3 * hidden),
            (&mut self.attended, hidden),
            (&mut self.attended_sum, hidden),
            (&mut self.middle, hidden),
            (&mut self.up, pass.config.intermediate_size),
            (&mut self.inner, pass.config.intermediate_size),
            (&mut self.down_sum, hidden),
        ] {
            buffer.resize(tokens * width, 0.0);
        }
        machine.linear(&self.input, &weights.qkv, &weights.qkv_bias, &mut self.qkv);
        let (kernels, attention) = (machine.kernels, attention(pass, &self.qkv));
        kernels.attend(&mut machine.team, attention, &mut machine.attention, &mut self.attended);
        machine.linear(&self.attended, &[weights.attended.weight], weights.attended.bias, &mut self.attended_sum);
        let norm = weights.attended_norm.with(pass.config);
        machine.add_and_norm(pass.masks[0], &self.input, norm, &mut self.attended_sum, &mut self.middle);
        machine.linear(&self.middle, &[weights.up.weight], weights.up.bias, &mut self.up);
        let up = &self.up;
        machine.team.chunks(&mut self.inner, VALUES, &|i, out| {
            if let Some(up) = up.get(i * VALUES..i * VALUES + out.len()) {
                kernels.gelu(up, out);
            }
        });
        machine.linear(&self.inner, &[weights.down.weight], weights.down.bias, &mut self.down_sum);
        let norm = weights.down_norm.with(pass.config);
        machine.add_and_norm(pass.masks[1], &self.middle, norm, &mut self.down_sum, &mut out);
        out
    }

    /// Turns `gradient`, `[t, h]`, from that of the layer's result into that of its input.
    pub fn backward(
        &self,
        machine: &mut Machine,
        pass: &Pass<'_>,
        buffers: &mut LayerBuffers,
        gradient: &mut [f32],
        into: LayerGradients<'_>,
    ) {
        let (weights, hidden, inner) = (pass.weights, pass.config.hidden_size, pass.config.intermediate_size);
        let tokens = gradient.len() / hidden;
        let LayerBuffers { sum, branch, attended, inner: dinner, up: dup, qkv: dqkv } = buffers;
        for (buffer, width) in
            [(&mut *sum, hidden), (&mut *attended, hidden), (&mut *dinner, inner), (&mut *dup, inner), (&mut *dqkv, 3 * hidden)]
        {
            buffer.resize(tokens * width, 0.0);
        }
        machine.norm_gradient(&self.down_sum, weights.down_norm.with(pass.config), gradient, sum, into.down_norm);
        machine.dropped(pass.masks[1], sum, branch);
        machine.weight_gradient(branch, &self.inner, into.down, into.down_bias);
        machine.input_gradient(branch, &[weights.down.weight], inner, Epilogue::Store, dinner);
        let (kernels, up) = (machine.kernels, &self.up);
        machine.team.chunks(dup, VALUES, &|i, out| {
            let range = i * VALUES..i * VALUES + out.len();
            if let (Some(up), Some(dinner)) = (up.get(range.clone()), dinner.get(range)) {
                kernels.gelu_backward(up, dinner, out);
            }
        });
        machine.weight_gradient(dup, &self.middle, into.up, into.up_bias);
        machine.input_gradient(dup, &[weights.up.weight], hidden, Epilogue::Accumulate, sum);
        machine.norm_gradient(&self.attended_sum, weights.attended_norm.with(pass.config), sum, gradient, into.attended_norm);
        machine.dropped(pass.masks[0], gradient, branch);
        machine.weight_gradient(branch, &self.attended, into.attended, into.attended_bias);
        machine.input_gradient(branch, &[weights.attended.weight], hidden, Epilogue::Store, attended);
        kernels.attend_backward(&mut machine.team, attention(pass, &self.qkv), attended, &mut machine.attention, dqkv);
        machine.weight_gradient(dqkv, &self.input, into.qkv, into.qkv_bias);
        machine.input_gradient(dqkv, &weights.qkv, hidden, Epilogue::Accumulate, gradient);
    }
}

fn attention<'a>(pass: &Pass<'a>, qkv: &'a [f32]) -> RaggedAttention<'a> {
    RaggedAttention { qkv, starts: pass.starts, heads: pass.config.num_attention_heads, head_dim: pass.config.head_dim() }
}
