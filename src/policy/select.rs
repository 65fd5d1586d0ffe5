//! Which provider serves an attempt.
//!
//! Every provider is held against the same conditions at every attempt: switched on, speaks the caller's protocol, shares a group
//! with the caller, may be asked for the model, has a weight, and has tries left in this request. Those that pass are
//! grouped by tier (the provider's priority, or its priority in one of the caller's groups where it has one; lower goes
//! first), and one of the best tier is drawn by weight. A nominee (the provider that just failed and still has tries) is taken
//! as it is, provided that it passes the same conditions.
//!
//! Two passes over the list and no allocation: the first finds the best tier and the sum of its weights, the second walks to
//! the drawn point.

use std::sync::Arc;

use crate::domain::chain::Selection;
use crate::domain::protocol::Protocol;
use crate::domain::provider::Provider;

/// The group of providers and callers that name none.
pub const DEFAULT_GROUP: &str = "default";
/// In a caller's groups: every provider's group.
pub const ANY_GROUP: &str = "*";

/// What an attempt looks for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The client's protocol.
    pub protocol: Protocol,
    /// The model the client asks for.
    pub model: Option<&'a str>,
    /// The caller's groups; empty means [`DEFAULT_GROUP`].
    pub groups: &'a [String],
    /// Providers that have no tries left in this request, by id.
    pub exhausted: &'a [i64],
    /// The provider to take if it passes, by id.
    pub nominee: Option<i64>,
}

/// A chosen provider and why.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The provider.
    pub provider: Arc<Provider>,
    /// Why.
    pub selection: Selection,
}

/// Draws a provider. `point` is a random number in `0.0..1.0`.
#[must_use]
pub fn select(providers: &[Arc<Provider>], wanted: &Wanted<'_>, point: f64) -> Option<Choice> {
    let mut best_tier = i32::MAX;
    let mut weights: u64 = 0;
    let mut nominee = None;
    for provider in providers {
        let Some(tier) = tier_if_eligible(provider, wanted) else {
            continue;
        };
        if wanted.nominee == Some(provider.id) {
            nominee = Some((provider, tier));
        }
        if tier < best_tier {
            best_tier = tier;
            weights = 0;
        }
        if tier == best_tier {
            weights += u64::from(provider.weight);
        }
    }
    let choice = |provider: &Arc<Provider>, tier, probability| Choice {
        provider: provider.clone(),
        selection: Selection {
            tier,
            weight: provider.weight,
            probability,
            considered: providers.len(),
        },
    };
    if let Some((provider, tier)) = nominee {
        return Some(choice(provider, tier, 1.0));
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "weights are small and the point is within 0..1"
    )]
    let mut left = (point * weights as f64) as u64;
    let mut last = None;
    for provider in providers {
        if tier_if_eligible(provider, wanted) != Some(best_tier) {
            continue;
        }
        last = Some(provider);
        let weight = u64::from(provider.weight);
        if left < weight {
            break;
        }
        left -= weight;
    }
    #[expect(clippy::cast_precision_loss, reason = "weights are small")]
    last.map(|provider| {
        choice(
            provider,
            best_tier,
            f64::from(provider.weight) / weights as f64,
        )
    })
}

/// Every provider that passes.
pub fn eligible<'a, 'w>(
    providers: &'a [Arc<Provider>],
    wanted: Wanted<'w>,
) -> impl Iterator<Item = &'a Arc<Provider>> + use<'a, 'w> {
    providers
        .iter()
        .filter(move |provider| tier_if_eligible(provider, &wanted).is_some())
}

fn tier_if_eligible(provider: &Provider, wanted: &Wanted<'_>) -> Option<i32> {
    let passes = provider.is_enabled
        && provider.weight > 0
        && wanted.protocol.is_spoken_by(provider.kind)
        && !wanted.exhausted.contains(&provider.id)
        && serves_model(provider, wanted.model);
    if passes {
        tier(provider, wanted.groups)
    } else {
        None
    }
}

fn serves_model(provider: &Provider, model: Option<&str>) -> bool {
    match model {
        Some(model) if !provider.allowed_models.is_empty() => {
            provider
                .allowed_models
                .iter()
                .any(|rule| rule.matches(model))
                || provider
                    .model_redirects
                    .iter()
                    .any(|r| r.source.matches(model))
        }
        _ => true,
    }
}

/// The provider's tier for a caller of these groups; `None` when they share no group.
fn tier(provider: &Provider, groups: &[String]) -> Option<i32> {
    let mut best: Option<i32> = None;
    let mut consider = |group: &str| {
        let shares = if provider.groups.is_empty() {
            group == DEFAULT_GROUP
        } else {
            provider.groups.iter().any(|g| g == group)
        };
        if shares {
            let tier = provider
                .group_priorities
                .get(group)
                .copied()
                .unwrap_or(provider.priority);
            best = Some(best.map_or(tier, |b| b.min(tier)));
        }
    };
    if groups.is_empty() {
        consider(DEFAULT_GROUP);
    }
    for group in groups {
        if group == ANY_GROUP {
            return Some(best.unwrap_or(provider.priority));
        }
        consider(group);
    }
    best
}

#[cfg(test)]
mod tests;
