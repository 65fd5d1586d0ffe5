//! `/settings`: one typed object.

use std::sync::Arc;

use chrono_tz::Tz;
use entity::{setting, value};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::Header,
    payload::Json,
    types::{MaybeUndefined, ToJSON},
};
use serde_json::Value;

use super::{
    Tag,
    answers::{ChangeRefused, ListRefused, One},
    body::{Body, Input},
    rules,
};
use crate::{
    Admin,
    auth::guard::ForAdmin,
    problem::Mistake,
    service::{
        audit::{Pictured, Subject},
        etag, settings,
    },
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// Which addresses a provider may have. Link-local and cloud-metadata ranges are refused under every policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
pub enum EgressPolicy {
    /// Public, private and loopback addresses.
    AllowPrivate,
    /// Public addresses only.
    PublicOnly,
}

/// The settings an admin may change while the gateway runs.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Settings {
    /// Which addresses a provider may have.
    pub egress_policy: EgressPolicy,
    /// The time zone of days, weeks and schedules, an IANA name; null is that of the environment.
    #[oai(nullable)]
    pub time_zone: Option<String>,
    /// How long after a request's arrival another provider is still begun with, in seconds.
    pub failover_seconds: u32,
    /// How long the head of a stream that looks good is held until its first content comes, in seconds; 0 holds nothing.
    pub gate_hold_seconds: u32,
    /// How much of it is held, in bytes.
    pub gate_max_bytes: u32,
    /// Silence after which a client that reads a stream is sent a ping, in seconds; 0 sends none.
    pub ping_seconds: u32,
    /// Share of streamed requests that may have a second attempt beside the first, in percent.
    pub hedge_max_percent: u32,
    /// How long a conversation that rests is kept with its provider, in seconds; 0 keeps none.
    pub sticky_seconds: u32,
    /// How long a provider keeps a prompt's cached prefix, in seconds.
    pub sticky_cache_seconds: u32,
    /// How many more turns a conversation is reckoned to have when staying is weighed against moving.
    pub sticky_horizon_turns: u32,
    /// Pause between two probes of a provider whose breaker is open, in seconds; 0 leaves probing to requests.
    pub probe_seconds: u32,
    /// Days after which requests leave the log; 0 keeps them.
    pub request_retention_days: u32,
    /// Days after which decision chains and errors' words leave it, which are most of a row; 0 keeps them with their row.
    pub detail_retention_days: u32,
    /// Days after which usage lines are deleted; 0 keeps them. The sums of each hour stay.
    pub usage_retention_days: u32,
    /// Days after which entries leave the audit; 0 keeps them.
    pub audit_retention_days: u32,
}

