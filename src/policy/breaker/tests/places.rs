//! Whatever happens in whatever order: never too many on trial, and every place comes back.

use std::sync::atomic::{AtomicU32, Ordering};

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Admit { is_forced: bool, endpoint: usize },
    End { which: usize, how: How },
    Pass(u64),
    Reset,
    Advise,
    Peek,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Success,
    Failure(Fault),
    Rest,
    Dropped,
}

fn step() -> impl Strategy<Value = Step> {
    let how = prop_oneof![
        2 => Just(How::Success),
        4 => Just(How::Failure(Fault::Provider)),
        1 => Just(How::Failure(Fault::Network)),
        1 => Just(How::Failure(Fault::Model)),
        1 => Just(How::Failure(Fault::Client)),
        1 => Just(How::Rest),
        1 => Just(How::Dropped),
    ];
    prop_oneof![
        6 => (any::<bool>(), 0..2_usize)
            .prop_map(|(is_forced, endpoint)| Step::Admit { is_forced, endpoint }),
        6 => (any::<usize>(), how).prop_map(|(which, how)| Step::End { which, how }),
        2 => (0..15_000_u64).prop_map(Step::Pass),
        1 => Just(Step::Reset),
        1 => Just(Step::Advise),
        2 => Just(Step::Peek),
    ]
}

fn end(permit: Permit, how: How, now: Instant) {
    match how {
        How::Success => permit.success(now),
        How::Failure(fault) => permit.failure(failure(fault), now),
        How::Rest => permit.failure(turned_away(429, 3), now),
        How::Dropped => drop(permit),
    }
}

/// How many it lets through at once; more than twenty are as many as one likes.
fn capacity(scene: &Scene, target: &Target) -> usize {
    let permits: Vec<_> = (0..20).map_while(|_| scene.admit(target)).collect();
    permits.len()
}

proptest! {
    #[test]
    fn never_more_on_trial_than_may_be_and_every_place_comes_back(
        successes in 0..4_u32,
        steps in vec(step(), 0..300),
    ) {
        let mut scene = Scene::new();
        scene.settings.half_open_successes = successes;
        let places = usize::try_from(successes.max(1)).unwrap();
        let mut permits: Vec<(usize, Permit)> = Vec::new();
        for step in steps {
            match step {
                Step::Admit { is_forced, endpoint } => {
                    let target = with(1, endpoint, "m");
                    let standing = scene.standing(&target);
                    let permit = if is_forced {
                        scene.force(&target)
                    } else {
                        scene.admit(&target)
                    };
                    if !is_forced {
                        prop_assert_eq!(permit.is_some(), standing.admits());
                    }
                    permits.extend(permit.map(|permit| (endpoint, permit)));
                }
                Step::End { which, how } => {
                    if !permits.is_empty() {
                        let (_, permit) = permits.swap_remove(which % permits.len());
                        end(permit, how, scene.now);
                    }
                }
                Step::Pass(ms) => scene.pass(ms),
                Step::Reset => scene.breakers.reset(Which::All, scene.now),
                Step::Advise => {
                    let open_until = scene.moment().wall + TimeDelta::seconds(20);
                    let reason = "there".to_owned();
                    let scope = Scope::Provider(1);
                    let advice = Advice { scope, open_until, reason };
                    scene.breakers.advise(&advice, scene.moment());
                }
                Step::Peek => {
                    let bad = scene.badness(&with(1, 0, "m"));
                    prop_assert_eq!(bad == 0, scene.standing(&with(1, 0, "m")).admits());
                }
            }
            for index in 0..3 {
                for endpoint in 0..2 {
                    let held = permits.iter().filter(|(at, permit)| {
                        (index != 1 || *at == endpoint) && permit.holds(index)
                    });
                    prop_assert!(held.count() <= places);
                }
            }
        }
        permits.clear();
        scene.pass(1_000_000);
        for endpoint in 0..2 {
            let target = with(1, endpoint, "m");
            let free = capacity(&scene, &target);
            prop_assert!(free == places || free == 20, "{free}");
        }
        for _ in 0..2 * places {
            for endpoint in 0..2 {
                scene.succeed(&with(1, endpoint, "m"));
            }
        }
        prop_assert_eq!(scene.standing(&with(1, 0, "m")), Standing::Closed);
        prop_assert_eq!(scene.standing(&with(1, 1, "m")), Standing::Closed);
    }

    #[test]
    fn a_dead_upstream_gets_its_threshold_of_requests_then_none_until_due(
        threshold in 1..10_u32,
        gaps in vec(0..3_000_u64, 200),
    ) {
        let mut scene = Scene::new();
        scene.settings.failure_threshold = threshold;
        scene.settings.failure_percent = 0;
        let target = provider(1);
        let mut asked = Vec::new();
        for gap in gaps {
            scene.pass(gap);
            if let Some(permit) = scene.admit(&target) {
                asked.push(scene.now);
                permit.failure(failure(Fault::Provider), scene.now);
            }
        }
        let first = usize::try_from(threshold).unwrap();
        let mut wait = 10;
        for (n, pair) in asked.windows(2).enumerate() {
            if n + 1 >= first {
                prop_assert!(pair[1] - pair[0] >= Duration::from_secs(wait));
                prop_assert!(pair[1] - pair[0] < Duration::from_secs(wait + 3));
                wait = (2 * wait).min(160);
            }
        }
        prop_assert!(asked.len() >= first);
    }
}

#[test]
fn threads_never_have_more_on_trial_than_may_be() {
    const PLACES: u32 = 3;
    let mut scene = Scene::new();
    scene.settings.half_open_successes = PLACES;
    let target = provider(1);
    scene.open(&target);
    let on_trial = AtomicU32::new(0);
    let trials = AtomicU32::new(0);
    std::thread::scope(|threads| {
        for thread in 0..8_u32 {
            let (scene, target, on_trial, trials) = (&scene, &target, &on_trial, &trials);
            threads.spawn(move || {
                for round in 0..20_000_u32 {
                    // Every thread's own time runs on, so that what opens again is due again.
                    let now = scene.now + Duration::from_millis(u64::from(round) * 50);
                    let is_forced = (round + thread) % 5 == 0;
                    let admitted =
                        scene
                            .breakers
                            .admit(target.clone(), &scene.settings, now, is_forced);
                    let Some(permit) = admitted else { continue };
                    let is_trial = permit.is_trial();
                    if is_trial {
                        let held = on_trial.fetch_add(1, Ordering::SeqCst) + 1;
                        assert!(held <= PLACES, "{held}");
                        trials.fetch_add(1, Ordering::Relaxed);
                        std::thread::yield_now();
                        on_trial.fetch_sub(1, Ordering::SeqCst);
                    }
                    match (round + thread) % 7 {
                        0..3 => permit.success(now),
                        3..5 => permit.failure(failure(Fault::Provider), now),
                        _ => drop(permit),
                    }
                }
            });
        }
    });
    assert!(trials.into_inner() > 0);
    scene.pass(100_000_000);
    let free = capacity(&scene, &target);
    assert!(free == 20 || free == 3, "{free}");
}

#[test]
fn a_permit_may_go_anywhere() {
    fn anywhere<T: Send + Sync + 'static>(_: &T) {}
    let scene = Scene::new();
    let permit = scene.admit(&provider(1)).unwrap();
    anywhere(&permit);
    anywhere(&scene.breakers);
    let now = scene.now;
    drop(scene);
    std::thread::spawn(move || permit.failure(failure(Fault::Provider), now))
        .join()
        .unwrap();
}
