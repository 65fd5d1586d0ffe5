//! The only file that knows Pingora's subrequest API: start an attempt, hear from it, stop it.
//!
//! Why subrequests: a body read in `request_filter` is replayed upstream by Pingora only through a 64 KiB buffer, and coding requests are
//! 50 KB to 40 MB. A subrequest is given its body by us, any number of times, and hands its answer back as a channel of
//! `HttpTask`s, so that one client request can try several upstreams, read a failed one's body, and outlive its client.
//! The API is marked alpha by Pingora, which is pinned for that reason; `tests/it/bodies.rs` walks the sizes where it could go wrong.
//!
//! Two tricks keep it cheap and simple. The body does not travel through the subrequest's own input channel, where it would be
//! copied into a retry buffer that we never use: the channel gets one placeholder byte, and `Attempt::put_body` puts the real body in its
//! place. And the subrequest's head, which Pingora parses from the client's raw bytes, is made to expect a body of any length
//! ([`take_attempt`]), so that what the client sent (compressed, chunked) does not matter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::{Version, header};
use pingora::http::RequestHeader;
use pingora::prelude::Result;
use pingora::protocols::http::HttpTask;
use pingora::proxy::subrequest::{BodyMode, Ctx};
use pingora::proxy::{Session, SubrequestSpawner};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::attempt::{Attempt, Report};
use crate::domain::provider::Provider;

/// Stands for the body in the subrequest's input, see the module's documentation.
const PLACEHOLDER: Bytes = Bytes::from_static(b"-");

/// An attempt under way. Dropping it ends the attempt.
pub struct Running {
    /// The answer, piece by piece.
    tasks: mpsc::Receiver<HttpTask>,
    chosen: Option<oneshot::Receiver<Arc<Provider>>>,
    report: oneshot::Receiver<Report>,
    abort: AbortHandle,
    is_over: Arc<AtomicBool>,
    /// When it started.
    pub started: Instant,
}

/// What an attempt has to say.
pub enum Event {
    /// This provider was chosen. Said at most once, and before any piece of the answer.
    Chosen(Arc<Provider>),
    /// A piece of the answer.
    Task(HttpTask),
    /// There will be no more.
    End,
}

/// What the attempt's side holds of the connection to its journey.
pub struct Link {
    /// Announces the chosen provider.
    pub chosen: Option<oneshot::Sender<Arc<Provider>>>,
    /// Tells how it went; sent when the attempt is dropped, however that comes about.
    pub report: Option<oneshot::Sender<Report>>,
}

/// Makes an HTTP/2 client's head one that a subrequest can be parsed from. Does nothing for HTTP/1.
///
/// # Errors
/// When the authority cannot be a `Host` header.
pub fn prepare(session: &mut Session, has_body: bool) -> Result<()> {
    let head = session.req_header_mut();
    if head.version != Version::HTTP_2 {
        return Ok(());
    }
    head.set_version(Version::HTTP_11);
    if head.headers.get(header::HOST).is_none()
        && let Some(authority) = head.uri.authority().map(|a| a.as_str().to_owned())
    {
        head.insert_header(header::HOST, authority)?;
    }
    head.remove_header(&header::CONTENT_LENGTH);
    if has_body {
        head.insert_header(header::TRANSFER_ENCODING, "chunked")?;
    }
    Ok(())
}

/// Starts an attempt.
pub fn start(
    spawner: &SubrequestSpawner,
    session: &Session,
    attempt: impl FnOnce(Link) -> Attempt,
    has_body: bool,
) -> Running {
    let (chosen_tx, chosen) = oneshot::channel();
    let (report_tx, report) = oneshot::channel();
    let attempt = attempt(Link {
        chosen: Some(chosen_tx),
        report: Some(report_tx),
    });
    let mode = if has_body {
        BodyMode::ExpectBody
    } else {
        BodyMode::NoBody
    };
    let ctx = Ctx::builder()
        .body_mode(mode)
        .user_ctx(Box::new(Some(Box::new(attempt))))
        .build();
    let (prepared, handle) = spawner.create_subrequest(session.as_downstream(), ctx);
    let is_over = Arc::new(AtomicBool::new(false));
    let over = is_over.clone();
    let input = handle.tx;
    if has_body {
        // The channel is new and has room.
        let _ = input.try_send(HttpTask::Body(Some(PLACEHOLDER), true));
    }
    let abort = tokio::spawn(async move {
        // The input stays open to the end: closing it would look like the client leaving.
        let _input = input;
        prepared.run().await;
        over.store(true, Ordering::Release);
    })
    .abort_handle();
    Running {
        tasks: handle.rx,
        chosen: Some(chosen),
        report,
        abort,
        is_over,
        started: Instant::now(),
    }
}

/// Takes the attempt out of its subrequest's session, and makes the session expect a body of any length where there is one.
pub fn take_attempt(session: &mut Session) -> Option<Box<Attempt>> {
    let ctx = session.subrequest_ctx.as_mut()?;
    let has_body = ctx.body_mode() == BodyMode::ExpectBody;
    let attempt = ctx
        .user_ctx_mut()?
        .downcast_mut::<Option<Box<Attempt>>>()?
        .take()?;
    if has_body {
        expect_any_length(session.req_header_mut());
    }
    Some(attempt)
}

fn expect_any_length(head: &mut RequestHeader) {
    head.remove_header(&header::CONTENT_LENGTH);
    let _ = head.insert_header(header::TRANSFER_ENCODING, "chunked");
}

// === impl Running ===

impl Running {
    /// What happens next. May be cancelled without losing anything.
    pub async fn event(&mut self) -> Event {
        if let Some(chosen) = &mut self.chosen {
            let chosen = chosen.await;
            self.chosen = None;
            if let Ok(provider) = chosen {
                return Event::Chosen(provider);
            }
        }
        self.tasks.recv().await.map_or(Event::End, Event::Task)
    }

    /// The next piece of the answer; `None` when there will be no more. May be cancelled without losing one.
    pub async fn next(&mut self) -> Option<HttpTask> {
        self.tasks.recv().await
    }

    /// The next piece of the answer if it is already there.
    pub fn try_next(&mut self) -> Option<HttpTask> {
        self.tasks.try_recv().ok()
    }

    /// Lets the attempt come to its end, and tells how it went.
    pub async fn finish(mut self) -> Option<Report> {
        self.tasks.close();
        while self.tasks.recv().await.is_some() {}
        (&mut self.report).await.ok()
    }

    /// Ends the attempt where it stands, and tells how it went.
    pub async fn stop(mut self) -> Option<Report> {
        self.abort.abort();
        (&mut self.report).await.ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_over.load(Ordering::Acquire) {
            self.abort.abort();
        }
    }
}
