//! What is stored, in the words of a backup.

use std::collections::{BTreeMap, HashMap};

use chrono::Utc;
use entity::{
    api_key, error_rule, key_origin, price, provider, provider_group, user,
    value::{self, Derivation, Sealer, Secret, hex, is_secret_header},
};
use poem_openapi::types::MaybeUndefined;

use super::{
    document::{
        Backup, BackupDerivation, BackupErrorRule, BackupFormat, BackupKey, BackupKeyOrigin,
        BackupPrice, BackupProvider, BackupProviderSecrets, BackupSeal,
    },
    notifications,
};
use crate::{
    Admin,
    api::{
        decimal::{Decimal, usd},
        groups::{GroupFields, ProviderGroupCreate},
        keys::KeyPatch,
        limits::LimitFields,
        providers::{BreakerPatch, HealthCheckPatch, ProviderFields, RoutingFields, TimeoutsPatch},
        settings::SettingsPatch,
        users::{UserCreate, UserFields, UserRole},
    },
    service::backup::{self, Held, Opened},
};

type Names = HashMap<i64, String>;

/// Writes a backup, its secrets sealed with `sealer`.
pub fn write(admin: &Admin, held: Held, derivation: Derivation, sealer: &Sealer) -> Backup {
    let users = held.users.iter().map(|user| (user.id, user.name.clone()));
    let users: Names = users.collect();
    let providers = held.providers.iter();
    let providers: Names = providers.map(|row| (row.id, row.name.clone())).collect();
    let keys = held.keys.into_iter().filter_map(|row| {
        let owner = users.get(&row.user_id)?.clone();
        Some(key(row, owner))
    });
    let rules = held.error_rules.into_iter().filter_map(|row| {
        let provider = match row.provider_id {
            // A rule for a provider that is deleted does nothing.
            Some(id) => Some(providers.get(&id)?.clone()),
            None => None,
        };
        Some(error_rule(row, provider))
    });
    let rows = held.providers.into_iter().map(|row| {
        let opened = backup::opened(admin, &row);
        provider(row, opened, sealer)
    });
    Backup {
        format: BackupFormat::SwitchyardBackup,
        version: 1,
        created_at: Utc::now(),
        gateway_version: admin.gateway.version().to_owned(),
        seal: seal(derivation, sealer),
        key_origins: origins(admin, &held.origins, sealer),
        settings: settings(held.settings.value),
        provider_groups: held.groups.into_iter().map(group).collect(),
        providers: rows.collect(),
        users: held.users.into_iter().map(user).collect(),
        keys: keys.collect(),
        prices: held.prices.into_iter().map(price).collect(),
        error_rules: rules.collect(),
        notification_targets: notifications::write_targets(admin, &held.targets, sealer),
        notification_rules: notifications::write_rules(held.notices, &held.targets),
    }
}

/// What keys were hashed with here, and where others came from.
fn origins(admin: &Admin, others: &[key_origin::Model], sealer: &Sealer) -> Vec<BackupKeyOrigin> {
    let own = (admin.hasher.mark(), admin.hasher.secret());
    let others = others.iter().filter_map(|origin| {
        let hasher = origin.open(&admin.sealer).ok()?;
        Some((hasher.mark(), hasher.secret()))
    });
    let all = [own].into_iter().chain(others);
    all.map(|(mark, secret)| BackupKeyOrigin {
        hashing_key: sealed(sealer, &backup::origin_place(&mark), &secret),
        mark,
    })
    .collect()
}

fn seal(derivation: Derivation, sealer: &Sealer) -> BackupSeal {
    BackupSeal {
        derivation: BackupDerivation::Argon2id,
        memory_kib: derivation.memory_kib,
        passes: derivation.passes,
        lanes: derivation.lanes,
        salt: hex::encode(&derivation.salt),
        check: backup::seal_check(sealer).as_str().to_owned(),
    }
}

fn sealed(sealer: &Sealer, place: &str, secret: &Secret) -> String {
    sealer.seal(place, secret).as_str().to_owned()
}

