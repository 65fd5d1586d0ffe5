//! The only file that knows Pingora's subrequest API: start an attempt, hear from it, stop it.
//!
//! Why subrequests: a body read in `request_filter` is replayed upstream by Pingora only through a 64 KiB buffer, and coding requests are
//! 50 KB to 40 MB. A subrequest is given its body by us, any number of times, and hands its answer back as a channel of
//! `HttpTask`s, so that one client request can try several upstreams, read a failed one's body, and outlive its client.
//! The API is marked alpha by Pingora, which is pinned for that reason; `tests/it/bodies.rs` walks the sizes where it could go wrong.
//!
//! Three tricks keep it cheap and simple. The subrequest is not a task of its own: it is polled by whoever waits for its answer
//! ([`Running`]), which saves the wake-ups between two tasks on every piece of the answer, ends it when it is dropped, and holds the upstream
//! back while the client is being written to. The body does not travel through the subrequest's own input channel, where it would be
//! copied into a retry buffer that we never use: the channel gets one placeholder byte, and `Attempt::put_body` puts the real body in its
//! place. And the subrequest's head, which Pingora parses again from the raw bytes of the session it is made from, is not the client's but a
//! [`Template`] of three lines that expects a body of any length: the client's own head, parsed once, is put in its place when the
//! request goes upstream (`rewrite.rs`), so that its size, its framing and its HTTP version do not matter here.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use pingora::prelude::Result;
use pingora::protocols::http::{HttpTask, ServerSession};
use pingora::proxy::subrequest::{BodyMode, Ctx};
use pingora::proxy::{Session, SubrequestSpawner};
use pingora::{ErrorType, OrErr};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use super::attempt::Attempt;
use super::line::Line;
use super::nudged::Nudged;
use super::report::Report;
use crate::domain::provider::Provider;

/// Stands for the body in the subrequest's input, see the module's documentation.
const PLACEHOLDER: Bytes = Bytes::from_static(b"-");

/// An attempt under way. It goes on only while it is asked for its answer; dropping it ends it.
pub struct Running {
    /// The subrequest, until it is through.
    run: Option<Nudged<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    /// The answer, piece by piece.
    tasks: mpsc::Receiver<HttpTask>,
    line: Arc<Line>,
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

/// The session that subrequests are made from.
pub struct Template(ServerSession);

const TEMPLATE_HEAD: &[u8] =
    b"POST / HTTP/1.1\r\nHost: switchyard\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Starts an attempt.
pub fn start(
    spawner: &SubrequestSpawner,
    template: &Template,
    attempt: impl FnOnce(Arc<Line>) -> Attempt,
    has_body: bool,
) -> Running {
    let line = Arc::new(Line::default());
    let attempt = attempt(line.clone());
    let mode = if has_body {
        BodyMode::ExpectBody
    } else {
        BodyMode::NoBody
    };
    let ctx = Ctx::builder()
        .body_mode(mode)
        .user_ctx(Box::new(Some(Box::new(attempt))))
        .build();
    let (prepared, handle) = spawner.create_subrequest(&template.0, ctx);
    let input = handle.tx;
    if has_body {
        // The channel is new and has room.
        let _ = input.try_send(HttpTask::Body(Some(PLACEHOLDER), true));
    }
    Running {
        run: Some(Nudged::new(Box::pin(async move {
            // The input stays open to the end: closing it would look like the client leaving.
            let _input = input;
            prepared.run().await;
        }))),
        tasks: handle.rx,
        line,
        started: Instant::now(),
    }
}

/// Takes the attempt out of its subrequest's session. Of the client's head the session needs the method, which says whether an answer has
/// a body.
pub fn take_attempt(session: &mut Session) -> Option<Box<Attempt>> {
    let attempt = session
        .subrequest_ctx
        .as_mut()?
        .user_ctx_mut()?
        .downcast_mut::<Option<Box<Attempt>>>()?
        .take()?;
    let method = attempt.plan.head.method.clone();
    session.req_header_mut().set_method(method);
    Some(attempt)
}

// === impl Template ===

impl Template {
    /// Makes one; one is enough for a gateway.
    ///
    /// # Errors
    /// Never in practice: the head is our own.
    pub async fn new() -> Result<Self> {
        let (mut ours, theirs) = tokio::io::duplex(256);
        ours.write_all(TEMPLATE_HEAD)
            .await
            .or_err(ErrorType::InternalError, "writing the template")?;
        let mut session = ServerSession::new_http1(Box::new(theirs));
        session.read_request().await?;
        Ok(Self(session))
    }
}

// === impl Running ===

impl Running {
    /// What happens next. May be cancelled without losing anything.
    pub async fn event(&mut self) -> Event {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// The next piece of the answer; `None` when there will be no more. May be cancelled without losing one.
    pub async fn next(&mut self) -> Option<HttpTask> {
        loop {
            match self.event().await {
                Event::Chosen(_) => {}
                Event::Task(task) => return Some(task),
                Event::End => return None,
            }
        }
    }

    /// What it shares with the attempt.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// The next piece of the answer if it is already there.
    pub fn try_next(&mut self) -> Option<HttpTask> {
        self.tasks.try_recv().ok()
    }

    /// The subrequest goes first: what it has to say is in the channels when they are looked at. Nobody else sends on them, so they are
    /// only looked at and never waited for: it is the subrequest that wakes us.
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Some(run) = &mut self.run
            && run.poll(cx).is_ready()
        {
            self.run = None;
        }
        if let Some(provider) = self.line.after_poll() {
            return Poll::Ready(Event::Chosen(provider));
        }
        match self.tasks.try_recv() {
            Ok(task) => Poll::Ready(Event::Task(task)),
            Err(TryRecvError::Empty) if self.run.is_some() => Poll::Pending,
            Err(_) => Poll::Ready(Event::End),
        }
    }

    /// Lets the attempt come to its end, and tells how it went.
    pub async fn finish(mut self) -> Option<Report> {
        while self.next().await.is_some() {}
        if let Some(mut run) = self.run.take() {
            poll_fn(|cx| run.poll(cx)).await;
        }
        self.line.take_report()
    }

    /// Ends the attempt where it stands, and tells how it went.
    pub fn stop(mut self) -> Option<Report> {
        drop(self.run.take());
        self.line.take_report()
    }
}
