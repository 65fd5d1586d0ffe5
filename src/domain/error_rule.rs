//! A rule that says whose fault an upstream's failure is, and what the client is told.

use entity::value::{ErrorPattern, RuleFault};

use super::fault::Fault;

/// One rule; of several that match the first counts.
#[derive(Debug, Clone)]
pub struct ErrorRule {
    /// Database id.
    pub id: i64,
    /// Display name, for the decision chain.
    pub name: String,
    /// The provider it is for; none means every one.
    pub provider_id: Option<i64>,
    /// What it looks for in the failure's text.
    pub pattern: ErrorPattern,
    /// Whose fault it then is.
    pub fault: Fault,
    /// The status the client gets instead of the upstream's.
    pub override_status: Option<u16>,
    /// The message the client gets instead of the upstream's.
    pub override_message: Option<String>,
}

// === impl ErrorRule ===

impl ErrorRule {
    /// Whether it is for this provider and this text of a failure.
    #[must_use]
    pub fn matches(&self, provider_id: i64, text: &str) -> bool {
        self.provider_id.is_none_or(|id| id == provider_id) && self.pattern.matches(text)
    }
}

impl From<RuleFault> for Fault {
    fn from(fault: RuleFault) -> Self {
        match fault {
            RuleFault::Client => Self::Client,
            RuleFault::Poison => Self::Poison,
            RuleFault::Key => Self::Key,
            RuleFault::Model => Self::Model,
            RuleFault::Provider => Self::Provider,
        }
    }
}

#[cfg(test)]
mod tests {
    use entity::value::ErrorMatch;

    use super::*;

    #[test]
    fn a_rule_is_for_its_provider_or_for_all() {
        let rule = |provider_id| ErrorRule {
            id: 1,
            name: "too long".to_owned(),
            provider_id,
            pattern: ErrorPattern::new(ErrorMatch::Contains, "too long").unwrap(),
            fault: RuleFault::Poison.into(),
            override_status: Some(400),
            override_message: None,
        };
        assert!(rule(None).matches(7, "The prompt is too long."));
        assert!(rule(Some(7)).matches(7, "TOO LONG"));
        assert!(!rule(Some(8)).matches(7, "too long"));
        assert!(!rule(None).matches(7, "too short"));
        assert!(!rule(None).fault.moves_on());
    }
}
