//! The client's body: bounded, with a deadline, copied once, decompressed.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header;
use pingora::ErrorType;
use pingora::proxy::Session;
use tokio::time::timeout;

use super::super::stop::Stop;
use crate::domain::refusal::{Reason, Refusal};
use crate::wire::encoding;

/// How long the client may pause while sending its body.
const PAUSE: Duration = Duration::from_secs(60);
/// How long a body we refused to read is drained, so that the client gets to see the refusal instead of a reset.
const DRAIN: Duration = Duration::from_secs(5);
/// How long the client may take nothing of its answer.
const STALL: Duration = Duration::from_secs(600);
/// Room made at once for a body of announced length; a longer one grows into it.
const FIRST_ROOM: usize = 4 << 20;

/// Sets the limits of the client's connection.
pub fn settle_connection(session: &mut Session) {
    session.set_pipelining_enabled(true);
    session.set_read_timeout(Some(PAUSE));
    session.set_write_timeout(Some(STALL));
    session.set_total_drain_timeout(Some(DRAIN));
    session.set_close_on_response_before_downstream_finish(false);
}

/// Reads what is left of a body that was refused, for a while: closing a connection with unread data resets it, and a client that is
/// still sending would see the reset and not the refusal.
pub async fn drain(session: &mut Session) {
    if !session.is_http2() && timeout(DRAIN, session.drain_request_body()).await.is_err() {
        session.set_keepalive(None);
    }
}

/// Reads the whole body. A body that comes in one piece is not copied again.
///
/// # Errors
/// Refuses a body that is too large (by its announced length before a byte is read), late, cut short, or not decodable.
pub async fn body(session: &mut Session, limit: usize) -> Result<Bytes, Stop> {
    let announced = session
        .req_header()
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit).into());
    }
    if expects_continue(session) {
        session.write_continue_response().await?;
    }
    let Some(first) = next(session).await? else {
        return Ok(Bytes::new());
    };
    let whole = if announced == Some(first.len()) {
        first
    } else {
        let mut whole = BytesMut::with_capacity(announced.unwrap_or(0).min(FIRST_ROOM));
        whole.extend_from_slice(&first);
        while let Some(chunk) = next(session).await? {
            if whole.len() + chunk.len() > limit {
                return Err(too_large(limit).into());
            }
            whole.extend_from_slice(&chunk);
        }
        whole.freeze()
    };
    if whole.len() > limit {
        return Err(too_large(limit).into());
    }
    Ok(encoding::decode_body(
        &session.req_header().headers,
        whole,
        limit,
    )?)
}

/// The next piece of the body, waited for as long as [`settle_connection`] says.
async fn next(session: &mut Session) -> Result<Option<Bytes>, Stop> {
    let is_http2 = session.is_http2();
    let reading = session.downstream_session.read_request_body();
    // Pingora keeps the time for HTTP/1 only.
    let read = if is_http2 {
        timeout(PAUSE, reading).await.map_err(|_| paused())?
    } else {
        reading.await
    };
    match read {
        Ok(chunk) => Ok(chunk),
        Err(e) if *e.etype() == ErrorType::ReadTimedout => Err(paused().into()),
        Err(e) => Err(e.into()),
    }
}

fn paused() -> Refusal {
    Refusal::new(
        Reason::BodyTimeout,
        format!("The body stopped arriving for {} s.", PAUSE.as_secs()),
    )
}

fn expects_continue(session: &Session) -> bool {
    session
        .req_header()
        .headers
        .get(header::EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        Reason::TooLarge,
        format!("The body is larger than the {limit} bytes allowed here (MAX_REQUEST_BYTES)."),
    )
}
