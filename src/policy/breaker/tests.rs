//! What the breakers promise.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::domain::fault::Fault;

mod kept;
mod places;

const SETTINGS: BreakerSettings = BreakerSettings {
    failure_threshold: 3,
    failure_percent: 50,
    open_seconds: 10,
    half_open_successes: 2,
};

/// Breakers and a clock that stands still until it is moved.
pub(super) struct Scene {
    pub(super) breakers: Breakers,
    pub(super) settings: BreakerSettings,
    start: Instant,
    pub(super) now: Instant,
}

impl Scene {
    pub(super) fn new() -> Self {
        let start = Instant::now();
        Self {
            breakers: Breakers::new(start),
            settings: SETTINGS,
            start,
            now: start,
        }
    }

    pub(super) fn pass(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    pub(super) fn moment(&self) -> Moment {
        let passed = TimeDelta::from_std(self.now - self.start).unwrap();
        Moment {
            at: self.now,
            wall: noon() + passed,
        }
    }

    pub(super) fn admit(&self, target: &Target) -> Option<Permit> {
        let target = target.clone();
        self.breakers.admit(target, &self.settings, self.now, false)
    }

    pub(super) fn force(&self, target: &Target) -> Option<Permit> {
        let target = target.clone();
        self.breakers.admit(target, &self.settings, self.now, true)
    }

    pub(super) fn fail(&self, target: &Target, fault: Fault) {
        let permit = self.admit(target).expect("it is admitted");
        permit.failure(failure(fault), self.now);
    }

    pub(super) fn succeed(&self, target: &Target) {
        self.admit(target)
            .expect("it is admitted")
            .success(self.now);
    }

    pub(super) fn standing(&self, target: &Target) -> Standing {
        let (endpoint, model) = (target.endpoint, target.model.as_deref());
        self.breakers
            .peek(target.provider, endpoint, model, &self.settings, self.now)
    }

    pub(super) fn badness(&self, target: &Target) -> u64 {
        let (endpoint, model) = (target.endpoint, target.model.as_deref());
        self.breakers
            .badness(target.provider, endpoint, model, &self.settings, self.now)
    }

    pub(super) fn open(&self, target: &Target) {
        for _ in 0..self.settings.failure_threshold {
            self.fail(target, Fault::Provider);
        }
        assert!(self.is_open(target));
    }

    pub(super) fn is_open(&self, target: &Target) -> bool {
        matches!(self.standing(target), Standing::Open { .. })
    }

    pub(super) fn view(&self, scope: &Scope) -> Option<View> {
        let views = self.breakers.list(Which::All, self.moment());
        views.into_iter().find(|view| view.scope == *scope)
    }

    /// For how long it is open from now on.
    pub(super) fn open_ms(&self, target: &Target) -> u128 {
        let Standing::Open { until } = self.standing(target) else {
            panic!("{:?}", self.standing(target));
        };
        (until - self.now).as_millis()
    }
}

pub(super) fn noon() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

pub(super) fn provider(id: i64) -> Target {
    Target {
        provider: id,
        endpoint: None,
        model: None,
    }
}

pub(super) fn with(id: i64, endpoint: usize, model: &str) -> Target {
    Target {
        provider: id,
        endpoint: Some(endpoint),
        model: Some(model.into()),
    }
}

pub(super) fn failure(fault: Fault) -> Failure {
    Failure {
        fault,
        status: Some(500),
        message: "it broke".to_owned(),
        retry_after: None,
    }
}

pub(super) fn turned_away(status: u16, seconds: u64) -> Failure {
    Failure {
        status: Some(status),
        retry_after: Some(Duration::from_secs(seconds)),
        ..failure(Fault::Provider)
    }
}

#[test]
fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
    let scene = Scene::new();
    let target = provider(1);
    for _ in 0..5 {
        scene.fail(&target, Fault::Provider);
        scene.fail(&target, Fault::Provider);
        scene.succeed(&target);
        scene.succeed(&target);
        scene.succeed(&target);
    }
    scene.fail(&target, Fault::Provider);
    scene.fail(&target, Fault::Provider);
    assert_eq!(scene.standing(&target), Standing::Closed);
    scene.fail(&target, Fault::Key);
    assert_eq!(scene.open_ms(&target), 10_000);
    assert!(scene.admit(&target).is_none());
    assert_eq!(scene.standing(&provider(2)), Standing::Closed);
}