fn settings(settings: value::GatewaySettings) -> SettingsPatch {
    use MaybeUndefined::Value;
    SettingsPatch {
        egress_policy: Value(settings.egress_policy.into()),
        time_zone: given(settings.time_zone),
        failover_seconds: Value(settings.failover_seconds),
        gate_hold_seconds: Value(settings.gate_hold_seconds),
        gate_max_bytes: Value(settings.gate_max_bytes),
        ping_seconds: Value(settings.ping_seconds),
        hedge_max_percent: Value(settings.hedge_max_percent),
        sticky_seconds: Value(settings.sticky_seconds),
        sticky_cache_seconds: Value(settings.sticky_cache_seconds),
        sticky_horizon_turns: Value(settings.sticky_horizon_turns),
        probe_seconds: Value(settings.probe_seconds),
        request_retention_days: Value(settings.request_retention_days),
        detail_retention_days: Value(settings.detail_retention_days),
        usage_retention_days: Value(settings.usage_retention_days),
        audit_retention_days: Value(settings.audit_retention_days),
    }
}

fn group(row: provider_group::Model) -> ProviderGroupCreate {
    ProviderGroupCreate {
        name: row.name,
        fields: GroupFields {
            cost_multiplier: MaybeUndefined::Value(Decimal(row.cost_multiplier.to_string())),
            note: MaybeUndefined::Value(row.note),
        },
    }
}

fn provider(row: provider::Model, opened: Opened, sealer: &Sealer) -> BackupProvider {
    let place = |what: &str| backup::provider_place(what, &row.url, &row.endpoints.0);
    let seal = |what: &str, secret: &Secret| sealed(sealer, &place(what), secret);
    let (secret, plain): (BTreeMap<_, _>, BTreeMap<_, _>) = opened
        .headers
        .into_iter()
        .partition(|(name, value)| is_secret_header(name, value));
    let headers = secret.into_iter().map(|(name, value)| {
        let text = seal(&format!("header/{name}"), &Secret::new(value));
        (name, text)
    });
    let secrets = BackupProviderSecrets {
        api_key: opened.api_key.map(|key| seal("api_key", &key)),
        proxy_url: opened.proxy_url.map(|url| seal("proxy_url", &url)),
        headers: headers.collect(),
    };
    let routing = routing(&row);
    BackupProvider {
        name: row.name,
        r#type: row.r#type.into(),
        url: row.url,
        routing,
        limits: limits(row.limits),
        fields: ProviderFields {
            note: MaybeUndefined::Value(row.note),
            is_enabled: MaybeUndefined::Value(row.is_enabled),
            weight: MaybeUndefined::Value(row.weight),
            priority: MaybeUndefined::Value(row.priority),
            group_priorities: MaybeUndefined::Value(row.group_priorities.0),
            group_tags: MaybeUndefined::Value(row.group_tags.0),
            allowed_models: list(row.allowed_models.0),
            model_redirects: list(row.model_redirects.0),
            max_attempts: MaybeUndefined::Value(row.max_attempts),
            timeouts: MaybeUndefined::Value(timeouts(row.timeouts)),
            custom_headers: MaybeUndefined::Value(plain),
            preserve_client_ip: MaybeUndefined::Value(row.preserve_client_ip),
        },
        sealed: secrets,
    }
}

fn routing(row: &provider::Model) -> RoutingFields {
    let check = &row.health_check;
    let kind = check.kind.into();
    RoutingFields {
        endpoints: MaybeUndefined::Value(row.endpoints.0.clone()),
        allowed_clients: MaybeUndefined::Value(row.allowed_clients.0.clone()),
        blocked_clients: MaybeUndefined::Value(row.blocked_clients.0.clone()),
        active_time: given(row.active_time.map(Into::into)),
        cost_multiplier: MaybeUndefined::Value(Decimal(row.cost_multiplier.to_string())),
        breaker: MaybeUndefined::Value(BreakerPatch {
            failure_threshold: MaybeUndefined::Value(row.breaker.failure_threshold),
            failure_percent: MaybeUndefined::Value(row.breaker.failure_percent),
            open_seconds: MaybeUndefined::Value(row.breaker.open_seconds),
            half_open_successes: MaybeUndefined::Value(row.breaker.half_open_successes),
        }),
        health_check: MaybeUndefined::Value(HealthCheckPatch {
            kind: MaybeUndefined::Value(kind),
            path: MaybeUndefined::Value(check.path.clone()),
            interval_seconds: MaybeUndefined::Value(check.interval_seconds),
        }),
        hedge_after_ms: MaybeUndefined::Value(row.hedge_after_ms),
        limit_concurrent_requests: MaybeUndefined::Value(row.max_concurrent),
        proxy_url: MaybeUndefined::Undefined,
        proxy_fallback_to_direct: MaybeUndefined::Value(row.proxy_fallback_to_direct),
    }
}

