//! What training alone uses, in every tier: products of matrices that change, the gradient of ragged attention, dropout and sums.

#![expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::indexing_slicing, reason = "test values")]

mod harness;

use harness::{close, refusal, same, tiers, values};
use hearken_kernels::{Attention, Element, Epilogue, Kernels, Mask, MatMul, MatMulScratch, Matrix, RaggedAttention, Team, reference};

/// Rows, depth and columns around the sizes of blocks, steps and panels, and one of a model.
const SHAPES: [(usize, usize, usize); 12] = [
    (1, 1, 1),
    (2, 3, 5),
    (7, 31, 63),
    (6, 32, 64),
    (5, 33, 65),
    (16, 64, 16),
    (17, 65, 130),
    (33, 100, 1),
    (31, 2, 64),
    (15, 16, 17),
    (64, 17, 192),
    (40, 384, 96),
];
const ELEMENTS: [Element; 2] = [Element::Bf16, Element::F32];

/// `[rows, columns]` stored the other way round.
fn turned(matrix: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|c| (0..rows).map(move |r| matrix[r * columns + c])).collect()
}

/// What a factor is rounded to: the nearest bf16, ties to even.
fn rounded(element: Element, x: &[f32]) -> Vec<f32> {
    let bf16 = |x: &f32| {
        let bits = x.to_bits();
        f32::from_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
    };
    if element == Element::Bf16 { x.iter().map(bf16).collect() } else { x.to_vec() }
}

struct Case {
    a: Vec<f32>,
    b: Vec<f32>,
    bias: Vec<f32>,
    shape: (usize, usize, usize),
    element: Element,
}

impl Case {
    fn new(shape: (usize, usize, usize), element: Element) -> Self {
        let (rows, depth, columns) = shape;
        let seed = (rows * 31 + depth * 7 + columns) as u64;
        let (a, b) = (values(seed, rows * depth, 1.0), values(seed + 1, depth * columns, 2.0));
        Self { a, b, bias: values(seed + 2, columns, 3.0), shape, element }
    }

    fn run(
        &self,
        kernels: &Kernels,
        team: &mut Team,
        transposed: (bool, bool),
        epilogue: Epilogue,
        scratch: &mut MatMulScratch,
    ) -> Vec<f32> {
        let (rows, depth, columns) = self.shape;
        let a = if transposed.0 { turned(&self.a, rows, depth) } else { self.a.clone() };
        let b = if transposed.1 { turned(&self.b, depth, columns) } else { self.b.clone() };
        let (a, b) = ([a.as_slice()], [b.as_slice()]);
        let op = MatMul {
            a: Matrix { parts: &a, transposed: transposed.0 },
            b: Matrix { parts: &b, transposed: transposed.1 },
            rows,
            depth,
            columns,
            element: self.element,
            bias: &self.bias,
        };
        let mut out = vec![0.5; rows * columns];
        kernels.matmul(team, op, scratch, epilogue, &mut out);
        out
    }
}

#[test]
fn products_stored_either_way_are_those_of_f64() {
    // One scratch for everything: what an earlier product left must not matter.
    let (mut scratch, mut team) = (MatMulScratch::default(), Team::of(3).unwrap());
    for kernels in tiers() {
        for element in ELEMENTS {
            for shape in SHAPES {
                let case = Case::new(shape, element);
                let (a, b) = (rounded(element, &case.a), rounded(element, &case.b));
                let b = turned(&b, shape.1, shape.2);
                let bias: Vec<f64> = case.bias.iter().map(|&x| f64::from(x)).collect();
                let wanted = reference::product(&a, &b, &bias, shape.1);
                let large = |x: &[f32]| x.iter().map(|x| x.abs()).collect::<Vec<f32>>();
                let distance = reference::product(&large(&a), &large(&b), &bias.iter().map(|x| x.abs()).collect::<Vec<_>>(), shape.1);
                let promise = |i: usize| (distance[i] + 1.0) * (shape.1 as f64).max(2.0) * 2f64.powi(-22);
                for transposed in [(false, false), (false, true), (true, false), (true, true)] {
                    let name = format!("{} {element:?} {shape:?} transposed {transposed:?}", kernels.name);
                    let got = case.run(kernels, &mut team, transposed, Epilogue::Store, &mut scratch);
                    close("matmul", &name, &got, &wanted, promise);
                    let alone = case.run(kernels, &mut Team::alone(), transposed, Epilogue::Store, &mut MatMulScratch::default());
                    same("matmul by a team and alone", &name, &got, &alone);
                    let added = case.run(kernels, &mut team, transposed, Epilogue::Accumulate, &mut scratch);
                    let sums: Vec<f32> = alone.iter().map(|x| 0.5 + x).collect();
                    same("matmul, accumulated", &name, &added, &sums);
                }
            }
        }
    }
}

#[test]
fn stacked_parts_are_one_matrix() {
    for kernels in tiers() {
        for transposed in [false, true] {
            let (rows, depth, columns) = (5, 48, 12);
            let (a, b) = (values(1, rows * depth, 1.0), values(2, depth * columns, 1.0));
            let parts: Vec<&[f32]> = b.chunks_exact(b.len() / 3).collect();
            let product = |parts: &[&[f32]]| {
                let a = [a.as_slice()];
                let (a, b) = (Matrix { parts: &a, transposed: false }, Matrix { parts, transposed });
                let op = MatMul { a, b, rows, depth, columns, element: Element::F32, bias: &[] };
                let mut out = vec![0.0; rows * columns];
                kernels.matmul(&mut Team::alone(), op, &mut MatMulScratch::default(), Epilogue::Store, &mut out);
                out
            };
            same("matmul of parts", kernels.name, &product(&parts), &product(&[&b]));
        }
    }
}

