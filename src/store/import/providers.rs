//! Providers.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use entity::provider::{self, API_KEY_PLACE, PROXY_URL_PLACE};
use entity::value::{
    ActiveTime, BadHeader, BreakerSettings, GroupPriorities, Headers, HealthCheck, Multiplier,
    ProviderType, Sealer, Secret, Strings, Timeouts, check_header,
};
use sea_orm::{ActiveEnum, DatabaseTransaction, DbErr, EntityTrait, Iterable};

use super::links::{Kind, Links};
use super::matches::{allowed_models, redirects};
use super::names::Names;
use super::people::{DELETED, name_of};
use super::report::Table;
use super::row::{DAILY, Reading, Row};
use super::shelf::Shelf;
use crate::domain::outbound::OutboundProxy;
use crate::domain::provider::BaseUrl;

/// Tries at a provider where it does not say.
const ATTEMPTS: i64 = 2;
/// How long ago a reset of a provider's total still touches its other windows.
const MONTH: TimeDelta = TimeDelta::days(31);

/// Characters an address may have.
const LONGEST_URL: usize = 2048;

/// What there is without a counterpart, and the values that mean nothing.
const NO_COUNTERPART: [(&str, &[&str]); 16] = [
    ("disable_session_reuse", &["false"]),
    ("mcp_passthrough_type", &["\"none\""]),
    ("cache_ttl_preference", INHERIT),
    ("swap_cache_ttl_billing", &["false"]),
    ("context_1m_preference", INHERIT),
    ("codex_reasoning_effort_preference", INHERIT),
    ("codex_reasoning_summary_preference", INHERIT),
    ("codex_text_verbosity_preference", INHERIT),
    ("codex_parallel_tool_calls_preference", INHERIT),
    ("codex_image_generation_preference", INHERIT),
    ("codex_service_tier_preference", INHERIT),
    ("anthropic_max_tokens_preference", INHERIT),
    ("anthropic_thinking_budget_preference", INHERIT),
    ("anthropic_adaptive_thinking", &[]),
    ("gemini_google_search_preference", INHERIT),
    ("website_url", &["\"\""]),
];
const INHERIT: &[&str] = &["\"inherit\"", "\"\""];

/// A provider's secrets, before they are sealed.
#[derive(Default)]
struct Secrets {
    api_key: String,
    proxy_url: Option<String>,
}

/// Imports providers.
pub(super) async fn providers(
    tx: &DatabaseTransaction,
    links: &mut Links<'_>,
    sealer: &Sealer,
    rows: &[Row],
) -> Result<Table, DbErr> {
    let columns = (provider::Column::Id, provider::Column::UpdatedAt);
    let mut shelf = Shelf::<provider::Entity>::new(tx, Kind::Provider, "providers", columns);
    let mut names = Names::default();
    for row in provider::Entity::find().all(tx).await? {
        shelf.know(row.id, row.updated_at);
        if row.deleted_at.is_none() {
            names.take(&row.name, row.id);
        }
    }
    for row in rows {
        shelf.table.found += 1;
        let id = row.id();
        let mut read = Reading::new(row);
        let (mut provider, secrets) = match read_provider(&mut read, links, sealer) {
            Ok(read) => read,
            Err(why) => {
                shelf.table.skipped.add(id, why);
                continue;
            }
        };
        let is_alive = provider.deleted_at.is_none();
        if is_alive {
            let free = names.free(&provider.name, id, links.target(Kind::Provider, id));
            if free != provider.name {
                read.say(format!("its name is taken, it is called {free:?} here"));
                provider.name = free;
            }
        } else {
            read.say(DELETED);
        }
        let name = provider.name.clone();
        let told = format!("{}\0{:?}", secrets.api_key, secrets.proxy_url);
        let target = shelf
            .put::<provider::ActiveModel>(links, id, provider, &told)
            .await?;
        if is_alive {
            names.take(&name, target);
        } else {
            names.give_back(target);
        }
        shelf.report(read);
    }
    Ok(shelf.table)
}

