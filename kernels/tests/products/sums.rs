//! Results against f64, and int8 against whole numbers.

use crate::case::{Case, EPILOGUES, RANGES, Shape, forms, product_of};
use crate::harness::{close, same, tiers, values};
use hearken_kernels::{Activations, Element, Epilogue, InputRange, PackedMatrix, Packing, TIERS, reference};

/// Depths around the sizes of steps, vectors and tiles in each element, and one of a model.
const DEPTHS: [usize; 10] = [1, 3, 15, 16, 17, 63, 64, 65, 100, 384];
/// Columns around the sizes of vectors and panels.
const COLUMNS: [usize; 7] = [1, 2, 63, 64, 65, 100, 130];
/// Rows around the sizes of blocks.
const ROWS: [usize; 11] = [1, 5, 16, 2, 33, 6, 17, 0, 32, 7, 40];

/// Every depth with every number of columns, and rows in turn.
fn shapes() -> impl Iterator<Item = Shape> {
    let sizes = DEPTHS.into_iter().flat_map(|depth| COLUMNS.map(|columns| (depth, columns)));
    sizes.zip(ROWS.into_iter().cycle()).map(|((depth, columns), rows)| Shape { rows, depth, columns })
}

/// The product in f64 and how far a result may be from it, `[rows, columns]`.
struct Wanted {
    sums: Vec<f64>,
    distance: Vec<f64>,
}

fn magnitudes(values: &[f32]) -> Vec<f32> {
    values.iter().map(|x| x.abs()).collect()
}

/// bf16 and f32 are within `depth * 2^-22` of the sum of the products' magnitudes, the bias among them. int8 sums are exact: four
/// roundings of the epilogue and as many of the decoded operands here remain, 2^-24 each, and `depth` of them where the shift's
/// product is added to the bias in f32.
fn wanted(case: &Case, input: &Activations) -> Wanted {
    let depth = case.shape.depth;
    let int8 = case.form.element == Element::Int8;
    let (rows, weights) = (input.decode(&case.packed), case.packed.decode());
    let shift: &[f32] = if int8 { &case.shift } else { &[] };
    let bias = reference::shifted_bias(&case.bias, shift, &case.weights, &weights);
    let large: Vec<f64> = case.bias.iter().map(|bias| f64::from(bias.abs())).collect();
    let large_rows: Vec<f32> = rows.iter().enumerate().map(|(i, x)| x.abs() + shift.get(i % depth).copied().unwrap_or(0.0).abs()).collect();
    let sums = reference::product(&rows, &weights, &bias, depth);
    let mut distance = reference::product(&large_rows, &magnitudes(&weights), &large, depth);
    if int8 {
        let of_shift = if shift.is_empty() {
            vec![0.0; case.bias.len()]
        } else {
            reference::product(&magnitudes(shift), &magnitudes(&case.weights), &vec![0.0; case.bias.len()], depth)
        };
        for (i, distance) in distance.iter_mut().enumerate() {
            *distance = *distance * 2f64.powi(-21) + of_shift[i % of_shift.len()] * depth as f64 * 2f64.powi(-24);
        }
    } else {
        for distance in &mut distance {
            *distance *= depth as f64 * 2f64.powi(-22);
        }
    }
    Wanted { sums, distance }
}

/// How far the result may be once the epilogue has been at it: GELU has a slope of at most 1.13 and its own promise, and an addition
/// rounds once.
fn distance(epilogue: Epilogue, sum: f64, distance: f64, before: f32) -> f64 {
    match epilogue {
        Epilogue::Store => distance,
        Epilogue::Gelu => 1.13 * distance + if sum.abs() > 4.2 { 1.1e-5 * sum.abs() } else { 4e-5 },
        Epilogue::Accumulate => distance + (f64::from(before).abs() + sum.abs()) * 2f64.powi(-23),
    }
}

#[test]
fn results_are_those_of_f64() {
    let tiers = tiers();
    for shape in shapes() {
        for form in forms() {
            let case = Case::new(shape, form);
            let before = case.before();
            let wanted = wanted(&case, &case.convert(tiers[0]));
            for kernels in &tiers {
                same(
                    "decoded rows",
                    &case.name(kernels),
                    &case.convert(kernels).decode(&case.packed),
                    &case.convert(tiers[0]).decode(&case.packed),
                );
                for epilogue in EPILOGUES {
                    let finished: Vec<f64> =
                        wanted.sums.iter().zip(&before).map(|(sum, before)| reference::finish(epilogue, *sum, *before)).collect();
                    let promise = |i: usize| distance(epilogue, wanted.sums[i], wanted.distance[i], before[i]);
                    close(&format!("product, {epilogue:?}"), &case.name(kernels), &case.run(kernels, epilogue), &finished, promise);
                }
            }
        }
    }
}

