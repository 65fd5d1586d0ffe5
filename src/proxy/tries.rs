//! What was tried so far in one request, and what that leaves for the next attempt.

use std::time::{Duration, Instant};

use super::report::Report;
use crate::domain::chain::How;
use crate::domain::fault::Fault;
use crate::domain::provider::Provider;
use crate::policy::retry::{self, MAX_ATTEMPTS};

/// What was tried so far.
pub struct Tries {
    total: u32,
    by_provider: Vec<(i64, u32)>,
    exhausted: Vec<i64>,
    endpoints: Vec<(i64, usize)>,
    again: Option<Again>,
    stale_connections: u32,
    is_hedged: bool,
    had_last_resort: bool,
    is_over: bool,
    until: Instant,
}

/// The same provider once more.
struct Again {
    provider: i64,
    pause: Duration,
}

/// What the next attempt must keep to.
#[derive(Debug, Clone, Default)]
pub struct Leeway {
    /// Providers without tries left, by id.
    pub exhausted: Vec<i64>,
    /// Providers tried at all, by id.
    pub tried: Vec<i64>,
    /// Endpoints that could not be reached, by provider id and index.
    pub endpoints: Vec<(i64, usize)>,
    /// The provider to try again, by id.
    pub again: Option<i64>,
    /// Whether it runs beside another attempt.
    pub is_hedge: bool,
    /// Whether the least bad was taken before.
    pub had_last_resort: bool,
}

/// Connections out of the pool that turned out dead and cost no try.
const STALE_CONNECTIONS: u32 = 3;

// === impl Tries ===

impl Tries {
    /// Nothing was tried; no attempt begins after `until`.
    pub fn new(until: Instant) -> Self {
        Self {
            total: 0,
            by_provider: Vec::new(),
            exhausted: Vec::new(),
            endpoints: Vec::new(),
            again: None,
            stale_connections: 0,
            is_hedged: false,
            had_last_resort: false,
            is_over: false,
            until,
        }
    }

    /// Whether there may be another attempt.
    pub fn may_go_on(&self) -> bool {
        !self.is_over && self.total < MAX_ATTEMPTS && Instant::now() < self.until
    }

    /// There will be no other attempt: nobody is left.
    pub fn stop(&mut self) {
        self.is_over = true;
    }

    /// Whether a second attempt beside the first was considered.
    pub fn is_hedged(&self) -> bool {
        self.is_hedged
    }

    /// A second attempt is considered: once is enough.
    pub fn hedged(&mut self) {
        self.is_hedged = true;
    }

    /// How long to wait before it; zero for another provider.
    pub fn pause(&self) -> Duration {
        self.again
            .as_ref()
            .map_or(Duration::ZERO, |again| again.pause)
    }

    /// What it must keep to.
    pub fn leeway(&self) -> Leeway {
        Leeway {
            exhausted: self.exhausted.clone(),
            tried: self.by_provider.iter().map(|(id, _)| *id).collect(),
            endpoints: self.endpoints.clone(),
            again: self.again.as_ref().map(|again| again.provider),
            is_hedge: false,
            had_last_resort: self.had_last_resort,
        }
    }

    /// What an attempt beside the one at this provider must keep to.
    pub fn leeway_beside(&self, provider: i64) -> Leeway {
        let mut leeway = self.leeway();
        leeway.exhausted.push(provider);
        leeway.again = None;
        leeway.is_hedge = true;
        leeway
    }

    /// Learns from an attempt that failed.
    ///
    /// A connection out of the pool that turns out dead says nothing about the provider and costs no try. An address that could not be
    /// reached costs none either while the provider has another one.
    pub fn note(&mut self, report: &Report) {
        self.again = None;
        let Some(choice) = &report.choice else { return };
        let provider = &choice.provider;
        self.had_last_resort |= choice.selection.by == How::LastResort;
        let fault = report.failure.as_ref().map(|(fault, _)| *fault);
        if report.reused_connection
            && report.status.is_none()
            && fault != Some(Fault::Us)
            && self.stale_connections < STALE_CONNECTIONS
        {
            self.stale_connections += 1;
            return self.try_again(provider, Duration::ZERO);
        }
        self.total += 1;
        if matches!(fault, Some(Fault::Network | Fault::Endpoint)) {
            self.endpoints.push((provider.id, report.endpoint));
            if self.has_other_endpoint(provider) {
                return self.try_again(provider, Duration::ZERO);
            }
        }
        let count = self.count(provider.id);
        let pause = retry::pause(count - 1, report.retry_after, fastrand::f64());
        let is_last = count >= provider.max_attempts || fault.is_some_and(Fault::stays);
        match pause {
            Some(pause) if !is_last => self.try_again(provider, pause),
            _ => self.exhausted.push(provider.id),
        }
    }

    fn try_again(&mut self, provider: &Provider, pause: Duration) {
        // With all of its addresses out of reach it begins anew.
        if !self.has_other_endpoint(provider) {
            self.endpoints.retain(|(id, _)| *id != provider.id);
        }
        self.again = Some(Again {
            provider: provider.id,
            pause,
        });
    }

    fn has_other_endpoint(&self, provider: &Provider) -> bool {
        let failed = self.endpoints.iter().filter(|(id, _)| *id == provider.id);
        failed.count() < provider.endpoints.len()
    }

    fn count(&mut self, provider: i64) -> u32 {
        if let Some((_, count)) = self.by_provider.iter_mut().find(|(id, _)| *id == provider) {
            *count += 1;
            return *count;
        }
        self.by_provider.push((provider, 1));
        1
    }
}
