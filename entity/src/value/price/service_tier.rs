//! Tiers of service that a provider sells at prices of their own.

use std::fmt;
use std::str::FromStr;

/// How urgently a request was served. What a provider calls `default`, `auto` or `standard` is [`ServiceTier::Standard`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceTier {
    /// The list price.
    #[default]
    Standard,
    /// Faster, dearer.
    Priority,
    /// Slower, cheaper.
    Flex,
    /// Within a day.
    Batch,
    /// Faster still.
    Ultrafast,
    /// Between flex and standard.
    Balanced,
    /// Short structured answers.
    Decisions,
}

/// Why a text is no [`ServiceTier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be standard, priority, flex, batch, ultrafast, balanced or decisions")]
pub struct BadServiceTier;

// === impl ServiceTier ===

impl ServiceTier {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Standard,
        Self::Priority,
        Self::Flex,
        Self::Batch,
        Self::Ultrafast,
        Self::Balanced,
        Self::Decisions,
    ];

    /// The stable name, as stored and served.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Priority => "priority",
            Self::Flex => "flex",
            Self::Batch => "batch",
            Self::Ultrafast => "ultrafast",
            Self::Balanced => "balanced",
            Self::Decisions => "decisions",
        }
    }

    /// Reads what a provider says in an answer's `service_tier`; whatever is not known is the list price.
    #[must_use]
    pub fn from_provider(text: &str) -> Self {
        text.parse().unwrap_or_default()
    }
}

impl fmt::Display for ServiceTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ServiceTier {
    type Err = BadServiceTier;

    fn from_str(text: &str) -> Result<Self, BadServiceTier> {
        Self::ALL
            .into_iter()
            .find(|tier| tier.name() == text)
            .ok_or(BadServiceTier)
    }
}