fn read_provider(
    read: &mut Reading<'_>,
    links: &Links<'_>,
    sealer: &Sealer,
) -> Result<(provider::Model, Secrets), String> {
    let kind = kind(read)?;
    let url = url(read)?;
    let cost_multiplier = read.multiplier("cost_multiplier")?;
    let deleted_at = read.time("deleted_at");
    let mut is_enabled = read.flag("is_enabled", true);
    let secrets = match deleted_at {
        None => secrets(read, &mut is_enabled),
        // Of a deleted provider nothing is kept that it could be used by.
        Some(_) => Secrets::default(),
    };
    let allowed_models = allowed_models(read, &mut is_enabled);
    let limits = read.limits(DAILY, "total_cost_reset_at");
    let windows = [
        limits.usd_5h,
        limits.usd_day,
        limits.usd_week,
        limits.usd_month,
    ];
    if limits.reset_at > Some(links.now - MONTH) && windows.iter().any(Option::is_some) {
        read.say("its total was reset there: here its other limits count from then as well");
    }
    no_counterpart(read);
    let provider = provider::Model {
        id: 0,
        name: name_of(read, "provider"),
        r#type: kind,
        url,
        endpoints: Strings::default(),
        api_key: sealer.seal(API_KEY_PLACE, &Secret::new(secrets.api_key.as_str())),
        note: read.text("description").unwrap_or_default(),
        is_enabled,
        weight: within(read, "weight", 0..=100, 1),
        priority: within(read, "priority", i32::MIN.into()..=i32::MAX.into(), 0),
        group_priorities: group_priorities(read),
        group_tags: Strings(read.groups("group_tag")),
        allowed_models,
        model_redirects: redirects(read),
        allowed_clients: Strings(read.names("allowed_clients")),
        blocked_clients: Strings(read.names("blocked_clients")),
        active_time: active_time(read),
        cost_multiplier: cost_multiplier.unwrap_or(Multiplier::ONE),
        max_attempts: within(read, "max_retry_attempts", 1..=10, ATTEMPTS),
        timeouts: timeouts(read),
        breaker: breaker(read),
        health_check: HealthCheck::default(),
        hedge_after_ms: 0,
        max_concurrent: 0,
        limits,
        proxy_url: secrets
            .proxy_url
            .as_deref()
            .map(|url| sealer.seal(PROXY_URL_PLACE, &Secret::new(url))),
        proxy_fallback_to_direct: read.flag("proxy_fallback_to_direct", false),
        custom_headers: Headers::keep(headers(read), sealer),
        preserve_client_ip: read.flag("preserve_client_ip", false),
        created_at: read.time("created_at").unwrap_or(DateTime::UNIX_EPOCH),
        updated_at: DateTime::UNIX_EPOCH,
        deleted_at,
    };
    Ok((provider, secrets))
}

fn kind(read: &mut Reading<'_>) -> Result<ProviderType, String> {
    // The column's default.
    let Some(text) = read.text("provider_type") else {
        return Ok(ProviderType::Claude);
    };
    ProviderType::iter()
        .find(|kind| kind.to_value() == text)
        .ok_or_else(|| format!("there is no provider type {text:?} here"))
}

fn url(read: &mut Reading<'_>) -> Result<String, String> {
    let url = read.text("url").unwrap_or_default().trim().to_owned();
    BaseUrl::parse(&url).map_err(|e| format!("its address {e}"))?;
    if url.len() > LONGEST_URL {
        return Err("its address is too long".to_owned());
    }
    Ok(url)
}

fn secrets(read: &mut Reading<'_>, is_enabled: &mut bool) -> Secrets {
    let api_key = read.text("key").unwrap_or_default().trim().to_owned();
    if api_key.is_empty() {
        read.say("has no credential");
    }
    let mut proxy_url = read.text("proxy_url").map(|url| url.trim().to_owned());
    proxy_url.take_if(|url| url.is_empty());
    if let Some(url) = &proxy_url
        && let Err(e) = OutboundProxy::parse(url)
    {
        // Without its proxy it would be reached by a way it must not be.
        read.say(format!(
            "the address of its proxy {e}: switched off, without a proxy"
        ));
        proxy_url = None;
        *is_enabled = false;
    }
    Secrets { api_key, proxy_url }
}

/// A number, brought into its range.
fn within(
    read: &mut Reading<'_>,
    column: &str,
    range: std::ops::RangeInclusive<i64>,
    default: i64,
) -> i32 {
    let number = read.integer(column).unwrap_or(default);
    let near = number.clamp(*range.start(), *range.end());
    if near != number {
        read.say(format!("{column} is {number}, {near} here"));
    }
    i32::try_from(near).unwrap_or_default()
}

