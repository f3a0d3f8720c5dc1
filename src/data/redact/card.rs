//! Numbers of payment cards (ISO/IEC 7812): 13 to 19 digits of a known issuer whose check digit is right.

use super::runs::{Shape, runs};
use super::{Key, Kind, bare};
use crate::patterns::ValueContext;
use crate::text::Span;

/// `4111 1111 1111 1111`; a pseudonym keeps the first digit, the groups and a right check digit.
pub struct Card;

const SHAPE: Shape = Shape { head: |c| c.is_ascii_digit(), member: |c| c.is_ascii_digit(), longest: 19, is: is_card };

/// First and last issuer number of a range, as written at the head of a card's number, and the lengths it has.
const ISSUERS: &[(&str, &str, std::ops::RangeInclusive<usize>)] = &[
    ("4", "4", 13..=19),       // Visa
    ("51", "55", 16..=16),     // Mastercard
    ("2221", "2720", 16..=16), // Mastercard
    ("34", "34", 15..=15),     // American Express
    ("37", "37", 15..=15),     // American Express
    ("300", "305", 14..=19),   // Diners Club
    ("36", "36", 14..=19),     // Diners Club
    ("38", "39", 14..=19),     // Diners Club
    ("3528", "3589", 16..=19), // JCB
    ("50", "50", 13..=19),     // Maestro
    ("56", "69", 13..=19),     // Maestro, Discover, UnionPay
];

impl Kind for Card {
    fn name(&self) -> &'static str {
        "CARD"
    }

    fn labels(&self) -> &'static [&'static str] {
        &["card_number"]
    }

    fn find(&self, text: &str, _context: &ValueContext) -> Vec<Span> {
        runs(text, &SHAPE)
    }

    fn pseudonym(&self, surface: &str, key: &Key) -> String {
        let digits = bare(surface);
        let mut dice = key.dice(self.name(), &digits);
        let mut drawn: Vec<char> = digits.chars().enumerate().map(|(i, c)| if i == 0 { c } else { dice.like(c) }).collect();
        if drawn.pop().is_some() {
            let check = ('0'..='9').find(|check| luhn(&drawn.iter().chain([check]).collect::<String>()));
            drawn.extend(check);
        }
        let mut drawn = drawn.into_iter();
        surface.chars().map(|c| if c.is_alphanumeric() { drawn.next().unwrap_or(c) } else { c }).collect()
    }
}

fn is_card(digits: &str) -> bool {
    let issued = |(first, last, lengths): &(&str, &str, std::ops::RangeInclusive<usize>)| {
        let head = digits.get(..first.len()).unwrap_or_default();
        lengths.contains(&digits.len()) && (*first..=*last).contains(&head)
    };
    ISSUERS.iter().any(issued) && luhn(digits)
}

/// ISO/IEC 7812-1, annex B: every second digit from the right doubled, the digits of all sum to a multiple of ten.
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .enumerate()
        .map(|(i, c)| {
            let digit = c.to_digit(10).unwrap_or_default();
            if i % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        Card.find(text, &ValueContext { now: None, region: None }).iter().map(|span| span.slice(text)).collect()
    }

    #[test]
    fn issuers_numbers_for_tests_are_found() {
        for number in
            ["4242424242424242", "5555-5555-5555-4444", "3782 822463 10005", "2223003122003222", "6011000990139424", "3056930009020004"]
        {
            assert_eq!(found(&format!("it is {number}, thanks")), [number]);
        }
    }

    #[test]
    fn what_follows_is_not_of_the_card() {
        assert_eq!(found("4111 1111 1111 1111 12/25 cvc 737"), ["4111 1111 1111 1111"]);
        assert_eq!(found("2 5555555555554444 9"), ["5555555555554444"]);
    }

    #[test]
    fn a_wrong_check_digit_or_an_unknown_issuer_is_no_card() {
        for text in ["4242424242424243", "1234567812345670", "order 9999888877776666", "x4242424242424242", "42424242424242424242424"] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
