//! Where a request goes: selection, over everything that is known at this moment.
//!
//! This is the one place where configuration (the snapshot), live state (breakers, requests under way) and the past (which provider has a
//! conversation's prefix in its cache) come together. The request path and the explanation of a decision both go through it, so
//! that what is explained is what would happen.
//!
//! A provider that failed just now and has tries left goes first; else the one that the conversation was with, unless a better tier
//! has room again and the cached prefix is not worth staying for (`affinity::stays`); else selection draws, by the conversation's own
//! number, so that its turns meet the same provider on every node.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Timelike, Utc};
use entity::value::{Multiplier, TimeOfDay};

use super::affinity::{self, Affinity, Stay};
use super::breaker::{self, Breakers, Permit, Target};
use super::hedge::HedgeBudget;
use super::inflight::{Inflight, InflightGuard};
use super::quota::{Quota, Session};
use super::select::{self, Choice, Draw, Hindrance, Nomination, Nominee, Standing, Survey, Wanted};
use crate::domain::caller::Caller;
use crate::domain::chain::{How, Nobody};
use crate::domain::limits::Dimension;
use crate::domain::protocol::Protocol;
use crate::domain::provider::Provider;
use crate::store::snapshot::Snapshot;

/// The state that routing goes by, shared by all requests.
pub struct Routing {
    /// Which providers are left alone.
    pub breakers: Breakers,
    /// Requests under way, by provider.
    pub inflight: Inflight,
    /// Where conversations are.
    pub affinity: Affinity,
    /// Second attempts.
    pub hedges: HedgeBudget,
    /// What callers and providers may still use.
    pub quota: Arc<Quota>,
}

/// Conversations remembered at most.
const CONVERSATIONS: usize = 100_000;

/// What is to be routed.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The configuration.
    pub snapshot: &'a Snapshot,
    /// Who asks.
    pub caller: &'a Caller,
    /// In which protocol.
    pub protocol: Protocol,
    /// For which model.
    pub model: Option<&'a str>,
    /// The client's `User-Agent`.
    pub client: Option<&'a str>,
    /// The client's session.
    pub session: Option<Session>,
    /// A number that the turns of one conversation have in common.
    pub conversation: u64,
    /// The provider that the conversation was with.
    pub bound: Option<affinity::Nominee>,
    /// What was tried in this request.
    pub tried: Tried<'a>,
    /// When.
    pub at: Instant,
    /// The same on the wall.
    pub wall: DateTime<Utc>,
}

/// What was tried in a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tried<'a> {
    /// Providers that have no tries left, by id.
    pub exhausted: &'a [i64],
    /// Providers tried at all, by id.
    pub any: &'a [i64],
    /// The provider to try again, by id.
    pub again: Option<i64>,
    /// Whether this is a second attempt beside a first.
    pub is_hedge: bool,
    /// Whether the least bad was taken before.
    pub had_last_resort: bool,
}

/// Live state at one moment.
struct Now<'a> {
    routing: &'a Routing,
    at: Instant,
    wall: DateTime<Utc>,
    session: Option<Session>,
}

// === impl Routing ===

impl Routing {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(now: Instant, quota: Arc<Quota>) -> Self {
        Self {
            breakers: Breakers::new(now),
            inflight: Inflight::default(),
            affinity: Affinity::new(CONVERSATIONS),
            hedges: HedgeBudget::default(),
            quota,
        }
    }

    /// Chooses a provider.
    ///
    /// # Errors
    /// When nobody is left: by what each was dropped.
    pub fn choose(&self, question: &Question<'_>) -> Result<Choice, Nobody> {
        let now = self.now(question);
        let mut wanted = wanted(question);
        let providers = &question.snapshot.providers;
        let mut choice = select::select(providers, &wanted, &now)?;
        if let Some(bound) = bound_choice(&choice, question)
            && choice.is_outranked()
        {
            wanted.nominee = None;
            if let Ok(better) = select::select(providers, &wanted, &now)
                && better.selection.tier < choice.selection.tier
                && !self.stays(question, bound, &choice, &better)
            {
                choice = better;
            }
        }
        if question.tried.is_hedge {
            choice.selection.by = How::Hedge;
        }
        Ok(choice)
    }

    /// Takes what an attempt at this address needs: a place among the provider's requests, and the breakers' leave. `is_forced` is the last
    /// resort. None when another request was faster.
    pub fn enter(
        &self,
        provider: &Provider,
        endpoint: usize,
        model: Option<&str>,
        at: Instant,
        is_forced: bool,
    ) -> Option<(InflightGuard, Permit)> {
        let seat = self.inflight.enter(provider.id, provider.max_concurrent)?;
        let asked = model.map(|model| provider.redirect(model).unwrap_or(model));
        let target = Target {
            provider: provider.id,
            endpoint: (provider.endpoints.len() > 1).then_some(endpoint),
            model: asked.map(Arc::from),
        };
        let permit = self
            .breakers
            .admit(target, &provider.breaker, at, is_forced)?;
        Some((seat, permit))
    }

    /// Whether an address of a provider that has several may be asked.
    pub fn is_reachable(&self, provider: &Provider, endpoint: usize, at: Instant) -> bool {
        let standing = self
            .breakers
            .peek(provider.id, Some(endpoint), None, &provider.breaker, at);
        standing.admits()
    }

