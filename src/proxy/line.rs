//! What an attempt and its journey share while the attempt runs.
//!
//! Both run in one task (see `subrequest.rs`), so nobody is woken through it and its lock is never waited for.

use std::sync::Arc;

use parking_lot::Mutex;

use super::cork::Cork;
use super::report::Report;
use crate::domain::provider::Provider;
use crate::wire::meter::{Meter, Phase};

/// The attempt's side writes, the journey's side reads.
#[derive(Default)]
pub struct Line(Mutex<State>);

#[derive(Default)]
struct State {
    chosen: Option<Arc<Provider>>,
    cork: Option<Cork>,
    reached: Reached,
    is_complete: bool,
    report: Option<Report>,
}

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

    /// The body is about to be written, and the head held back until then.
    pub fn body_follows(&self, cork: Cork) {
        self.0.lock().cork = Some(cork);
    }

    /// What there is to write is written. Tells the chosen provider, once.
    pub fn after_poll(&self) -> Option<Arc<Provider>> {
        let mut state = self.0.lock();
        state.cork = None;
        state.chosen.take()
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