/// What changes of the settings; null puts one back to its default.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct SettingsPatch {
    /// Which addresses a provider may have. Default `allow-private`.
    #[oai(nullable)]
    pub egress_policy: MaybeUndefined<EgressPolicy>,
    /// The time zone of days, weeks and schedules, an IANA name; null is that of the environment. Default null.
    #[oai(nullable, validator(min_length = 1, max_length = 64))]
    pub time_zone: MaybeUndefined<String>,
    /// How long after a request's arrival another provider is still begun with, in seconds. Default 600.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "86400")))]
    pub failover_seconds: MaybeUndefined<u32>,
    /// How long the head of a stream that looks good is held until its first content comes, in seconds; 0 holds nothing. Default 45.
    #[oai(nullable, validator(maximum(value = "3600")))]
    pub gate_hold_seconds: MaybeUndefined<u32>,
    /// How much of it is held, in bytes. Default 1048576.
    #[oai(
        nullable,
        validator(minimum(value = "1024"), maximum(value = "67108864"))
    )]
    pub gate_max_bytes: MaybeUndefined<u32>,
    /// Silence after which a client that reads a stream is sent a ping, in seconds; 0 sends none. Default 15.
    #[oai(nullable, validator(maximum(value = "3600")))]
    pub ping_seconds: MaybeUndefined<u32>,
    /// Share of streamed requests that may have a second attempt beside the first, in percent. Default 10.
    #[oai(nullable, validator(maximum(value = "100")))]
    pub hedge_max_percent: MaybeUndefined<u32>,
    /// How long a conversation that rests is kept with its provider, in seconds; 0 keeps none. Default 3600.
    #[oai(nullable, validator(maximum(value = "2592000")))]
    pub sticky_seconds: MaybeUndefined<u32>,
    /// How long a provider keeps a prompt's cached prefix, in seconds. Default 300.
    #[oai(nullable, validator(maximum(value = "86400")))]
    pub sticky_cache_seconds: MaybeUndefined<u32>,
    /// How many more turns a conversation is reckoned to have when staying is weighed against moving. Default 10.
    #[oai(nullable, validator(maximum(value = "1000")))]
    pub sticky_horizon_turns: MaybeUndefined<u32>,
    /// Pause between two probes of a provider whose breaker is open, in seconds; 0 leaves probing to requests. Default 0.
    #[oai(nullable, validator(maximum(value = "86400")))]
    pub probe_seconds: MaybeUndefined<u32>,
    /// Days after which requests leave the log; 0 keeps them. Default 0.
    #[oai(nullable, validator(maximum(value = "36500")))]
    pub request_retention_days: MaybeUndefined<u32>,
    /// Days after which decision chains and errors' words leave it, which are most of a row; 0 keeps them with their row. Default 0.
    #[oai(nullable, validator(maximum(value = "36500")))]
    pub detail_retention_days: MaybeUndefined<u32>,
    /// Days after which usage lines are deleted, 62 at least, because limits by the month are counted from them; 0 keeps them. The sums of
    /// each hour stay. Default 0.
    #[oai(nullable, validator(maximum(value = "36500")))]
    pub usage_retention_days: MaybeUndefined<u32>,
    /// Days after which entries leave the audit; 0 keeps them. Default 365.
    #[oai(nullable, validator(maximum(value = "36500")))]
    pub audit_retention_days: MaybeUndefined<u32>,
}

#[OpenApi(prefix_path = "/api/v1/settings", tag = "Tag::Settings")]
impl Api {
    /// Read the settings
    #[oai(path = "/", method = "get", operation_id = "getSettings")]
    async fn read(&self, _caller: ForAdmin) -> Result<One<Settings>, ListRefused> {
        Ok(one(settings::read(&self.0.db).await?))
    }

    /// Change settings
    ///
    /// JSON merge: what is absent stays, null goes back to its default.
    #[oai(path = "/", method = "patch", operation_id = "updateSettings")]
    async fn update(
        &self,
        caller: ForAdmin,
        /// The version this change is meant for.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Body<SettingsPatch>,
    ) -> Result<One<Settings>, ChangeRefused> {
        let edit = |current: &mut _| body.0.apply(current);
        let row = settings::update(&self.0, &caller.0, if_match.0.as_deref(), edit).await?;
        Ok(one(row))
    }
}

fn one(row: setting::Model) -> One<Settings> {
    let version = etag(row.id.into(), row.updated_at);
    let settings = row.value.into();
    One::Found(Json(settings), version)
}

// === impl Settings ===

impl Pictured for setting::Model {
    fn subject(&self) -> Subject {
        Subject::new("settings", self.id, "")
    }

    fn picture(&self, _: &Admin) -> Value {
        Settings::from(self.value.clone())
            .to_json()
            .unwrap_or_default()
    }
}

impl From<value::GatewaySettings> for Settings {
    fn from(settings: value::GatewaySettings) -> Self {
        Self {
            egress_policy: settings.egress_policy.into(),
            time_zone: settings.time_zone,
            failover_seconds: settings.failover_seconds,
            gate_hold_seconds: settings.gate_hold_seconds,
            gate_max_bytes: settings.gate_max_bytes,
            ping_seconds: settings.ping_seconds,
            hedge_max_percent: settings.hedge_max_percent,
            sticky_seconds: settings.sticky_seconds,
            sticky_cache_seconds: settings.sticky_cache_seconds,
            sticky_horizon_turns: settings.sticky_horizon_turns,
            probe_seconds: settings.probe_seconds,
            request_retention_days: settings.request_retention_days,
            detail_retention_days: settings.detail_retention_days,
            usage_retention_days: settings.usage_retention_days,
            audit_retention_days: settings.audit_retention_days,
        }
    }
}