    /// What would happen to a request, and why.
    pub fn explain(&self, question: &Question<'_>) -> Survey {
        let now = self.now(question);
        let mut wanted = wanted(question);
        // The rule about better tiers may overrule the conversation's provider.
        let choice = self.choose(question);
        if choice.is_ok_and(|choice| choice.selection.by == How::Weight) {
            wanted.nominee = None;
        }
        select::survey(&question.snapshot.providers, &wanted, &now)
    }

    fn now<'a>(&'a self, question: &Question<'a>) -> Now<'a> {
        Now {
            routing: self,
            at: question.at,
            wall: question.wall,
            session: question.session,
        }
    }

    fn stays(
        &self,
        question: &Question<'_>,
        bound: affinity::Nominee,
        current: &Choice,
        better: &Choice,
    ) -> bool {
        affinity::stays(Stay {
            idle: bound.idle,
            cached_bytes: bound.cached_bytes,
            bound: price_factor(question.snapshot, current),
            better: price_factor(question.snapshot, better),
            settings: &question.snapshot.settings,
        })
    }
}

impl Now<'_> {
    fn is_busy(&self, provider: &Provider) -> bool {
        let max = provider.max_concurrent;
        max > 0 && self.routing.inflight.count(provider.id) >= max
    }

    /// What its limits have against this request, as far as this node knows.
    fn over_limit(&self, provider: &Provider) -> Option<Hindrance> {
        let mut limited = provider.parties.iter().filter(|party| party.is_limited());
        limited.find_map(|party| {
            let quota = &self.routing.quota;
            let refused = quota.hindrance(party, self.session, self.wall)?;
            Some(if refused.dimension == Dimension::ConcurrentRequests {
                Hindrance::Busy
            } else {
                Hindrance::OverBudget
            })
        })
    }

    /// The best of the provider's addresses stands for it.
    fn of_addresses<T: Ord>(
        &self,
        provider: &Provider,
        model: Option<&str>,
        ask: impl Fn(Option<usize>, Option<&str>) -> T,
    ) -> Option<T> {
        let asked = model.map(|model| provider.redirect(model).unwrap_or(model));
        match provider.endpoints.len() {
            0 | 1 => Some(ask(None, asked)),
            count => (0..count).map(|index| ask(Some(index), asked)).min(),
        }
    }
}

impl Standing for Now<'_> {
    fn hindrance(&self, provider: &Provider, model: Option<&str>) -> Option<Hindrance> {
        let breakers = &self.routing.breakers;
        let standing = self.of_addresses(provider, model, |endpoint, model| {
            breakers.peek(provider.id, endpoint, model, &provider.breaker, self.at)
        });
        match standing {
            Some(breaker::Standing::Open { .. } | breaker::Standing::HalfOpenFull) => {
                Some(Hindrance::BreakerOpen)
            }
            Some(breaker::Standing::Resting { .. }) => Some(Hindrance::Resting),
            _ if self.is_busy(provider) => Some(Hindrance::Busy),
            _ => self.over_limit(provider),
        }
    }

    fn badness(&self, provider: &Provider, model: Option<&str>) -> Option<u64> {
        let breakers = &self.routing.breakers;
        let badness = self.of_addresses(provider, model, |endpoint, model| {
            breakers.badness(provider.id, endpoint, model, &provider.breaker, self.at)
        });
        badness.filter(|_| !self.is_busy(provider) && self.over_limit(provider).is_none())
    }
}

fn wanted<'a>(question: &Question<'a>) -> Wanted<'a> {
    let tried = question.tried;
    let again = tried.again.map(|provider| Nominee {
        provider,
        by: Nomination::Retry,
    });
    let bound = question.bound.filter(|_| !tried.is_hedge);
    Wanted {
        protocol: question.protocol,
        model: question.model,
        groups: question.caller.groups(),
        client: question.client,
        minute: minute(question),
        exhausted: tried.exhausted,
        tried: tried.any,
        nominee: again.or(bound.map(nominee)),
        draw: Draw::Conversation(question.conversation),
        allows_last_resort: !tried.is_hedge && !tried.had_last_resort,
    }
}

fn nominee(bound: affinity::Nominee) -> Nominee {
    Nominee {
        provider: bound.provider,
        by: match bound.by {
            affinity::Signal::Session => Nomination::Session,
            affinity::Signal::Prefix => Nomination::Prefix,
        },
    }
}

/// The conversation's provider, if that is what was chosen.
fn bound_choice(choice: &Choice, question: &Question<'_>) -> Option<affinity::Nominee> {
    let is_bound = matches!(choice.selection.by, How::Session | How::Prefix);
    question.bound.filter(|_| is_bound)
}

/// The minute of the day in the system's time zone.
fn minute(question: &Question<'_>) -> TimeOfDay {
    let local = question.wall.with_timezone(&question.snapshot.time_zone);
    TimeOfDay::from_minutes(local.hour() * 60 + local.minute())
}

/// The provider's factor and its group's together.
fn price_factor(snapshot: &Snapshot, choice: &Choice) -> Multiplier {
    let group = snapshot.groups.get(choice.group()).copied();
    choice
        .provider
        .cost_multiplier
        .times(group.unwrap_or_default())
}
