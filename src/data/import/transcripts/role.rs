//! Who speaks, by the words that exports have for it.

use crate::conversation::Role;

const CUSTOMER: &[&str] =
    &["customer", "user", "enduser", "visitor", "client", "contact", "lead", "consumer", "buyer", "caller", "requester", "guest"];
const BOT: &[&str] = &[
    "bot",
    "chatbot",
    "agentbot",
    "automatedagent",
    "virtualagent",
    "assistant",
    "aiagent",
    "system",
    "trigger",
    "custombot",
    "machine",
    "ivr",
];
const AGENT: &[&str] = &[
    "agent",
    "humanagent",
    "human",
    "admin",
    "operator",
    "support",
    "staff",
    "team",
    "teammate",
    "rep",
    "representative",
    "supervisor",
    "advisor",
];

/// The role that a word tells; letters count, case and separators do not.
#[must_use]
pub fn role(word: &str) -> Option<Role> {
    let word: String = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    [(CUSTOMER, Role::Customer), (BOT, Role::Bot), (AGENT, Role::Agent)]
        .into_iter()
        .find(|(words, _)| words.contains(&word.as_str()))
        .map(|(_, role)| role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_roles() {
        for (word, wanted) in [
            ("END_USER", Some(Role::Customer)),
            ("Visitor", Some(Role::Customer)),
            ("AUTOMATED_AGENT", Some(Role::Bot)),
            ("AgentBot", Some(Role::Bot)),
            ("human agent", Some(Role::Agent)),
            ("whoever", None),
            ("", None),
        ] {
            assert_eq!(role(word), wanted, "{word}");
        }
    }
}
