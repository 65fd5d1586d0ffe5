//! Whose fault a failed attempt was. What is tried next, what the client sees and which breaker hears of it all follow from it.

use serde::Serialize;

/// Whose fault, as a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The client sent something wrong, or left.
    Client,
    /// The request itself makes upstreams fail, whoever is asked.
    Poison,
    /// The provider's credential was refused or is out of money.
    Key,
    /// The provider does not serve this model.
    Model,
    /// One of the provider's addresses is in trouble.
    Endpoint,
    /// The provider failed or is overloaded.
    Provider,
    /// The provider could not be reached.
    Network,
    /// A defect of ours, or our own end.
    Us,
}

// === impl Fault ===

impl Fault {
    /// Whether another provider may do better.
    #[must_use]
    pub fn moves_on(self) -> bool {
        !matches!(self, Self::Client | Self::Poison | Self::Us)
    }

    /// Whether the same provider would fail the same way again at once.
    #[must_use]
    pub fn stays(self) -> bool {
        matches!(self, Self::Key | Self::Model)
    }
}
