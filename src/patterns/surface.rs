//! A surface as the readers of values want it: compatibility characters folded, one kind of space, dash and apostrophe.

use unicode_normalization::UnicodeNormalization;

/// The surface in NFKC with plain spaces, hyphens and apostrophes, trimmed; letters keep their case.
#[must_use]
pub fn plain(surface: &str) -> String {
    let mut out = String::with_capacity(surface.len());
    for c in surface.nfkc() {
        let c = match c {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            '\u{2018}' | '\u{2019}' => '\'',
            c if c.is_whitespace() => ' ',
            c => c,
        };
        let repeated = c == ' ' && out.ends_with(' ');
        if !repeated {
            out.push(c);
        }
    }
    out.trim().to_owned()
}

/// [`plain`], in lower case.
#[must_use]
pub fn folded(surface: &str) -> String {
    plain(surface).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_become_one() {
        assert_eq!(plain(" 1\u{a0}299,00\u{202f}\u{20ac} "), "1 299,00 \u{20ac}");
        assert_eq!(plain("\u{ff21}\u{2011}1"), "A-1");
        assert_eq!(folded("New  Year\u{2019}s"), "new year's");
    }
}
