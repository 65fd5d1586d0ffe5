//! Whose fault it is that an answer is none, and which breakers hear of it.
//!
//! Most failures speak for themselves: a refused connection, a 429, a 503, silence. They are told to the provider's breaker at once. A 500,
//! an error event or an empty answer may as well be the request's own doing: one conversation with something in it that upstreams choke on,
//! sent again and again, would open the breaker of every provider it passes. Such a failure is told only once another provider has
//! answered the same request. If nobody has, and two or more providers failed it that way, it is the request that is *poison*:
//! the chain says so, and no breaker hears of it.

use bytes::Bytes;
use pingora::http::ResponseHeader;

use super::contender::{Contender, Verdict};
use super::facts::Facts;
use crate::domain::fault::Fault;
use crate::domain::refusal::Refusal;
use crate::policy::retry;
use crate::store::snapshot::Snapshot;
use crate::wire::judge;

/// Whose fault, and what follows from it.
#[derive(Debug, Clone)]
pub struct Blame {
    /// Whose fault.
    pub fault: Fault,
    /// What went wrong, in words.
    pub what: String,
    /// Whether it may be the request's own doing.
    pub is_ambiguous: bool,
    /// What an error rule wants the client to see instead.
    pub overriding: Option<Refusal>,
}

/// What a verdict says.
pub enum Finding {
    /// The client may have the answer.
    Good,
    /// The attempt's own report says what went wrong.
    Reported,
    /// This.
    Bad(Blame),
}

/// The status that an error in a 200 stands for when nothing in it tells.
const UNTOLD: u16 = 502;

/// Reads a verdict. `contender` is the one it is about.
pub fn of(verdict: &Verdict, contender: &mut Contender, snapshot: &Snapshot) -> Finding {
    match verdict {
        Verdict::Good => Finding::Good,
        Verdict::Silence => Finding::Reported,
        Verdict::Late(what) => Finding::Bad(Blame::plain(Fault::Provider, *what)),
        Verdict::Empty => Finding::Bad(Blame {
            is_ambiguous: true,
            ..Blame::plain(Fault::Provider, "the answer has no content")
        }),
        Verdict::Refused => {
            let status = contender
                .head
                .as_ref()
                .map_or(UNTOLD, |h| h.status.as_u16());
            let what = format!("the upstream answered {status}");
            Finding::Bad(classify(status, status == 500, what, contender, snapshot))
        }
        Verdict::Bad { status, what } => {
            let is_ambiguous = !matches!(status, Some(401..=404 | 429 | 503 | 529));
            let status = status.unwrap_or(UNTOLD);
            Finding::Bad(classify(
                status,
                is_ambiguous,
                what.clone(),
                contender,
                snapshot,
            ))
        }
    }
}

fn classify(
    status: u16,
    is_ambiguous: bool,
    what: String,
    contender: &mut Contender,
    snapshot: &Snapshot,
) -> Blame {
    let provider = contender
        .provider
        .as_ref()
        .map_or(0, |provider| provider.id);
    let body = contender.body();
    let rules = |text: &str| {
        let rule = snapshot
            .error_rules
            .iter()
            .find(|rule| rule.matches(provider, text))?;
        Some(retry::Blame {
            fault: rule.fault,
            override_status: rule.override_status,
            override_message: rule.override_message.clone(),
        })
    };
    let found = retry::classify(status, &body, rules);
    let overriding =
        (found.override_status.is_some() || found.override_message.is_some()).then(|| {
            Refusal::upstream(
                found.override_status.unwrap_or(status),
                found.override_message,
            )
        });
    Blame {
        fault: found.fault,
        what,
        is_ambiguous: is_ambiguous && found.fault == Fault::Provider,
        overriding,
    }
}

/// Whether an answer that failed may be shown to the client when nobody does better.
pub fn may_be_shown(blame: &Blame, verdict: &Verdict, head: &ResponseHeader, body: &Bytes) -> bool {
    match verdict {
        Verdict::Refused => {
            blame.fault != Fault::Key && !judge::is_page(body) && head.status.as_u16() >= 400
        }
        Verdict::Empty => true,
        _ => false,
    }
}

/// A provider has answered: those that failed before it have failed by themselves.
pub fn somebody_answered(facts: &mut Facts) {
    for tried in &mut facts.attempts {
        tried.tell();
    }
}

/// Nobody has answered.
pub fn all_failed(facts: &mut Facts) {
    let is_poison = {
        let mut doubtful = facts.attempts.iter().filter(|t| t.is_ambiguous);
        let first = doubtful.next().map(|t| t.record.provider_id);
        doubtful.any(|t| Some(t.record.provider_id) != first)
    };
    for tried in &mut facts.attempts {
        if is_poison && tried.is_ambiguous {
            tried.record.fault = Some(Fault::Poison);
            tried.forgive();
        } else {
            tried.tell();
        }
    }
}

// === impl Blame ===

impl Blame {
    fn plain(fault: Fault, what: impl Into<String>) -> Self {
        Self {
            fault,
            what: what.into(),
            is_ambiguous: false,
            overriding: None,
        }
    }
}
