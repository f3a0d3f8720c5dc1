//! Kernels of every tier beside what the processor can do at most: multiply-adds a second of the products of a small encoder,
//! against loops of nothing but multiply-adds; and bytes a second read from the first cache to memory. `cargo bench --bench kernels`
#![expect(clippy::unwrap_used, reason = "a bench fails where it stands")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hearken_kernels::{Activations, Element, Epilogue, InputRange, Kernels, PackedMatrix, Packing, RaggedAttention, TIERS, Team, Tier};
use std::hint::black_box;

const ELEMENTS: [Element; 3] = [Element::Int8, Element::Bf16, Element::F32];

/// Name, depth, columns and last step of the four products of a layer.
const PRODUCTS: [(&str, usize, usize, Epilogue); 4] = [
    ("qkv", 384, 1152, Epilogue::Store),
    ("output", 384, 384, Epilogue::Accumulate),
    ("up", 384, 1536, Epilogue::Gelu),
    ("down", 1536, 384, Epilogue::Accumulate),
];

fn values(n: usize) -> Vec<f32> {
    (0..n).map(|i| f32::from(u16::try_from(i * 7919 % 1999).unwrap()) / 1000.0 - 1.0).collect()
}

fn packed(depth: usize, columns: usize, element: Element) -> PackedMatrix {
    let packing = Packing { element, range: InputRange::Symmetric, smoothing: &[], shift: &[] };
    PackedMatrix::pack(&values(depth * columns), &values(columns), depth, packing)
}

fn tiers() -> impl Iterator<Item = &'static Kernels> {
    TIERS.iter().filter_map(Tier::kernels)
}

fn products(criterion: &mut Criterion) {
    let mut team = Team::alone();
    for kernels in tiers() {
        for element in ELEMENTS {
            let mut group = criterion.benchmark_group(format!("product {} {}", kernels.name, element.name()));
            group.sample_size(20);
            for (name, depth, columns, epilogue) in PRODUCTS {
                let weights = packed(depth, columns, element);
                for rows in [16, 128] {
                    let mut input = Activations::default();
                    kernels.convert(&mut team, &values(rows * depth), &weights, &mut input);
                    let mut out = vec![0.0; rows * columns];
                    group.throughput(Throughput::Elements((rows * depth * columns) as u64));
                    group.bench_function(BenchmarkId::new(name, rows), |b| {
                        b.iter(|| kernels.product(&mut team, &input, &weights, epilogue, black_box(&mut out)));
                    });
                }
            }
        }
    }
}

fn rows(criterion: &mut Criterion) {
    let mut team = Team::alone();
    for kernels in tiers() {
        let mut group = criterion.benchmark_group(format!("rows {}", kernels.name));
        group.sample_size(20);
        let weights = packed(384, 384, Element::Int8);
        let x = values(128 * 384);
        let mut form = Activations::default();
        group.bench_function("quantise 128 x 384", |b| b.iter(|| kernels.convert(&mut team, &x, &weights, black_box(&mut form))));
        let (mut scratch, mut out) = (Vec::new(), vec![0.0; 128 * 384]);
        for length in [16, 128] {
            let qkv = values(length * 1152);
            let input = RaggedAttention { qkv: &qkv, starts: &[0, length], heads: 12, head_dim: 32 };
            group.bench_function(BenchmarkId::new("attention", length), |b| {
                b.iter(|| kernels.attend(&mut team, input, &mut scratch, black_box(out.get_mut(..length * 384).unwrap())));
            });
        }
    }
}

/// Loops of nothing but what is counted.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "instructions by name")]
mod limit {
    use criterion::{BenchmarkId, Criterion, Throughput};
    use std::arch::asm;
    use std::hint::black_box;

    const LOOPS: u64 = 10_000;

