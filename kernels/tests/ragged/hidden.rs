//! `Kernels::embed` and `Kernels::normalise`: rows of hidden states.

use crate::harness::{close, refusal, same, tiers, values};
use hearken_kernels::{Gather, Kernels, LayerNorm, Team, reference};

/// 3 vectors of 16 and one more, and a width of models.
fn widths() -> impl Iterator<Item = usize> {
    (1..=49).chain([384])
}

/// Numbers of rows around those that a team takes at once (4).
const ROWS: [usize; 6] = [0, 1, 3, 4, 5, 13];

/// Bits of finite half-precision numbers of unit scale: any sign and fraction, exponents 2^-6 to 2^0.
fn halves(seed: u64, n: usize) -> Vec<u16> {
    values(seed, n, 1.0)
        .iter()
        .map(|x| {
            let bits = x.to_bits();
            (bits >> 31 << 15 | (9 + (bits >> 8) % 7) << 10 | bits >> 13 & 1023) as u16
        })
        .collect()
}

fn indices(seed: u64, n: usize, below: usize) -> Vec<u32> {
    values(seed, n, 1.0).iter().map(|x| (x.to_bits() >> 4) % below as u32).collect()
}

/// Tables, what to gather and how to normalise it.
struct Case {
    words: Vec<u16>,
    positions: Vec<u16>,
    segments: Vec<u16>,
    ids: Vec<u32>,
    places: Vec<u32>,
    kinds: Vec<u32>,
    gamma: Vec<f32>,
    beta: Vec<f32>,
}

const WORDS: usize = 50;
const POSITIONS: usize = 20;
const SEGMENTS: usize = 2;

impl Case {
    fn new(rows: usize, hidden: usize) -> Self {
        Self {
            words: halves(1, WORDS * hidden),
            positions: halves(2, POSITIONS * hidden),
            segments: halves(3, SEGMENTS * hidden),
            ids: indices(4, rows, WORDS),
            places: indices(5, rows, POSITIONS),
            kinds: indices(6, rows, SEGMENTS),
            gamma: values(7, hidden, 1.5),
            beta: values(8, hidden, 1.0),
        }
    }

    fn gather(&self) -> Gather<'_> {
        let Self { words, positions, segments, ids, places, kinds, .. } = self;
        Gather { words, positions, segments, ids, places, kinds }
    }

    fn norm(&self) -> LayerNorm<'_> {
        LayerNorm { gamma: &self.gamma, beta: &self.beta, epsilon: 1e-3 }
    }

    fn embed(&self, kernels: &Kernels, team: &mut Team) -> Vec<f32> {
        let mut out = vec![f32::NAN; self.ids.len() * self.gamma.len()];
        kernels.embed(team, self.gather(), self.norm(), &mut out);
        out
    }
}

#[test]
fn embedding() {
    let mut teams = [2, 3].map(|members| Team::of(members).unwrap());
    for kernels in tiers() {
        for hidden in widths() {
            for rows in ROWS {
                let case = Case::new(rows, hidden);
                let input = format!("{} rows={rows} hidden={hidden}", kernels.name);
                let out = case.embed(kernels, &mut Team::alone());
                close("embed", &input, &out, &reference::embed(case.gather(), case.norm()), |_| 2e-5);
                for team in &mut teams {
                    same("embed by a team", &input, &case.embed(kernels, team), &out);
                }
            }
        }
    }
}

/// Every finite half-precision number. A row holds the number and its negative, so that its mean is zero; epsilon is the square of
/// what the exponent reaches up to, so that the result is about half the number and shows each of its bits: neighbours are
/// at least 1.7e-4 apart.
#[test]
fn every_finite_half_is_decoded() {
    let ids: Vec<u32> = (0..2048).collect();
    let norm = |epsilon| LayerNorm { gamma: &[1.0, 1.0], beta: &[0.0, 0.0], epsilon };
    for kernels in tiers() {
        for exponent in 0..31u16 {
            let bits = |i: u32| (i as u16 & 1023) | exponent << 10 | (i as u16 >> 10) << 15;
            let words: Vec<u16> = ids.iter().flat_map(|&i| [bits(i), bits(i) ^ 0x8000]).collect();
            let zeros = vec![0; ids.len()];
            let gather =
                Gather { words: &words, positions: &[0, 0x8000], segments: &[0x8000, 0], ids: &ids, places: &zeros, kinds: &zeros };
            let norm = norm(2f32.powi(2 * (i32::from(exponent.max(1)) - 14)));
            let mut out = vec![0.0; words.len()];
            kernels.embed(&mut Team::alone(), gather, norm, &mut out);
            close("half", &format!("{} exponent bits {exponent}", kernels.name), &out, &reference::embed(gather, norm), |_| 2e-5);
        }
    }
}