fn timeouts(timeouts: value::Timeouts) -> TimeoutsPatch {
    TimeoutsPatch {
        connect_ms: MaybeUndefined::Value(timeouts.connect_ms),
        first_byte_ms: MaybeUndefined::Value(timeouts.first_byte_ms),
        first_content_ms: MaybeUndefined::Value(timeouts.first_content_ms),
        idle_ms: MaybeUndefined::Value(timeouts.idle_ms),
        total_ms: MaybeUndefined::Value(timeouts.total_ms),
    }
}

fn user(row: user::Model) -> UserCreate {
    UserCreate {
        name: row.name,
        limits: limits(row.limits),
        fields: UserFields {
            note: MaybeUndefined::Value(row.note),
            tags: MaybeUndefined::Value(row.tags.0),
            role: MaybeUndefined::Value(UserRole::read(&row.role)),
            is_enabled: MaybeUndefined::Value(row.is_enabled),
            expires_at: given(row.expires_at),
            provider_group: MaybeUndefined::Value(row.provider_group),
            allowed_models: MaybeUndefined::Value(row.allowed_models.0),
            allowed_clients: MaybeUndefined::Value(row.allowed_clients.0),
            blocked_clients: MaybeUndefined::Value(row.blocked_clients.0),
            limit_concurrent_requests: given(row.limits.concurrent_requests),
        },
    }
}

fn key(row: api_key::Model, user: String) -> BackupKey {
    BackupKey {
        user,
        hash: row.key_hash,
        prefix: row.prefix,
        last_four: row.last_four,
        fields: KeyPatch {
            name: Some(row.name),
            is_enabled: MaybeUndefined::Value(row.is_enabled),
            can_login_web_ui: MaybeUndefined::Value(row.can_login_web_ui),
            expires_at: given(row.expires_at),
            provider_group: MaybeUndefined::Value(row.provider_group),
            limit_concurrent_requests: given(row.limits.concurrent_requests),
            limits: limits(row.limits),
        },
    }
}

fn price(row: price::Model) -> BackupPrice {
    BackupPrice {
        model: row.model,
        figures: row.figures,
        aliases: row.aliases.0,
        effective_at: row.effective_at,
    }
}

fn error_rule(row: error_rule::Model, provider: Option<String>) -> BackupErrorRule {
    BackupErrorRule {
        name: row.name,
        provider,
        kind: row.match_kind.into(),
        pattern: row.pattern,
        fault: row.fault.into(),
        override_status: row.override_status,
        override_message: row.override_message,
        priority: row.priority,
        is_enabled: row.is_enabled,
    }
}

/// Limits; from when on they count is history.
fn limits(limits: value::Limits) -> LimitFields {
    let money = |nano: Option<i64>| given(nano.map(|nano| Decimal(usd(nano))));
    LimitFields {
        rpm: given(limits.rpm),
        usd_5h: money(limits.usd_5h),
        usd_day: money(limits.usd_day),
        usd_week: money(limits.usd_week),
        usd_month: money(limits.usd_month),
        usd_total: money(limits.usd_total),
        limit_concurrent_sessions: given(limits.concurrent_sessions),
        reset_5h: MaybeUndefined::Value(limits.reset_5h.into()),
        daily_reset_mode: MaybeUndefined::Value(limits.reset_day.into()),
        daily_reset_time: MaybeUndefined::Value(limits.day_starts.to_string()),
    }
}

fn list<T, U: From<T>>(list: Vec<T>) -> MaybeUndefined<Vec<U>> {
    MaybeUndefined::Value(list.into_iter().map(U::from).collect())
}

fn given<T>(value: Option<T>) -> MaybeUndefined<T> {
    value.map_or(MaybeUndefined::Null, MaybeUndefined::Value)
}