// === impl SettingsPatch ===

impl SettingsPatch {
    /// What becomes of the settings.
    pub fn apply(self, settings: &mut value::GatewaySettings) {
        let default = value::GatewaySettings::default();
        let retention = [
            self.request_retention_days,
            self.detail_retention_days,
            self.usage_retention_days,
            self.audit_retention_days,
        ];
        let policy = self.egress_policy.map_value(value::EgressPolicy::from);
        let time_zone = rules::map(self.time_zone, Some);
        set(&mut settings.egress_policy, policy, default.egress_policy);
        set(&mut settings.time_zone, time_zone, default.time_zone);
        set(
            &mut settings.failover_seconds,
            self.failover_seconds,
            default.failover_seconds,
        );
        set(
            &mut settings.gate_hold_seconds,
            self.gate_hold_seconds,
            default.gate_hold_seconds,
        );
        set(
            &mut settings.gate_max_bytes,
            self.gate_max_bytes,
            default.gate_max_bytes,
        );
        set(
            &mut settings.ping_seconds,
            self.ping_seconds,
            default.ping_seconds,
        );
        set(
            &mut settings.hedge_max_percent,
            self.hedge_max_percent,
            default.hedge_max_percent,
        );
        set(
            &mut settings.sticky_seconds,
            self.sticky_seconds,
            default.sticky_seconds,
        );
        set(
            &mut settings.sticky_cache_seconds,
            self.sticky_cache_seconds,
            default.sticky_cache_seconds,
        );
        set(
            &mut settings.sticky_horizon_turns,
            self.sticky_horizon_turns,
            default.sticky_horizon_turns,
        );
        set(
            &mut settings.probe_seconds,
            self.probe_seconds,
            default.probe_seconds,
        );
        apply_retention(retention, settings);
    }
}

/// Rows, details, usage lines and audit.
fn apply_retention(days: [MaybeUndefined<u32>; 4], settings: &mut value::GatewaySettings) {
    let default = value::GatewaySettings::default();
    let slots = [
        &mut settings.request_retention_days,
        &mut settings.detail_retention_days,
        &mut settings.usage_retention_days,
        &mut settings.audit_retention_days,
    ];
    let defaults = [
        default.request_retention_days,
        default.detail_retention_days,
        default.usage_retention_days,
        default.audit_retention_days,
    ];
    for ((slot, days), default) in slots.into_iter().zip(days).zip(defaults) {
        set(slot, days, default);
    }
}

fn set<T>(slot: &mut T, field: MaybeUndefined<T>, default: T) {
    match field {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => *slot = default,
        MaybeUndefined::Value(value) => *slot = value,
    }
}

impl Input for SettingsPatch {
    type Loose = Self;

    fn rules(loose: &Self, out: &mut Vec<Mistake>) {
        let time_zone = loose.time_zone.value();
        if time_zone.is_some_and(|name| name.parse::<Tz>().is_err()) {
            let message = "must be the IANA name of a time zone, such as Europe/Berlin";
            out.push(Mistake::new("timeZone", "invalid", message));
        }
        let usage_days = loose.usage_retention_days.value();
        if usage_days.is_some_and(|days| (1..62).contains(days)) {
            let message = "must be 0, or 62 at least";
            out.push(Mistake::new("usageRetentionDays", "out_of_range", message));
        }
    }
}

// === impl EgressPolicy ===

impl From<value::EgressPolicy> for EgressPolicy {
    fn from(policy: value::EgressPolicy) -> Self {
        match policy {
            value::EgressPolicy::AllowPrivate => Self::AllowPrivate,
            value::EgressPolicy::PublicOnly => Self::PublicOnly,
        }
    }
}

impl From<EgressPolicy> for value::EgressPolicy {
    fn from(policy: EgressPolicy) -> Self {
        match policy {
            EgressPolicy::AllowPrivate => Self::AllowPrivate,
            EgressPolicy::PublicOnly => Self::PublicOnly,
        }
    }
}
