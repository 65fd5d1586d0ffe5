//! The client gets an answer: chunk by chunk, no faster than it takes them; and reading on when it has left.
//!
//! The upstream is read only as fast as the client reads: the attempt's line holds four pieces, and when it is full, it stops
//! reading the upstream's socket. What is there already is written in one go, the held head and pieces included.
//!
//! While the upstream of a stream is silent, the client is sent a ping now and then, because proxies in front of us cut what stands
//! still for 60 or 100 seconds. A ping may stand only between two events, never inside one.
//!
//! When the client leaves, the upstream is read on, also where it has not begun to answer, bounded in bytes, time and number, because it goes on generating and
//! charging either way, and the usage at the end of its stream is the only exact figure of what it cost.

use std::future::poll_fn;
use std::iter;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use entity::value::Timeouts;
use pingora::ErrorType;
use pingora::prelude::{Error, Result};
use pingora::protocols::http::HttpTask;
use pingora::proxy::Session;
use tokio::time::error::Elapsed;
use tokio::time::timeout_at;

use super::alarm::Alarm;
use super::attempt::Plan;
use super::contender::{Contender, is_event_stream, millis};
use super::facts::Facts;
use super::line::{Line, Piece};
use super::parts::Parts;
use super::reply;
use super::report::Report;
use super::running::Running;
use super::stop::Stop;
use crate::domain::fault::Fault;
use crate::wire::reply as words;

/// How an answer's way to the client ended.
pub enum End {
    /// The client has all of it.
    Complete,
    /// The client left.
    ClientLeft,
    /// It was broken off: whose fault, and how.
    Cut(Fault, String),
}

/// How long the upstream is read on after the client left.
const DRAIN_TIME: Duration = Duration::from_secs(60);
/// How long it may stand still meanwhile where it had not begun to answer: long enough for one that was about to, and short, because one that
/// still queues is charged for nothing if it is let go.
const DRAIN_SILENCE: Duration = Duration::from_secs(2);
/// How many bytes of it.
const DRAIN_BYTES: usize = 8 << 20;
/// How much of a refused answer is kept for the chain.
const KEPT: usize = 4 << 10;

/// Commits to the answer and forwards it. `keep` collects the start of the body.
pub async fn relay(
    facts: &mut Facts,
    session: &mut Session,
    parts: &Arc<Parts>,
    contender: &mut Contender,
    keep: Option<&mut BytesMut>,
) -> End {
    let Some(mut head) = contender.head.take() else {
        return broken("the answer has no head");
    };
    if let Err(e) = reply::adopt(&mut head, facts) {
        return End::Cut(Fault::Us, e.to_string());
    }
    facts.answer.status = head.status.as_u16();
    facts.answer.is_stream = is_event_stream(&head);
    facts.answer.first_byte = Some(Instant::now());
    let timeouts = contender.provider.as_ref().map(|p| p.timeouts);
    let alarm = std::mem::take(&mut contender.alarm);
    let mut way = Way {
        silence: Silence::new(alarm, timeouts.unwrap_or_default(), facts, contender),
        pings: Pings::new(facts),
        is_metered: keep.is_none() && is_metered(facts),
        keep,
        facts,
        session,
    };
    let held = &mut contender.held;
    let end = held.is_whole.then_some(Piece::End);
    let pieces = iter::once(Piece::Head(head))
        .chain(held.pieces.drain(..).map(Piece::Body))
        .chain(end);
    match way.write(pieces, contender.running.line()).await {
        Some(end) => end,
        None => way.follow(parts, &mut contender.running).await,
    }
}

/// An answer on its way.
struct Way<'a> {
    facts: &'a mut Facts,
    session: &'a mut Session,
    keep: Option<&'a mut BytesMut>,
    silence: Silence,
    pings: Pings,
    is_metered: bool,
}

// === impl Way ===

