//! An attempt under way, as its journey holds it: heard from, read, brought to an end.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use super::attempt::{Attempt, Plan};
use super::exchange;
use super::in_place::in_place;
use super::line::{Event, Line, Piece};
use super::parts::Parts;
use super::report::Report;
use super::tries::Leeway;

/// An attempt under way. It goes on only while it is asked for its answer; dropping it ends it.
pub struct Running {
    /// Its way, until it is through.
    way: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    line: Arc<Line>,
    /// When it started.
    pub started: Instant,
}

// === impl Running ===

impl Running {
    /// Starts an attempt.
    pub fn start(plan: Arc<Plan>, leeway: Leeway, parts: Arc<Parts>) -> Self {
        let line = Arc::new(Line::default());
        let attempt = Box::new(Attempt::new(plan, leeway, line.clone()));
        Self {
            way: Some(in_place(|| exchange::run(attempt, parts))),
            line,
            started: Instant::now(),
        }
    }

    /// The next piece of the answer; `None` when there will be no more. May be cancelled without losing one.
    pub async fn next(&mut self) -> Option<Piece> {
        loop {
            match poll_fn(|cx| self.poll_event(cx)).await {
                Event::Chosen(_) => {}
                Event::Piece(piece) => return Some(piece),
                Event::Over => return None,
            }
        }
    }

    /// What it shares with the attempt.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// What was said comes first; the attempt goes on when all of it has been heard.
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Some(event) = self.line.hear() {
            return Poll::Ready(event);
        }
        if let Some(way) = &mut self.way
            && way.as_mut().poll(cx).is_ready()
        {
            self.way = None;
        }
        match self.line.hear() {
            Some(event) => Poll::Ready(event),
            None if self.way.is_some() => Poll::Pending,
            None => Poll::Ready(Event::Over),
        }
    }

    /// Lets the attempt come to its end, and tells how it went.
    pub async fn finish(mut self) -> Option<Report> {
        while self.next().await.is_some() {}
        self.line.take_report()
    }

    /// Ends the attempt where it stands, and tells how it went.
    pub fn stop(mut self) -> Option<Report> {
        drop(self.way.take());
        self.line.take_report()
    }
}
