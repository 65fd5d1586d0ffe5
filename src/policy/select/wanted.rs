//! What an attempt looks for, and what it may ask of the live state.

use entity::value::TimeOfDay;

use crate::domain::chain::{Dropped, How};
use crate::domain::protocol::Protocol;
use crate::domain::provider::Provider;

/// What an attempt looks for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The client's protocol.
    pub protocol: Protocol,
    /// The model the client asks for.
    pub model: Option<&'a str>,
    /// The caller's groups; empty means [`DEFAULT_GROUP`](super::DEFAULT_GROUP).
    pub groups: &'a [String],
    /// The client's `User-Agent`.
    pub client: Option<&'a str>,
    /// Now, in the system's time zone.
    pub minute: TimeOfDay,
    /// Providers that have no tries left in this request, by id.
    pub exhausted: &'a [i64],
    /// Providers that were tried in this request at all, by id: none of them is its last resort.
    pub tried: &'a [i64],
    /// The provider to take if it passes.
    pub nominee: Option<Nominee>,
    /// How one of several is picked.
    pub draw: Draw,
    /// Whether the least bad may be taken when nobody passes: once in a request.
    pub allows_last_resort: bool,
}

/// A provider that something speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nominee {
    /// Which, by id.
    pub provider: i64,
    /// What speaks for it.
    pub by: Nomination,
}

/// What speaks for a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nomination {
    /// It failed just now and has tries left.
    Retry,
    /// The session was there before.
    Session,
    /// The prompt's prefix was there before.
    Prefix,
}

/// How one of several providers is picked by weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Draw {
    /// By a random number in `0.0..1.0`.
    Random(f64),
    /// By a hash of the conversation: the same provider at every turn and on every node.
    Conversation(u64),
}

/// What live state says of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// Its breaker is open.
    BreakerOpen,
    /// It asked to be left alone for a while.
    Resting,
    /// It has as many requests as it may have at once.
    Busy,
    /// Its budget is spent.
    OverBudget,
}

/// Live state, as far as selection asks for it: breakers, requests in flight, budgets. Both are called on the request path, the first for every
/// provider that passes the other checks.
pub trait Standing {
    /// What is against asking this provider for the client's model now; the first of several in [`Hindrance`]'s order.
    fn hindrance(&self, provider: &Provider, model: Option<&str>) -> Option<Hindrance>;

    /// How bad it would be to ask it although its breaker is open or it is resting: the lowest is taken. `None` when it must not be,
    /// because it is busy or over its budget besides.
    fn badness(&self, provider: &Provider, model: Option<&str>) -> Option<u64>;
}

// === impl Nomination ===

impl From<Nomination> for How {
    fn from(nomination: Nomination) -> Self {
        match nomination {
            Nomination::Retry => Self::Retry,
            Nomination::Session => Self::Session,
            Nomination::Prefix => Self::Prefix,
        }
    }
}

// === impl Hindrance ===

impl From<Hindrance> for Dropped {
    fn from(hindrance: Hindrance) -> Self {
        match hindrance {
            Hindrance::BreakerOpen => Self::BreakerOpen,
            Hindrance::Resting => Self::Resting,
            Hindrance::Busy => Self::Busy,
            Hindrance::OverBudget => Self::OverBudget,
        }
    }
}
