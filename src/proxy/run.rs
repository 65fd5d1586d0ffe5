//! Which attempt next: until one has an answer for the client or nobody is left.
//!
//! Each attempt's answer is held until it is known to be one (`contender.rs`). A good one is relayed. An answer that is the client's own
//! doing (400, 413, ...) is passed on as it is: no other provider would take that request either. Any other failure is noted in the
//! chain, and the next provider is tried. Nobody left, the last error that the client may see is passed on with its own
//! status and body; one that was about *our* credential at the provider, a page of HTML, or no answer at all becomes our 503.
//!
//! A provider that failed is tried again while it has tries left, after a pause, unless the fault would stay (its key, its model).
//!
//! A stream whose first content is late may get a second attempt at another provider beside the first (a *hedge*), where the
//! provider asks for it and the budget allows. The first good answer wins. The loser is read on in the background, because
//! it is charged for either way, and shows with its own usage.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use super::alarm::Alarm;
use super::attempt::Plan;
use super::blame::{self, Blame, Finding};
use super::contender::{Contender, Verdict};
use super::deliver;
use super::facts::Facts;
use super::losers::Loser;
use super::parts::Parts;
use super::running::Running;
use super::stop::Stop;
use super::tries::{Leeway, Tries};
use super::{relay, reply, settle};
use crate::domain::chain::Outcome;
use crate::domain::fault::Fault;
use crate::domain::refusal::{Reason, Refusal};
use crate::policy::hedge::HedgePermit;
use crate::wire::reply as words;

/// Runs attempts until the client has an answer.
///
/// # Errors
/// Refuses when nobody could answer; breaks when the client is gone.
pub async fn attempts(
    facts: &mut Facts,
    session: &mut Session,
    parts: &Arc<Parts>,
    plan: Arc<Plan>,
) -> Result<(), Stop> {
    let patience = Duration::from_secs(plan.snapshot.settings.failover_seconds.into());
    let mut run = Run {
        field: Vec::with_capacity(1),
        tries: Tries::new(facts.arrived + patience),
        held: None,
        hedge: None,
        plan,
        parts,
    };
    if run.plan.wants_stream {
        parts.routing.hedges.note_request();
    }
    run.start(run.tries.leeway());
    loop {
        match run.next_word(session).await {
            Word::Late => run.start_hedge(),
            Word::ClientLeft => return run.abandon(facts).await,
            Word::Cutting => return Err(run.cut(facts)),
            Word::Ended => return Err(run.end(facts)),
            Word::Said(index, verdict) => {
                let contender = run.field.swap_remove(index);
                match run.weigh(facts, contender, verdict).await {
                    Weighed::Answer(contender, blame) => {
                        blame::somebody_answered(facts);
                        let losers = run.field.drain(..);
                        facts
                            .losers
                            .extend(losers.map(|loser| read_on(loser, parts)));
                        return deliver::deliver(facts, session, parts, *contender, blame).await;
                    }
                    Weighed::Override(refusal) => {
                        return Ok(reply::refusal(facts, session, &refusal).await?);
                    }
                    Weighed::Failed => {}
                }
            }
        }
        if run.field.is_empty() {
            if !run.may_go_on() {
                break;
            }
            if run.pause(session).await {
                return run.abandon(facts).await;
            }
            run.start(run.tries.leeway());
        }
    }
    blame::all_failed(facts);
    pass_on(facts, session, run.held.take()).await
}

/// The attempts of a journey.
struct Run<'a> {
    /// Those under way: one, or two with a hedge.
    field: Vec<Contender>,
    tries: Tries,
    /// The last failed answer that the client may see.
    held: Option<HeldAnswer>,
    hedge: Option<HedgePermit>,
    plan: Arc<Plan>,
    parts: &'a Arc<Parts>,
}

/// What the client gets when nobody does better.
enum HeldAnswer {
    /// An upstream's own words.
    Theirs {
        head: Box<ResponseHeader>,
        body: Bytes,
    },
    /// What an error rule says instead.
    Ours(Refusal),
}

