//! What does not fit is refused before a kernel sees it.

use crate::case::ELEMENTS;
use crate::harness::{refusal, tiers};
use hearken_kernels::{Activations, Element, Epilogue, InputRange, PackedMatrix, Packing, Team};

const PLAIN: Packing<'_> = Packing { element: Element::Int8, range: InputRange::Symmetric, smoothing: &[], shift: &[] };

fn packed(element: Element, range: InputRange, depth: usize, columns: usize) -> PackedMatrix {
    PackedMatrix::pack(&vec![1.0; depth * columns], &vec![0.0; columns], depth, Packing { element, range, ..PLAIN })
}

#[test]
fn packing_refuses_what_does_not_fit() {
    for element in ELEMENTS {
        let plain = Packing { element, ..PLAIN };
        let cases: [(&str, usize, usize, Packing<'_>, &str); 7] = [
            ("too few weights", 5, 3, plain, "lengths"),
            ("too many weights", 7, 3, plain, "lengths"),
            ("no depth", 0, 0, plain, "lengths"),
            ("short smoothing", 6, 3, Packing { smoothing: &[1.0; 2], ..plain }, "smoothing"),
            ("long smoothing", 6, 3, Packing { smoothing: &[1.0; 4], ..plain }, "smoothing"),
            ("short shift", 6, 3, Packing { shift: &[1.0; 2], ..plain }, "shift"),
            ("long shift", 6, 3, Packing { shift: &[1.0; 4], ..plain }, "shift"),
        ];
        for (what, weights, depth, packing, reason) in cases {
            let message = refusal(what, || drop(PackedMatrix::pack(&vec![1.0; weights], &[0.0; 2], depth, packing)));
            assert!(message.contains("pack") && message.contains(reason), "{what}: {message}");
        }
    }
    let deep = (1 << 16) + 1;
    let message = refusal("too deep", || drop(PackedMatrix::pack(&vec![1.0; deep], &[0.0], deep, PLAIN)));
    assert!(message.contains("overflow"), "{message}");
}

#[test]
fn conversion_refuses_a_part_of_a_row() {
    for kernels in tiers() {
        let weights = packed(Element::Int8, InputRange::Symmetric, 16, 3);
        let mut input = Activations::default();
        let message = refusal("a part of a row", || kernels.convert(&mut Team::alone(), &[0.0; 17], &weights, &mut input));
        assert!(message.contains("convert"), "{message}");
    }
}

/// Activations of another element, range, depth or number of rows, and none at all.
#[test]
fn products_refuse_what_does_not_fit() {
    let weights = packed(Element::Int8, InputRange::Symmetric, 16, 3);
    let others = [
        ("element", packed(Element::F32, InputRange::Symmetric, 16, 3)),
        ("range", packed(Element::Int8, InputRange::Positive, 16, 3)),
        ("depth of another padding", packed(Element::Int8, InputRange::Symmetric, 65, 3)),
        ("depth of the same padding", packed(Element::Int8, InputRange::Symmetric, 17, 3)),
    ];
    for kernels in tiers() {
        for (what, other) in &others {
            let mut input = Activations::default();
            kernels.convert(&mut Team::alone(), &vec![0.0; 2 * other.depth()], other, &mut input);
            let run = || kernels.product(&mut Team::alone(), &input, &weights, Epilogue::Store, &mut [0.0; 6]);
            assert!(refusal(what, run).contains("product"), "another {what}");
        }
        let mut input = Activations::default();
        let run = || kernels.product(&mut Team::alone(), &input, &weights, Epilogue::Store, &mut []);
        assert!(refusal("no activations", run).contains("product"));
        kernels.convert(&mut Team::alone(), &[0.0; 32], &weights, &mut input);
        for length in [0, 5, 7] {
            let run = || kernels.product(&mut Team::alone(), &input, &weights, Epilogue::Store, &mut vec![0.0; length]);
            assert!(refusal("another length of the result", run).contains("product"), "length {length}");
        }
    }
}
