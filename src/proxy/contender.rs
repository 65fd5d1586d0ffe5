//! An attempt whose answer is held until it is known to be one.
//!
//! A status of 200 says little. Relays answer it with a page of HTML, with an error object, with an error event as the first frame of a
//! stream, or with the start of a stream and then nothing. As long as the client has seen none of it, each of these is only a
//! failed attempt. So the head and the first pieces are held here, and one of these things ends the holding:
//!
//! - a stream's meter has seen real content ([`Phase::Content`]; thinking counts): the answer is good;
//! - it has seen an error event, bytes of another protocol, or the end without content: it is bad;
//! - it looks good but is slow: after the hold time the client gets what there is, so that pings can keep its connection alive;
//! - an answer that is no stream ends or passes 32 KiB, and is judged by `wire::judge`: holding it costs nothing, because no client
//!   can use half of it;
//! - an error status: its body is read, bounded, because whose fault it is stands there;
//! - the provider's patience ends: first byte, first content, silence between two pieces, or the whole time of an answer.
//!
//! The pieces are kept as they came and handed on without a copy.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use entity::value::{GatewaySettings, Timeouts};
use http::header;
use pingora::http::ResponseHeader;

use super::alarm::Alarm;
use super::attempt::Plan;
use super::line::{Event, Piece};
use super::report::Report;
use super::running::Running;
use crate::domain::protocol::Protocol;
use crate::domain::provider::Provider;
use crate::wire::judge::complaint::Complaint;
use crate::wire::judge::{self, Flaw};
use crate::wire::meter::Phase;

/// An attempt under way and what is held of its answer.
pub struct Contender {
    /// The attempt.
    pub running: Running,
    /// Started beside another one.
    pub is_hedge: bool,
    /// The provider, once chosen.
    pub provider: Option<Arc<Provider>>,
    /// The head of the answer.
    pub head: Option<Box<ResponseHeader>>,
    /// What is held of the body.
    pub held: Held,
    /// The next moment at which patience ends; the relay goes on with it.
    pub alarm: Alarm,
    plan: Arc<Plan>,
    way: Way,
    due: Due,
    first_piece: Option<Instant>,
    is_hold_over: bool,
}

/// Pieces of a body, as they came.
#[derive(Default)]
pub struct Held {
    /// The pieces.
    pub pieces: Vec<Bytes>,
    /// Their bytes together.
    pub bytes: usize,
    /// Whether the last one is among them.
    pub is_whole: bool,
}

/// What came of holding it.
pub enum Verdict {
    /// The client may have it.
    Good,
    /// It is no answer: whose fault, and why in words. `status` is what the upstream should have said.
    Bad {
        /// The status its error stands for, if that can be told.
        status: Option<u16>,
        /// What is wrong.
        what: String,
    },
    /// An answer without any content, but in good form.
    Empty,
    /// An error status, with its body held.
    Refused,
    /// No answer; the attempt's own report says why.
    Silence,
    /// Our patience ended, at what.
    Late(&'static str),
}

/// How an answer is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// There is no head yet.
    Headless,
    /// Not at all: nobody knows what it should look like.
    Pass,
    /// As an error: its body is read.
    Error,
    /// As a stream: until its first content.
    Gate,
    /// As one piece of JSON.
    Judge,
}

/// What the alarm stands for.
#[derive(Clone, Copy)]
enum Due {
    FirstByte,
    FirstContent,
    Idle,
    Total,
    Hold,
    ErrorBody,
}

/// How much of an error's body is read.
const ERROR_BODY: usize = 64 << 10;
/// How long it is waited for.
const ERROR_WAIT: Duration = Duration::from_secs(5);

// === impl Contender ===

impl Contender {
    /// An attempt that was just started.
    pub fn new(running: Running, plan: Arc<Plan>, is_hedge: bool) -> Self {
        Self {
            running,
            is_hedge,
            provider: None,
            head: None,
            held: Held::default(),
            alarm: Alarm::default(),
            plan,
            way: Way::Headless,
            due: Due::FirstByte,
            first_piece: None,
            is_hold_over: false,
        }
    }

