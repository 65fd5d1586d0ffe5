//! Lists of names, as people write them.

use entity::value::Strings;

use crate::domain::client::ClientRule;

/// The names of a comma-separated list.
pub(super) fn split(list: &str) -> Vec<String> {
    tidy(list.split(','))
}

/// Without spaces around them, without blanks, each once.
pub(super) fn tidy<T: AsRef<str>>(names: impl Iterator<Item = T>) -> Vec<String> {
    let mut tidied: Vec<String> = Vec::new();
    for name in names {
        let name = name.as_ref().trim();
        if !name.is_empty() && !tidied.iter().any(|known| known == name) {
            tidied.push(name.to_owned());
        }
    }
    tidied
}

/// Rules about clients, ready to be held against them.
pub(super) fn client_rules(rules: &Strings) -> Vec<ClientRule> {
    let rules = tidy(rules.0.iter());
    rules.iter().map(|rule| ClientRule::new(rule)).collect()
}
