//! Made-up values for placeholders.

use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

/// Placeholder as a label → values. In a value, `#` is a digit and `@` a capital letter.
const VALUES: [(&str, &[&str]); 30] = [
    ("order_number", &["########", "@@#####", "#####-####", "ORD-#####", "###########"]),
    ("invoice_number", &["INV-#####", "#######", "@###-####", "2026-####"]),
    ("delivery_city", &["Hamburg", "Lisbon", "Denver", "Osaka", "Leeds", "Montreal"]),
    ("delivery_country", &["Germany", "Portugal", "Canada", "Japan", "the UK", "Mexico"]),
    ("client_first_name", &["Ana", "Jonas", "Mei", "Omar", "Ruth", "Pedro"]),
    ("client_last_name", &["Silva", "Becker", "Tanaka", "Haddad", "Moore", "Novak"]),
    ("person_name", &["Ana Silva", "Jonas Becker", "Mei Tanaka", "Omar Haddad", "Ruth Moore"]),
    ("salutation", &["Mr", "Ms", "Mrs", "Dr"]),
    ("refund_amount", &["$##", "##.## dollars", "$###", "€##.##", "## pounds"]),
    ("money_amount", &["$##", "##.## dollars", "$###", "€##.##", "## pounds"]),
    ("currency_symbol", &["$", "€", "£"]),
    ("account_type", &["premium", "free", "pro", "gold", "standard", "platinum"]),
    ("account_category", &["premium", "free", "pro", "gold", "standard", "platinum"]),
    ("account_change", &["upgrade", "downgrade", "switch"]),
    ("upgrade_account", &["premium", "pro", "gold", "platinum"]),
    ("profile_type", &["personal", "business", "family"]),
    ("program", &["rewards program", "loyalty club", "bonus scheme"]),
    ("date", &["3 May", "last Tuesday", "12/04/2026", "yesterday", "June 9"]),
    ("date_range", &["1 to 7 May", "last week", "the past three days", "from Monday to Friday"]),
    ("shipping_cut_off_time", &["3 pm", "noon", "17:30", "6 o'clock"]),
    ("store_location", &["the Elm Road shop", "the shop at the station", "your High Street store"]),
    ("customer_support_phone_number", &["+1 555 01##", "555-01##", "020 7946 00##"]),
    ("customer_support_email", &["help@example.com", "support@example.org", "service@example.net"]),
    ("website_url", &["www.example.com", "shop.example.org", "example.net/help"]),
    ("live_chat_support", &["live chat", "the chat window", "online chat"]),
    ("online_customer_support_channel", &["live chat", "the help page", "e-mail"]),
    ("online_order_interaction", &["my orders", "order history", "purchase list"]),
    ("online_payment_interaction", &["checkout", "payment methods", "billing"]),
    ("online_company_portal_info", &["customer portal", "my account page", "website"]),
    ("settings", &["account settings", "preferences", "privacy settings"]),
];

/// A value for a placeholder; its own words in lower case where the placeholder is not known.
pub(super) fn value(label: &str, name: &str, random: &mut ChaCha8Rng) -> String {
    let known = VALUES.iter().find(|(known, _)| *known == label);
    let Some(form) = known.and_then(|(_, forms)| forms.choose(random)) else { return name.to_lowercase() };
    let mut first = true;
    let letters = form.chars().map(|c| match c {
        // No number begins with a zero, which some would write and others leave out.
        '#' if std::mem::take(&mut first) => char::from(random.random_range(b'1'..=b'9')),
        '#' => char::from(random.random_range(b'0'..=b'9')),
        '@' => char::from(random.random_range(b'A'..=b'Z')),
        other => other,
    });
    letters.collect()
}
