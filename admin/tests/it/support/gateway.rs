//! A gateway that only counts what it is asked.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
};

use admin::gateway::{
    Breaker, BreakerSample, BreakerScope, BreakerState, Candidate, EndpointHealth, Explain,
    ExplainError, Explanation, Figures, Gateway, GatewayHealth, Gauge, LiveRequest, LogFilterError,
    Nominee, Part, Prune, Pruned, Reason, ReasonCode, Subject, System, TargetReport, Trial,
    TrialReport,
};
use chrono::{DateTime, Utc};

/// A gateway that counts.
#[derive(Default)]
pub struct FakeGateway {
    /// Reloads asked for.
    pub reloads: AtomicUsize,
    /// What it says of its draining.
    pub stopping: AtomicBool,
    /// What was reset: a provider, or all.
    pub resets: Mutex<Vec<Option<i64>>>,
    /// What was to be explained.
    pub asked: Mutex<Vec<Explain>>,
    /// Whose limits were reset.
    pub reset: Mutex<Vec<Subject>>,
    /// How often limits were counted anew.
    pub rebuilt: AtomicUsize,
    /// What it counts.
    pub gauges: Mutex<Vec<(Subject, Gauge)>>,
    /// What providers were asked.
    pub trials: Mutex<Vec<Trial>>,
    /// What they answer.
    pub report: Mutex<TrialReport>,
    /// The targets that were tried.
    pub tried: Mutex<Vec<entity::notification_target::Model>>,
    /// The wrong credentials it told of.
    pub failures: AtomicUsize,
    /// Its time zone; UTC if none is set.
    pub time_zone: Mutex<Option<chrono_tz::Tz>>,
    /// What is under way.
    pub live: Mutex<Vec<LiveRequest>>,
    /// What was to be deleted.
    pub pruned: Mutex<Vec<Prune>>,
    /// What is logged.
    pub log_filter: Mutex<Option<String>>,
    revision: AtomicI64,
}

// === impl FakeGateway ===

#[async_trait::async_trait]
impl Gateway for FakeGateway {
    fn revision(&self) -> i64 {
        self.revision.load(Ordering::SeqCst)
    }

    async fn reload(&self) {
        self.reloads.fetch_add(1, Ordering::SeqCst);
    }

    fn time_zone(&self) -> chrono_tz::Tz {
        self.time_zone.lock().unwrap().unwrap_or(chrono_tz::UTC)
    }

    async fn gauges(&self, subject: Subject, _: entity::value::Limits) -> Vec<Gauge> {
        let gauges = self.gauges.lock().unwrap();
        let of_subject = gauges.iter().filter(|(whose, _)| *whose == subject);
        of_subject.map(|(_, gauge)| gauge.clone()).collect()
    }

    async fn reset_limits(&self, subject: Subject) {
        self.reset.lock().unwrap().push(subject);
    }