#[test]
fn products_refuse_what_does_not_fit() {
    let kernels = tiers()[0];
    let run = |rows: usize, bias: usize, element: Element| {
        let x = [0.0; 6];
        let parts: [&[f32]; 1] = [&x];
        let side = Matrix { parts: &parts, transposed: false };
        let op = MatMul { a: side, b: side, rows, depth: 3, columns: 2, element, bias: &x[..bias] };
        kernels.matmul(&mut Team::alone(), op, &mut MatMulScratch::default(), Epilogue::Store, &mut vec![0.0; rows * 2]);
    };
    run(2, 2, Element::F32);
    assert!(refusal("a side", || run(3, 2, Element::F32)).contains("a side has another size"));
    assert!(refusal("the bias", || run(2, 3, Element::F32)).contains("bias"));
    assert!(refusal("int8", || run(2, 2, Element::Int8)).contains("int8"));
}

/// Lengths around the sizes of blocks of queries (16) and keys (8).
const LENGTHS: [usize; 9] = [9, 1, 50, 2, 16, 7, 33, 8, 17];

#[test]
fn the_gradient_of_attention_is_that_of_f64() {
    let mut team = Team::of(3).unwrap();
    for kernels in tiers() {
        for (heads, head_dim) in [(1, 8), (3, 16), (2, 24), (2, 32), (1, 40)] {
            let width = heads * head_dim;
            let mut starts = vec![0];
            for length in LENGTHS {
                starts.push(starts[starts.len() - 1] + length);
            }
            let tokens = starts[starts.len() - 1];
            let (qkv, dout) = (values(3, tokens * 3 * width, 1.0), values(4, tokens * width, 1.0));
            let input = RaggedAttention { qkv: &qkv, starts: &starts, heads, head_dim };
            let run = |team: &mut Team| {
                let mut out = vec![f32::NAN; qkv.len()];
                kernels.attend_backward(team, input, &dout, &mut vec![f32::NAN; 7], &mut out);
                out
            };
            let got = run(&mut team);
            let name = format!("{} heads {heads} x {head_dim}", kernels.name);
            same("attend_backward by a team and alone", &name, &got, &run(&mut Team::alone()));
            for message in starts.windows(2) {
                let part = |which: usize| -> Vec<f32> {
                    (message[0]..message[1]).flat_map(|t| qkv[(t * 3 + which) * width..][..width].to_vec()).collect()
                };
                let (query, key, value) = (part(0), part(1), part(2));
                let length = message[1] - message[0];
                let one = Attention { query: &query, key: &key, value: &value, length, heads, head_dim };
                let wanted = reference::attention_backward(one, &dout[message[0] * width..message[1] * width]);
                for (which, wanted) in wanted.iter().enumerate() {
                    let got: Vec<f32> = (message[0]..message[1]).flat_map(|t| got[(t * 3 + which) * width..][..width].to_vec()).collect();
                    close("attend_backward", &format!("{name}, length {length}, part {which}"), &got, wanted, |_| 2e-5);
                }
            }
        }
    }
}

#[test]
fn dropout_repeats_keeps_the_expectation_and_does_not_depend_on_the_cut() {
    for kernels in tiers() {
        let mask = Mask { seed: 7, first: 0, threshold: 1 << 30, scale: 4.0 / 3.0 };
        let whole = |mask: Mask| {
            let mut x = vec![1.0; 100_001];
            kernels.drop(mask, &mut x);
            x
        };
        let once = whole(mask);
        let mut cut = vec![1.0; once.len()];
        for (i, chunk) in cut.chunks_mut(777).enumerate() {
            kernels.drop(Mask { first: i as u32 * 777, ..mask }, chunk);
        }
        same("drop in pieces", kernels.name, &cut, &once);
        let dropped = once.iter().filter(|x| **x == 0.0).count() as f64 / once.len() as f64;
        assert!((dropped - 0.25).abs() < 0.01, "{}: {dropped} dropped", kernels.name);
        assert!(once.iter().all(|x| *x == 0.0 || (*x - 4.0 / 3.0).abs() < 1e-6));
        let other = whole(Mask { seed: 8, ..mask });
        let both = once.iter().zip(&other).filter(|(a, b)| **a == 0.0 && **b == 0.0).count() as f64 / once.len() as f64;
        assert!((both - 0.0625).abs() < 0.005, "{}: masks of two seeds share {both}", kernels.name);
        // Neighbours are dropped independently of each other.
        let pairs = once.windows(2).filter(|pair| pair[0] == 0.0 && pair[1] == 0.0).count() as f64 / once.len() as f64;
        assert!((pairs - 0.0625).abs() < 0.005, "{}: {pairs} of neighbours are dropped together", kernels.name);
    }
}

#[test]
fn sums_of_columns_and_additions() {
    for kernels in tiers() {
        for width in [1, 15, 16, 17, 100] {
            let x = values(width as u64, 9 * width, 1.0);
            let mut sums = vec![f32::NAN; width];
            kernels.column_sums(&x, width, 0, &mut sums);
            let wanted: Vec<f64> = (0..width).map(|c| (0..9).map(|r| f64::from(x[r * width + c])).sum()).collect();
            close("column_sums", kernels.name, &sums, &wanted, |_| 4e-6);
            let mut tail = vec![f32::NAN; width / 2];
            kernels.column_sums(&x, width, width - width / 2, &mut tail);
            same("column_sums of some columns", kernels.name, &tail, &sums[width - width / 2..]);
            let mut to = values(3, width, 1.0);
            let wanted: Vec<f32> = to.iter().zip(&sums).map(|(a, b)| a + b).collect();
            kernels.add(&sums, &mut to);
            same("add", kernels.name, &to, &wanted);
        }
    }
}
