//! Which attempt next: one after another, until one has an answer for the client or nobody is left.
//!
//! An answer that is the client's own doing (400, 413, ...) is passed on as it is: no other provider would take that request either.
//! Any other failure (see `policy::retry`) is *held*: its body is read, bounded, for the chain, and the next provider
//! is tried. Nobody left, the last held answer is passed on with its own status and body, unless it was about *our*
//! credential at the provider, which is none of the client's business: that, like having had no answer at all, becomes our 503.
//!
//! A provider that failed is tried again while it has tries left, unless the fault would stay (its key, its model). A
//! connection out of the pool that turns out dead costs no try: it says nothing about the provider.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pingora::http::ResponseHeader;
use pingora::protocols::http::HttpTask;
use pingora::proxy::{Session, SubrequestSpawner};
use tokio::time::timeout;

use super::attempt::{Attempt, Plan, Report};
use super::facts::Facts;
use super::parts::Parts;
use super::peer::millis;
use super::relay::{self, End};
use super::reply;
use super::stop::Stop;
use super::subrequest::{self, Event, Running, Template};
use crate::domain::chain::Outcome;
use crate::domain::fault::Fault;
use crate::domain::provider::Provider;
use crate::domain::refusal::{Reason, Refusal};
use crate::policy::retry::{MAX_ATTEMPTS, fault_of_status};

/// How much of a failed answer is kept to be passed on.
const HELD_BODY: usize = 64 << 10;
/// How long a failed answer's body is waited for.
const HELD_WAIT: Duration = Duration::from_secs(5);

/// Runs attempts until the client has an answer.
///
/// # Errors
/// Refuses when nobody could answer; breaks when the client is gone.
pub async fn attempts(
    facts: &mut Facts,
    session: &mut Session,
    parts: &Parts,
    plan: Arc<Plan>,
) -> Result<(), Stop> {
    let has_body = !plan.body.is_empty();
    let Some(spawner) = session.subrequest_spawner.take() else {
        return Err(Refusal::new(Reason::Internal, "The gateway failed.").into());
    };
    let mut tries = Tries::default();
    let mut held: Option<Held> = None;
    loop {
        let running = start(&spawner, &parts.template, &plan, &tries, has_body);
        match first_word(running, session, parts).await {
            Word::Answer(running, head, provider) => {
                return deliver(facts, session, parts, running, head, &provider).await;
            }
            Word::Failure(running, head) => {
                let body = hold_body(running).await;
                let Some(report) = body.report else { break };
                tries.note(&report);
                facts.note(report, Outcome::Failed, Some(&body.bytes));
                if fault_of_status(head.status.as_u16()) != Some(Fault::Key) {
                    held = Some(Held {
                        head,
                        body: body.bytes,
                    });
                }
            }
            Word::Silence(report) => {
                let Some(report) = report.filter(|r| r.choice.is_some()) else {
                    break;
                };
                tries.note(&report);
                facts.note(report, Outcome::Failed, None);
            }
            Word::ClientLeft(report) => {
                facts.answer.client_left = true;
                if let Some(report) = report {
                    facts.note(report, Outcome::ClientLeft, None);
                }
                return Ok(());
            }
        }
        if tries.total >= MAX_ATTEMPTS || parts.shutdown.is_refusing() {
            break;
        }
    }
    pass_on(facts, session, held).await
}

/// The last failed answer that the client may see.
struct Held {
    head: Box<ResponseHeader>,
    body: Bytes,
}

/// What was tried so far, as far as the next choice depends on it.
#[derive(Default)]
struct Tries {
    total: u32,
    by_provider: Vec<(i64, u32)>,
    exhausted: Vec<i64>,
    nominee: Option<i64>,
    stale_connections: u32,
}

/// The first thing an attempt has to say.
enum Word {
    /// An answer for the client.
    Answer(Running, Box<ResponseHeader>, Option<Arc<Provider>>),
    /// An answer that another provider may better.
    Failure(Running, Box<ResponseHeader>),
    /// No answer.
    Silence(Option<Report>),
    /// Nobody to answer to.
    ClientLeft(Option<Report>),
}

fn start(
    spawner: &SubrequestSpawner,
    template: &Template,
    plan: &Arc<Plan>,
    tries: &Tries,
    has_body: bool,
) -> Running {
    let attempt = |link| Attempt::new(plan.clone(), tries.exhausted.clone(), tries.nominee, link);
    subrequest::start(spawner, template, attempt, has_body)
}

