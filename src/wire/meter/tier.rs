//! The tier of service as upstreams write it.

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::domain::price::ServiceTier;

/// A tier that may be absent, null or nonsense: only a word counts. One odd field must not cost all the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tier(pub(super) Option<ServiceTier>);

/// How Gemini begins its names where it spells them as constants.
const CONSTANT: &str = "SERVICE_TIER_";

// === impl Tier ===

impl Tier {
    /// Reads a JSON value.
    pub(super) fn of_json(value: &str) -> Self {
        let word = value
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .filter(|word| !word.is_empty());
        Self(word.map(|word| match word.strip_prefix(CONSTANT) {
            Some(name) => ServiceTier::from_provider(&name.to_ascii_lowercase()),
            None => ServiceTier::from_provider(word),
        }))
    }

    /// This tier, or where there is none the other.
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }
}

impl<'de> Deserialize<'de> for Tier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = <&RawValue>::deserialize(deserializer)?;
        Ok(Self::of_json(value.get()))
    }
}