    /// `LOOPS` times twelve independent instructions, each `$macs` multiply-adds.
    macro_rules! peak {
        ($name:ident, $instruction:literal, $register:literal) => {
            fn $name() {
                macro_rules! twelve {
                    () => {
                        concat!(
                            peak!(@one $instruction, $register, "0"), peak!(@one $instruction, $register, "1"),
                            peak!(@one $instruction, $register, "2"), peak!(@one $instruction, $register, "3"),
                            peak!(@one $instruction, $register, "4"), peak!(@one $instruction, $register, "5"),
                            peak!(@one $instruction, $register, "6"), peak!(@one $instruction, $register, "7"),
                            peak!(@one $instruction, $register, "8"), peak!(@one $instruction, $register, "9"),
                            peak!(@one $instruction, $register, "10"), peak!(@one $instruction, $register, "11"),
                        )
                    };
                }
                // SAFETY: called only where the processor has the instruction; it changes the vector registers named.
                unsafe {
                    asm!(
                        "vpxor xmm12, xmm12, xmm12", "vpxor xmm13, xmm13, xmm13",
                        "2:", twelve!(), "dec {n}", "jnz 2b",
                        n = inout(reg) LOOPS => _,
                        out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _, out("xmm6") _,
                        out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _, out("xmm12") _, out("xmm13") _,
                        options(nomem, nostack)
                    );
                }
            }
        };
        (@one $instruction:literal, $register:literal, $number:literal) => {
            concat!($instruction, " ", $register, $number, ", ", $register, "12, ", $register, "13\n")
        };
    }

    peak!(vnni512, "vpdpbusd", "zmm");
    peak!(bf16x512, "vdpbf16ps", "zmm");
    peak!(fma512, "vfmadd231ps", "zmm");
    peak!(fma256, "vfmadd231ps", "ymm");

    struct Peak {
        name: &'static str,
        present: bool,
        multiply_adds: u64,
        run: fn(),
    }

    pub fn peaks(criterion: &mut Criterion) {
        let vnni = std::arch::is_x86_feature_detected!("avx512vnni");
        let bf16 = std::arch::is_x86_feature_detected!("avx512bf16");
        let avx512 = std::arch::is_x86_feature_detected!("avx512f");
        let fma = std::arch::is_x86_feature_detected!("fma");
        let all = [
            Peak { name: "int8, AVX-512 VNNI", present: vnni, multiply_adds: 64, run: vnni512 },
            Peak { name: "bf16, AVX-512", present: bf16, multiply_adds: 32, run: bf16x512 },
            Peak { name: "f32, AVX-512", present: avx512, multiply_adds: 16, run: fma512 },
            Peak { name: "f32, AVX2", present: fma, multiply_adds: 8, run: fma256 },
        ];
        let mut group = criterion.benchmark_group("limit multiply-adds");
        group.sample_size(20);
        for peak in all.into_iter().filter(|peak| peak.present) {
            group.throughput(Throughput::Elements(LOOPS * 12 * peak.multiply_adds));
            group.bench_function(peak.name, |b| b.iter(peak.run));
        }
    }

    /// Reads a buffer with 256-bit loads.
    pub fn reads(criterion: &mut Criterion) {
        if !std::arch::is_x86_feature_detected!("avx2") {
            return;
        }
        let mut group = criterion.benchmark_group("limit read");
        group.sample_size(20);
        for kib in [16, 512, 10_368, 131_072] {
            let bytes = kib * 1024;
            let buffer = vec![1u8; bytes];
            group.throughput(Throughput::Bytes(bytes as u64));
            group.bench_function(BenchmarkId::from_parameter(format!("{kib} KiB")), |b| {
                b.iter(|| {
                    // SAFETY: the loop reads `bytes` bytes, a multiple of 256, of the buffer; AVX2 is there.
                    unsafe {
                        asm!(
                            "2:",
                            "vmovdqu ymm0, [{p}]", "vmovdqu ymm1, [{p} + 32]", "vmovdqu ymm2, [{p} + 64]", "vmovdqu ymm3, [{p} + 96]",
                            "vmovdqu ymm0, [{p} + 128]", "vmovdqu ymm1, [{p} + 160]", "vmovdqu ymm2, [{p} + 192]", "vmovdqu ymm3, [{p} + 224]",
                            "add {p}, 256", "dec {n}", "jnz 2b",
                            p = inout(reg) black_box(buffer.as_ptr()) => _,
                            n = inout(reg) bytes / 256 => _,
                            out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _,
                            options(readonly, nostack)
                        );
                    }
                });
            });
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod limit {
    pub fn peaks(_: &mut criterion::Criterion) {}
    pub fn reads(_: &mut criterion::Criterion) {}
}

criterion_group!(benches, limit::peaks, limit::reads, products, rows);
criterion_main!(benches);
