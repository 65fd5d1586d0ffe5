//! What an attempt and its journey share while the attempt runs.
//!
//! Both run in one task (see `running.rs`), so nobody is woken through it and its lock is never waited for. The attempt goes on when its
//! journey has heard all that it said; when the line is full, it waits for that.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use parking_lot::Mutex;
use pingora::http::ResponseHeader;

use super::report::Report;
use crate::domain::provider::Provider;
use crate::wire::meter::{Meter, Phase};

/// The attempt's side writes, the journey's side reads.
#[derive(Default)]
pub struct Line(Mutex<State>);

#[derive(Default)]
struct State {
    chosen: Option<Arc<Provider>>,
    pieces: VecDeque<Piece>,
    reached: Reached,
    is_complete: bool,
    report: Option<Report>,
}

/// What an attempt has to say.
pub enum Event {
    /// This provider was chosen. Said at most once, and before any piece of the answer.
    Chosen(Arc<Provider>),
    /// A piece of the answer.
    Piece(Piece),
    /// There will be no more, whether the answer has come to its end or not.
    Over,
}

/// A piece of an upstream's answer.
pub enum Piece {
    /// Status and headers.
    Head(Box<ResponseHeader>),
    /// Some of the body; never empty.
    Body(Bytes),
    /// That was all of it.
    End,
}

/// Pieces of the answer that the client's side may be behind. What is there together is written together.
const PIECES: usize = 4;

/// How far an answer has come.
#[derive(Debug, Clone, Default)]
pub struct Reached {
    /// How far.
    pub phase: Phase,
    /// Whether it has ended without content.
    pub is_empty: bool,
    /// The frame that says so, when it has failed.
    pub error: Option<String>,
}

// === impl Line ===

impl Line {
    /// This provider was chosen.
    pub fn choose(&self, provider: Arc<Provider>) {
        self.0.lock().chosen = Some(provider);
    }

    /// A piece of the answer, for the journey, when there is room for it.
    pub async fn give(&self, piece: Piece) {
        // Whoever takes a piece polls the attempt on: nobody needs to be woken.
        poll_fn(|_| match self.0.lock().pieces.len() {
            PIECES.. => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
        self.0.lock().pieces.push_back(piece);
    }

    /// The next piece of the answer, if there is one.
    pub fn take_piece(&self) -> Option<Piece> {
        self.0.lock().pieces.pop_front()
    }

    /// The next thing that was said.
    pub fn hear(&self) -> Option<Event> {
        let mut state = self.0.lock();
        let chosen = state.chosen.take().map(Event::Chosen);
        chosen.or_else(|| state.pieces.pop_front().map(Event::Piece))
    }

    /// The answer has come as far as its meter says. Content ends the interest in it.
    pub fn follow(&self, meter: &Meter) {
        let mut state = self.0.lock();
        if state.reached.phase == Phase::Content {
            return;
        }
        state.reached = Reached {
            phase: meter.phase(),
            is_empty: meter.is_empty(),
            error: meter.error().map(str::to_owned),
        };
    }

    /// How far the answer has come.
    pub fn phase(&self) -> Phase {
        self.0.lock().reached.phase
    }

    /// How far the answer has come, with what is to be said of it.
    pub fn reached(&self) -> Reached {
        self.0.lock().reached.clone()
    }

    /// The answer's last byte has come; whether its protocol says that it is whole.
    pub fn end(&self, is_complete: bool) {
        self.0.lock().is_complete = is_complete;
    }

    /// Whether the answer has come to the end that its protocol demands.
    pub fn is_complete(&self) -> bool {
        self.0.lock().is_complete
    }

    /// The attempt is over.
    pub fn close(&self, report: Report) {
        self.0.lock().report = Some(report);
    }

    /// How it went, once it is over.
    pub fn take_report(&self) -> Option<Report> {
        self.0.lock().report.take()
    }
}
