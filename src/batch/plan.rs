//! Which of the waiting messages go next: a pure function of the queue and the limits.

use super::BatchLimits;

/// How many messages from the front of the queue make the next batch, by their token counts. At least one when there is one, so
/// that nothing waits for ever; in the order of arrival, so that nothing is overtaken.
#[must_use]
pub fn plan(tokens: impl IntoIterator<Item = usize>, limits: BatchLimits) -> usize {
    let mut total = 0;
    let fits = tokens.into_iter().take(limits.rows.max(1)).take_while(|tokens| {
        let first = total == 0;
        total += tokens;
        first || total <= limits.tokens
    });
    fits.count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_batch_keeps_the_limits_and_is_never_empty(tokens in prop::collection::vec(1usize..200, 0..40), rows in 1usize..16, most in 1usize..400) {
            let n = plan(tokens.iter().copied(), BatchLimits { rows, tokens: most });
            prop_assert!(n <= rows && n <= tokens.len());
            prop_assert_eq!(n == 0, tokens.is_empty());
            prop_assert!(n <= 1 || tokens.iter().take(n).sum::<usize>() <= most);
            if n < tokens.len() && n < rows {
                prop_assert!(tokens.iter().take(n + 1).sum::<usize>() > most, "one more would have fitted");
            }
        }
    }
}
