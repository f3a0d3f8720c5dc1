//! A row's result depends on that row alone: not on how many others there are, what they hold, what was there before, or how many
//! cores work.

use crate::case::{Case, ELEMENTS, Form, RANGES, Shape, forms, product_of};
use crate::harness::{close, same, tiers};
use hearken_kernels::{Activations, Element, Epilogue, InputRange, Kernels, PackedMatrix, Packing, Team, reference};

const MOST: usize = 40;

/// NaN in both signs, one whose every bit is set, and both infinities.
const NOT_FINITE: [f32; 5] = [f32::NAN, -f32::NAN, f32::from_bits(u32::MAX), f32::INFINITY, f32::NEG_INFINITY];

#[test]
fn any_number_of_rows() {
    for kernels in tiers() {
        for form in forms().into_iter().filter(|form| form.smoothed == form.shifted) {
            let case = Case::new(Shape { rows: MOST, depth: 17, columns: 65 }, form);
            let Shape { depth, columns, .. } = case.shape;
            let together = product_of(kernels, &case.values, &case.packed, Epilogue::Store);
            for rows in 0..=MOST {
                let first = product_of(kernels, &case.values[..rows * depth], &case.packed, Epilogue::Store);
                same(&format!("the first {rows} rows"), &case.name(kernels), &first, &together[..rows * columns]);
            }
            for (row, (values, wanted)) in case.values.chunks_exact(depth).zip(together.chunks_exact(columns)).enumerate() {
                let alone = product_of(kernels, values, &case.packed, Epilogue::Store);
                same(&format!("row {row} alone"), &case.name(kernels), &alone, wanted);
            }
        }
    }
}

/// Whatever a row holds that is no number, the others do not see it.
#[test]
fn a_row_that_is_no_number() {
    for kernels in tiers() {
        for form in forms() {
            let mut case = Case::new(Shape { rows: 19, depth: 65, columns: 100 }, form);
            let Shape { depth, columns, .. } = case.shape;
            let before = case.run(kernels, Epilogue::Store);
            for not_finite in NOT_FINITE {
                for row in [0, 5, 18] {
                    let kept = case.values[row * depth..][..depth].to_vec();
                    case.values[row * depth + 3] = not_finite;
                    case.values[row * depth + 64] = not_finite;
                    let got = case.run(kernels, Epilogue::Store);
                    case.values[row * depth..][..depth].copy_from_slice(&kept);
                    let what = format!("rows beside row {row} with {not_finite}");
                    let (above, below) = (row * columns, (row + 1) * columns);
                    same(&what, &case.name(kernels), &got[..above], &before[..above]);
                    same(&what, &case.name(kernels), &got[below..], &before[below..]);
                }
            }
        }
    }
}

/// What the same activations held before, of whatever depth and form, is forgotten.
#[test]
fn activations_are_used_again() {
    for kernels in tiers() {
        for element in ELEMENTS {
            for depth in [15, 16, 17, 31, 32, 63, 64, 65] {
                for range in RANGES {
                    let form = Form { element, range, smoothed: false, shifted: false };
                    let case = Case::new(Shape { rows: 3, depth, columns: 65 }, form);
                    let wanted = case.run(kernels, Epilogue::Store);
                    for depth_before in [depth, depth + 1, depth + 16] {
                        let mut input = Activations::default();
                        let packing = Packing { element, range, smoothing: &[], shift: &[] };
                        let other = PackedMatrix::pack(&vec![1.0; depth_before], &[0.0], depth_before, packing);
                        kernels.convert(&mut Team::alone(), &vec![f32::NAN; MOST * depth_before], &other, &mut input);
                        kernels.convert(&mut Team::alone(), &case.values, &case.packed, &mut input);
                        let mut out = case.before();
                        kernels.product(&mut Team::alone(), &input, &case.packed, Epilogue::Store, &mut out);
                        same(&format!("after NaN of depth {depth_before}"), &case.name(kernels), &out, &wanted);
                    }
                }
            }
        }
    }
}

fn by_a_team(kernels: &Kernels, team: &mut Team, case: &Case, epilogue: Epilogue) -> Vec<f32> {
    let mut input = Activations::default();
    kernels.convert(team, &case.values, &case.packed, &mut input);
    let mut out = case.before();
    kernels.product(team, &input, &case.packed, epilogue, &mut out);
    out
}

#[test]
fn teams_give_the_bits_of_one() {
    for members in [2, 3] {
        let mut team = Team::of(members).unwrap();
        assert_eq!(team.members(), members);
        for kernels in tiers() {
            for form in forms().into_iter().filter(|form| form.smoothed == form.shifted) {
                for (rows, columns) in [(0, 65), (1, 1), (3, 65), (9, 130), (33, 300)] {
                    let case = Case::new(Shape { rows, depth: 100, columns }, form);
                    for epilogue in [Epilogue::Store, Epilogue::Accumulate] {
                        let got = by_a_team(kernels, &mut team, &case, epilogue);
                        same(&format!("a team of {members}"), &case.name(kernels), &got, &case.run(kernels, epilogue));
                    }
                }
            }
        }
    }
}

/// A row of zeros is exactly the bias.
#[test]
fn rows_of_zeros_are_the_bias() {
    for kernels in tiers() {
        for element in ELEMENTS {
            for range in RANGES {
                let form = Form { element, range, smoothed: element == Element::Int8, shifted: false };
                let case = Case::new(Shape { rows: 3, depth: 17, columns: 65 }, form);
                let got = product_of(kernels, &[0.0; 3 * 17], &case.packed, Epilogue::Store);
                let wanted: Vec<f64> = case.bias.iter().map(|bias| f64::from(*bias)).cycle().take(3 * 65).collect();
                close("zeros", &case.name(kernels), &got, &wanted, |_| 0.0);
            }
        }
    }
}

/// The rows that are as large as rows can be, and as small.
#[test]
fn rows_at_the_ends_of_f32() {
    let form = |range| Form { element: Element::Int8, range, smoothed: false, shifted: false };
    for kernels in tiers() {
        for range in [InputRange::Symmetric, InputRange::Positive] {
            let case = Case::new(Shape { rows: 1, depth: 17, columns: 65 }, form(range));
            for scale in [f32::MAX / 32.0, 1e30, 1e-20, 1e-30] {
                let values: Vec<f32> = case.values.iter().map(|x| x * scale).collect();
                let mut input = Activations::default();
                kernels.convert(&mut Team::alone(), &values, &case.packed, &mut input);
                let bias = vec![0.0; 65];
                let wanted = reference::product(&input.decode(&case.packed), &case.packed.decode(), &bias, 17);
                let largest = wanted.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
                let packing = Packing { element: Element::Int8, range, smoothing: &[], shift: &[] };
                let unbiased = PackedMatrix::pack(&case.weights, &[0.0; 65], 17, packing);
                let got = product_of(kernels, &values, &unbiased, Epilogue::Store);
                close(&format!("values times {scale}"), &case.name(kernels), &got, &wanted, |_| 1e-5 * largest);
            }
        }
    }
}