/// Waits for the head of the answer, while watching the client and the chosen provider's patience.
async fn first_word(mut running: Running, session: &mut Session, parts: &Parts) -> Word {
    let mut provider: Option<Arc<Provider>> = None;
    let patience = tokio::time::sleep(Duration::from_secs(3600));
    let cutting = parts.shutdown.cutting();
    tokio::pin!(patience, cutting);
    let mut is_limited = false;
    loop {
        tokio::select! {
            biased;
            event = running.event() => match event {
                Event::Chosen(chosen) => {
                    if let Some(limit) = patience_with(&chosen) {
                        patience.as_mut().reset(tokio::time::Instant::now() + limit);
                        is_limited = true;
                    }
                    provider = Some(chosen);
                }
                Event::Task(HttpTask::Header(head, _)) if !head.status.is_informational() => {
                    let moves_on = fault_of_status(head.status.as_u16()).is_some_and(Fault::moves_on);
                    return if moves_on {
                        Word::Failure(running, head)
                    } else {
                        Word::Answer(running, head, provider)
                    };
                }
                Event::Task(_) => {}
                Event::End => return Word::Silence(running.finish().await),
            },
            () = &mut patience, if is_limited => {
                let what = "the upstream did not begin to answer in time";
                return Word::Silence(given_up(running, Fault::Provider, what));
            }
            () = &mut cutting => {
                return Word::Silence(given_up(running, Fault::Us, "the gateway shut down"));
            }
            _ = session.read_body_or_idle(true) => {
                return Word::ClientLeft(running.stop());
            }
        }
    }
}

/// Stops an attempt for a reason of ours, which its report then gives.
fn given_up(running: Running, fault: Fault, what: &str) -> Option<Report> {
    let mut report = running.stop()?;
    report.failure = Some((fault, what.to_owned()));
    Some(report)
}

/// How long a provider may take to begin its answer, connecting included.
fn patience_with(provider: &Provider) -> Option<Duration> {
    let timeouts = &provider.timeouts;
    millis(timeouts.first_byte_ms).map(|first| first + Duration::from_millis(timeouts.connect_ms))
}

/// The client gets this attempt's answer.
async fn deliver(
    facts: &mut Facts,
    session: &mut Session,
    parts: &Parts,
    mut running: Running,
    head: Box<ResponseHeader>,
    provider: &Option<Arc<Provider>>,
) -> Result<(), Stop> {
    let timeouts = provider.as_ref().map(|p| p.timeouts).unwrap_or_default();
    let is_bad = fault_of_status(head.status.as_u16()).is_some();
    let mut excerpt = BytesMut::new();
    let keep = is_bad.then_some(&mut excerpt);
    let relayed = relay::relay(facts, session, parts, &mut running, head, timeouts, keep).await;
    let (outcome, report) = match &relayed {
        Ok(End::Complete) if is_bad => (Outcome::Failed, running.finish().await),
        Ok(End::Complete) => (Outcome::Completed, running.finish().await),
        Ok(End::ClientLeft) => {
            let report = relay::drain(running, parts).await;
            (Outcome::ClientLeft, report)
        }
        Ok(End::Cut(what)) => (Outcome::Cut, given_up(running, Fault::Provider, what)),
        Err(_) => (Outcome::Cut, running.stop()),
    };
    if let Some(report) = report {
        facts.note(report, outcome, is_bad.then_some(&excerpt[..]));
    }
    match relayed {
        Ok(End::Cut(what)) => relay::end_cut(facts, session, what).await,
        Ok(_) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

struct HeldBody {
    bytes: Bytes,
    report: Option<Report>,
}

/// Reads a failed answer's body, bounded in bytes and time.
async fn hold_body(mut running: Running) -> HeldBody {
    let mut body = BytesMut::new();
    let reading = async {
        while let Some(task) = running.next().await {
            match task {
                HttpTask::Body(Some(chunk), _) => {
                    let room = HELD_BODY - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if body.len() == HELD_BODY {
                        return false;
                    }
                }
                HttpTask::Failed(_) => return false,
                _ => {}
            }
        }
        true
    };
    let is_whole = timeout(HELD_WAIT, reading).await.unwrap_or(false);
    let report = if is_whole {
        running.finish().await
    } else {
        running.stop()
    };
    HeldBody {
        bytes: body.freeze(),
        report,
    }
}

/// Nobody is left: the last failed answer, or our own refusal.
async fn pass_on(facts: &mut Facts, session: &mut Session, held: Option<Held>) -> Result<(), Stop> {
    match held {
        Some(held) => {
            Ok(reply::held(facts, session, *held.head, held.body).await?)
        }
        None if facts.attempts.is_empty() => Err(Refusal::new(
            Reason::NoProvider,
            "No provider is configured for this request: none that this key may use serves this protocol and model.",
        )
        .into()),
        None => Err(Refusal::new(
            Reason::NoProvider,
            "No provider could answer this request; please try again shortly.",
        )
        .into()),
    }
}

// === impl Tries ===

impl Tries {
    fn note(&mut self, report: &Report) {
        let Some(choice) = &report.choice else { return };
        let provider = &choice.provider;
        self.nominee = Some(provider.id);
        if report.reused_connection && report.status.is_none() && self.stale_connections < 3 {
            self.stale_connections += 1;
            return;
        }
        self.total += 1;
        let count = match self
            .by_provider
            .iter_mut()
            .find(|(id, _)| *id == provider.id)
        {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.by_provider.push((provider.id, 1));
                1
            }
        };
        let stays = matches!(
            report.failure,
            Some((Fault::Key | Fault::Model | Fault::Us, _))
        );
        if stays || count >= provider.max_attempts {
            self.exhausted.push(provider.id);
            self.nominee = None;
        }
    }
}
