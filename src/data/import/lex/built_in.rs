//! Words for the slot types that Lex brings along, which an archive has no values of.

/// Slot type → words.
const WORDS: [(&str, &[&str]); 17] = [
    ("AMAZON.AlphaNumeric", &["A10293", "KX20418", "B7731", "QZ4402"]),
    ("AMAZON.City", &["Hamburg", "Lisbon", "Denver", "Osaka"]),
    ("AMAZON.Confirmation", &["yes", "no", "sure", "rather not"]),
    ("AMAZON.Country", &["Germany", "Portugal", "Canada", "Japan"]),
    ("AMAZON.Date", &["tomorrow", "next Friday", "the 3rd of May", "2026-04-18"]),
    ("AMAZON.Duration", &["two hours", "a week", "45 minutes", "three days"]),
    ("AMAZON.EmailAddress", &["jo@example.com", "m.silva@example.org", "kim@example.net", "office@example.com"]),
    ("AMAZON.FirstName", &["Ana", "Jonas", "Mei", "Omar"]),
    ("AMAZON.FreeFormInput", &["the blue one", "as soon as possible", "it does not fit", "two of them"]),
    ("AMAZON.LastName", &["Silva", "Becker", "Tanaka", "Haddad"]),
    ("AMAZON.Number", &["two", "5", "12", "forty"]),
    ("AMAZON.Percentage", &["10%", "half a percent", "25 percent", "5 %"]),
    ("AMAZON.PhoneNumber", &["+1 555 0100", "020 7946 0018", "555-0142", "+49 30 901820"]),
    ("AMAZON.State", &["Texas", "Oregon", "Bavaria", "Ontario"]),
    ("AMAZON.StreetName", &["Main Street", "Park Lane", "Elm Road", "High Street"]),
    ("AMAZON.Time", &["noon", "5 pm", "half past nine", "18:30"]),
    ("AMAZON.UKPostalCode", &["SW1A 1AA", "M1 1AE", "EC1A 1BB", "B33 8TH"]),
];

/// The words of a type; none where it is unknown.
pub fn words(kind: &str) -> &'static [&'static str] {
    WORDS.iter().find(|(name, _)| *name == kind).map_or(&[], |(_, words)| words)
}
