//! What rounding the operands may cost: activations by `Kernels::convert`, weights by `PackedMatrix::pack`.

use crate::case::{Case, Form, Shape, forms};
use crate::harness::{same, tiers, values};
use hearken_kernels::{Activations, Element, InputRange, Kernels, PANEL, PackedMatrix, Packing, Team};

/// The nearest bf16, ties to even: the upper half of an f32.
fn nearest_bf16(x: f32) -> f32 {
    let below = f32::from_bits(x.to_bits() & 0xffff_0000);
    let above = f32::from_bits((x.to_bits() & 0xffff_0000) + 0x1_0000);
    let (down, up) = ((f64::from(x) - f64::from(below)).abs(), (f64::from(above) - f64::from(x)).abs());
    let even = below.to_bits() & 0x1_0000 == 0;
    if down < up || down == up && even { below } else { above }
}

/// int8: a value is off by at most half a step, which is the row's largest magnitude after smoothing and shift, at least 2^-118,
/// over 127 or 255, but for the rounding of f32: 2e-4 of a half step, and 2^-22 of what is added up.
fn check_int8(kernels: &Kernels, case: &Case, decoded: &[f32]) {
    let steps = if case.form.range == InputRange::Positive { 255.0 } else { 127.0 };
    let depth = case.shape.depth;
    let of = |values: &[f32], i: usize, otherwise: f64| values.get(i).map_or(otherwise, |x| f64::from(*x));
    for (r, (row, decoded)) in case.values.chunks_exact(depth).zip(decoded.chunks_exact(depth)).enumerate() {
        let smoothed = |x: f32, i: usize| (f64::from(x) - of(&case.shift, i, 0.0)) * of(&case.smoothing, i, 1.0);
        let largest = row.iter().enumerate().fold(2f64.powi(-118), |largest, (i, x)| largest.max(smoothed(*x, i).abs()));
        for (i, (&x, &got)) in row.iter().zip(decoded).enumerate() {
            let distance = (smoothed(got, i) - smoothed(x, i)).abs();
            let added = (f64::from(x).abs() + of(&case.shift, i, 0.0).abs()) * of(&case.smoothing, i, 1.0);
            let promised = 0.5 * largest / steps * 1.000_2 + if case.shift.is_empty() { 0.0 } else { added * 2f64.powi(-22) };
            assert!(
                distance <= promised,
                "convert: {}, row {r}, element {i}: got {got}, wanted {x}, distance {distance} once smoothed, promised {promised}",
                case.name(kernels)
            );
        }
    }
}

#[test]
fn conversion_is_within_half_a_step() {
    for kernels in tiers() {
        for depth in (1..=50).chain([63, 64, 65, 100, 384]) {
            for form in forms() {
                let case = Case::new(Shape { rows: 5, depth, columns: 2 }, form);
                let decoded = case.convert(kernels).decode(&case.packed);
                match form.element {
                    Element::Int8 => check_int8(kernels, &case, &decoded),
                    Element::Bf16 => {
                        let nearest: Vec<f32> = case.values.iter().map(|x| nearest_bf16(*x)).collect();
                        same("bf16", &case.name(kernels), &decoded, &nearest);
                    }
                    Element::F32 => same("f32", &case.name(kernels), &decoded, &case.values),
                }
            }
        }
    }
}

/// Rows whose largest magnitude is anything that f32 has, from the least normal number on.
#[test]
fn conversion_of_every_magnitude() {
    for kernels in tiers() {
        for range in [InputRange::Symmetric, InputRange::Positive] {
            let form = Form { element: Element::Int8, range, smoothed: false, shifted: false };
            let mut case = Case::new(Shape { rows: 255, depth: 19, columns: 2 }, form);
            let unit = values(1, 19, 1.0);
            for (exponent, row) in (1..255).zip(case.values.chunks_exact_mut(19)) {
                for (to, x) in row.iter_mut().zip(&unit) {
                    *to = x * f32::from_bits(exponent << 23);
                    if range == InputRange::Positive {
                        *to = to.abs();
                    }
                }
            }
            check_int8(kernels, &case, &case.convert(kernels).decode(&case.packed));
        }
    }
}

/// Every bf16 and what lies between: the rounding of f32 to nearest, ties to even.
#[test]
fn every_bf16_is_rounded_to_nearest() {
    let packing = Packing { element: Element::Bf16, range: InputRange::Symmetric, smoothing: &[], shift: &[] };
    let packed = PackedMatrix::pack(&vec![0.0; 512], &[0.0], 512, packing);
    for low in [0u32, 1, 0x7fff, 0x8000, 0x8001, 0xffff] {
        let finite = |high: &u32| high & 0x7f80 != 0x7f80 && (high & 0x7fff) != 0x7f7f; // the last rounds to infinity
        let numbers: Vec<f32> = (0..=0xffff).filter(finite).map(|high: u32| f32::from_bits(high << 16 | low)).collect();
        let whole = numbers.len() / 512 * 512;
        for kernels in tiers() {
            let mut input = Activations::default();
            kernels.convert(&mut Team::alone(), &numbers[..whole], &packed, &mut input);
            let nearest: Vec<f32> = numbers[..whole].iter().map(|x| nearest_bf16(*x)).collect();
            same("bf16", &format!("{} low half {low:#x}", kernels.name), &input.decode(&packed), &nearest);
        }
    }
}

/// f32 weights are as given, bf16 ones rounded to nearest, and int8 ones lose no more than rounding to 127 steps of the column's
/// largest magnitude would.
#[test]
fn packing_keeps_the_weights() {
    for (depth, columns) in [(1, 1), (3, 2), (17, 65), (64, 130), (100, PANEL)] {
        for form in forms() {
            let case = Case::new(Shape { rows: 1, depth, columns }, form);
            let name = format!("depth={depth} columns={columns} {form:?}");
            assert_eq!((case.packed.depth(), case.packed.columns(), case.packed.element()), (depth, columns, form.element));
            let decoded = case.packed.decode();
            match form.element {
                Element::F32 => same("packed f32", &name, &decoded, &case.weights),
                Element::Bf16 => {
                    same("packed bf16", &name, &decoded, &case.weights.iter().map(|w| nearest_bf16(*w)).collect::<Vec<_>>());
                }
                Element::Int8 => check_weights(&name, &case, &decoded),
            }
        }
    }
}

fn check_weights(name: &str, case: &Case, decoded: &[f32]) {
    let depth = case.shape.depth;
    for (column, (weights, got)) in case.weights.chunks_exact(depth).zip(decoded.chunks_exact(depth)).enumerate() {
        let smoothed = |i: usize, w: f32| f64::from(w) / case.smoothing.get(i).map_or(1.0, |s| f64::from(*s));
        let largest = weights.iter().enumerate().fold(0.0f64, |largest, (i, w)| largest.max(smoothed(i, *w).abs()));
        let step = largest / 127.0;
        let pairs = || weights.iter().zip(got).enumerate();
        let lost: f64 = pairs().map(|(i, (w, g))| (smoothed(i, *w) - smoothed(i, *g)).powi(2)).sum();
        let by_rounding: f64 = pairs().map(|(i, (w, _))| smoothed(i, *w)).map(|w| (w - step * (w / step).round_ties_even()).powi(2)).sum();
        // f32 decides which scale is best, and rounds a weight of magnitude `largest` by up to 2^-22 of it on its way here.
        let promised = by_rounding * 1.001 + depth as f64 * (largest * 2f64.powi(-22)).powi(2);
        assert!(lost <= promised, "packed int8: {name}, column {column} {weights:?}: got {got:?}, lost {lost}, promised {promised}");
    }
}
