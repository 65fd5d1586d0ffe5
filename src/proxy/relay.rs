//! The client gets an answer: chunk by chunk, no faster than it takes them; and reading on when it has left.
//!
//! The upstream is read only as fast as the client reads: the attempt's channel holds four pieces, and when it is full, Pingora stops
//! reading the upstream's socket. What is there already is written in one go.
//!
//! When the client leaves, the upstream is read on, bounded in bytes, time and number, because it goes on generating and
//! charging either way, and the usage at the end of its stream is the only exact figure of what it cost.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use entity::value::Timeouts;
use http::header;
use pingora::ErrorType;
use pingora::http::ResponseHeader;
use pingora::prelude::{Error, Result};
use pingora::protocols::http::HttpTask;
use pingora::proxy::Session;

use super::attempt::Report;
use super::facts::Facts;
use super::parts::Parts;
use super::peer::millis;
use super::reply;
use super::stop::Stop;
use super::subrequest::Running;
use crate::wire;

/// How an answer's way to the client ended.
pub enum End {
    /// The client has all of it.
    Complete,
    /// The client left.
    ClientLeft,
    /// The upstream broke off; says how.
    Cut(String),
}

/// How long the upstream is read on after the client left.
const DRAIN_TIME: Duration = Duration::from_secs(60);
/// How many bytes of it.
const DRAIN_BYTES: usize = 8 << 20;
/// How much of a refused answer is kept for the chain.
const KEPT: usize = 4 << 10;

/// Commits to the attempt's answer and forwards it. `keep` collects the start of the body.
///
/// # Errors
/// When the head cannot be written for another reason than the client having left.
pub async fn relay(
    facts: &mut Facts,
    session: &mut Session,
    parts: &Parts,
    running: &mut Running,
    mut head: Box<ResponseHeader>,
    timeouts: Timeouts,
    mut keep: Option<&mut BytesMut>,
) -> Result<End> {
    reply::adopt(&mut head, facts)?;
    facts.answer.status = head.status.as_u16();
    facts.answer.is_stream = is_event_stream(&head);
    facts.answer.first_byte = Some(Instant::now());
    let mut patience = Patience::new(running, timeouts, facts.answer.is_stream);
    if session.write_response_header(head, false).await.is_err() {
        return Ok(left(facts));
    }
    let cutting = parts.shutdown.cutting();
    tokio::pin!(cutting);
    loop {
        tokio::select! {
            biased;
            task = running.next() => match task {
                Some(HttpTask::Body(chunk, _)) => {
                    patience.renew();
                    if let (Some(keep), Some(chunk)) = (keep.as_deref_mut(), &chunk) {
                        let room = KEPT - keep.len().min(KEPT);
                        keep.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    }
                    match forward(facts, session, running, chunk).await {
                        Ok(None) => {}
                        Ok(Some(end)) => return Ok(end),
                        Err(_) => return Ok(left(facts)),
                    }
                }
                Some(HttpTask::Done | HttpTask::Trailer(_)) => return finish(facts, session).await,
                Some(HttpTask::Failed(e)) => return Ok(End::Cut(format!("the upstream broke off: {e}"))),
                Some(_) => {}
                None => return Ok(End::Cut("the upstream broke off before the end of its answer".into())),
            },
            what = patience.out() => return Ok(End::Cut(what)),
            () = &mut cutting => return Ok(End::Cut("the gateway shut down".into())),
            _ = session.read_body_or_idle(true) => return Ok(left(facts)),
        }
    }
}

/// Writes a chunk, and with it all that has arrived meanwhile.
async fn forward(
    facts: &mut Facts,
    session: &mut Session,
    running: &mut Running,
    chunk: Option<Bytes>,
) -> Result<Option<End>> {
    let mut next = running.try_next();
    if next.is_none() {
        facts.answer.bytes += chunk.as_ref().map_or(0, |c| c.len() as u64);
        session.write_response_body(chunk, false).await?;
        return Ok(None);
    }
    let mut batch = Vec::with_capacity(4);
    batch.push(HttpTask::Body(chunk, false));
    let mut end = None;
    while let Some(task) = next {
        match task {
            HttpTask::Body(..) => batch.push(task),
            HttpTask::Done | HttpTask::Trailer(_) => {
                batch.push(HttpTask::Done);
                end = Some(End::Complete);
                break;
            }
            HttpTask::Failed(e) => {
                end = Some(End::Cut(format!("the upstream broke off: {e}")));
                break;
            }
            _ => {}
        }
        next = running.try_next();
    }
    for task in &batch {
        if let HttpTask::Body(Some(chunk), _) = task {
            facts.answer.bytes += chunk.len() as u64;
        }
    }
    session.write_response_tasks(batch).await?;
    Ok(end)
}

