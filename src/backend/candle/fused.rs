//! The same operations on our own kernels, each with its backward pass: the training path on a processor.
//!
//! Every operation equals [`Stock`](super::Stock) within 1e-5 and its gradient equals finite differences; both are tests.

use super::Ops;
use crate::backend::contiguous::part;
use candle_core::{CpuStorage, CustomOp1, CustomOp3, DType, Layout, Result, Shape, Storage, Tensor, bail};
use hearken_kernels::{Attention, LayerNorm, best};
use rayon::prelude::*;
use std::ops::Range;

/// Elements that one task of an element-wise operation takes: 64 KiB of f32.
const CHUNK: usize = 1 << 14;

/// Operations on hearken's kernels.
#[derive(Debug, Clone, Copy)]
pub struct Fused;

impl Ops for Fused {
    fn layer_norm(&self, x: &Tensor, gamma: &Tensor, beta: &Tensor, epsilon: f64) -> Result<Tensor> {
        #[expect(clippy::cast_possible_truncation, reason = "epsilon is a small constant")]
        let epsilon = epsilon as f32;
        x.contiguous()?.apply_op3(gamma, beta, FusedLayerNorm { epsilon })
    }

    fn gelu(&self, x: &Tensor) -> Result<Tensor> {
        x.contiguous()?.apply_op1(FusedGelu)
    }

    fn attention(&self, query: &Tensor, key: &Tensor, value: &Tensor, rows: &[Range<usize>], heads: usize) -> Result<Tensor> {
        let op = FusedAttention { rows: rows.iter().map(Range::len).collect(), heads };
        query.contiguous()?.apply_op3(&key.contiguous()?, &value.contiguous()?, op)
    }
}

/// The f32 values of a contiguous tensor in main memory.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    part(storage.as_slice::<f32>()?, layout)
}

/// Calls `f` with the f32 values of each tensor.
fn with_values<const N: usize, T>(tensors: [&Tensor; N], f: impl FnOnce([&[f32]; N]) -> T) -> Result<T> {
    let contiguous = tensors.iter().map(|tensor| tensor.to_dtype(DType::F32)?.contiguous()).collect::<Result<Vec<_>>>()?;
    let guards: Vec<_> = contiguous.iter().map(Tensor::storage_and_layout).collect();
    let mut slices = [&[] as &[f32]; N];
    for (slice, (storage, layout)) in slices.iter_mut().zip(&guards) {
        match &**storage {
            Storage::Cpu(storage) => *slice = values(storage, layout)?,
            Storage::Cuda(_) | Storage::Metal(_) => bail!("a fused operation works in main memory only"),
        }
    }
    Ok(f(slices))
}

struct FusedGelu;

impl CustomOp1 for FusedGelu {
    fn name(&self) -> &'static str {
        "hearken-gelu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(storage, layout)?;
        let mut out = vec![0.0; x.len()];
        out.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(out, x)| best().gelu(x, out));
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, arg: &Tensor, _res: &Tensor, grad_res: &Tensor) -> Result<Option<Tensor>> {
        let dx = with_values([arg, grad_res], |[x, dy]| {
            let mut dx = vec![0.0; x.len()];
            let chunks = dx.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).zip(dy.par_chunks(CHUNK));
            chunks.for_each(|((dx, x), dy)| best().gelu_backward(x, dy, dx));
            dx
        })?;
        Tensor::from_vec(dx, arg.shape(), arg.device()).map(Some)
    }
}

struct FusedLayerNorm {
    epsilon: f32,
}

impl FusedLayerNorm {
    /// Elements of one task: whole rows.
    fn chunk(hidden: usize) -> usize {
        hidden * (CHUNK / hidden.max(1)).max(1)
    }
}

