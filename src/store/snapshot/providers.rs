//! Providers with their credentials opened and their patterns compiled.

use std::sync::Arc;

use entity::provider::{self, API_KEY_PLACE, PROXY_URL_PLACE};
use entity::value::{Limits, ModelRedirects, NameRules, Sealed, Sealer};

use super::left_out::LeftOut;
use super::names;
use crate::domain::limits::Party;
use crate::domain::outbound::OutboundProxy;
use crate::domain::pattern::Pattern;
use crate::domain::provider::{BaseUrl, Provider, Redirect};

/// Opens each; what cannot be used is left out with its reason.
pub(super) fn open_all(
    rows: Vec<provider::Model>,
    sealer: &Sealer,
    left_out: &mut Vec<LeftOut>,
) -> Vec<Arc<Provider>> {
    let mut opened = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, name) = (row.id, row.name.clone());
        match open(row, sealer) {
            Ok(provider) => opened.push(Arc::new(provider)),
            Err(why) => left_out.push(LeftOut {
                kind: "provider",
                id,
                name,
                why,
            }),
        }
    }
    opened
}

/// One provider as requests see it.
///
/// # Errors
/// Says what of it cannot be used.
pub fn open(row: provider::Model, sealer: &Sealer) -> Result<Provider, String> {
    let endpoints = endpoints(&row)?;
    let api_key = sealer
        .open(API_KEY_PLACE, &row.api_key)
        .map_err(|e| e.to_string())?;
    Ok(Provider {
        id: row.id,
        name: row.name,
        kind: row.r#type,
        endpoints,
        api_key,
        is_enabled: row.is_enabled,
        weight: u32::try_from(row.weight).unwrap_or(0),
        priority: row.priority,
        group_priorities: row.group_priorities.0,
        groups: names::tidy(row.group_tags.0.iter()),
        allowed_models: patterns(&row.allowed_models)?,
        model_redirects: redirects(row.model_redirects)?,
        allowed_clients: names::client_rules(&row.allowed_clients),
        blocked_clients: names::client_rules(&row.blocked_clients),
        active_time: row.active_time,
        cost_multiplier: row.cost_multiplier,
        max_attempts: u32::try_from(row.max_attempts).unwrap_or(1).max(1),
        timeouts: row.timeouts,
        breaker: row.breaker,
        health_check: row.health_check,
        hedge_after_ms: u64::try_from(row.hedge_after_ms).unwrap_or(0),
        max_concurrent: u32::try_from(row.max_concurrent).unwrap_or(0),
        parties: Arc::new([Party::of_provider(
            row.id,
            Limits {
                concurrent_requests: (row.max_concurrent > 0).then(|| row.max_concurrent.into()),
                ..row.limits
            },
        )]),
        proxy: proxy(row.proxy_url.as_ref(), sealer)?,
        proxy_fallback_to_direct: row.proxy_fallback_to_direct,
        custom_headers: row.custom_headers.open(sealer).map_err(|e| e.to_string())?,
        preserve_client_ip: row.preserve_client_ip,
    })
}

/// The main address first, each once.
fn endpoints(row: &provider::Model) -> Result<Vec<BaseUrl>, String> {
    let main = BaseUrl::parse(&row.url).map_err(|e| format!("its address {e}"))?;
    let mut endpoints = vec![main];
    for url in &row.endpoints.0 {
        let further = BaseUrl::parse(url).map_err(|e| format!("the further address {url} {e}"))?;
        if !endpoints.contains(&further) {
            endpoints.push(further);
        }
    }
    Ok(endpoints)
}

fn patterns(rules: &NameRules) -> Result<Vec<Pattern>, String> {
    rules
        .0
        .iter()
        .map(|rule| Pattern::try_from(rule).map_err(|e| format!("an allowed model: {e}")))
        .collect()
}

fn redirects(redirects: ModelRedirects) -> Result<Vec<Redirect>, String> {
    redirects
        .0
        .into_iter()
        .map(|redirect| {
            Ok(Redirect {
                source: Pattern::new(redirect.kind, &redirect.source)
                    .map_err(|e| format!("a model redirect: {e}"))?,
                target: redirect.target,
            })
        })
        .collect()
}

fn proxy(sealed: Option<&Sealed>, sealer: &Sealer) -> Result<Option<OutboundProxy>, String> {
    let Some(sealed) = sealed else {
        return Ok(None);
    };
    let url = sealer
        .open(PROXY_URL_PLACE, sealed)
        .map_err(|e| e.to_string())?;
    let proxy =
        OutboundProxy::parse(url.expose()).map_err(|e| format!("the address of its proxy {e}"))?;
    Ok(Some(proxy))
}
