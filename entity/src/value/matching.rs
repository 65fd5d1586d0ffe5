//! Rules that match a name: a model's, a client's.

use std::fmt;

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// How a rule is held against a name. Case counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchKind {
    /// The whole name.
    #[default]
    Exact,
    /// Its start.
    Prefix,
    /// Its end.
    Suffix,
    /// Any part of it.
    Contains,
    /// A regular expression, found anywhere in it unless anchored.
    Regex,
}

/// One rule. In JSON a plain string is an exact one; any other is `{"match": …, "pattern": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
pub struct NameRule {
    /// How.
    pub kind: MatchKind,
    /// Against what.
    pub pattern: String,
}

/// A list of rules; a name passes when one of them matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct NameRules(pub Vec<NameRule>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Exact(String),
    Other(Other),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    #[serde(rename = "match", default)]
    kind: MatchKind,
    pattern: String,
}

// === impl NameRule ===

impl NameRule {
    /// The rule that matches only this name.
    #[must_use]
    pub fn exact(name: impl Into<String>) -> Self {
        Self {
            kind: MatchKind::Exact,
            pattern: name.into(),
        }
    }
}

impl fmt::Display for MatchKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
            Self::Suffix => "suffix",
            Self::Contains => "contains",
            Self::Regex => "regex",
        })
    }
}

impl From<Form> for NameRule {
    fn from(form: Form) -> Self {
        match form {
            Form::Exact(name) => Self::exact(name),
            Form::Other(Other { kind, pattern }) => Self { kind, pattern },
        }
    }
}

impl From<NameRule> for Form {
    fn from(rule: NameRule) -> Self {
        match rule.kind {
            MatchKind::Exact => Self::Exact(rule.pattern),
            kind => Self::Other(Other {
                kind,
                pattern: rule.pattern,
            }),
        }
    }
}