async fn finish(facts: &mut Facts, session: &mut Session) -> Result<End> {
    if session.write_response_body(None, true).await.is_err() {
        return Ok(left(facts));
    }
    Ok(End::Complete)
}

fn left(facts: &mut Facts) -> End {
    facts.answer.client_left = true;
    End::ClientLeft
}

/// Tells the client that its answer was cut: in its protocol where it reads a stream, else by closing the connection, which is the one
/// sign that cannot be taken for a good end.
///
/// # Errors
/// Always for an answer that was no stream.
pub async fn end_cut(facts: &mut Facts, session: &mut Session, what: String) -> Result<(), Stop> {
    facts.answer.cut = Some(what);
    let protocol = facts.endpoint.as_ref().map(|e| e.protocol);
    if let (true, Some(protocol)) = (facts.answer.is_stream, protocol) {
        let event = wire::reply::stream_error(protocol, "The upstream broke off its answer.");
        return Ok(session.write_response_body(Some(event), true).await?);
    }
    Err(Error::explain(ErrorType::ConnectionClosed, "the answer was cut").into())
}

/// Reads the upstream on after the client left.
pub async fn drain(mut running: Running, parts: &Parts) -> Option<Report> {
    let Ok(_permit) = parts.drains.try_acquire() else {
        return running.stop();
    };
    let reading = async {
        let mut bytes = 0;
        while let Some(task) = running.next().await {
            if let HttpTask::Body(Some(chunk), _) = &task {
                bytes += chunk.len();
            }
            if bytes > DRAIN_BYTES {
                return false;
            }
        }
        true
    };
    let is_whole = tokio::select! {
        whole = tokio::time::timeout(DRAIN_TIME, reading) => whole.unwrap_or(false),
        () = parts.shutdown.cutting() => false,
    };
    if is_whole {
        running.finish().await
    } else {
        running.stop()
    }
}

fn is_event_stream(head: &ResponseHeader) -> bool {
    head.headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        let value = value.as_bytes();
        value.len() >= 17 && value[..17].eq_ignore_ascii_case(b"text/event-stream")
    })
}

/// How long the upstream may keep the client waiting: between two chunks of a stream, or for the whole of another answer.
struct Patience {
    limit: Option<Duration>,
    is_per_chunk: bool,
    sleep: std::pin::Pin<Box<tokio::time::Sleep>>,
}

impl Patience {
    fn new(running: &Running, timeouts: Timeouts, is_stream: bool) -> Self {
        let limit = millis(if is_stream {
            timeouts.idle_ms
        } else {
            timeouts.total_ms
        });
        let spent = if is_stream {
            Duration::ZERO
        } else {
            running.started.elapsed()
        };
        let left = limit
            .unwrap_or(Duration::from_secs(1))
            .saturating_sub(spent);
        Self {
            limit,
            is_per_chunk: is_stream,
            sleep: Box::pin(tokio::time::sleep(left)),
        }
    }

    fn renew(&mut self) {
        if let (true, Some(limit)) = (self.is_per_chunk, self.limit) {
            self.sleep
                .as_mut()
                .reset(tokio::time::Instant::now() + limit);
        }
    }

    /// Resolves when patience is out, and says so.
    async fn out(&mut self) -> String {
        let Some(limit) = self.limit else {
            return std::future::pending().await;
        };
        self.sleep.as_mut().await;
        let seconds = limit.as_secs_f64();
        if self.is_per_chunk {
            format!("the upstream's stream stood still for {seconds} s")
        } else {
            format!("the upstream took longer than {seconds} s")
        }
    }
}
