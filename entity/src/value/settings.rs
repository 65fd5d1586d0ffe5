//! The settings an admin may change while the gateway runs: one typed object, one row.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// Settings kept in the database. Unknown keys are ignored on reading, so an older node survives a newer row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewaySettings {
    /// Which addresses a provider may have.
    pub egress_policy: EgressPolicy,
}

/// Which addresses a provider may have. Link-local and cloud-metadata ranges are refused under every policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EgressPolicy {
    /// Public, private and loopback addresses.
    #[default]
    AllowPrivate,
    /// Public addresses only.
    PublicOnly,
}