impl CustomOp3 for FusedLayerNorm {
    fn name(&self) -> &'static str {
        "hearken-layer-norm"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, gamma, beta) = (values(s1, l1)?, values(s2, l2)?, values(s3, l3)?);
        let norm = LayerNorm { gamma, beta, epsilon: self.epsilon };
        let mut out = vec![0.0; x.len()];
        let chunk = Self::chunk(gamma.len());
        out.par_chunks_mut(chunk).zip(x.par_chunks(chunk)).for_each(|(out, x)| best().layer_norm(x, norm, out));
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        _res: &Tensor,
        grad_res: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dx, dgamma, dbeta) = with_values([x, gamma, beta, grad_res], |[x, gamma, beta, dy]| {
            let norm = LayerNorm { gamma, beta, epsilon: self.epsilon };
            let hidden = gamma.len();
            let chunk = Self::chunk(hidden);
            let mut dx = vec![0.0; x.len()];
            let partial: Vec<(Vec<f32>, Vec<f32>)> = dx
                .par_chunks_mut(chunk)
                .zip(x.par_chunks(chunk))
                .zip(dy.par_chunks(chunk))
                .map(|((dx, x), dy)| {
                    let (mut dgamma, mut dbeta) = (vec![0.0; hidden], vec![0.0; hidden]);
                    best().layer_norm_backward(x, norm, dy, dx, &mut dgamma, &mut dbeta);
                    (dgamma, dbeta)
                })
                .collect();
            // The partial sums are added in the order of the rows, so that the result does not depend on the threads.
            let (mut dgamma, mut dbeta) = (vec![0.0; hidden], vec![0.0; hidden]);
            for (gamma, beta) in partial {
                dgamma.iter_mut().zip(gamma).for_each(|(sum, part)| *sum += part);
                dbeta.iter_mut().zip(beta).for_each(|(sum, part)| *sum += part);
            }
            (dx, dgamma, dbeta)
        })?;
        let tensor = |values, like: &Tensor| Tensor::from_vec(values, like.shape(), like.device()).map(Some);
        Ok((tensor(dx, x)?, tensor(dgamma, gamma)?, tensor(dbeta, beta)?))
    }
}

struct FusedAttention {
    /// Tokens of each row.
    rows: Vec<usize>,
    heads: usize,
}

impl FusedAttention {
    /// Cuts `x`, `[tokens, hidden]`, into its rows.
    fn split<'a>(&self, mut x: &'a [f32], hidden: usize) -> Vec<&'a [f32]> {
        let cut = |&length: &usize| {
            let (row, rest) = x.split_at_checked(length * hidden).unwrap_or((x, &[]));
            x = rest;
            row
        };
        self.rows.iter().map(cut).collect()
    }

    fn split_mut<'a>(&self, x: &'a mut [f32], hidden: usize) -> Vec<&'a mut [f32]> {
        let mut rest = x;
        let mut rows = Vec::with_capacity(self.rows.len());
        for &length in &self.rows {
            let (row, tail) = std::mem::take(&mut rest).split_at_mut(length * hidden);
            rows.push(row);
            rest = tail;
        }
        rows
    }

    fn inputs<'a>(&self, query: &'a [f32], key: &'a [f32], value: &'a [f32], hidden: usize) -> Vec<Attention<'a>> {
        let rows = self.split(query, hidden).into_iter().zip(self.split(key, hidden)).zip(self.split(value, hidden)).zip(&self.rows);
        let attention =
            |(((query, key), value), &length)| Attention { query, key, value, length, heads: self.heads, head_dim: hidden / self.heads };
        rows.map(attention).collect()
    }
}

impl CustomOp3 for FusedAttention {
    fn name(&self) -> &'static str {
        "hearken-attention"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (tokens, hidden) = l1.shape().dims2()?;
        if tokens != self.rows.iter().sum::<usize>() {
            bail!("attention over {tokens} tokens, but the rows have {}", self.rows.iter().sum::<usize>());
        }
        let inputs = self.inputs(values(s1, l1)?, values(s2, l2)?, values(s3, l3)?, hidden);
        let mut out = vec![0.0; tokens * hidden];
        self.split_mut(&mut out, hidden).into_par_iter().zip(inputs).for_each(|(out, input)| {
            best().attention(input, &mut vec![0.0; input.length], out);
        });
        Ok((CpuStorage::F32(out), l1.shape().clone()))
    }

    fn bwd(
        &self,
        query: &Tensor,
        key: &Tensor,
        value: &Tensor,
        _res: &Tensor,
        grad_res: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (tokens, hidden) = query.dims2()?;
        let [dquery, dkey, dvalue] = with_values([query, key, value, grad_res], |[query_values, key_values, value_values, dout]| {
            let inputs = self.inputs(query_values, key_values, value_values, hidden);
            let mut gradients = [vec![0.0; tokens * hidden], vec![0.0; tokens * hidden], vec![0.0; tokens * hidden]];
            let [dquery, dkey, dvalue] = &mut gradients;
            let outputs =
                self.split_mut(dquery, hidden).into_par_iter().zip(self.split_mut(dkey, hidden)).zip(self.split_mut(dvalue, hidden));
            outputs.zip(inputs).zip(self.split(dout, hidden)).for_each(|((((dquery, dkey), dvalue), input), dout)| {
                best().attention_backward(input, dout, &mut vec![0.0; 2 * input.length], dquery, dkey, dvalue);
            });
            gradients
        })?;
        let tensor = |values| Tensor::from_vec(values, query.shape(), query.device()).map(Some);
        Ok((tensor(dquery)?, tensor(dkey)?, tensor(dvalue)?))
    }
}
