//! Which provider serves an attempt.
//!
//! Every provider is held against the same conditions at every attempt, the cheapest and most telling first, and what it fails
//! is recorded: [`Dropped`] lists them in order. What passes is grouped by tier (the
//! provider's priority, or its priority in one of the caller's groups where it has one; lower goes first), and one of the
//! best tier is drawn by weight. A nominee (the provider that just failed and still has tries, or the one that a session
//! or a cached prefix speaks for) is taken whatever its tier, provided that it passes the same conditions.
//!
//! When nobody passes, a provider that only its open breaker or a rest keeps out is better than none: the
//! breaker guards against waste, and here the other choice is a certain failure. The least bad of them is taken, once in a
//! request and not if it was tried in it already, so that a dead provider gets one request more and no herd.
//! One that is busy or over its budget is never taken: these limits are promises.
//!
//! The list is walked once to sift it, which asks live state once for each provider that gets so far; the draw is among those of the best
//! tier alone. Nothing is allocated but these and the lists of ids that go into the decision chain. To explain a decision, the
//! decision is made and its lists are read back, so that an explanation cannot differ from what it explains.

use std::sync::Arc;

use crate::domain::chain::{Dropped, How, Nobody, Selection};
use crate::domain::protocol::Protocol;
use crate::domain::provider::Provider;

mod draw;
mod group;
mod sift;
mod verdict;
mod wanted;

pub use group::{ANY_GROUP, DEFAULT_GROUP};
pub use wanted::{Draw, Hindrance, Nomination, Nominee, Standing, Wanted};

use sift::Sifted;

/// A chosen provider and why.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The provider.
    pub provider: Arc<Provider>,
    /// Why.
    pub selection: Selection,
    group: Option<usize>,
    best_tier: i32,
}

/// What would happen to a request, and why.
#[derive(Debug)]
pub struct Survey {
    /// Every provider, in the list's order.
    pub candidates: Vec<Candidate>,
    /// The one this draw would take.
    pub outcome: Result<Choice, Nobody>,
}

/// One provider of a survey.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The provider.
    pub provider: Arc<Provider>,
    /// The check that it failed; none when it passed them all.
    pub reason: Option<Dropped>,
    /// Its tier for this caller; none when they share no group.
    pub tier: Option<i32>,
    /// Its chance over all draws, 0 to 1; above 0 only in the chosen tier. A nominee that passes and a last resort have 1.
    pub probability: f64,
}

/// Chooses a provider.
///
/// # Errors
/// When nobody passes and there is no last resort: by what each was dropped.
pub fn select(
    providers: &[Arc<Provider>],
    wanted: &Wanted<'_>,
    standing: &(impl Standing + ?Sized),
) -> Result<Choice, Nobody> {
    let sifted = Sifted::new(providers, wanted, standing);
    let picked = pick(wanted, &sifted);
    let considered = providers.len();
    let best_tier = sifted.best_tier;
    let (kept, dropped) = sifted.into_lists();
    let Some(picked) = picked else {
        return Err(Nobody {
            considered,
            dropped,
        });
    };
    Ok(Choice {
        provider: picked.provider.clone(),
        selection: Selection {
            by: picked.by,
            tier: picked.tier,
            weight: picked.provider.weight,
            probability: picked.probability,
            considered,
            kept,
            dropped,
        },
        group: group::through(picked.provider, wanted.groups),
        best_tier,
    })
}

/// Chooses a provider and says of every one what became of it.
pub fn survey(
    providers: &[Arc<Provider>],
    wanted: &Wanted<'_>,
    standing: &(impl Standing + ?Sized),
) -> Survey {
    let outcome = select(providers, wanted, standing);
    let dropped = match &outcome {
        Ok(choice) => &choice.selection.dropped,
        Err(nobody) => &nobody.dropped,
    };
    let candidate = |provider: &Arc<Provider>| {
        let mut groups = dropped.iter();
        let group = groups.find(|group| group.providers.contains(&provider.id));
        let mut candidate = Candidate {
            provider: provider.clone(),
            reason: group.map(|group| group.reason),
            tier: group::tier(provider, wanted.groups),
            probability: 0.0,
        };
        if let Ok(choice) = &outcome {
            candidate.probability = chance(&candidate, choice);
        }
        candidate
    };
    Survey {
        candidates: providers.iter().map(candidate).collect(),
        outcome,
    }
}

/// Every provider that a caller of these groups can reach with this protocol, at some hour, for some model.
pub fn eligible<'a, 'w>(
    providers: &'a [Arc<Provider>],
    protocol: Protocol,
    groups: &'w [String],
) -> impl Iterator<Item = &'a Arc<Provider>> + use<'a, 'w> {
    providers
        .iter()
        .filter(move |provider| verdict::offer(provider, protocol, groups).is_ok())
}

struct Picked<'p> {
    provider: &'p Arc<Provider>,
    by: How,
    tier: i32,
    probability: f64,
}

fn pick<'p>(wanted: &Wanted<'_>, sifted: &Sifted<'p>) -> Option<Picked<'p>> {
    let certain = |provider, by, tier| Picked {
        provider,
        by,
        tier,
        probability: 1.0,
    };
    if let Some(((provider, tier), nominee)) = sifted.nominee.zip(wanted.nominee) {
        return Some(certain(provider, nominee.by.into(), tier));
    }
    if let Some(((_, tier), provider)) = sifted.last_resort {
        return Some(certain(provider, How::LastResort, tier));
    }
    let tier = sifted.best_tier;
    let candidates = sifted.best.iter().copied();
    let provider = draw::draw(candidates, sifted.weights, wanted.draw)?;
    #[expect(clippy::cast_precision_loss, reason = "weights are small")]
    let probability = f64::from(provider.weight) / sifted.weights as f64;
    Some(Picked {
        provider,
        by: How::Weight,
        tier,
        probability,
    })
}

/// A candidate's chance over all draws, given the one that was made.
fn chance(candidate: &Candidate, choice: &Choice) -> f64 {
    let selection = &choice.selection;
    let is_rival = selection.by == How::Weight
        && candidate.reason.is_none()
        && candidate.tier == Some(selection.tier);
    if candidate.provider.id == choice.provider.id {
        selection.probability
    } else if is_rival {
        let ratio = f64::from(candidate.provider.weight) / f64::from(selection.weight);
        selection.probability * ratio
    } else {
        0.0
    }
}

// === impl Choice ===

impl Choice {
    /// The group through which the caller reaches it, whose multiplier applies: the first of the caller's groups that the provider is in;
    /// its own first where the caller has it by [`ANY_GROUP`] alone.
    #[must_use]
    pub fn group(&self) -> &str {
        let own = self.group.and_then(|index| self.provider.groups.get(index));
        own.map_or(DEFAULT_GROUP, String::as_str)
    }

    /// Whether a provider of a better tier passed too: one was nominated and taken for that.
    #[must_use]
    pub fn is_outranked(&self) -> bool {
        self.best_tier < self.selection.tier
    }
}

#[cfg(test)]
mod tests;