#[test]
fn half_of_the_last_minutes_twenty_requests_open_it() {
    let mut scene = Scene::new();
    let target = provider(1);
    for _ in 0..9 {
        scene.fail(&target, Fault::Provider);
        scene.succeed(&target);
    }
    scene.fail(&target, Fault::Provider);
    assert_eq!(scene.standing(&target), Standing::Closed, "nineteen");
    scene.fail(&target, Fault::Provider);
    assert!(scene.is_open(&target), "eleven of twenty");
    let view = scene.view(&Scope::Provider(1)).unwrap();
    let reason = "11 of the last minute's 20 requests failed (provider, status 500)";
    assert_eq!(view.reason, reason);

    let other = provider(2);
    for _ in 0..40 {
        scene.fail(&other, Fault::Provider);
        scene.succeed(&other);
        scene.pass(8_000);
    }
    assert_eq!(
        scene.standing(&other),
        Standing::Closed,
        "never twenty in a minute"
    );
    scene.settings.failure_percent = 0;
    for _ in 0..40 {
        scene.fail(&other, Fault::Provider);
        scene.succeed(&other);
    }
    assert_eq!(scene.standing(&other), Standing::Closed, "switched off");
}

#[test]
fn on_trial_a_few_pass_and_their_success_closes_it() {
    let mut scene = Scene::new();
    let target = provider(1);
    scene.open(&target);
    scene.pass(9_999);
    assert!(scene.admit(&target).is_none());
    scene.pass(1);
    assert_eq!(scene.standing(&target), Standing::HalfOpen);
    let (first, second) = (scene.admit(&target).unwrap(), scene.admit(&target).unwrap());
    assert!(first.is_trial());
    assert_eq!(scene.standing(&target), Standing::HalfOpenFull);
    assert!(scene.admit(&target).is_none());
    assert!(scene.force(&target).is_none());
    first.success(scene.now);
    assert_eq!(scene.standing(&target), Standing::HalfOpen);
    drop(second);
    assert_eq!(
        scene.standing(&target),
        Standing::HalfOpen,
        "one is missing"
    );
    scene.succeed(&target);
    assert_eq!(scene.standing(&target), Standing::Closed);
    let permit = scene.admit(&target).unwrap();
    assert!(!permit.is_trial());
}

#[test]
fn the_open_time_doubles_up_to_sixteen_times_and_starts_small_again() {
    let mut scene = Scene::new();
    let target = provider(1);
    scene.open(&target);
    for expected in [10, 20, 40, 80, 160, 160] {
        assert_eq!(scene.open_ms(&target), expected * 1_000);
        scene.pass(u64::try_from(expected).unwrap() * 1_000);
        scene.fail(&target, Fault::Provider);
    }
    scene.pass(160_000);
    scene.succeed(&target);
    scene.succeed(&target);
    scene.pass(159_999);
    scene.open(&target);
    assert_eq!(scene.open_ms(&target), 160_000, "too soon");
    scene.pass(160_000);
    scene.succeed(&target);
    scene.succeed(&target);
    scene.pass(160_000);
    scene.open(&target);
    assert_eq!(scene.open_ms(&target), 10_000);
    assert_eq!(scene.view(&Scope::Provider(1)).unwrap().opened, 9);
}

#[test]
fn the_fault_says_which_scope_it_counts_against() {
    let cases = [
        (Fault::Network, Some(Scope::Endpoint(1, 0))),
        (Fault::Endpoint, Some(Scope::Endpoint(1, 0))),
        (Fault::Model, Some(Scope::Model(1, "m".into()))),
        (Fault::Provider, Some(Scope::Provider(1))),
        (Fault::Key, Some(Scope::Provider(1))),
        (Fault::Client, None),
        (Fault::Poison, None),
        (Fault::Us, None),
    ];
    for (fault, scope) in cases {
        let scene = Scene::new();
        let target = with(1, 0, "m");
        for _ in 0..3 {
            scene.fail(&target, fault);
        }
        let views = scene.breakers.list(Which::All, scene.moment());
        let open: Vec<_> = views.iter().map(|view| view.scope.clone()).collect();
        assert_eq!(open, Vec::from_iter(scope.clone()), "{fault:?}");
        assert_eq!(scene.is_open(&target), scope.is_some(), "{fault:?}");
        let is_provider = scope == Some(Scope::Provider(1));
        assert_eq!(scene.is_open(&with(1, 1, "n")), is_provider, "{fault:?}");
    }
}