/// An epilogue takes the very values that `Store` gives.
#[test]
fn epilogues_finish_what_is_stored() {
    for kernels in tiers() {
        for form in forms() {
            let case = Case::new(Shape { rows: 9, depth: 65, columns: 100 }, form);
            let stored = case.run(kernels, Epilogue::Store);
            let added: Vec<f32> = case.before().iter().zip(&stored).map(|(before, x)| before + x).collect();
            same("Accumulate adds", &case.name(kernels), &case.run(kernels, Epilogue::Accumulate), &added);
            let mut gelu = stored;
            kernels.quick_gelu(&mut gelu);
            same("Gelu is quick_gelu", &case.name(kernels), &case.run(kernels, Epilogue::Gelu), &gelu);
        }
    }
}

#[test]
fn int8_is_the_same_in_every_tier() {
    let plain = TIERS[0].kernels().unwrap();
    for kernels in tiers() {
        for shape in shapes() {
            for form in forms().into_iter().filter(|form| form.element == Element::Int8) {
                let case = Case::new(shape, form);
                same(
                    "int8 here and in plain Rust",
                    &case.name(kernels),
                    &case.run(kernels, Epilogue::Store),
                    &case.run(plain, Epilogue::Store),
                );
            }
        }
    }
}

/// Whole numbers up to `largest`, which begins every row so that its scale is one.
fn whole_numbers(seed: u64, rows: usize, depth: usize, least: i32, largest: i32) -> Vec<i32> {
    let number = |x: f32| least + (f64::from(x).mul_add(0.5, 0.5) * f64::from(largest - least + 1)) as i32;
    let mut numbers: Vec<i32> = values(seed, rows * depth, 1.0).into_iter().map(|x| number(x).min(largest)).collect();
    numbers.iter_mut().step_by(depth).for_each(|first| *first = largest);
    numbers
}

fn floats(numbers: &[i32]) -> Vec<f32> {
    numbers.iter().map(|&n| n as f32).collect()
}

/// Operands that are whole numbers with scales of one: the result is the exact sum, rounded once.
#[test]
fn int8_sums_are_exact() {
    for kernels in tiers() {
        for range in RANGES {
            for Shape { rows, depth, columns } in shapes() {
                let (least, largest) = if range == InputRange::Positive { (0, 255) } else { (-127, 127) };
                let input = whole_numbers(depth as u64, rows, depth, least, largest);
                let weights = whole_numbers(columns as u64 + 7, columns, depth, -127, 127);
                let packing = Packing { element: Element::Int8, range, smoothing: &[], shift: &[] };
                let packed = PackedMatrix::pack(&floats(&weights), &vec![0.0; columns], depth, packing);
                same("weights of whole numbers", kernels.name, &packed.decode(), &floats(&weights));
                let wanted: Vec<f32> = reference::integer_product(&input, &weights, depth).into_iter().map(|sum| sum as f32).collect();
                let what = format!("{} {range:?} rows={rows} depth={depth} columns={columns}", kernels.name);
                let got = product_of(kernels, &floats(&input), &packed, Epilogue::Store);
                // An exact zero may have either sign.
                assert_eq!(got.len(), wanted.len());
                for (i, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
                    assert!(got == wanted, "int8 product: {what}, element {i}: got {got}, wanted {wanted}, distance {}", got - wanted);
                }
            }
        }
    }
}

/// The deepest product of the largest operands stays within i32.
#[test]
fn int8_sums_do_not_overflow() {
    const DEEPEST: usize = 1 << 16;
    for kernels in tiers() {
        for range in RANGES {
            for sign in [1.0, -1.0] {
                let packing = Packing { element: Element::Int8, range, smoothing: &[], shift: &[] };
                let packed = PackedMatrix::pack(&vec![127.0 * sign; DEEPEST], &[0.0], DEEPEST, packing);
                let largest = if range == InputRange::Positive { 255.0 } else { 127.0 };
                let got = product_of(kernels, &vec![largest; DEEPEST], &packed, Epilogue::Store);
                assert_eq!(got, [largest * 127.0 * sign * DEEPEST as f32], "{} {range:?} sign={sign}", kernels.name);
            }
        }
    }
}
