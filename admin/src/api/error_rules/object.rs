//! An error rule as it is answered.

use chrono::{DateTime, Utc};
use entity::{error_rule, value};
use poem_openapi::{Enum, Object, types::ToJSON};
use serde_json::Value;

use crate::{
    Admin,
    service::audit::{Pictured, Subject},
};

/// How a rule's pattern is held against a failure's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum ErrorMatch {
    /// It is somewhere in the text, in any case.
    Contains,
    /// It is the whole text, in any case, without the spaces around it.
    Exact,
    /// A regular expression, as it is written, found anywhere in the text unless anchored.
    Regex,
}

/// Whose fault a rule says a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum RuleFault {
    /// The client's: it gets the failure at once.
    Client,
    /// The request's own: it makes upstreams fail, so no other is tried.
    Poison,
    /// The provider's credential.
    Key,
    /// The model at this provider.
    Model,
    /// The provider's.
    Provider,
}

/// A rule that says whose fault an upstream's failure is, and what the client is told.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ErrorRule {
    /// Id.
    pub id: i64,
    /// For people.
    pub name: String,
    /// The provider it is for; null means every one.
    #[oai(nullable)]
    pub provider_id: Option<i64>,
    /// How `pattern` is held against the failure's text.
    #[oai(rename = "match")]
    pub kind: ErrorMatch,
    /// What it looks for.
    pub pattern: String,
    /// Whose fault it then is.
    pub fault: RuleFault,
    /// The status the client gets instead of the upstream's.
    #[oai(nullable)]
    pub override_status: Option<i32>,
    /// The message the client gets instead of the upstream's.
    #[oai(nullable)]
    pub override_message: Option<String>,
    /// Lower goes first; the first that matches counts.
    pub priority: i32,
    /// Switched on.
    pub is_enabled: bool,
    /// When created.
    pub created_at: DateTime<Utc>,
    /// When last changed.
    pub updated_at: DateTime<Utc>,
}

/// A page of error rules.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ErrorRuleList {
    /// The rules, oldest first.
    pub items: Vec<ErrorRule>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

// === conversions ===

impl From<error_rule::Model> for ErrorRule {
    fn from(rule: error_rule::Model) -> Self {
        Self {
            id: rule.id,
            name: rule.name,
            provider_id: rule.provider_id,
            kind: rule.match_kind.into(),
            pattern: rule.pattern,
            fault: rule.fault.into(),
            override_status: rule.override_status,
            override_message: rule.override_message,
            priority: rule.priority,
            is_enabled: rule.is_enabled,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
        }
    }
}

impl Pictured for error_rule::Model {
    fn subject(&self) -> Subject {
        Subject::new("error-rule", self.id, self.name.as_str())
    }

    fn picture(&self, _: &Admin) -> Value {
        ErrorRule::from(self.clone()).to_json().unwrap_or_default()
    }
}

impl From<value::ErrorMatch> for ErrorMatch {
    fn from(kind: value::ErrorMatch) -> Self {
        match kind {
            value::ErrorMatch::Contains => Self::Contains,
            value::ErrorMatch::Exact => Self::Exact,
            value::ErrorMatch::Regex => Self::Regex,
        }
    }
}

impl From<ErrorMatch> for value::ErrorMatch {
    fn from(kind: ErrorMatch) -> Self {
        match kind {
            ErrorMatch::Contains => Self::Contains,
            ErrorMatch::Exact => Self::Exact,
            ErrorMatch::Regex => Self::Regex,
        }
    }
}

impl From<value::RuleFault> for RuleFault {
    fn from(fault: value::RuleFault) -> Self {
        match fault {
            value::RuleFault::Client => Self::Client,
            value::RuleFault::Poison => Self::Poison,
            value::RuleFault::Key => Self::Key,
            value::RuleFault::Model => Self::Model,
            value::RuleFault::Provider => Self::Provider,
        }
    }
}

impl From<RuleFault> for value::RuleFault {
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
