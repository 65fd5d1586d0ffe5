//! What a breaker stands for.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::fault::Fault;

/// Longest name of a model that gets a breaker. What is longer is no model's name, and must not be kept.
pub const LONGEST_MODEL: usize = 256;

/// What a breaker stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// A provider, by id.
    Provider(i64),
    /// One of several addresses of a provider, by its place in the list.
    Endpoint(i64, usize),
    /// A model at a provider, by the name the provider is asked for.
    Model(i64, Arc<str>),
}

/// Which breakers are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// All of one provider.
    Provider(i64),
    /// All there are.
    All,
}

/// Where one attempt goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// The provider.
    pub provider: i64,
    /// The address, by its place in the list; none when the provider has just one, which is then as good as the provider.
    pub endpoint: Option<usize>,
    /// The name of the model the provider is asked for, where there is one.
    pub model: Option<Arc<str>>,
}

/// A scope within its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Provider,
    Endpoint(usize),
    Model(&'a str),
}

// === impl Scope ===

impl Scope {
    /// The provider's id.
    #[must_use]
    pub fn provider(&self) -> i64 {
        match self {
            Self::Provider(id) | Self::Endpoint(id, _) | Self::Model(id, _) => *id,
        }
    }

    /// As two columns of a table: the kind, and which of that kind.
    #[must_use]
    pub fn columns(&self) -> (&'static str, String) {
        match self {
            Self::Provider(_) => ("provider", String::new()),
            Self::Endpoint(_, index) => ("endpoint", index.to_string()),
            Self::Model(_, name) => ("model", name.to_string()),
        }
    }

    /// The reverse of [`Scope::columns`]; none for columns that no scope has.
    #[must_use]
    pub fn of_columns(provider: i64, kind: &str, subject: &str) -> Option<Self> {
        match kind {
            "provider" if subject.is_empty() => Some(Self::Provider(provider)),
            "endpoint" => Some(Self::Endpoint(provider, subject.parse().ok()?)),
            "model" if subject.len() <= LONGEST_MODEL => {
                Some(Self::Model(provider, subject.into()))
            }
            _ => None,
        }
    }

    pub(super) fn new(provider: i64, part: Part<'_>) -> Self {
        match part {
            Part::Provider => Self::Provider(provider),
            Part::Endpoint(index) => Self::Endpoint(provider, index),
            Part::Model(name) => Self::Model(provider, name.into()),
        }
    }

    pub(super) fn part(&self) -> Part<'_> {
        match self {
            Self::Provider(_) => Part::Provider,
            Self::Endpoint(_, index) => Part::Endpoint(*index),
            Self::Model(_, name) => Part::Model(name),
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Provider(_) => f.write_str("provider"),
            Self::Endpoint(_, index) => write!(f, "endpoint {index}"),
            Self::Model(_, name) => write!(f, "model {name}"),
        }
    }
}

// === impl Which ===

impl Which {
    /// Whether the provider's are among them.
    #[must_use]
    pub fn has(self, provider: i64) -> bool {
        match self {
            Self::Provider(id) => id == provider,
            Self::All => true,
        }
    }
}

// === impl Target ===

impl Target {
    pub(super) fn parts(&self) -> [Option<Part<'_>>; 3] {
        parts(self.endpoint, self.model.as_deref())
    }

    /// What a failure counts against, if anything.
    pub(super) fn blamed(&self, fault: Fault) -> Option<Part<'_>> {
        let [provider, endpoint, model] = self.parts();
        match fault {
            Fault::Network | Fault::Endpoint => endpoint.or(provider),
            // Nobody's model has such a name, and a database may refuse it.
            Fault::Model => model.filter(|part| match part {
                Part::Model(name) => !name.contains(char::is_control),
                Part::Provider | Part::Endpoint(_) => true,
            }),
            Fault::Provider | Fault::Key => provider,
            Fault::Client | Fault::Poison | Fault::Us => None,
        }
    }
}

/// The scopes of an attempt, the provider's first.
pub(super) fn parts(endpoint: Option<usize>, model: Option<&str>) -> [Option<Part<'_>>; 3] {
    let model = model.filter(|name| name.len() <= LONGEST_MODEL);
    [
        Some(Part::Provider),
        endpoint.map(Part::Endpoint),
        model.map(Part::Model),
    ]
}