/// What is heard first.
enum Word {
    /// This attempt's verdict.
    Said(usize, Verdict),
    /// The first content is late.
    Late,
    /// Nobody to answer to.
    ClientLeft,
    /// The shutdown waits no longer.
    Cutting,
    /// Somebody ended it by hand.
    Ended,
}

/// What a verdict leads to.
enum Weighed {
    /// The client gets this answer, good or its own doing.
    Answer(Box<Contender>, Option<Blame>),
    /// The client gets this instead.
    Override(Refusal),
    /// On to the next.
    Failed,
}

// === impl Run ===

impl Run<'_> {
    fn start(&mut self, leeway: Leeway) {
        let is_hedge = leeway.is_hedge;
        let plan = self.plan.clone();
        let running = Running::start(plan.clone(), leeway, self.parts.clone());
        let contender = Contender::new(running, plan, is_hedge);
        self.field.push(contender);
    }

    async fn next_word(&mut self, session: &mut Session) -> Word {
        let mut hedge_alarm = Alarm::default();
        let cutting = self.parts.shutdown.cutting();
        tokio::pin!(cutting);
        let plan = self.plan.clone();
        let by_hand = plan.progress.ended();
        tokio::pin!(by_hand);
        tokio::select! {
            biased;
            word = poll_fn(|cx| self.poll_word(cx, &mut hedge_alarm)) => word,
            () = &mut cutting => Word::Cutting,
            () = &mut by_hand => Word::Ended,
            _ = session.read_body_or_idle(true) => Word::ClientLeft,
        }
    }

    fn poll_word(&mut self, cx: &mut Context<'_>, hedge_alarm: &mut Alarm) -> Poll<Word> {
        for (index, contender) in self.field.iter_mut().enumerate() {
            if let Poll::Ready(verdict) = contender.poll(cx) {
                return Poll::Ready(Word::Said(index, verdict));
            }
        }
        hedge_alarm.set(self.hedge_at());
        hedge_alarm.poll(cx).map(|()| Word::Late)
    }

    /// When a second attempt is due: once a request, and only for a stream.
    fn hedge_at(&self) -> Option<Instant> {
        let [only] = &self.field[..] else { return None };
        if self.hedge.is_some() || !self.plan.wants_stream || self.tries.is_hedged() {
            return None;
        }
        Some(only.running.started + only.hedge_after()?)
    }

    /// A second attempt beside the first, if the budget allows.
    fn start_hedge(&mut self) {
        self.tries.hedged();
        let percent = self.plan.snapshot.settings.hedge_max_percent;
        self.hedge = self.parts.routing.hedges.try_take(percent);
        let first = self.field.first().and_then(|c| c.provider.as_ref());
        if let (Some(_), Some(provider)) = (&self.hedge, first) {
            let leeway = self.tries.leeway_beside(provider.id);
            self.start(leeway);
        }
    }

    async fn weigh(
        &mut self,
        facts: &mut Facts,
        mut contender: Contender,
        verdict: Verdict,
    ) -> Weighed {
        let blame = match blame::of(&verdict, &mut contender, &self.plan.snapshot) {
            Finding::Good => return Weighed::Answer(Box::new(contender), None),
            Finding::Reported => {
                self.failed(facts, contender, None).await;
                return Weighed::Failed;
            }
            Finding::Bad(blame) => blame,
        };
        if !blame.fault.moves_on() {
            let Some(refusal) = blame.overriding.clone() else {
                return Weighed::Answer(Box::new(contender), Some(blame));
            };
            self.failed(facts, contender, Some(blame)).await;
            return Weighed::Override(refusal);
        }
        self.hold(&mut contender, &blame, &verdict);
        self.failed(facts, contender, Some(blame)).await;
        Weighed::Failed
    }

    /// Keeps an answer that failed, for when nobody does better.
    fn hold(&mut self, contender: &mut Contender, blame: &Blame, verdict: &Verdict) {
        let body = contender.body();
        let Some(head) = &contender.head else { return };
        if let Some(refusal) = &blame.overriding {
            self.held = Some(HeldAnswer::Ours(refusal.clone()));
        } else if blame::may_be_shown(blame, verdict, head, &body) {
            let head = head.clone();
            self.held = Some(HeldAnswer::Theirs { head, body });
        }
    }

    /// Takes an attempt that failed into the chain, and learns from it.
    async fn failed(&mut self, facts: &mut Facts, mut contender: Contender, blame: Option<Blame>) {
        let is_hedge = contender.is_hedge;
        let body = contender.body();
        let Some(mut report) = contender.close().await else {
            return self.tries.stop();
        };
        let is_ambiguous = blame.as_ref().is_some_and(|blame| blame.is_ambiguous);
        if let Some(blame) = blame {
            report.failure = Some((blame.fault, blame.what));
        }
        if report.choice.is_some() {
            self.tries.note(&report);
        } else if !is_hedge {
            self.tries.stop();
        }
        let excerpt = (!body.is_empty()).then_some(&body[..]);
        if let Some(tried) = facts.note(report, Outcome::Failed, excerpt) {
            tried.is_ambiguous = is_ambiguous;
            if !is_ambiguous {
                tried.tell();
            }
        }
        settle::bill(facts, self.parts);
    }

    /// The client left before it had an answer. Whoever was asked is read on for its usage.
    async fn abandon(self, facts: &mut Facts) -> Result<(), Stop> {
        facts.answer.client_left = true;
        let readings = self.field.into_iter().map(|contender| {
            let has_begun = contender.head.is_some();
            relay::drain(contender.running, self.parts, has_begun)
        });
        for report in join_all(readings).await.into_iter().flatten() {
            facts.note(report, Outcome::ClientLeft, None);
        }
        Ok(())
    }

    fn cut(self, facts: &mut Facts) -> Stop {
        self.break_off(facts, "the gateway shut down");
        Refusal::new(Reason::Overloaded, "This gateway is shutting down.").into()
    }

    fn end(self, facts: &mut Facts) -> Stop {
        self.break_off(facts, "the session was ended by hand");
        Refusal::new(Reason::SessionEnded, words::ENDED).into()
    }

    fn break_off(self, facts: &mut Facts, why: &str) {
        for contender in self.field {
            if let Some(mut report) = contender.running.stop() {
                report.failure = Some((Fault::Us, why.to_owned()));
                facts.note(report, Outcome::Failed, None);
            }
        }
    }

    fn may_go_on(&self) -> bool {
        self.tries.may_go_on() && !self.parts.shutdown.is_refusing()
    }

    /// Waits before the same provider is tried again. Says whether the client left meanwhile.
    async fn pause(&mut self, session: &mut Session) -> bool {
        let pause = self.tries.pause();
        if pause.is_zero() {
            return false;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => false,
            () = self.parts.shutdown.cutting() => false,
            _ = session.read_body_or_idle(true) => true,
        }
    }
}

/// An attempt that lost goes on generating and charging whether anybody reads it or not: it is read on for its usage.
fn read_on(loser: Contender, parts: &Arc<Parts>) -> Loser {
    let parts = parts.clone();
    Loser::new(async move {
        if loser.held.is_whole {
            loser.running.finish().await
        } else {
            relay::drain(loser.running, &parts, loser.head.is_some()).await
        }
    })
}

/// Nobody is left: the last failed answer that the client may see, or our own refusal.
async fn pass_on(
    facts: &mut Facts,
    session: &mut Session,
    held: Option<HeldAnswer>,
) -> Result<(), Stop> {
    let message = match held {
        Some(HeldAnswer::Theirs { head, body }) => {
            return Ok(reply::held(facts, session, *head, body).await?);
        }
        Some(HeldAnswer::Ours(refusal)) => return Err(refusal.into()),
        None if facts
            .attempts
            .iter()
            .all(|t| t.record.provider_id.is_none()) =>
        {
            "No provider is available for this request: none that this key may use serves this protocol and model now."
        }
        None => "No provider could answer this request; please try again shortly.",
    };
    Err(Refusal::new(Reason::NoProvider, message).into())
}