impl Way<'_> {
    async fn follow(&mut self, parts: &Arc<Parts>, running: &mut Running) -> End {
        let cutting = parts.shutdown.cutting();
        tokio::pin!(cutting);
        let plan = self.facts.plan.clone();
        let by_hand = by_hand(plan.as_deref());
        tokio::pin!(by_hand);
        loop {
            let ended = tokio::select! {
                biased;
                piece = running.next() => match piece {
                    Some(piece) => {
                        self.silence.renew();
                        self.forward(piece, running.line()).await
                    }
                    None => Some(broken("the upstream broke off before the end of its answer")),
                },
                () = poll_fn(|cx| self.silence.alarm.poll(cx)) => Some(self.silence.end()),
                () = poll_fn(|cx| self.pings.alarm.poll(cx)) => self.ping().await,
                () = &mut cutting => Some(End::Cut(Fault::Us, "the gateway shut down".into())),
                () = &mut by_hand => Some(End::Cut(Fault::Us, "the session was ended by hand".into())),
                _ = self.session.read_body_or_idle(true) => Some(self.left()),
            };
            if let Some(end) = ended {
                return end;
            }
        }
    }

    async fn forward(&mut self, piece: Piece, line: &Line) -> Option<End> {
        match (piece, line.take_piece()) {
            (Piece::Body(piece), None) => {
                self.pass(&piece);
                self.pings.put_off();
                match self.session.write_response_body(Some(piece), false).await {
                    Ok(()) => None,
                    Err(_) => Some(self.left()),
                }
            }
            (piece, next) => self.write(iter::once(piece).chain(next), line).await,
        }
    }

    /// Writes what there is, and with it all that has arrived meanwhile.
    async fn write(&mut self, pieces: impl Iterator<Item = Piece>, line: &Line) -> Option<End> {
        let mut end = None;
        let mut tasks = Vec::with_capacity(4);
        for piece in pieces.chain(iter::from_fn(|| line.take_piece())) {
            match piece {
                Piece::Head(head) => tasks.push(HttpTask::Header(head, false)),
                Piece::Body(piece) => {
                    self.pass(&piece);
                    tasks.push(HttpTask::Body(Some(piece), false));
                }
                Piece::End if self.is_unfinished(line) => {
                    end = Some(broken("the stream ended without its last event"));
                }
                Piece::End => {
                    tasks.push(HttpTask::Done);
                    end = Some(End::Complete);
                }
            }
        }
        self.pings.put_off();
        if self.session.write_response_tasks(tasks).await.is_err() {
            return Some(self.left());
        }
        end
    }

    /// Whether the end that has come is not the one that the protocol demands.
    fn is_unfinished(&self, line: &Line) -> bool {
        self.facts.answer.is_stream && self.is_metered && !line.is_complete()
    }

    fn pass(&mut self, piece: &Bytes) {
        self.facts.answer.bytes += piece.len() as u64;
        if let Some(plan) = &self.facts.plan {
            plan.progress.sent(self.facts.answer.bytes);
        }
        self.facts.answer.framing.feed(piece);
        if let Some(keep) = &mut self.keep {
            let room = KEPT - keep.len().min(KEPT);
            keep.extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }

    async fn ping(&mut self) -> Option<End> {
        let is_between = self.facts.answer.framing.is_between();
        let ping = self.pings.due().filter(|_| is_between)?;
        self.facts.answer.bytes += ping.len() as u64;
        match self.session.write_response_body(Some(ping), false).await {
            Ok(()) => None,
            Err(_) => Some(self.left()),
        }
    }

    fn left(&mut self) -> End {
        self.facts.answer.client_left = true;
        End::ClientLeft
    }
}

/// Resolves when somebody ends the request.
pub async fn by_hand(plan: Option<&Plan>) {
    match plan {
        Some(plan) => plan.progress.ended().await,
        None => std::future::pending().await,
    }
}

fn is_metered(facts: &Facts) -> bool {
    let endpoint = facts.endpoint.as_ref();
    endpoint.is_some_and(|endpoint| endpoint.operation.is_metered())
}

fn broken(what: &str) -> End {
    End::Cut(Fault::Provider, what.to_owned())
}

