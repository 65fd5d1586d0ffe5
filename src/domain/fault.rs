//! Whose fault a failed attempt was. Retry, status and (later) breakers all follow from it.

use serde::Serialize;

/// Whose fault, as a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The client sent something wrong, or left.
    Client,
    /// The request itself makes upstreams fail.
    Poison,
    /// The provider's credential was refused or is out of money.
    Key,
    /// The provider does not serve this model.
    Model,
    /// The provider failed or is overloaded.
    Provider,
    /// The provider could not be reached.
    Network,
    /// A defect of ours.
    Us,
}

// === impl Fault ===

impl Fault {
    /// Whether another provider may do better.
    pub fn moves_on(self) -> bool {
        !matches!(self, Self::Client | Self::Poison | Self::Us)
    }
}
