//! A forward pass allocates nothing once its buffers have grown to the batch.

#![expect(unsafe_code, reason = "an allocator that counts")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails where it stands")]

use hearken_kernels::{Activations, Element, Epilogue, Gather, InputRange, LayerNorm, PackedMatrix, Packing, RaggedAttention, Team, best};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    /// Of this thread: the test harness has threads of its own.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is the system allocator's; the count changes nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const HIDDEN: usize = 64;

struct Buffers {
    states: Vec<f32>,
    qkv: Vec<f32>,
    scratch: Vec<f32>,
    form: Activations,
    mixed_form: Activations,
}

fn pass(team: &mut Team, qkv: &PackedMatrix, output: &PackedMatrix, starts: &[usize], buffers: &mut Buffers) {
    const ONES: [f32; HIDDEN] = [1.0; HIDDEN];
    const ZEROS: [u32; 64] = [0; 64];
    let kernels = best();
    let norm = LayerNorm { gamma: &ONES, beta: &ONES, epsilon: 1e-12 };
    let tokens = starts.last().copied().unwrap();
    let (table, indices) = ([0x3c00; HIDDEN], &ZEROS[..tokens]);
    let gather = Gather { words: &table, positions: &table, segments: &table, ids: indices, places: indices, kinds: indices };
    let states = &mut buffers.states[..tokens * HIDDEN];
    kernels.embed(team, gather, norm, states);
    kernels.convert(team, states, qkv, &mut buffers.form);
    let wide = &mut buffers.qkv[..tokens * 3 * HIDDEN];
    kernels.product(team, &buffers.form, qkv, Epilogue::Gelu, wide);
    let attention = RaggedAttention { qkv: wide, starts, heads: 2, head_dim: HIDDEN / 2 };
    kernels.attend(team, attention, &mut buffers.scratch, states);
    kernels.convert(team, states, output, &mut buffers.mixed_form);
    kernels.product(team, &buffers.mixed_form, output, Epilogue::Accumulate, states);
    kernels.normalise(team, norm, states);
}

#[test]
fn a_pass_allocates_nothing_once_it_is_warm() {
    for element in [Element::Int8, Element::Bf16, Element::F32] {
        let packing = Packing { element, range: InputRange::Symmetric, smoothing: &[], shift: &[] };
        let weights = vec![0.1; 3 * HIDDEN * HIDDEN];
        let qkv = PackedMatrix::pack(&weights, &[0.0; 3 * HIDDEN], HIDDEN, packing);
        let output = PackedMatrix::pack(&weights[..HIDDEN * HIDDEN], &[0.0; HIDDEN], HIDDEN, packing);
        for members in [1, 2] {
            let mut team = Team::of(members).unwrap();
            let mut buffers = Buffers {
                states: vec![0.0; 64 * HIDDEN],
                qkv: vec![0.0; 64 * 3 * HIDDEN],
                scratch: Vec::new(),
                form: Activations::default(),
                mixed_form: Activations::default(),
            };
            pass(&mut team, &qkv, &output, &[0, 40, 64], &mut buffers);
            let before = ALLOCATIONS.get();
            for starts in [&[0, 40, 64][..], &[0, 7], &[0, 1, 2, 33]] {
                pass(&mut team, &qkv, &output, starts, &mut buffers);
            }
            assert_eq!(ALLOCATIONS.get(), before, "{} with {members} members", element.name());
        }
    }
}