#[test]
fn normalising_in_place() {
    let mut teams = [2, 3].map(|members| Team::of(members).unwrap());
    for kernels in tiers() {
        for hidden in widths() {
            for rows in ROWS {
                let x = values(hidden as u64, rows * hidden, 2.0);
                let (gamma, beta) = (values(3, hidden, 1.5), values(4, hidden, 1.0));
                let norm = LayerNorm { gamma: &gamma, beta: &beta, epsilon: 1e-3 };
                let input = format!("{} rows={rows} hidden={hidden}", kernels.name);
                let mut out = x.clone();
                kernels.normalise(&mut Team::alone(), norm, &mut out);
                close("normalise", &input, &out, &reference::layer_norm(&x, norm), |_| 2e-5);
                for team in &mut teams {
                    let mut by_team = x.clone();
                    kernels.normalise(team, norm, &mut by_team);
                    same("normalise by a team", &input, &by_team, &out);
                }
                let mut alone = x.clone();
                alone.chunks_exact_mut(hidden).for_each(|row| kernels.normalise(&mut Team::alone(), norm, row));
                same("rows alone", &input, &alone, &out);
            }
        }
    }
}

/// A row that is no number stays by itself.
#[test]
fn a_row_that_is_no_number() {
    for kernels in tiers() {
        let (gamma, beta) = (values(3, 33, 1.5), values(4, 33, 1.0));
        let norm = LayerNorm { gamma: &gamma, beta: &beta, epsilon: 1e-12 };
        let mut wanted = values(1, 9 * 33, 2.0);
        let mut got = wanted.clone();
        got[4 * 33 + 7] = f32::NAN;
        kernels.normalise(&mut Team::alone(), norm, &mut wanted);
        kernels.normalise(&mut Team::alone(), norm, &mut got);
        same("rows before", kernels.name, &got[..4 * 33], &wanted[..4 * 33]);
        same("rows behind", kernels.name, &got[5 * 33..], &wanted[5 * 33..]);
    }
}

/// An index beyond its table, in each of the three, by one row and by far.
#[test]
fn embedding_refuses_an_index_beyond_its_table() {
    for kernels in tiers() {
        for beyond in [0, 1, u32::MAX - 50] {
            for table in 0..3 {
                let mut case = Case::new(5, 17);
                let (indices, rows) =
                    [(&mut case.ids, WORDS), (&mut case.places, POSITIONS), (&mut case.kinds, SEGMENTS)].into_iter().nth(table).unwrap();
                indices[4] = rows as u32 - 1;
                case.embed(kernels, &mut Team::alone());
                let indices = [&mut case.ids, &mut case.places, &mut case.kinds].into_iter().nth(table).unwrap();
                indices[4] = rows as u32 + beyond;
                let message = refusal("an index beyond its table", || drop(case.embed(kernels, &mut Team::alone())));
                assert!(message.contains(&format!("beyond its table of {rows} rows")), "{message}");
            }
        }
        // A table that ends within a row has one row less.
        let mut case = Case::new(5, 17);
        case.ids[4] = WORDS as u32 - 1;
        case.words.pop();
        let message = refusal("a row that is not whole", || drop(case.embed(kernels, &mut Team::alone())));
        assert!(message.contains("beyond its table"), "{message}");
    }
}

#[test]
fn hidden_states_refuse_what_does_not_fit() {
    for kernels in tiers() {
        let case = Case::new(5, 17);
        let whole = case.gather();
        let short_beta = LayerNorm { beta: &case.beta[1..], ..case.norm() };
        let empty = LayerNorm { gamma: &[], beta: &[], epsilon: 1e-3 };
        let cases = [
            ("short places", Gather { places: &case.places[1..], ..whole }, case.norm(), 5 * 17),
            ("short kinds", Gather { kinds: &case.kinds[1..], ..whole }, case.norm(), 5 * 17),
            ("a short result", whole, case.norm(), 5 * 17 - 1),
            ("a long result", whole, case.norm(), 5 * 17 + 1),
            ("a short beta", whole, short_beta, 5 * 17),
            ("no width", whole, empty, 0),
        ];
        for (what, gather, norm, length) in cases {
            let message = refusal(what, || kernels.embed(&mut Team::alone(), gather, norm, &mut vec![0.0; length]));
            assert!(message.contains("embed") || message.contains("layer-norm"), "{what}: {message}");
        }
        for (what, norm, length) in [("a part of a row", case.norm(), 18), ("a short beta", short_beta, 17), ("no width", empty, 17)] {
            let message = refusal(what, || kernels.normalise(&mut Team::alone(), norm, &mut vec![0.0; length]));
            assert!(message.contains("normalise") || message.contains("layer-norm"), "{what}: {message}");
        }
    }
}
