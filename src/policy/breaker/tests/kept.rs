//! What survives a restart, and what nodes tell each other.

use super::*;

fn advice(scope: Scope, seconds: i64) -> Advice {
    Advice {
        scope,
        open_until: noon() + TimeDelta::seconds(seconds),
        reason: "3 failures in a row".to_owned(),
    }
}

/// Another process, `seconds` later, that reads what this one wrote as text.
fn restarted(scene: &Scene, seconds: u64) -> Scene {
    let rows = scene.breakers.export(0, scene.moment()).rows;
    let rows = rows.into_iter().map(|row| {
        let (kind, subject) = row.scope.columns();
        let text = serde_json::to_string(&row.state).unwrap();
        Row {
            scope: Scope::of_columns(row.scope.provider(), kind, &subject).unwrap(),
            state: serde_json::from_str(&text).unwrap(),
        }
    });
    let rows = rows.collect();
    // A machine that has just started: its clock has not run for as long as the breakers were open.
    let mut other = Scene::new();
    let wall = scene.moment().wall + TimeDelta::seconds(i64::try_from(seconds).unwrap());
    let moment = Moment {
        at: other.now,
        wall,
    };
    other.breakers.restore(rows, moment);
    other.settings = scene.settings;
    other.start = other.now - (wall - noon()).to_std().unwrap();
    other
}

#[test]
fn an_open_one_is_open_after_a_restart_with_all_there_is_to_tell() {
    let mut scene = Scene::new();
    let target = with(1, 2, "m/x:1");
    scene.open(&target);
    scene.pass(10_000);
    scene.fail(&target, Fault::Provider);
    for fault in [Fault::Network, Fault::Model] {
        for _ in 0..3 {
            let permit = Permit::new(
                &scene.breakers.0,
                target.clone(),
                &SETTINGS,
                scene.now,
                true,
            );
            permit.unwrap().failure(failure(fault), scene.now);
        }
    }
    let before = scene.breakers.list(Which::All, scene.moment());
    assert_eq!(before.len(), 3);
    let mut other = restarted(&scene, 0);
    assert_eq!(other.breakers.list(Which::All, other.moment()), before);
    assert_eq!(other.open_ms(&target), 20_000);
    other.pass(20_000);
    other.fail(&target, Fault::Provider);
    assert_eq!(other.open_ms(&target), 40_000, "growth survives");
    assert_eq!(other.view(&Scope::Provider(1)).unwrap().samples.len(), 5);
}

#[test]
fn time_passes_while_nothing_runs() {
    let scene = Scene::new();
    let target = provider(1);
    scene.open(&target);
    assert_eq!(restarted(&scene, 4).open_ms(&target), 6_000);
    let other = restarted(&scene, 10);
    assert_eq!(other.standing(&target), Standing::HalfOpen);
    assert!(other.admit(&target).unwrap().is_trial());
}

#[test]
fn half_open_and_resting_survive_too() {
    let mut scene = Scene::new();
    let (trial, resting) = (provider(1), provider(2));
    scene.open(&trial);
    scene.pass(10_000);
    let (a, b) = (scene.admit(&trial).unwrap(), scene.admit(&trial).unwrap());
    let permit = scene.admit(&resting).unwrap();
    permit.failure(turned_away(503, 60), scene.now);
    let other = restarted(&scene, 1);
    assert_eq!(
        other.standing(&trial),
        Standing::HalfOpen,
        "its places are free"
    );
    let until = other.now + Duration::from_secs(59);
    assert_eq!(other.standing(&resting), Standing::Resting { until });
    drop((a, b));
}

#[test]
fn a_clock_that_was_set_back_closes_nobody_for_longer() {
    let scene = Scene::new();
    let target = provider(1);
    scene.open(&target);
    let rows = scene.breakers.export(0, scene.moment()).rows;
    let other = Scene::new();
    let moment = Moment {
        at: other.now,
        wall: noon() - TimeDelta::days(365),
    };
    other.breakers.restore(rows, moment);
    assert_eq!(other.open_ms(&target), 10_000);
}

#[test]
fn what_failed_here_already_is_not_overwritten() {
    let scene = Scene::new();
    let target = provider(1);
    scene.open(&target);
    let rows = scene.breakers.export(0, scene.moment()).rows;
    let other = Scene::new();
    other.fail(&target, Fault::Provider);
    other.breakers.restore(rows, other.moment());
    assert_eq!(other.standing(&target), Standing::Closed);
}

#[test]
fn an_export_has_what_changed_since_the_last() {
    let mut scene = Scene::new();
    let target = provider(1);
    let scopes = |changes: &Changes| -> Vec<Scope> {
        changes.rows.iter().map(|row| row.scope.clone()).collect()
    };
    let first = scene.breakers.export(0, scene.moment());
    scene.fail(&target, Fault::Provider);
    let second = scene.breakers.export(first.version, scene.moment());
    assert_eq!(
        scopes(&second),
        [],
        "a failure that opens nothing is not worth a row"
    );
    scene.fail(&target, Fault::Provider);
    scene.fail(&target, Fault::Provider);
    scene.open(&provider(2));
    let third = scene.breakers.export(second.version, scene.moment());
    assert_eq!(scopes(&third), [Scope::Provider(1), Scope::Provider(2)]);
    assert_eq!(third.rows[0].state.phase, SavedPhase::Open);
    let again = scene.breakers.export(second.version, scene.moment());
    assert_eq!(
        again.rows, third.rows,
        "whoever could not keep it asks again"
    );
    scene.pass(10_000);
    scene.succeed(&target);
    let fourth = scene.breakers.export(third.version, scene.moment());
    assert_eq!(fourth.rows[0].state.phase, SavedPhase::HalfOpen);
    scene.succeed(&target);
    let fifth = scene.breakers.export(fourth.version, scene.moment());
    assert_eq!(fifth.rows[0].state.phase, SavedPhase::Closed);
    scene.succeed(&target);
    let last = scene.breakers.export(fifth.version, scene.moment());
    assert_eq!(
        (scopes(&last), last.removed, last.resets),
        (vec![], vec![], vec![])
    );
}

