//! The settings an admin may change while the gateway runs: one typed object, one row.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// How long the audit is kept where nobody says.
const AUDIT_DAYS: u32 = 365;

/// Settings kept in the database. Unknown keys are ignored on reading, so an older node survives a newer row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewaySettings {
    /// Which addresses a provider may have.
    pub egress_policy: EgressPolicy,
    /// The time zone of days, weeks and schedules, an IANA name; none is that of the environment.
    pub time_zone: Option<String>,
    /// How long after a request's arrival another provider is still begun with, in seconds. Default 600.
    pub failover_seconds: u32,
    /// How long the head of a stream that looks good is held until its first content comes, in seconds; 0 holds nothing. Default 45.
    pub gate_hold_seconds: u32,
    /// How much of it is held, in bytes. Default 1 MiB.
    pub gate_max_bytes: u32,
    /// Silence after which a client that reads a stream is sent a ping, in seconds; 0 sends none. Default 15.
    pub ping_seconds: u32,
    /// Share of streamed requests that may have a second attempt beside the first, in percent. Default 10.
    pub hedge_max_percent: u32,
    /// How long a conversation that rests is kept with its provider, in seconds; 0 keeps none. Default 3600.
    pub sticky_seconds: u32,
    /// How long a provider keeps a prompt's cached prefix, in seconds. Default 300.
    pub sticky_cache_seconds: u32,
    /// How many more turns a conversation is reckoned to have when staying is weighed against moving. Default 10.
    pub sticky_horizon_turns: u32,
    /// Pause between two probes of a provider whose breaker is open, in seconds; 0 leaves probing to requests. Default 0.
    pub probe_seconds: u32,
    /// Days after which requests leave the log; 0 keeps them. Default 0.
    pub request_retention_days: u32,
    /// Days after which decision chains and errors' words leave it, which are most of a row; 0 keeps them with their row. Default 0.
    pub detail_retention_days: u32,
    /// Days after which usage lines are deleted, 62 at least; 0 keeps them. The sums of each hour stay. Default 0.
    pub usage_retention_days: u32,
    /// Days after which entries leave the audit; 0 keeps them. Default 365.
    pub audit_retention_days: u32,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            egress_policy: EgressPolicy::default(),
            time_zone: None,
            failover_seconds: 600,
            gate_hold_seconds: 45,
            gate_max_bytes: 1 << 20,
            ping_seconds: 15,
            hedge_max_percent: 10,
            sticky_seconds: 3600,
            sticky_cache_seconds: 300,
            sticky_horizon_turns: 10,
            probe_seconds: 0,
            request_retention_days: 0,
            detail_retention_days: 0,
            usage_retention_days: 0,
            audit_retention_days: AUDIT_DAYS,
        }
    }
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
