//! Rules that match a name, as the API writes them: a plain string is an exact name, anything else says how it matches.

use std::borrow::Cow;

use entity::value;
use poem_openapi::{
    Enum, Object,
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use crate::{api::rules, problem::Mistake};

/// How a rule is held against a name. Case counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
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

/// A rule that says how it matches.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct NamePattern {
    /// How.
    #[oai(rename = "match", default)]
    pub kind: MatchKind,
    /// Against what.
    #[oai(validator(min_length = 1, max_length = 256))]
    pub pattern: String,
}

/// A rule. Its two forms differ by type, so it is written down by hand: the derived union would call a string an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameRule {
    /// The name itself.
    Exact(String),
    /// Anything else.
    Pattern(NamePattern),
}

// === impl NameRule ===

impl NameRule {
    /// Mistakes of the rule at `path` that a schema cannot name.
    pub fn check(&self, path: &str, out: &mut Vec<Mistake>) {
        match self {
            Self::Exact(name) => rules::entry(path, name, out),
            Self::Pattern(rule) => {
                rules::pattern(&format!("{path}.pattern"), rule.kind, &rule.pattern, out);
            }
        }
    }
}

impl Type for NameRule {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "NameRule".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(Self::name().into_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(Self::name().into_owned(), |registry| {
            NamePattern::register(registry);
            MetaSchema {
                description: Some("A name matched exactly, or a rule that says how it matches."),
                any_of: vec![String::schema_ref(), NamePattern::schema_ref()],
                ..MetaSchema::ANY
            }
        });
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl ParseFromJSON for NameRule {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(name) => Ok(Self::Exact(name)),
            object => NamePattern::parse_from_json(Some(object))
                .map(Self::Pattern)
                .map_err(ParseError::propagate),
        }
    }
}

impl ToJSON for NameRule {
    fn to_json(&self) -> Option<Value> {
        match self {
            Self::Exact(name) => name.to_json(),
            Self::Pattern(rule) => rule.to_json(),
        }
    }
}

// === conversions ===

impl From<value::NameRule> for NameRule {
    fn from(rule: value::NameRule) -> Self {
        match rule.kind {
            value::MatchKind::Exact => Self::Exact(rule.pattern),
            kind => Self::Pattern(NamePattern {
                kind: kind.into(),
                pattern: rule.pattern,
            }),
        }
    }
}

impl From<NameRule> for value::NameRule {
    fn from(rule: NameRule) -> Self {
        match rule {
            NameRule::Exact(name) => Self::exact(name),
            NameRule::Pattern(NamePattern { kind, pattern }) => Self {
                kind: kind.into(),
                pattern,
            },
        }
    }
}

impl From<value::MatchKind> for MatchKind {
    fn from(kind: value::MatchKind) -> Self {
        match kind {
            value::MatchKind::Exact => Self::Exact,
            value::MatchKind::Prefix => Self::Prefix,
            value::MatchKind::Suffix => Self::Suffix,
            value::MatchKind::Contains => Self::Contains,
            value::MatchKind::Regex => Self::Regex,
        }
    }
}

impl From<MatchKind> for value::MatchKind {
    fn from(kind: MatchKind) -> Self {
        match kind {
            MatchKind::Exact => Self::Exact,
            MatchKind::Prefix => Self::Prefix,
            MatchKind::Suffix => Self::Suffix,
            MatchKind::Contains => Self::Contains,
            MatchKind::Regex => Self::Regex,
        }
    }
}
