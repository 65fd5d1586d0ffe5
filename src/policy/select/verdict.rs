//! One provider held against every condition.

use super::group;
use super::wanted::{Standing, Wanted};
use crate::domain::chain::Dropped;
use crate::domain::client::{Client, admits};
use crate::domain::protocol::Protocol;
use crate::domain::provider::Provider;

/// The provider's tier, or the first condition that it fails. `client` is `wanted.client`, folded once for all providers.
pub fn judge(
    provider: &Provider,
    wanted: &Wanted<'_>,
    client: Option<&Client>,
    standing: &(impl Standing + ?Sized),
) -> Result<i32, Dropped> {
    let tier = offer(provider, wanted.protocol, wanted.groups)?;
    if !admits(&provider.allowed_clients, &provider.blocked_clients, client) {
        return Err(Dropped::Client);
    }
    if !serves_model(provider, wanted.model) {
        return Err(Dropped::Model);
    }
    let hours = provider.active_time.as_ref();
    if hours.is_some_and(|hours| !hours.contains(wanted.minute)) {
        return Err(Dropped::Schedule);
    }
    if wanted.exhausted.contains(&provider.id) {
        return Err(Dropped::Exhausted);
    }
    match standing.hindrance(provider, wanted.model) {
        Some(hindrance) => Err(hindrance.into()),
        None => Ok(tier),
    }
}

/// Its tier for whoever speaks this protocol and is of these groups, whatever is asked and whenever.
pub fn offer(provider: &Provider, protocol: Protocol, groups: &[String]) -> Result<i32, Dropped> {
    if !provider.is_enabled {
        return Err(Dropped::Disabled);
    }
    if provider.weight == 0 {
        return Err(Dropped::NoWeight);
    }
    if !protocol.is_spoken_by(provider.kind) {
        return Err(Dropped::Protocol);
    }
    group::tier(provider, groups).ok_or(Dropped::Group)
}

fn serves_model(provider: &Provider, model: Option<&str>) -> bool {
    match model {
        Some(model) if !provider.allowed_models.is_empty() => {
            let mut rules = provider.allowed_models.iter();
            let mut redirects = provider.model_redirects.iter();
            rules.any(|rule| rule.matches(model)) || redirects.any(|r| r.source.matches(model))
        }
        _ => true,
    }
}
