//! What an error rule looks for and what it says.

use regex::Regex;
use sea_orm::{DeriveActiveEnum, EnumIter, sea_query::StringLen};

use super::matching::{BadRegex, compile_regex};

/// How an error rule's pattern is held against a failure's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum ErrorMatch {
    /// It is somewhere in the text, in any case.
    #[sea_orm(string_value = "contains")]
    Contains,
    /// It is the whole text, in any case, without the spaces around it.
    #[sea_orm(string_value = "exact")]
    Exact,
    /// A regular expression, as it is written, found anywhere in the text unless anchored.
    #[sea_orm(string_value = "regex")]
    Regex,
}

/// Whose fault a rule may say a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum RuleFault {
    /// The client's: it gets the failure at once.
    #[sea_orm(string_value = "client")]
    Client,
    /// The request's own: it makes upstreams fail, so no other is tried.
    #[sea_orm(string_value = "poison")]
    Poison,
    /// The provider's credential.
    #[sea_orm(string_value = "key")]
    Key,
    /// The model at this provider.
    #[sea_orm(string_value = "model")]
    Model,
    /// The provider's.
    #[sea_orm(string_value = "provider")]
    Provider,
}

/// An error rule's pattern, ready to be used.
#[derive(Debug, Clone)]
pub struct ErrorPattern(Form);

/// The texts are in lower case.
#[derive(Debug, Clone)]
enum Form {
    Contains(String),
    Exact(String),
    Regex(Regex),
}

// === impl ErrorPattern ===

impl ErrorPattern {
    /// Makes one.
    ///
    /// # Errors
    /// When the regular expression is none, or too large.
    pub fn new(kind: ErrorMatch, pattern: &str) -> Result<Self, BadRegex> {
        Ok(Self(match kind {
            ErrorMatch::Contains => Form::Contains(pattern.to_lowercase()),
            ErrorMatch::Exact => Form::Exact(pattern.trim().to_lowercase()),
            ErrorMatch::Regex => Form::Regex(compile_regex(pattern)?),
        }))
    }

    /// Whether a failure's text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Form::Contains(part) => text.to_lowercase().contains(part),
            Form::Exact(whole) => text.trim().to_lowercase() == *whole,
            Form::Regex(regex) => regex.is_match(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_matches_what_it_says() {
        for (kind, pattern, yes, no) in [
            (
                ErrorMatch::Contains,
                "Prompt Is too long",
                "Error: prompt is TOO long!",
                "prompt is long",
            ),
            (
                ErrorMatch::Exact,
                "quota exceeded ",
                "  Quota Exceeded\n",
                "quota exceeded today",
            ),
            (
                ErrorMatch::Regex,
                "^max \\d+ tokens",
                "max 100 tokens",
                "Max 100 tokens",
            ),
        ] {
            let pattern = ErrorPattern::new(kind, pattern).unwrap();
            assert!(pattern.matches(yes) && !pattern.matches(no), "{kind:?}");
        }
        assert!(ErrorPattern::new(ErrorMatch::Regex, "[").is_err());
        assert!(ErrorPattern::new(ErrorMatch::Contains, "[").is_ok());
    }
}