#[test]
fn the_only_endpoint_is_the_provider_and_no_model_is_no_scope() {
    let scene = Scene::new();
    for _ in 0..3 {
        scene.fail(&provider(1), Fault::Network);
        scene.fail(&provider(2), Fault::Model);
        scene.fail(&with(3, 0, &"x".repeat(LONGEST_MODEL + 1)), Fault::Model);
        scene.fail(&with(3, 0, "no\0name"), Fault::Model);
    }
    assert!(scene.is_open(&provider(1)));
    let views = scene.breakers.list(Which::All, scene.moment());
    assert_eq!(views.len(), 1, "{views:?}");
}

#[test]
fn a_success_counts_for_every_scope_of_the_attempt() {
    let mut scene = Scene::new();
    scene.settings.half_open_successes = 1;
    let target = with(1, 0, "m");
    let faults = [Fault::Network, Fault::Model, Fault::Provider];
    let permits: Vec<_> = (0..9).map(|_| scene.admit(&target).unwrap()).collect();
    for (n, permit) in permits.into_iter().enumerate() {
        permit.failure(failure(faults[n / 3]), scene.now);
    }
    let views = scene.breakers.list(Which::All, scene.moment());
    let open = views.iter().filter(|view| view.state == State::Open);
    assert_eq!(open.count(), 3);
    scene.pass(10_000);
    scene.succeed(&target);
    assert_eq!(scene.standing(&target), Standing::Closed);
    for view in scene.breakers.list(Which::All, scene.moment()) {
        assert_eq!(view.consecutive_failures, 0, "{view:?}");
        assert_eq!(view.state, State::Closed, "{view:?}");
    }
}

#[test]
fn who_asks_to_be_left_alone_rests_and_is_not_open() {
    let mut scene = Scene::new();
    let (target, other) = (provider(1), provider(2));
    let permits = [429, 503].map(|status| (status, scene.admit(&target).unwrap()));
    for (status, permit) in permits {
        permit.failure(turned_away(status, 5), scene.now);
    }
    scene.open(&other);
    let until = scene.now + Duration::from_secs(5);
    assert_eq!(scene.standing(&target), Standing::Resting { until });
    assert!(scene.admit(&target).is_none());
    assert!(scene.badness(&target) < scene.badness(&other));
    assert!(scene.badness(&target) > 0);
    let view = scene.view(&Scope::Provider(1)).unwrap();
    assert_eq!(view.state, State::Resting);
    assert_eq!(view.until, Some(noon() + TimeDelta::seconds(5)));
    assert_eq!(view.consecutive_failures, 0);
    let reason = "it asked to be left alone for 5 s (provider, status 429)";
    assert_eq!(view.reason, reason);
    scene.pass(5_000);
    assert_eq!(scene.standing(&target), Standing::Closed);
    assert_eq!(scene.badness(&target), 0);
}

#[test]
fn a_rest_is_an_hour_at_most_never_cut_short_and_ended_by_proof() {
    let scene = Scene::new();
    let target = provider(1);
    let (first, second) = (scene.admit(&target).unwrap(), scene.admit(&target).unwrap());
    first.failure(turned_away(429, 1_000_000), scene.now);
    second.failure(turned_away(429, 1), scene.now);
    let until = scene.now + Duration::from_secs(3_600);
    assert_eq!(scene.standing(&target), Standing::Resting { until });
    let (last, none) = (scene.force(&target).unwrap(), scene.force(&target));
    assert!(none.is_none(), "one at a time");
    last.success(scene.now);
    assert_eq!(scene.standing(&target), Standing::Closed);
}