    /// Ready when it is known what the answer is worth.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Verdict> {
        loop {
            let Poll::Ready(event) = self.running.poll_event(cx) else {
                break;
            };
            if let Some(verdict) = self.take(event) {
                return Poll::Ready(verdict);
            }
        }
        while self.alarm.poll(cx).is_ready() {
            if let Some(verdict) = self.overdue() {
                return Poll::Ready(verdict);
            }
        }
        Poll::Pending
    }

    /// Milliseconds without content after which the provider's attempt may get company.
    pub fn hedge_after(&self) -> Option<Duration> {
        let ms = self.provider.as_ref()?.hedge_after_ms;
        (ms > 0).then(|| Duration::from_millis(ms))
    }

    /// The held body as one piece.
    pub fn body(&mut self) -> Bytes {
        self.held.join()
    }

    /// Ends the attempt, and tells how it went.
    pub async fn close(self) -> Option<Report> {
        if self.held.is_whole {
            self.running.finish().await
        } else {
            self.running.stop()
        }
    }

    fn take(&mut self, event: Event) -> Option<Verdict> {
        match event {
            Event::Chosen(provider) => {
                self.plan.progress.asks(provider.id);
                self.provider = Some(provider);
                self.wind();
                None
            }
            Event::Piece(Piece::Head(head)) => {
                self.way = way(&head, &self.plan);
                self.head = Some(head);
                self.wind();
                self.look()
            }
            Event::Piece(Piece::Body(piece)) => {
                self.first_piece.get_or_insert_with(Instant::now);
                self.held.push(piece);
                self.wind();
                self.look()
            }
            Event::Piece(Piece::End) => {
                self.held.is_whole = true;
                self.look()
            }
            Event::Over => Some(self.broken()),
        }
    }

    /// What broke off is judged by what came before: an error that is cut short is still that error.
    fn broken(&self) -> Verdict {
        match self.way {
            Way::Headless => Verdict::Silence,
            Way::Error => Verdict::Refused,
            Way::Pass | Way::Gate | Way::Judge => Verdict::Bad {
                status: None,
                what: "no content, then the upstream broke off before the end of its answer"
                    .to_owned(),
            },
        }
    }

    fn look(&mut self) -> Option<Verdict> {
        match self.way {
            Way::Headless => None,
            Way::Pass => Some(Verdict::Good),
            Way::Error => {
                (self.held.is_whole || self.held.bytes >= ERROR_BODY).then_some(Verdict::Refused)
            }
            Way::Gate => self.gate(),
            Way::Judge => self.judge(),
        }
    }

    fn gate(&mut self) -> Option<Verdict> {
        let reached = self.running.line().reached();
        if reached.phase > Phase::Content {
            self.gather();
        }
        let error = || reached.error.clone().unwrap_or_default();
        match reached.phase {
            Phase::Content => Some(Verdict::Good),
            Phase::Failed => Some(Verdict::Bad {
                status: Complaint::read(error().as_bytes()).status(),
                what: format!("an error event instead of content: {}", error()),
            }),
            Phase::Foreign => Some(Verdict::Bad {
                status: None,
                what: "the stream is not of this protocol".to_owned(),
            }),
            Phase::Ended if reached.is_empty => self.held.is_whole.then_some(Verdict::Empty),
            Phase::Ended => Some(Verdict::Good),
            Phase::Silent | Phase::Open if self.held.is_whole => Some(Verdict::Bad {
                status: None,
                what: "the stream ended before any content".to_owned(),
            }),
            Phase::Open if self.held.bytes >= self.settings().gate_max_bytes as usize => {
                Some(Verdict::Good)
            }
            Phase::Silent if self.held.bytes >= self.settings().gate_max_bytes as usize => {
                Some(Verdict::Bad {
                    status: None,
                    what: "the stream has no event in it".to_owned(),
                })
            }
            Phase::Silent | Phase::Open => {
                (self.settings().gate_hold_seconds == 0).then_some(Verdict::Good)
            }
        }
    }

    /// Takes what is already there: the meter is ahead of what was taken.
    fn gather(&mut self) {
        while let Some(piece) = self.running.line().take_piece() {
            match piece {
                Piece::Head(_) => {}
                Piece::Body(piece) => self.held.push(piece),
                Piece::End => self.held.is_whole = true,
            }
        }
    }

    fn judge(&mut self) -> Option<Verdict> {
        if !self.held.is_whole && self.held.bytes < judge::LIMIT {
            return None;
        }
        // The meter has read it all: what it is content with needs no second look.
        let reached = self.running.line().reached();
        let has_content = match reached.phase {
            Phase::Content => true,
            Phase::Ended => !reached.is_empty,
            _ => false,
        };
        if has_content && (!self.held.is_whole || self.running.line().is_complete()) {
            return Some(Verdict::Good);
        }
        let body = self.held.join();
        let content_type = self.head.as_ref().and_then(|head| content_type(head));
        let endpoint = &self.plan.endpoint;
        let flaw = judge::judge(
            endpoint.protocol,
            endpoint.operation,
            content_type,
            &body,
            self.held.is_whole,
        );
        Some(match flaw {
            None => Verdict::Good,
            Some(Flaw::NoContent) => Verdict::Empty,
            Some(Flaw::Error { message, status }) => Verdict::Bad {
                status,
                what: format!("a good status with an error in it: {message}"),
            },
            Some(flaw) => Verdict::Bad {
                status: None,
                what: match flaw {
                    Flaw::Empty => "a good status without a body",
                    Flaw::Html => "a page instead of an answer",
                    _ => "the answer is not of this protocol",
                }
                .to_owned(),
            },
        })
    }

    fn settings(&self) -> &GatewaySettings {
        &self.plan.snapshot.settings
    }

    /// Sets the alarm to the first of what may run out now.
    fn wind(&mut self) {
        let Some(provider) = &self.provider else {
            return;
        };
        let next = next_due(
            self.way,
            &provider.timeouts,
            self.plan.wants_stream,
            self.running.started,
            self.first_piece.filter(|_| !self.is_hold_over),
            self.settings().gate_hold_seconds,
        );
        if let Some((at, due)) = next {
            self.due = due;
            self.alarm.set(Some(at));
        } else {
            self.alarm.set(None);
        }
    }

    fn overdue(&mut self) -> Option<Verdict> {
        let what = match self.due {
            Due::ErrorBody => return Some(Verdict::Refused),
            Due::Hold if self.running.line().phase() == Phase::Open => return Some(Verdict::Good),
            Due::Hold => {
                // Nothing that could be committed to has come yet: the other limits still stand.
                self.is_hold_over = true;
                self.wind();
                return None;
            }
            Due::FirstByte => "the upstream did not begin to answer in time",
            Due::FirstContent => "the upstream's stream had no content in time",
            Due::Idle => "the upstream's stream stood still before its first content",
            Due::Total => "the upstream did not answer in time",
        };
        Some(Verdict::Late(what))
    }
}

