//! The body of an answer, played event by event as its behaviour says.

use std::collections::VecDeque;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::behaviour::Behaviour;
use super::cut::Cut;
use super::fault::Fault;
use super::recorder::Visit;
use super::score::{Place, Score};

/// A body being sent. Dropped before its end, the client has left.
pub(super) struct Play {
    source: Source,
    plan: Arc<Behaviour>,
    visit: Option<Visit>,
    cut: Arc<Cut>,
    gzip: Option<GzEncoder<Vec<u8>>>,
    /// The next event to plan.
    next: usize,
    /// What is planned but not done.
    steps: VecDeque<Step>,
    pause: Option<Pin<Box<Sleep>>>,
}

/// What is sent.
pub(super) enum Source {
    /// One piece of known length.
    Whole(Bytes),
    /// Events.
    Events(Box<dyn Score>),
}

/// The answer breaks off here, on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the answer was told to break off here")]
pub(super) struct Broken;

enum Step {
    Wait(Duration),
    Send(Bytes),
    /// Sends a ping every so often, until [`LONGEST`] is over.
    Drip(Duration, Instant),
    Close,
    Reset,
    End,
}

/// An answer that stalls or hangs ends by itself after this long, if neither side ended it before.
pub(super) const LONGEST: Duration = Duration::from_secs(600);
/// Long enough for what was sent to leave before the connection is closed behind it.
const FLUSH: Duration = Duration::from_millis(20);
const PING_PAUSE: Duration = Duration::from_millis(100);
const NO_EVENT: Bytes = Bytes::from_static(b"\x00\xff\xfe{]\n\n<<<\n\n");

// === impl Play ===

impl Play {
    pub(super) fn new(
        source: Source,
        plan: Arc<Behaviour>,
        mut visit: Visit,
        cut: Arc<Cut>,
    ) -> Self {
        if matches!(&source, Source::Whole(body) if body.is_empty()) {
            visit.finish();
        }
        Self {
            source,
            gzip: plan
                .gzip
                .then(|| GzEncoder::new(Vec::new(), Compression::fast())),
            plan,
            visit: Some(visit),
            cut,
            next: 0,
            steps: VecDeque::new(),
            pause: None,
        }
    }

    /// A body that is sent as it is, outside any script.
    pub(super) fn plain(body: Bytes) -> Self {
        Self {
            source: Source::Whole(body),
            plan: Arc::default(),
            visit: None,
            cut: Arc::default(),
            gzip: None,
            next: 0,
            steps: VecDeque::new(),
            pause: None,
        }
    }

    fn total(&self) -> usize {
        match &self.source {
            Source::Whole(_) => 1,
            Source::Events(score) => score.shape().total(),
        }
    }

    fn event(&self, n: usize) -> Bytes {
        match &self.source {
            Source::Whole(body) => body.clone(),
            Source::Events(score) => score.event(n),
        }
    }

    /// Plans event `next`: its delay, itself, or the failure that takes its place.
    fn plan_next(&mut self) {
        let n = self.next;
        self.next += 1;
        let plan = self.plan.clone();
        let after = |events: Option<usize>| events == Some(n);
        if after(plan.stall_after_events) {
            self.steps.extend([Step::Wait(LONGEST), Step::Close]);
        } else if after(plan.close_after_events) {
            self.steps.extend([Step::Wait(FLUSH), Step::Close]);
        } else if after(plan.reset_after_events) {
            self.steps.extend([Step::Wait(FLUSH), Step::Reset]);
        } else if after(plan.ping_after_events) {
            let pause = plan.ping_ms.map_or(PING_PAUSE, Duration::from_millis);
            self.steps.push_back(Step::Drip(
                pause.max(Duration::from_millis(1)),
                Instant::now() + LONGEST,
            ));
        } else if after(plan.garbage_after_events) {
            self.steps.extend([Step::Send(NO_EVENT), Step::End]);
        } else if after(plan.end_after_events) || n >= self.total() {
            self.steps.push_back(Step::End);
        } else {
            self.steps.push_back(Step::Wait(self.delay(n)));
            self.plan_event(n);
        }
    }

