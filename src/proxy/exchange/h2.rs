//! Over HTTP/2.
//!
//! Request and answer are two streams of one connection, each held back by its receiver's window: an upstream that answers while it is being
//! asked may wait for its answer to be read before it reads on. So the body goes out beside the reading, whenever there is room.

use std::pin::Pin;

use http::{Version, header};
use pingora::http::ResponseHeader;
use pingora::prelude::{Error, HttpPeer, Result};
use pingora::protocols::http::HttpTask;
use pingora::protocols::http::v2::client::Http2Session;
use pingora::protocols::http::v2::write_body;
use pingora::{ErrorType, OkOrErr};

use crate::proxy::attempt::Attempt;
use crate::proxy::rewrite;

/// A body on its way, until it is out or stuck. That an upstream will not hear the rest is not the end: what it has to say tells more.
struct Upload<'a>(Option<Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>>);

/// Sends the request and hands on the answer.
///
/// # Errors
/// When the connection or this stream of it broke, or what came is no HTTP/2.
pub async fn ask(attempt: &mut Attempt, session: &mut Http2Session, peer: &HttpPeer) -> Result<()> {
    let head = Box::new(rewrite::request(attempt, Version::HTTP_2)?);
    let body = attempt.take_body();
    session
        .write_request_header(head, body.is_empty())
        .map_err(Error::into_up)?;
    let mut writer = session.take_request_body_writer();
    let write_timeout = peer.options.write_timeout;
    let writing = writer
        .as_mut()
        .filter(|_| !body.is_empty())
        .map(|writer| Box::pin(write_body(writer, body, true, write_timeout)) as _);
    read(attempt, session, &mut Upload(writing))
        .await
        .map_err(Error::into_up)
}

async fn read(
    attempt: &mut Attempt,
    session: &mut Http2Session,
    upload: &mut Upload<'_>,
) -> Result<()> {
    upload.beside(session.read_response_header()).await?;
    let head = session.response_header().cloned();
    let head = head.or_err(ErrorType::InternalError, "no head was read")?;
    let is_end = session.check_response_end_or_error()?;
    if is_end && attempt.may_have_body(&head) && promises_body(&head) {
        return Error::e_explain(ErrorType::H2Error, "the answer ended before its body");
    }
    attempt
        .hand_on(HttpTask::Header(Box::new(head), is_end))
        .await?;
    if is_end {
        return Ok(());
    }
    while let Some(piece) = upload.beside(session.read_response_body()).await? {
        let is_end = session.check_response_end_or_error()?;
        if piece.is_empty() && !is_end {
            continue;
        }
        attempt.hand_on(HttpTask::Body(Some(piece), is_end)).await?;
        if is_end {
            return Ok(());
        }
    }
    session.read_trailers().await?;
    attempt.hand_on(HttpTask::Done).await
}

/// Whether a head that ended its stream has promised a body (RFC 9113, section 8.1.1), which the library below does not look at.
fn promises_body(head: &ResponseHeader) -> bool {
    let length = head.headers.get(header::CONTENT_LENGTH);
    length.is_some_and(|length| length.as_bytes().iter().any(|digit| *digit != b'0'))
}

// === impl Upload ===

impl Upload<'_> {
    /// Writes on while something is read.
    async fn beside<T>(&mut self, reading: impl Future<Output = T>) -> T {
        tokio::pin!(reading);
        loop {
            let Some(writing) = &mut self.0 else {
                return reading.await;
            };
            tokio::select! {
                biased;
                read = &mut reading => return read,
                _ = writing => self.0 = None,
            }
        }
    }
}
