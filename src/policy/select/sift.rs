//! All providers held against every condition, once.

use std::sync::Arc;

use super::group;
use super::verdict::judge;
use super::wanted::{Standing, Wanted};
use crate::domain::chain::{Dropped, DroppedGroup};
use crate::domain::client::Client;
use crate::domain::provider::Provider;

/// What is left and what is not.
pub struct Sifted<'p> {
    /// Those that passed, by id, in the list's order.
    pub kept: Vec<i64>,
    /// The lowest tier among them.
    pub best_tier: i32,
    /// Those in that tier.
    pub best: Vec<&'p Arc<Provider>>,
    /// The sum of the weights in that tier.
    pub weights: u64,
    /// The nominee and its tier, if it passed.
    pub nominee: Option<(&'p Arc<Provider>, i32)>,
    /// When nobody passed, the least bad of those that only the breaker or a rest keeps out, behind its badness and tier: of several
    /// equally bad the lower tier, then the first in the list.
    pub last_resort: Option<((u64, i32), &'p Arc<Provider>)>,
    dropped: [Vec<i64>; Dropped::ALL.len()],
}

// === impl Sifted ===

impl<'p> Sifted<'p> {
    /// Asks each provider's standing once, so that what is recorded is what was decided on.
    pub fn new(
        providers: &'p [Arc<Provider>],
        wanted: &Wanted<'_>,
        standing: &(impl Standing + ?Sized),
    ) -> Self {
        // Folding its name is a third of a choice, and most providers are for everybody.
        let is_asked =
            |p: &Arc<Provider>| !p.allowed_clients.is_empty() || !p.blocked_clients.is_empty();
        let client = wanted.client.filter(|_| providers.iter().any(is_asked));
        let client = client.and_then(Client::new);
        let mut sifted = Self {
            kept: Vec::with_capacity(providers.len()),
            best_tier: i32::MAX,
            best: Vec::with_capacity(providers.len()),
            weights: 0,
            nominee: None,
            last_resort: None,
            dropped: Default::default(),
        };
        for provider in providers {
            match judge(provider, wanted, client.as_ref(), standing) {
                Ok(tier) => sifted.keep(provider, tier, wanted),
                Err(reason) => {
                    sifted.dropped[reason as usize].push(provider.id);
                    if matches!(reason, Dropped::BreakerOpen | Dropped::Resting) {
                        sifted.resort(provider, wanted, standing);
                    }
                }
            }
        }
        sifted
    }

    fn keep(&mut self, provider: &'p Arc<Provider>, tier: i32, wanted: &Wanted<'_>) {
        if wanted.nominee.is_some_and(|it| it.provider == provider.id) {
            self.nominee = Some((provider, tier));
        }
        if self.kept.is_empty() || tier < self.best_tier {
            self.best_tier = tier;
            self.best.clear();
            self.weights = 0;
        }
        if tier == self.best_tier {
            self.weights += u64::from(provider.weight);
            self.best.push(provider);
        }
        self.kept.push(provider.id);
        self.last_resort = None;
    }

    fn resort(
        &mut self,
        provider: &'p Arc<Provider>,
        wanted: &Wanted<'_>,
        standing: &(impl Standing + ?Sized),
    ) {
        let may = wanted.allows_last_resort && self.kept.is_empty();
        if !may || wanted.tried.contains(&provider.id) {
            return;
        }
        let badness = standing.badness(provider, wanted.model);
        let Some(rank) = badness.zip(group::tier(provider, wanted.groups)) else {
            return;
        };
        if self.last_resort.is_none_or(|(least, _)| rank < least) {
            self.last_resort = Some((rank, provider));
        }
    }

    /// The ids of those that did not pass, by reason.
    pub fn into_lists(self) -> (Vec<i64>, Vec<DroppedGroup>) {
        let groups = Dropped::ALL.into_iter().zip(self.dropped);
        let dropped = groups
            .filter(|(_, providers)| !providers.is_empty())
            .map(|(reason, providers)| DroppedGroup { reason, providers })
            .collect();
        (self.kept, dropped)
    }
}
