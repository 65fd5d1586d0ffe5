//! What may be said of how a provider is chosen and reached.

use entity::{
    provider,
    value::{self, EgressPolicy, Multiplier, Secret, Strings, check_url},
};
use http::uri::PathAndQuery;
use poem_openapi::{Object, types::MaybeUndefined};

use super::{
    merge::{BreakerPatch, HealthCheckPatch},
    parts::ActiveTime,
};
use crate::{
    api::{decimal::Decimal, rules},
    problem::Mistake,
    service::outbound,
};

/// Longest address.
const MAX_URL: usize = 2048;

/// How a provider is chosen and reached; null puts a field back to its default.
#[derive(Debug, Clone, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct RoutingFields {
    /// Further addresses that answer the same, as `url`. Default none.
    #[oai(nullable, validator(max_items = 20))]
    pub endpoints: MaybeUndefined<Vec<String>>,
    /// Clients it is for. Default none named, which means all.
    #[oai(nullable, validator(max_items = 100))]
    pub allowed_clients: MaybeUndefined<Vec<String>>,
    /// Clients it is not for, which wins. Default none.
    #[oai(nullable, validator(max_items = 100))]
    pub blocked_clients: MaybeUndefined<Vec<String>>,
    /// The hours in which it is used. Default null, which means always.
    #[oai(nullable)]
    pub active_time: MaybeUndefined<ActiveTime>,
    /// Factor on the prices of what it answers, 0 to 1000 with at most six decimals. Default 1.
    #[oai(nullable)]
    pub cost_multiplier: MaybeUndefined<Decimal>,
    /// When its breaker opens and closes. Null puts all back to their defaults.
    #[oai(nullable)]
    pub breaker: MaybeUndefined<BreakerPatch>,
    /// How its addresses are checked while nobody asks. Null puts all back to their defaults.
    #[oai(nullable)]
    pub health_check: MaybeUndefined<HealthCheckPatch>,
    /// Milliseconds without content after which a second attempt starts beside one at this provider; 0 means never. Default 0.
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "600000")))]
    pub hedge_after_ms: MaybeUndefined<i64>,
    /// Requests it may have at once; 0 means any number. Default 0.
    #[oai(nullable, validator(minimum(value = "0"), maximum(value = "1000000")))]
    pub limit_concurrent_requests: MaybeUndefined<i32>,
    /// The proxy on the way to it: `http`, `https`, `socks5` or `socks5h`, `scheme://[user[:password]@]host[:port]`. Write-only;
    /// null takes it away. Default none.
    #[oai(nullable, write_only, validator(min_length = 1, max_length = 2048))]
    pub proxy_url: MaybeUndefined<String>,
    /// Whether it is reached directly when the proxy cannot be. Default false.
    #[oai(nullable)]
    pub proxy_fallback_to_direct: MaybeUndefined<bool>,
}

/// What the parts that are merged are merged into.
#[derive(Default)]
pub struct Current {
    breaker: value::BreakerSettings,
    health_check: value::HealthCheck,
}

// === impl RoutingFields ===

impl RoutingFields {
    /// Fills the row; the proxy's address is a secret and so the service's matter.
    pub fn apply(self, current: Current, provider: &mut provider::ActiveModel) {
        let strings = |field| rules::map(field, Strings);
        let active_time = rules::map(self.active_time, |time| time.read());
        let breaker = rules::map(self.breaker, |patch| patch.onto(current.breaker));
        let check = rules::map(self.health_check, |patch| patch.onto(current.health_check));
        rules::put(
            &mut provider.endpoints,
            strings(self.endpoints),
            Strings::default(),
        );
        rules::put(
            &mut provider.allowed_clients,
            strings(self.allowed_clients),
            Strings::default(),
        );
        rules::put(
            &mut provider.blocked_clients,
            strings(self.blocked_clients),
            Strings::default(),
        );
        rules::put(&mut provider.active_time, active_time, None);
        rules::put(
            &mut provider.cost_multiplier,
            rules::to_multiplier(self.cost_multiplier),
            Multiplier::ONE,
        );
        rules::put(
            &mut provider.breaker,
            breaker,
            value::BreakerSettings::default(),
        );
        rules::put(
            &mut provider.health_check,
            check,
            value::HealthCheck::default(),
        );
        rules::put(&mut provider.hedge_after_ms, self.hedge_after_ms, 0);
        let limit = self.limit_concurrent_requests;
        rules::put(&mut provider.max_concurrent, limit, 0);
        rules::put(
            &mut provider.proxy_fallback_to_direct,
            self.proxy_fallback_to_direct,
            false,
        );
    }

    /// Every field at its default.
    pub fn defaults() -> Self {
        Self {
            endpoints: MaybeUndefined::Null,
            allowed_clients: MaybeUndefined::Null,
            blocked_clients: MaybeUndefined::Null,
            active_time: MaybeUndefined::Null,
            cost_multiplier: MaybeUndefined::Null,
            breaker: MaybeUndefined::Null,
            health_check: MaybeUndefined::Null,
            hedge_after_ms: MaybeUndefined::Null,
            limit_concurrent_requests: MaybeUndefined::Null,
            proxy_url: MaybeUndefined::Null,
            proxy_fallback_to_direct: MaybeUndefined::Null,
        }
    }

    /// The proxy's address, as the service takes it.
    pub fn proxy_url(&self) -> MaybeUndefined<Secret> {
        self.proxy_url.as_deref().map_value(Secret::new)
    }

    /// Mistakes a schema cannot name.
    pub fn rules(&self, out: &mut Vec<Mistake>) {
        check_endpoints(self.endpoints.value().into_iter().flatten(), out);
        rules::names("allowedClients", self.allowed_clients.value(), out);
        rules::names("blockedClients", self.blocked_clients.value(), out);
        if let Some(ActiveTime { start, end }) = self.active_time.value() {
            for (path, text) in [("activeTime.start", start), ("activeTime.end", end)] {
                if let Err(why) = text.parse::<value::TimeOfDay>() {
                    out.push(Mistake::new(path, "wrong_format", why.to_string()));
                }
            }
        }
        rules::multiplier("costMultiplier", self.cost_multiplier.value(), out);
        let check = self.health_check.value();
        if let Some(path) = check.and_then(|check| check.path.value())
            && !(path.starts_with('/') && path.parse::<PathAndQuery>().is_ok())
        {
            let message = "must be a path that starts with /";
            out.push(Mistake::new("healthCheck.path", "invalid", message));
        }
        if let Some(url) = self.proxy_url.value()
            && let Err(why) = outbound::address(url)
        {
            out.push(Mistake::new("proxyUrl", "invalid", why));
        }
    }
}

fn check_endpoints<'a>(urls: impl Iterator<Item = &'a String>, out: &mut Vec<Mistake>) {
    let mut seen = Vec::new();
    for (i, url) in urls.enumerate() {
        let at = format!("endpoints[{i}]");
        // The policy in force is the service's matter; this much holds under every policy.
        if let Err(why) = check_url(url, EgressPolicy::AllowPrivate) {
            out.push(Mistake::new(at, "invalid", why));
        } else if url.len() > MAX_URL {
            let message = format!("must have at most {MAX_URL} characters");
            out.push(Mistake::new(at, "too_long", message));
        } else if seen.contains(&url) {
            out.push(Mistake::new(at, "repeated", "is given twice"));
        }
        seen.push(url);
    }
}

// === impl Current ===

impl From<&provider::Model> for Current {
    fn from(provider: &provider::Model) -> Self {
        Self {
            breaker: provider.breaker,
            health_check: provider.health_check.clone(),
        }
    }
}
