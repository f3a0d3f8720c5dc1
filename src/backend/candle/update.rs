//! AdamW on candle's parameters, in place: one walk over memory, and over the rows in use alone where the gradient is of some rows.

use crate::backend::contiguous::part_mut;
use crate::backend::training::{Gradient, Rows};
use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Var, bail};
use hearken_kernels::{AdamW, best};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Elements of one task: 64 KiB of f32.
const CHUNK: usize = 1 << 14;

/// First and second moment of a parameter's gradient.
#[derive(Debug, Default)]
pub struct Moments {
    /// Mean.
    pub first: Vec<f32>,
    /// Mean of squares.
    pub second: Vec<f32>,
}

impl Moments {
    /// Those of a parameter of `n` values before the first step.
    #[must_use]
    pub fn zero(n: usize) -> Self {
        Self { first: vec![0.0; n], second: vec![0.0; n] }
    }
}

struct InPlace<'a> {
    step: AdamW,
    gradient: Gradient<'a>,
    moments: Mutex<&'a mut Moments>,
}

/// One step of AdamW on a parameter. A gradient of some rows changes those rows and their moments alone, as lazy Adam does.
///
/// # Errors
/// When the parameter is not contiguous f32 in main memory or a length does not fit.
pub fn update(var: &Var, step: AdamW, gradient: Gradient<'_>, moments: &mut Moments) -> Result<()> {
    var.as_tensor().inplace_op1(&InPlace { step, gradient, moments: Mutex::new(moments) })
}

impl InplaceOp1 for InPlace<'_> {
    fn name(&self) -> &'static str {
        "hearken-adamw"
    }

    fn cpu_fwd(&self, parameter: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(storage) = parameter else { bail!("AdamW works on f32 parameters") };
        let parameter = part_mut(storage, layout)?;
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        if moments.first.len() != parameter.len() || moments.second.len() != parameter.len() {
            bail!("AdamW: parameter and moments differ in length");
        }
        match self.gradient {
            Gradient::Dense(gradient) => dense(self.step, gradient, parameter, &mut moments),
            Gradient::Rows(rows) => sparse(self.step, rows, parameter, &mut moments),
        }
    }
}

fn dense(step: AdamW, gradient: &[f32], parameter: &mut [f32], moments: &mut Moments) -> Result<()> {
    if gradient.len() != parameter.len() {
        bail!("AdamW: parameter and gradient differ in length");
    }
    let chunks = parameter.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK));
    let chunks = chunks.zip(moments.first.par_chunks_mut(CHUNK)).zip(moments.second.par_chunks_mut(CHUNK));
    chunks.for_each(|(((parameter, gradient), first), second)| best().adamw(step, gradient, parameter, first, second));
    Ok(())
}

fn sparse(step: AdamW, rows: &Rows, parameter: &mut [f32], moments: &mut Moments) -> Result<()> {
    let width = rows.values.len() / rows.indices.len().max(1);
    for (index, gradient) in rows.indices.iter().zip(rows.values.chunks_exact(width.max(1))) {
        let range = *index as usize * width..(*index as usize + 1) * width;
        let parts = (parameter.get_mut(range.clone()), moments.first.get_mut(range.clone()), moments.second.get_mut(range));
        let (Some(parameter), Some(first), Some(second)) = parts else { bail!("AdamW: row {index} is beyond the table") };
        best().adamw(step, gradient, parameter, first, second);
    }
    Ok(())
}
