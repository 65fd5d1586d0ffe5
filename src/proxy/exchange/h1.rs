//! Over HTTP/1.1.

use bytes::Bytes;
use http::Version;
use pingora::prelude::{Error, HttpPeer, Result};
use pingora::protocols::http::v1::client::HttpSession;

use crate::proxy::attempt::Attempt;
use crate::proxy::cork::{Cork, Corkable};
use crate::proxy::rewrite;

/// Bytes of a body that its head waits for. A longer one fills packets of its own, and a socket that is corked while it takes what fills its
/// buffer many times over costs far more than the packet saved: at 400 KB a third of the request's CPU.
const MOST_CORKED: usize = 16 << 10;

/// Sends the request and hands on the answer. Says whether the connection may be used again.
///
/// An upstream that answers before it has read the whole request, as one does that refuses it, may close its ear meanwhile. What it had to say is
/// read all the same; only where there is nothing to read, it was the writing that failed.
///
/// # Errors
/// When the connection broke, or what came is no HTTP.
pub async fn ask(
    attempt: &mut Attempt,
    session: &mut HttpSession,
    peer: &HttpPeer,
) -> Result<bool> {
    session.write_timeout = peer.options.write_timeout;
    let head = Box::new(rewrite::request(attempt, Version::HTTP_11)?);
    let body = attempt.take_body();
    let cork = cork(session, &body);
    session
        .write_request_header(head)
        .await
        .map_err(Error::into_up)?;
    let unsent = write(session, body).await.err();
    drop(cork);
    loop {
        let task = match session.read_response_task().await {
            Ok(task) => task,
            Err(e) => return Err(unsent.unwrap_or(e).into_up()),
        };
        let is_end = task.is_end();
        attempt.hand_on(task).await?;
        if is_end {
            return Ok(unsent.is_none());
        }
    }
}

async fn write(session: &mut HttpSession, body: Bytes) -> Result<()> {
    if !body.is_empty() {
        session.write_body(&body).await?;
    }
    session.finish_body().await?;
    Ok(())
}

fn cork(session: &HttpSession, body: &Bytes) -> Option<Cork> {
    (1..=MOST_CORKED)
        .contains(&body.len())
        .then(|| Corkable::of(session.digest()))?
        .map(Corkable::cork)
}