    fn plan_event(&mut self, n: usize) {
        let fails =
            (self.plan.error_event_first && n == 0) || self.plan.error_event_after == Some(n);
        if let (true, Source::Events(score)) = (fails, &self.source) {
            let event = score.failure(n, &Fault::of_event(&self.plan));
            self.steps.extend([Step::Send(event), Step::End]);
            return;
        }
        let event = self.event(n);
        if self.plan.truncated && n + 1 == self.total() {
            let half = event.slice(..event.len() / 2);
            self.steps
                .extend([Step::Send(half), Step::Wait(FLUSH), Step::Close]);
        } else {
            self.steps.push_back(Step::Send(event));
        }
    }

    fn delay(&self, n: usize) -> Duration {
        let Source::Events(score) = &self.source else {
            return Duration::ZERO;
        };
        Duration::from_millis(match score.shape().place(n) {
            Place::Delta(0) if n == 0 => self
                .plan
                .first_event_delay_ms
                .max(self.plan.content_delay_ms),
            _ if n == 0 => self.plan.first_event_delay_ms,
            Place::Delta(0) => self.plan.content_delay_ms,
            Place::Delta(_) => self.plan.chunk_delay_ms,
            Place::Opening(_) | Place::Closing(_) => 0,
        })
    }

    /// The event as it goes out. A compressed one is flushed, so that it arrives when it is sent.
    fn encode(&mut self, event: Bytes) -> Bytes {
        let Some(gzip) = &mut self.gzip else {
            return event;
        };
        if let Err(error) = gzip.write_all(&event).and_then(|()| gzip.flush()) {
            tracing::error!(%error, "compression failed");
        }
        Bytes::from(std::mem::take(gzip.get_mut()))
    }

    /// The trailer of a compressed body.
    fn trailer(&mut self) -> Option<Bytes> {
        let trailer = self.gzip.take()?.finish();
        trailer
            .ok()
            .map(Bytes::from)
            .filter(|bytes| !bytes.is_empty())
    }

    /// Nothing is planned after the last event, so a client that leaves once it has it has not left early.
    fn is_complete(&self) -> bool {
        let total = self.total();
        let cut_later = [
            self.plan.stall_after_events,
            self.plan.close_after_events,
            self.plan.reset_after_events,
            self.plan.ping_after_events,
            self.plan.garbage_after_events,
        ];
        self.steps.is_empty() && self.next >= total && !cut_later.contains(&Some(total))
    }

    fn finish(&mut self) {
        if let Some(visit) = &mut self.visit {
            visit.finish();
        }
    }

    fn step(&mut self, step: Step) -> Option<Option<Result<Frame<Bytes>, Broken>>> {
        match step {
            Step::Wait(pause) => {
                if !pause.is_zero() {
                    self.pause = Some(Box::pin(tokio::time::sleep(pause)));
                }
                None
            }
            Step::Send(event) => {
                if self.is_complete() {
                    self.finish();
                }
                let event = self.encode(event);
                Some(Some(Ok(Frame::data(event))))
            }
            Step::Drip(pause, end) if Instant::now() < end => {
                let ping = match &self.source {
                    Source::Events(score) => score.ping(),
                    Source::Whole(_) => Bytes::from_static(b" "),
                };
                self.steps
                    .extend([Step::Wait(pause), Step::Drip(pause, end)]);
                let ping = self.encode(ping);
                Some(Some(Ok(Frame::data(ping))))
            }
            Step::Close | Step::Drip(..) => {
                self.finish();
                Some(Some(Err(Broken)))
            }
            Step::Reset => {
                self.finish();
                self.cut.reset();
                Some(Some(Err(Broken)))
            }
            Step::End => {
                self.finish();
                self.steps.push_back(Step::End);
                Some(self.trailer().map(|trailer| Ok(Frame::data(trailer))))
            }
        }
    }
}

impl Body for Play {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let play = self.get_mut();
        loop {
            if let Some(pause) = &mut play.pause {
                ready!(pause.as_mut().poll(cx));
                play.pause = None;
            }
            match play.steps.pop_front() {
                None => play.plan_next(),
                Some(step) => {
                    if let Some(frame) = play.step(step) {
                        return Poll::Ready(frame);
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.source, Source::Whole(body) if body.is_empty())
    }

    /// Exact for a whole body that is sent whole, which makes hyper announce its length.
    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole(body) if self.gzip.is_none() && !self.plan.breaks_off() => {
                SizeHint::with_exact(body.len() as u64)
            }
            _ => SizeHint::new(),
        }
    }
}