#[test]
fn resets_and_removals_are_told_once_and_others_resets_not_on() {
    let scene = Scene::new();
    let (one, two) = (provider(1), provider(2));
    scene.open(&one);
    scene.open(&two);
    scene.breakers.reset(Which::Provider(1), scene.now);
    scene.breakers.reset(Which::Provider(1), scene.now);
    scene.breakers.forget(&[2]);
    let changes = scene.breakers.export(0, scene.moment());
    assert_eq!(changes.resets, [Which::Provider(1)]);
    assert_eq!(changes.removed, [Scope::Provider(1), Scope::Provider(2)]);
    assert_eq!(changes.rows, []);
    scene.open(&one);
    scene.breakers.follow_reset(Which::All, scene.now);
    assert!(!scene.is_open(&one));
    let changes = scene.breakers.export(changes.version, scene.moment());
    assert_eq!(changes.resets, []);
    assert_eq!(changes.removed, [Scope::Provider(1)]);
    scene.open(&one);
    scene.breakers.reset(Which::All, scene.now);
    scene.open(&one);
    let changes = scene.breakers.export(changes.version, scene.moment());
    assert_eq!(
        (changes.removed.len(), changes.rows.len()),
        (0, 1),
        "it is back"
    );
}

#[test]
fn advice_lets_one_pass_at_a_time_and_the_first_failure_opens() {
    let scene = Scene::new();
    let target = provider(1);
    scene
        .breakers
        .advise(&advice(Scope::Provider(1), 30), scene.moment());
    assert_eq!(scene.standing(&target), Standing::HalfOpen);
    let view = scene.view(&Scope::Provider(1)).unwrap();
    assert!(view.is_advice);
    assert_eq!(view.state, State::HalfOpen);
    assert_eq!(view.until, Some(noon() + TimeDelta::seconds(30)));
    assert_eq!(view.reason, "open at another node: 3 failures in a row");
    let first = scene.admit(&target).unwrap();
    assert_eq!(scene.standing(&target), Standing::HalfOpenFull);
    assert!(scene.admit(&target).is_none());
    first.failure(failure(Fault::Provider), scene.now);
    assert_eq!(scene.open_ms(&target), 10_000);
    assert!(!scene.view(&Scope::Provider(1)).unwrap().is_advice);
}

#[test]
fn the_first_success_dismisses_advice_and_time_does_too() {
    let mut scene = Scene::new();
    let target = with(1, 0, "m");
    let old = scene.admit(&target).unwrap();
    let scope = Scope::Model(1, "m".into());
    scene
        .breakers
        .advise(&advice(scope.clone(), 30), scene.moment());
    old.success(scene.now);
    assert_eq!(
        scene.standing(&target),
        Standing::HalfOpen,
        "it began before"
    );
    scene.succeed(&target);
    assert_eq!(scene.standing(&target), Standing::Closed);
    let changes = scene.breakers.export(0, scene.moment());
    assert_eq!(changes.rows, [], "the other node's row stays the other's");
    scene
        .breakers
        .advise(&advice(scope.clone(), 30), scene.moment());
    scene.pass(30_000);
    assert_eq!(scene.view(&scope), None, "nothing to tell");
    assert_eq!(scene.standing(&target), Standing::Closed);
    scene.fail(&target, Fault::Model);
    assert_eq!(scene.standing(&target), Standing::Closed);
    scene
        .breakers
        .advise(&advice(scope.clone(), 10), scene.moment());
    assert_eq!(
        scene.standing(&target),
        Standing::Closed,
        "it came too late"
    );
    scene
        .breakers
        .advise(&advice(scope.clone(), 60), scene.moment());
    scene.breakers.dismiss(&scope);
    assert_eq!(
        scene.standing(&target),
        Standing::Closed,
        "the other node closed it"
    );
}

#[test]
fn own_knowledge_is_better_than_advice() {
    let scene = Scene::new();
    let target = provider(1);
    scene.open(&target);
    scene
        .breakers
        .advise(&advice(Scope::Provider(1), 5), scene.moment());
    assert_eq!(scene.open_ms(&target), 10_000);
    assert!(scene.admit(&target).is_none());
    scene.breakers.dismiss(&Scope::Provider(1));
    assert!(scene.is_open(&target));
}

#[tokio::test]
async fn whoever_keeps_the_states_is_woken_for_what_is_worth_it() {
    let scene = Scene::new();
    let is_woken = async || {
        let woken = tokio::time::timeout(Duration::from_millis(20), scene.breakers.changed());
        woken.await.is_ok()
    };
    scene.open(&provider(1));
    assert!(is_woken().await);
    assert!(!is_woken().await);
    scene.succeed(&provider(2));
    assert!(!is_woken().await);
    scene.breakers.reset(Which::All, scene.now);
    assert!(is_woken().await);
}

#[test]
fn columns_that_no_scope_has_are_refused() {
    for scope in [
        Scope::Provider(1),
        Scope::Endpoint(1, 12),
        Scope::Model(1, "a/b".into()),
    ] {
        let (kind, subject) = scope.columns();
        assert_eq!(Scope::of_columns(1, kind, &subject), Some(scope));
    }
    for (kind, subject) in [
        ("provider", "x"),
        ("endpoint", "-1"),
        ("key", ""),
        ("reset", ""),
    ] {
        assert_eq!(Scope::of_columns(1, kind, subject), None);
    }
}
