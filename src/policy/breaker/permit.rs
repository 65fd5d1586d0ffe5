//! Leave to send one attempt, which has to be told how it ended.

use std::sync::Arc;
use std::time::Instant;

use entity::value::BreakerSettings;

use super::failure::Failure;
use super::registry::{Outcome, Places, Registry};
use super::scope::Target;

/// Leave to send one attempt. Tell it how the attempt ended; dropped without a word, the attempt counts neither way (the client left,
/// another attempt was faster, the gateway stops). Places on trial are given back in every case. It may outlive the request.
#[derive(Debug)]
#[must_use = "an attempt without its permit is not counted"]
pub struct Permit {
    registry: Arc<Registry>,
    target: Target,
    settings: BreakerSettings,
    admitted: u64,
    places: Places,
}

// === impl Permit ===

impl Permit {
    /// A permit, if the attempt's scopes let it pass.
    pub(super) fn new(
        registry: &Arc<Registry>,
        target: Target,
        settings: &BreakerSettings,
        now: Instant,
        is_forced: bool,
    ) -> Option<Self> {
        let ticks = registry.base.ticks(now);
        let (places, admitted) = registry.enter(&target, settings, ticks, is_forced)?;
        Some(Self {
            registry: Arc::clone(registry),
            target,
            settings: *settings,
            admitted,
            places,
        })
    }

    /// Whether the attempt is on trial somewhere, or the last resort.
    #[must_use]
    pub fn is_trial(&self) -> bool {
        !self.places.is_none()
    }

    /// The attempt came to a good end.
    pub fn success(mut self, now: Instant) {
        self.settle(Outcome::Success, now);
    }

    /// The attempt failed. Whether that counts, and against which scope, follows from the fault.
    pub fn failure(mut self, failure: Failure, now: Instant) {
        self.settle(Outcome::Failure(failure), now);
    }

    fn settle(&mut self, outcome: Outcome, now: Instant) {
        let places = std::mem::take(&mut self.places);
        let now = self.registry.base.ticks(now);
        self.registry.settle(
            &self.target,
            places,
            self.admitted,
            &self.settings,
            outcome,
            now,
        );
    }
}

#[cfg(test)]
impl Permit {
    /// Whether it holds a place in the scope at this place of [`Target::parts`].
    pub(super) fn holds(&self, index: usize) -> bool {
        self.places.has(index)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.places.is_none() {
            // Neutral: the time of it does not matter.
            let places = std::mem::take(&mut self.places);
            self.registry.leave(&self.target, places, self.admitted);
        }
    }
}
