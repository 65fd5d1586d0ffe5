//! Rules that match a name: a model's, a client's.

use std::fmt;

use regex::{Regex, RegexBuilder};
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

/// Why a text is no regular expression for a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a regular expression: {0}")]
pub struct BadRegex(String);

/// The size of a compiled expression, in bytes, beyond which it is refused.
const MAX_REGEX: usize = 1 << 20;

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

/// Compiles a rule's regular expression.
///
/// # Errors
/// When it is none, or too large.
pub fn compile_regex(pattern: &str) -> Result<Regex, BadRegex> {
    let regex = RegexBuilder::new(pattern).size_limit(MAX_REGEX).build();
    regex.map_err(|error| {
        // A syntax error is a drawing of several lines whose last one says what is wrong.
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        BadRegex(last.trim_start_matches("error: ").to_owned())
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_expression_says_why_in_one_line() {
        assert!(compile_regex("^gpt-5(\\.|$)").is_ok());
        for (bad, why) in [("(", "unclosed group"), ("a{1000}{1000}", "size limit")] {
            let said = compile_regex(bad).unwrap_err().to_string();
            assert!(said.contains(why) && !said.contains('\n'), "{said}");
        }
    }
}
