//! International bank account numbers (ISO 13616): of the length and structure of their country, with right check digits.

use super::runs::{Shape, runs};
use super::{Key, Kind, bare};
use crate::patterns::ValueContext;
use crate::text::Span;
use iban::Iban;

/// `DE89 3704 0044 0532 0130 00`; a pseudonym keeps the country, the groups and right check digits.
pub struct BankAccount;

/// ISO 13616: 34 characters at most; the shortest in use, Norway's, has 15.
const SHAPE: Shape = Shape { head: |c| c.is_ascii_alphabetic(), member: |c| c.is_ascii_alphanumeric(), longest: 34, is: is_account };
const SHORTEST: usize = 15;

impl Kind for BankAccount {
    fn name(&self) -> &'static str {
        "IBAN"
    }

    fn labels(&self) -> &'static [&'static str] {
        &["iban"]
    }

    fn find(&self, text: &str, _context: &ValueContext) -> Vec<Span> {
        runs(text, &SHAPE)
    }

    fn pseudonym(&self, surface: &str, key: &Key) -> String {
        let account = bare(surface).to_uppercase();
        let mut dice = key.dice(self.name(), &account);
        let (country, rest) = (account.get(..2).unwrap_or_default(), account.get(4..).unwrap_or_default());
        let rest: String = rest.chars().map(|c| dice.like(c)).collect();
        // ISO 7064, MOD 97-10: 98 less the remainder of the account with 00 in place of the check digits.
        let check = 98 - remainder(&format!("{rest}{country}00")).min(97);
        let drawn = format!("{country}{check:02}{rest}");
        let mut drawn = drawn.chars();
        surface.chars().map(|c| if c.is_alphanumeric() { drawn.next().unwrap_or(c) } else { c }).collect()
    }
}

fn is_account(compact: &str) -> bool {
    compact.len() >= SHORTEST && compact.to_uppercase().parse::<Iban>().is_ok()
}

/// The number modulo 97, letters read as 10 to 35.
fn remainder(account: &str) -> u32 {
    account
        .chars()
        .filter_map(|c| c.to_digit(36))
        .fold(0, |rest, digit| if digit < 10 { (rest * 10 + digit) % 97 } else { (rest * 100 + digit) % 97 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        BankAccount.find(text, &ValueContext { now: None, region: None }).iter().map(|span| span.slice(text)).collect()
    }

    #[test]
    fn accounts_end_where_the_sentence_goes_on() {
        for (text, wanted) in [
            ("DE89 3704 0044 0532 0130 00 asap", vec!["DE89 3704 0044 0532 0130 00"]),
            ("iban gb82west12345698765432.", vec!["gb82west12345698765432"]),
            ("NL91 ABNA 0417 1643 00 is mine", vec!["NL91 ABNA 0417 1643 00"]),
            ("DE88 3704 0044 0532 0130 00", vec![]),
            ("RR123456785GB and AB12 sentences follow here", vec![]),
        ] {
            assert_eq!(found(text), wanted, "{text}");
        }
    }

    #[test]
    fn the_remainder_is_that_of_the_standard() {
        assert_eq!(remainder("3214282912345698765432161182"), 1, "GB82 WEST 1234 5698 7654 32, letters as numbers");
        assert_eq!(remainder("WEST12345698765432GB82"), 1);
    }
}