// === impl Held ===

impl Held {
    fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.pieces.push(piece);
    }

    /// All of it as one piece, which it then is.
    fn join(&mut self) -> Bytes {
        if self.pieces.len() > 1 {
            let mut whole = BytesMut::with_capacity(self.bytes);
            for piece in self.pieces.drain(..) {
                whole.extend_from_slice(&piece);
            }
            self.pieces.push(whole.freeze());
        }
        self.pieces.first().cloned().unwrap_or_default()
    }
}

/// A duration of so many milliseconds; 0 is none.
pub fn millis(ms: u64) -> Option<Duration> {
    (ms > 0).then(|| Duration::from_millis(ms))
}

/// Whether a head announces an event stream.
pub fn is_event_stream(head: &ResponseHeader) -> bool {
    content_type(head).is_some_and(|value| {
        value.len() >= 17 && value.as_bytes()[..17].eq_ignore_ascii_case(b"text/event-stream")
    })
}

fn content_type(head: &ResponseHeader) -> Option<&str> {
    head.headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

fn way(head: &ResponseHeader, plan: &Plan) -> Way {
    let endpoint = &plan.endpoint;
    let is_error = !head.status.is_success();
    // Gemini streams a JSON array to a client that did not ask for events.
    let is_stream =
        is_event_stream(head) || (plan.wants_stream && endpoint.protocol == Protocol::Gemini);
    if is_error {
        Way::Error
    } else if !endpoint.operation.is_metered() {
        Way::Pass
    } else if is_stream {
        Way::Gate
    } else {
        Way::Judge
    }
}

fn next_due(
    way: Way,
    timeouts: &Timeouts,
    wants_stream: bool,
    started: Instant,
    first_piece: Option<Instant>,
    hold_seconds: u32,
) -> Option<(Instant, Due)> {
    let after = |from: Instant, ms: u64, due| millis(ms).map(|limit| (from + limit, due));
    let with_connect = |ms: u64| if ms == 0 { 0 } else { ms + timeouts.connect_ms };
    let candidates = match way {
        Way::Headless if wants_stream => [
            after(
                started,
                with_connect(timeouts.first_byte_ms),
                Due::FirstByte,
            ),
            None,
            None,
        ],
        Way::Headless | Way::Judge | Way::Pass => {
            [after(started, timeouts.total_ms, Due::Total), None, None]
        }
        Way::Error => [
            Some((Instant::now() + ERROR_WAIT, Due::ErrorBody)),
            None,
            None,
        ],
        Way::Gate => [
            after(
                started,
                with_connect(timeouts.first_content_ms),
                Due::FirstContent,
            ),
            after(Instant::now(), timeouts.idle_ms, Due::Idle),
            first_piece.and_then(|at| after(at, u64::from(hold_seconds) * 1000, Due::Hold)),
        ],
    };
    candidates.into_iter().flatten().min_by_key(|(at, _)| *at)
}
