//! A rule that matches a name, ready to be used on the request path.

use entity::value::{BadRegex, MatchKind, NameRule, compile_regex};

/// A [`NameRule`] with its regular expression compiled.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// The whole name.
    Exact(String),
    /// Its start.
    Prefix(String),
    /// Its end.
    Suffix(String),
    /// Any part of it.
    Contains(String),
    /// Found anywhere in it unless anchored.
    Regex(regex::Regex),
}

// === impl Pattern ===

impl Pattern {
    /// Makes one.
    ///
    /// # Errors
    /// When the regular expression is none, or too large.
    pub fn new(kind: MatchKind, pattern: &str) -> Result<Self, BadRegex> {
        let text = || pattern.to_owned();
        Ok(match kind {
            MatchKind::Exact => Self::Exact(text()),
            MatchKind::Prefix => Self::Prefix(text()),
            MatchKind::Suffix => Self::Suffix(text()),
            MatchKind::Contains => Self::Contains(text()),
            MatchKind::Regex => Self::Regex(compile_regex(pattern)?),
        })
    }

    /// Whether a name matches.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(text) => name == text,
            Self::Prefix(text) => name.starts_with(text.as_str()),
            Self::Suffix(text) => name.ends_with(text.as_str()),
            Self::Contains(text) => name.contains(text.as_str()),
            Self::Regex(regex) => regex.is_match(name),
        }
    }

    /// The name it stands for, if it stands for one alone.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Exact(name) => Some(name),
            _ => None,
        }
    }
}

impl TryFrom<&NameRule> for Pattern {
    type Error = BadRegex;

    fn try_from(rule: &NameRule) -> Result<Self, BadRegex> {
        Self::new(rule.kind, &rule.pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_matches_what_it_says() {
        for (kind, pattern, yes, no) in [
            (MatchKind::Exact, "opus", "opus", "opus-4"),
            (MatchKind::Prefix, "claude-", "claude-x", "a-claude-x"),
            (MatchKind::Suffix, "-mini", "gpt-mini", "gpt-mini-2"),
            (MatchKind::Contains, "sonnet", "a-sonnet-b", "Sonnet"),
            (MatchKind::Regex, "^gpt-5(\\.|$)", "gpt-5.1", "gpt-50"),
        ] {
            let rule = Pattern::new(kind, pattern).unwrap();
            assert!(rule.matches(yes) && !rule.matches(no), "{kind}");
        }
        assert!(Pattern::new(MatchKind::Regex, "(").is_err());
        assert!(Pattern::new(MatchKind::Regex, "a{1000}{1000}").is_err());
    }
}
