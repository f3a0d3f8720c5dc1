//! Words that turn a number behind them into something other than an order's.

/// What else is numbered.
pub const OTHER_NUMBERS: &[&str] = &[
    "tracking",
    "parcel",
    "carrier",
    "shipment",
    "consignment",
    "phone",
    "mobile",
    "telephone",
    "contact",
    "fax",
    "account",
    "card",
    "customer",
    "member",
    "membership",
    "loyalty",
    "invoice",
    "ticket",
    "case",
    "item",
    "model",
    "part",
    "article",
    "serial",
    "product",
    "size",
    "house",
    "flat",
    "apartment",
    "apt",
    "unit",
    "room",
    "suite",
    "box",
    "page",
    "step",
    "option",
    "question",
    "error",
    "version",
    "vat",
    "tax",
    "registration",
    "company",
    "payment",
    "transaction",
    "bank",
    "iban",
    "colour",
    "color",
];

/// After these the word `order` is a verb, and what follows is wanted, not yet ordered.
pub const VERB_LEADS: &[&str] = &[
    "to", "i", "we", "you", "they", "can", "could", "would", "will", "must", "did", "not", "don't", "didn't", "cant", "can't", "just",
    "please", "i'll", "we'll", "never", "also", "then",
];

/// Series of standards and parts that look like a shop's numbers.
pub const OTHER_SERIES: &[&str] =
    &["ISO", "EN", "DIN", "IEC", "CVE", "RFC", "UN", "RTX", "GTX", "RX", "WH", "WF", "UTF", "ASTM", "ANSI", "BS"];