/// Milliseconds; nothing below 0.
fn millis(read: &mut Reading<'_>, column: &str, default: u64) -> u64 {
    let millis = read.integer(column);
    millis.map_or(default, |ms| u64::try_from(ms).unwrap_or(0))
}

/// 0 is no timeout, there as here. The one without a counterpart there, for the first content, stays at its default, so that no stream is
/// waited for forever.
fn timeouts(read: &mut Reading<'_>) -> Timeouts {
    Timeouts {
        first_byte_ms: millis(read, "first_byte_timeout_streaming_ms", 0),
        idle_ms: millis(read, "streaming_idle_timeout_ms", 0),
        total_ms: millis(read, "request_timeout_non_streaming_ms", 0),
        ..Timeouts::default()
    }
}

fn breaker(read: &mut Reading<'_>) -> BreakerSettings {
    let number = |read: &mut Reading<'_>, column: &str, default| {
        let number = read.integer(column).map(|n| u32::try_from(n.max(0)));
        number.map_or(default, |n| n.unwrap_or(u32::MAX))
    };
    let open = millis(read, "circuit_breaker_open_duration", 1_800_000);
    let open_seconds = u32::try_from(open.div_ceil(1000)).unwrap_or(u32::MAX);
    BreakerSettings {
        failure_threshold: number(read, "circuit_breaker_failure_threshold", 5),
        open_seconds: open_seconds.clamp(1, 86_400),
        half_open_successes: number(read, "circuit_breaker_half_open_success_threshold", 2).max(1),
        ..BreakerSettings::default()
    }
}

fn active_time(read: &mut Reading<'_>) -> Option<ActiveTime> {
    let ends = [read.text("active_time_start"), read.text("active_time_end")];
    match ends.map(|end| end.map(|end| end.trim().parse())) {
        [Some(Ok(start)), Some(Ok(end))] => Some(ActiveTime { start, end }),
        [None, None] => None,
        _ => {
            read.say("its hours are not two times of day: it is used at all hours");
            None
        }
    }
}

fn group_priorities(read: &mut Reading<'_>) -> GroupPriorities {
    let mut priorities = BTreeMap::new();
    let json = read.row().json("group_priorities");
    let found: BTreeMap<String, serde_json::Value> = match json.map(serde_json::from_str) {
        None => return GroupPriorities::default(),
        Some(Ok(found)) => found,
        Some(Err(_)) => {
            read.say("group_priorities is not an object, left out");
            return GroupPriorities::default();
        }
    };
    for (group, tier) in found {
        match tier.as_i64().and_then(|tier| i32::try_from(tier).ok()) {
            Some(tier) => {
                priorities.insert(group.trim().to_owned(), tier);
            }
            None => read.say("a tier of group_priorities is no number, left out"),
        }
    }
    GroupPriorities(priorities)
}

fn headers(read: &mut Reading<'_>) -> BTreeMap<String, String> {
    let json = read.row().json("custom_headers");
    let found: BTreeMap<String, serde_json::Value> = match json.map(serde_json::from_str) {
        None => return BTreeMap::new(),
        Some(Ok(found)) => found,
        Some(Err(_)) => {
            read.say("custom_headers is not an object, left out");
            return BTreeMap::new();
        }
    };
    let mut headers = BTreeMap::new();
    for (name, value) in found {
        let name = name.trim().to_ascii_lowercase();
        let value = value.as_str().ok_or(BadHeader::Value);
        match value.and_then(|value| check_header(&name, value).map(|()| value.to_owned())) {
            Ok(value) => {
                headers.insert(name, value);
            }
            // A name can be a secret put in the wrong place, so only a good one is told.
            Err(BadHeader::Name) => {
                read.say("a custom header has no name that a header can have, left out");
            }
            Err(_) => read.say(format!("the header {name} cannot be added here, left out")),
        }
    }
    headers
}

/// Settings that are lost.
fn no_counterpart(read: &mut Reading<'_>) {
    let row = read.row();
    let lost: Vec<_> = NO_COUNTERPART
        .iter()
        .filter(|(column, nothing)| row.json(column).is_some_and(|v| !nothing.contains(&v)))
        .map(|(column, _)| *column)
        .collect();
    if !lost.is_empty() {
        read.say(format!("without a counterpart here: {}", lost.join(", ")));
    }
}
