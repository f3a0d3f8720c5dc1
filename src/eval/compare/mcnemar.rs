//! McNemar's test (1947), in its exact form: among the examples that one of two models alone gets right, is the share of either other
//! than one half?

/// The two-sided probability of a split at least as uneven as `fixed` to `broken` if both were equally likely.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of examples are far below 2^52")]
pub fn mcnemar(fixed: usize, broken: usize) -> f64 {
    let all = fixed + broken;
    // ln of the binomial coefficient, from one term to the next.
    let mut choices = 0.0f64;
    let mut tail = 0.0;
    for i in 0..=fixed.min(broken) {
        tail += (choices - all as f64 * std::f64::consts::LN_2).exp();
        choices += ((all - i) as f64).ln() - ((i + 1) as f64).ln();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!((mcnemar(0, 0), mcnemar(3, 3)), (1.0, 1.0));
        // Of 5 throws of a coin all or none are heads: 2 / 32. At most one of 6 or at least five: 2 · 7 / 64.
        assert!((mcnemar(5, 0) - 0.0625).abs() < 1e-12 && (mcnemar(1, 5) - 0.21875).abs() < 1e-12);
        assert!(mcnemar(3000, 2000) < 1e-40 && mcnemar(50_000, 50_100) > 0.7, "no overflow with many examples");
    }
}