#[test]
fn without_a_time_or_with_another_status_it_is_a_failure_like_others() {
    for (status, seconds) in [(429, 0), (503, 0), (500, 60), (529, 60)] {
        let scene = Scene::new();
        let target = provider(1);
        for _ in 0..3 {
            let permit = scene.admit(&target).unwrap();
            permit.failure(turned_away(status, seconds), scene.now);
        }
        assert!(scene.is_open(&target), "{status} {seconds}");
    }
}

#[test]
fn the_last_resort_is_one_at_a_time_and_puts_nothing_off() {
    let mut scene = Scene::new();
    let target = provider(1);
    scene.open(&target);
    scene.pass(4_000);
    let permit = scene.force(&target).unwrap();
    assert!(scene.force(&target).is_none());
    permit.failure(failure(Fault::Provider), scene.now);
    assert_eq!(scene.open_ms(&target), 6_000);
    assert_eq!(scene.view(&Scope::Provider(1)).unwrap().opened, 1);
    scene.force(&target).unwrap().success(scene.now);
    assert_eq!(scene.standing(&target), Standing::HalfOpen);
    scene.succeed(&target);
    assert_eq!(scene.standing(&target), Standing::Closed);
}

#[test]
fn the_least_bad_failed_less_often_and_longer_ago() {
    let mut scene = Scene::new();
    let (often, seldom, healthy) = (provider(1), provider(2), provider(3));
    for target in [&often, &seldom] {
        scene.open(target);
    }
    for _ in 0..5 {
        let permit = scene.force(&often).unwrap();
        permit.failure(failure(Fault::Provider), scene.now);
    }
    assert!(scene.badness(&often) > scene.badness(&seldom));
    let fresh = scene.badness(&seldom);
    scene.pass(5_000);
    assert!(scene.badness(&seldom) < fresh);
    assert_eq!(scene.badness(&healthy), 0);
}

#[test]
fn what_was_under_way_when_it_changed_says_nothing() {
    let mut scene = Scene::new();
    let target = provider(1);
    let old: Vec<_> = (0..10).map(|_| scene.admit(&target).unwrap()).collect();
    scene.open(&target);
    let mut old = old.into_iter();
    old.next().unwrap().success(scene.now);
    assert!(
        scene.is_open(&target),
        "an old stream that ends proves nothing"
    );
    old.next()
        .unwrap()
        .failure(failure(Fault::Provider), scene.now);
    assert_eq!(scene.open_ms(&target), 10_000);
    scene.pass(10_000);
    scene.succeed(&target);
    scene.succeed(&target);
    for permit in old {
        permit.failure(failure(Fault::Provider), scene.now);
    }
    assert_eq!(scene.standing(&target), Standing::Closed);
    assert_eq!(scene.view(&Scope::Provider(1)).unwrap().samples.len(), 10);
}

#[test]
fn settings_may_change_at_any_time_and_zero_is_off() {
    let mut scene = Scene::new();
    let target = provider(1);
    scene.fail(&target, Fault::Provider);
    scene.settings.failure_threshold = 2;
    scene.fail(&target, Fault::Provider);
    assert!(scene.is_open(&target));
    scene.settings.failure_threshold = 0;
    assert_eq!(scene.standing(&target), Standing::Closed);
    for _ in 0..100 {
        scene.fail(&target, Fault::Provider);
    }
    let permit = scene.admit(&target).unwrap();
    permit.failure(turned_away(429, 60), scene.now);
    assert_eq!(scene.standing(&target), Standing::Closed);
    scene.settings = SETTINGS;
    assert_eq!(
        scene.standing(&target),
        Standing::Closed,
        "it does not come back open"
    );
    scene.settings.open_seconds = 0;
    scene.settings.half_open_successes = 0;
    scene.open(&target);
    assert_eq!(scene.open_ms(&target) % 1_000, 0);
    scene.pass(60_000);
    scene.succeed(&target);
    assert_eq!(scene.standing(&target), Standing::Closed);
}