/// Tells the client that its answer was cut: in its protocol where it reads a stream, else by closing the connection, which is the one
/// sign that cannot be taken for a good end.
///
/// # Errors
/// Always for an answer that was no stream.
pub async fn end_cut(
    facts: &mut Facts,
    session: &mut Session,
    fault: Fault,
    what: String,
) -> Result<(), Stop> {
    facts.answer.cut = Some(what);
    let message = if facts.is_ended() {
        words::ENDED
    } else if fault == Fault::Us {
        words::SHUTTING_DOWN
    } else {
        words::BROKE_OFF
    };
    let protocol = facts.endpoint.as_ref().map(|e| e.protocol);
    if let (true, Some(protocol)) = (facts.answer.is_stream, protocol) {
        let event = words::stream_error_at(facts.answer.framing, protocol, message);
        return Ok(session.write_response_body(Some(event), true).await?);
    }
    Err(Error::explain(ErrorType::ConnectionClosed, "the answer was cut").into())
}

/// Reads the upstream on after the client left. One that has not begun to answer has the request all the same, and may charge for it.
pub async fn drain(mut running: Running, parts: &Parts, has_begun: bool) -> Option<Report> {
    let Ok(_permit) = parts.drains.try_acquire() else {
        return running.stop();
    };
    let reading = async {
        let end = Instant::now() + DRAIN_TIME;
        let patience = if has_begun { DRAIN_TIME } else { DRAIN_SILENCE };
        let mut bytes = 0;
        let until = || (Instant::now() + patience).min(end).into();
        while let Some(piece) = timeout_at(until(), running.next()).await? {
            if let Piece::Body(piece) = &piece {
                bytes += piece.len();
            }
            if bytes > DRAIN_BYTES {
                return Ok(false);
            }
        }
        Ok::<_, Elapsed>(true)
    };
    let is_whole = tokio::select! {
        whole = reading => whole.unwrap_or(false),
        () = parts.shutdown.cutting() => false,
    };
    if is_whole {
        running.finish().await
    } else {
        running.stop()
    }
}

/// How long the upstream may keep the client waiting: between two chunks of a stream, or for the whole of another answer.
struct Silence {
    alarm: Alarm,
    limit: Option<Duration>,
    is_per_chunk: bool,
}

/// When the client is to hear something, and what.
struct Pings {
    alarm: Alarm,
    interval: Duration,
    ping: Option<Bytes>,
}

// === impl Silence ===

impl Silence {
    fn new(mut alarm: Alarm, timeouts: Timeouts, facts: &Facts, contender: &Contender) -> Self {
        let is_per_chunk = facts.answer.is_stream;
        let (limit, from) = if is_per_chunk {
            (millis(timeouts.idle_ms), Instant::now())
        } else {
            (millis(timeouts.total_ms), contender.running.started)
        };
        alarm.set(limit.map(|limit| from + limit));
        Self {
            alarm,
            limit,
            is_per_chunk,
        }
    }

    fn renew(&mut self) {
        if self.is_per_chunk {
            self.alarm
                .set(self.limit.map(|limit| Instant::now() + limit));
        }
    }

    fn end(&self) -> End {
        let seconds = self.limit.unwrap_or_default().as_secs_f64();
        End::Cut(
            Fault::Provider,
            if self.is_per_chunk {
                format!("the upstream's stream stood still for {seconds} s")
            } else {
                format!("the upstream took longer than {seconds} s")
            },
        )
    }
}

// === impl Pings ===

impl Pings {
    fn new(facts: &Facts) -> Self {
        let seconds = facts.snapshot.settings.ping_seconds;
        let protocol = facts.endpoint.as_ref().map(|endpoint| endpoint.protocol);
        Self {
            alarm: Alarm::default(),
            interval: Duration::from_secs(seconds.into()),
            ping: protocol
                .filter(|_| seconds > 0 && facts.answer.is_stream)
                .and_then(words::ping),
        }
    }

    /// Something was written.
    fn put_off(&mut self) {
        if self.ping.is_some() {
            self.alarm.set(Some(Instant::now() + self.interval));
        }
    }

    /// The ping; the next one is due an interval later.
    fn due(&mut self) -> Option<Bytes> {
        self.put_off();
        self.ping.clone()
    }
}