    async fn rebuild_limits(&self) -> Option<usize> {
        Some(self.rebuilt.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn health(&self) -> GatewayHealth {
        GatewayHealth {
            stopping: self.stopping.load(Ordering::SeqCst),
            parts: vec![Part {
                name: "configuration".into(),
                ok: true,
                detail: "fresh".into(),
                figures: Figures {
                    journal_bytes: Some(4096),
                    ..Figures::default()
                },
            }],
        }
    }

    fn version(&self) -> &'static str {
        "0.0.0-test"
    }

    fn breakers(&self, provider: Option<i64>) -> Vec<Breaker> {
        let breaker = |provider_id, scope, subject: Option<&str>, state| Breaker {
            provider_id,
            scope,
            subject: subject.map(str::to_owned),
            state,
            reason: None,
            opened_at: None,
            open_until: None,
            consecutive_failures: 0,
            times_opened: 0,
            advised: false,
            samples: Vec::new(),
        };
        let open = Breaker {
            reason: Some("5 failures in a row".into()),
            opened_at: Some(at("2026-01-02T03:04:05Z")),
            open_until: Some(at("2026-01-02T03:05:05Z")),
            consecutive_failures: 5,
            times_opened: 1,
            advised: true,
            samples: vec![BreakerSample {
                at: at("2026-01-02T03:04:05Z"),
                fault: "provider".into(),
                status: Some(502),
                message: "Bad Gateway".into(),
            }],
            ..breaker(
                1,
                BreakerScope::Endpoint,
                Some("https://b.example"),
                BreakerState::Open,
            )
        };
        let all = [
            breaker(1, BreakerScope::Provider, None, BreakerState::Closed),
            open,
            breaker(2, BreakerScope::Model, Some("m"), BreakerState::HalfOpen),
        ];
        let wanted = |b: &Breaker| provider.is_none_or(|id| id == b.provider_id);
        all.into_iter().filter(wanted).collect()
    }

    async fn reset_breakers(&self, provider: Option<i64>) -> usize {
        self.resets.lock().unwrap().push(provider);
        self.breakers(provider).len()
    }

    fn provider_health(&self, provider: i64) -> Vec<EndpointHealth> {
        vec![
            EndpointHealth {
                url: format!("https://{provider}.example"),
                healthy: true,
                checked_at: None,
                addresses: Vec::new(),
                error: None,
            },
            EndpointHealth {
                url: "https://b.example".into(),
                healthy: false,
                checked_at: Some(at("2026-01-02T03:04:05Z")),
                addresses: vec!["192.0.2.1:443".into()],
                error: Some("connection refused".into()),
            },
        ]
    }

    fn live_requests(&self) -> Vec<LiveRequest> {
        self.live.lock().unwrap().clone()
    }

    async fn end_session(&self, session_id: &str, user_id: Option<i64>, _: &[i64]) -> usize {
        let mut live = self.live.lock().unwrap();
        let before = live.len();
        live.retain(|request| {
            let is_its = request.session_id.as_deref() == Some(session_id);
            !is_its || user_id.is_some_and(|id| id != request.user_id)
        });
        before - live.len()
    }

    async fn prune(&self, prune: Prune) -> Result<Pruned, sea_orm::DbErr> {
        let rows = if prune.is_dry { 12 } else { 7 };
        self.pruned.lock().unwrap().push(prune);
        Ok(Pruned {
            rows,
            is_done: false,
        })
    }

    fn system(&self) -> System {
        System {
            started_at: at("2026-01-02T03:04:05Z"),
            requests_in_flight: 3,
            queued_lines: 4,
            journal_bytes: 5,
            disk_free_bytes: Some(6),
            disk_total_bytes: None,
        }
    }

    fn metrics(&self) -> String {
        "# TYPE switchyard_up gauge\nswitchyard_up 1\n".into()
    }

    fn log_filter(&self) -> Option<String> {
        self.log_filter.lock().unwrap().clone()
    }

    fn set_log_filter(&self, filter: &str) -> Result<(), LogFilterError> {
        if filter.contains("wrong") {
            return Err(LogFilterError::Bad("must be a level".into()));
        }
        let mut current = self.log_filter.lock().unwrap();
        let current = current.as_mut().ok_or(LogFilterError::NotOurs)?;
        *current = filter.into();
        Ok(())
    }

    async fn try_provider(&self, trial: Trial) -> TrialReport {
        let report = self.report.lock().unwrap().clone();
        self.trials.lock().unwrap().push(trial);
        report
    }

    async fn try_target(&self, target: entity::notification_target::Model) -> TargetReport {
        self.tried.lock().unwrap().push(target);
        TargetReport {
            is_ok: false,
            error: Some("the answer is 404: no_service".into()),
            status: Some(404),
            excerpt: "no_service".into(),
            total_ms: 12,
        }
    }

    fn models(&self, key_id: i64) -> Vec<String> {
        vec![format!("model-of-{key_id}")]
    }

    async fn tell_failure(&self, _: Option<std::net::IpAddr>) {
        self.failures.fetch_add(1, Ordering::SeqCst);
    }

    async fn explain(&self, ask: Explain) -> Result<Explanation, ExplainError> {
        let key_id = ask.key_id;
        self.asked.lock().unwrap().push(ask);
        match key_id {
            1 => Ok(explanation()),
            2 => Err(ExplainError::Unavailable("The gateway is starting.".into())),
            _ => Err(ExplainError::UnknownKey),
        }
    }
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn explanation() -> Explanation {
    let candidate = |provider_id, kept, probability| Candidate {
        provider_id,
        provider_name: format!("p{provider_id}"),
        kept,
        reasons: vec![Reason {
            code: ReasonCode::NoWeight,
            text: "its weight is 0".into(),
        }],
        tier: -1,
        weight: 3,
        probability,
        is_nominee: provider_id == 7,
    };
    Explanation {
        candidates: vec![candidate(7, true, 0.75), candidate(8, false, 0.0)],
        nominee: Some(Nominee {
            provider_id: 7,
            by: "session".into(),
            reason: "its prefix is cached there".into(),
        }),
        chosen_tier: Some(-1),
        notes: vec!["one provider is left out".into()],
    }
}