#[test]
fn people_see_why_since_when_until_when_and_the_last_ten() {
    let mut scene = Scene::new();
    let target = with(1, 2, "m");
    for n in 0..12 {
        let permit = scene.force(&target).unwrap();
        let message = format!("{n}\0{}", "é".repeat(300));
        permit.failure(
            Failure {
                message,
                ..failure(Fault::Provider)
            },
            scene.now,
        );
        scene.pass(100);
    }
    let view = scene.view(&Scope::Provider(1)).unwrap();
    assert_eq!(view.state, State::Open);
    assert_eq!(view.reason, "3 failures in a row (provider, status 500)");
    assert_eq!(view.since, noon() + TimeDelta::milliseconds(200));
    assert_eq!(view.until, Some(noon() + TimeDelta::milliseconds(10_200)));
    assert_eq!((view.consecutive_failures, view.opened), (12, 1));
    assert_eq!(view.samples.len(), 10);
    let first = &view.samples[0];
    assert_eq!(first.at, noon() + TimeDelta::milliseconds(200));
    assert_eq!((first.fault, first.status), (Fault::Provider, Some(500)));
    assert!(first.message.starts_with("2 é"), "{}", first.message);
    assert!(first.message.len() <= LONGEST_MESSAGE && first.message.len() > 290);
    assert!(!view.is_advice);
    scene.pass(20_000);
    let view = scene.view(&Scope::Provider(1)).unwrap();
    assert_eq!((view.state, view.until), (State::HalfOpen, None));
}

#[test]
fn a_reset_is_as_if_nothing_had_been() {
    let scene = Scene::new();
    for id in 1..=3 {
        scene.open(&provider(id));
        let _ = scene.force(&provider(id)).map(drop);
    }
    let old = scene.admit(&provider(4)).unwrap();
    scene.breakers.reset(Which::Provider(2), scene.now);
    assert!(!scene.is_open(&provider(2)));
    assert!(scene.is_open(&provider(1)));
    assert_eq!(scene.view(&Scope::Provider(2)), None);
    scene.breakers.reset(Which::All, scene.now);
    assert!(scene.breakers.list(Which::All, scene.moment()).is_empty());
    old.success(scene.now);
    scene.open(&provider(2));
    assert_eq!(scene.open_ms(&provider(2)), 10_000);
    scene.breakers.forget(&[2, 77]);
    assert_eq!(scene.standing(&provider(2)), Standing::Closed);
    assert_eq!(scene.breakers.providers(), [1, 3]);
}

#[test]
fn probes_are_due_for_open_providers_that_nobody_tries() {
    let mut scene = Scene::new();
    scene.open(&provider(2));
    scene.pass(1_000);
    scene.open(&provider(1));
    for _ in 0..3 {
        scene.fail(&with(3, 0, "m"), Fault::Network);
    }
    let scopes = |scene: &Scene| -> Vec<Scope> {
        let due = scene.breakers.due_probes(scene.now);
        due.into_iter().map(|(scope, _)| scope).collect()
    };
    assert_eq!(scopes(&scene), [Scope::Provider(2), Scope::Provider(1)]);
    let probe = scene.force(&provider(2)).unwrap();
    assert_eq!(scopes(&scene), [Scope::Provider(1)]);
    probe.success(scene.now);
    assert_eq!(scopes(&scene), [Scope::Provider(1), Scope::Provider(2)]);
}

#[test]
fn a_healthy_scope_has_no_entry() {
    let scene = Scene::new();
    for n in 0..100 {
        scene.succeed(&with(n, 0, "m"));
        drop(scene.admit(&with(n, 1, "m")));
    }
    assert!(scene.breakers.providers().is_empty());
}

#[test]
fn models_have_an_end_and_the_least_recently_failed_goes_first() {
    let mut scene = Scene::new();
    let name = |n: usize| with(i64::try_from(n % 5).unwrap(), 0, &format!("m{n}"));
    for _ in 0..3 {
        scene.fail(&name(0), Fault::Model);
    }
    for n in 1..10_000 {
        scene.pass(1);
        scene.fail(&name(n), Fault::Model);
    }
    let views = scene.breakers.list(Which::All, scene.moment());
    let most = registry::MOST_MODELS;
    assert!(
        views.len() <= most && views.len() > most / 2,
        "{}",
        views.len()
    );
    assert!(
        views
            .iter()
            .any(|view| view.scope == Scope::Model(4, "m9999".into()))
    );
    assert!(
        !views
            .iter()
            .any(|view| view.scope == Scope::Model(1, "m1".into()))
    );
    let view = scene.view(&Scope::Model(0, "m0".into()));
    assert!(view.is_some(), "the open ones go last");
}
