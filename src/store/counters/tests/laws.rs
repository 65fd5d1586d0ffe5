//! Random steps: what must hold whatever happens, and that Redis and this process say the same.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Admit {
        parties: usize,
        session: Option<u8>,
        amount: i64,
    },
    Settle {
        which: usize,
        spent: i64,
    },
    Release {
        which: usize,
    },
    Renew {
        which: usize,
    },
    End {
        session: u8,
    },
    Reset,
    Wait {
        milliseconds: i64,
    },
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..3_usize, prop::option::of(0..4_u8), 0..60_i64)
            .prop_map(|(parties, session, amount)| Step::Admit { parties, session, amount }),
        5 => (any::<prop::sample::Index>(), 0..80_i64)
            .prop_map(|(which, spent)| Step::Settle { which: which.index(64), spent }),
        2 => any::<prop::sample::Index>().prop_map(|which| Step::Release { which: which.index(64) }),
        1 => any::<prop::sample::Index>().prop_map(|which| Step::Renew { which: which.index(64) }),
        1 => (0..4_u8).prop_map(|session| Step::End { session }),
        1 => Just(Step::Reset),
        5 => prop_oneof![0..90_000_i64, 0..20 * MINUTE, 0..30 * HOUR, 0..20 * 24 * HOUR]
            .prop_map(|milliseconds| Step::Wait { milliseconds }),
    ];
    prop::collection::vec(step, 1..most)
}

fn all_limits() -> impl Strategy<Value = [Limits; 2]> {
    let one = || {
        let money = || prop::option::weighted(0.6, 0..400_i64);
        let few = || prop::option::weighted(0.5, 0..6_i64);
        (
            few(),
            few(),
            few(),
            money(),
            money(),
            money(),
            money(),
            money(),
            any::<[bool; 2]>(),
            0..1_440_u32,
        )
            .prop_map(|(rpm, sessions, requests, a, b, c, d, e, modes, minute)| {
                let mode = |is_fixed| {
                    if is_fixed {
                        ResetMode::Fixed
                    } else {
                        ResetMode::Rolling
                    }
                };
                Limits {
                    rpm,
                    concurrent_sessions: sessions,
                    concurrent_requests: requests,
                    usd_5h: a,
                    usd_day: b,
                    usd_week: c,
                    usd_month: d,
                    usd_total: e.map(|limit| limit * 4),
                    reset_5h: mode(modes[0]),
                    reset_day: mode(modes[1]),
                    day_starts: entity::value::TimeOfDay::from_minutes(minute),
                    reset_at: None,
                }
            })
    };
    [one(), one()]
}

/// Runs a history, and says everything that was answered.
#[expect(clippy::too_many_lines, reason = "one arm a step")]
async fn run(counters: &Subjects, limits: &[Limits; 2], steps: &[Step]) -> Vec<String> {
    let subjects = [KEY, USER];
    let mut now = START;
    let mut said = Vec::new();
    let mut admitted: Vec<(u128, Vec<usize>)> = Vec::new();
    let mut number = 0_u128;
    for step in steps {
        let parts = |of: &[usize], now| -> Vec<Part> {
            of.iter()
                .map(|i| part(subjects[*i], &limits[*i], now))
                .collect()
        };
        match step {
            Step::Admit {
                parties,
                session,
                amount,
            } => {
                let of: Vec<usize> = [vec![0, 1], vec![0], vec![1]][*parties].clone();
                let checks: Vec<Check> = of
                    .iter()
                    .map(|i| check(subjects[*i], &limits[*i], now))
                    .collect();
                number += 1;
                let session = session.map(|session| u128::from(session) + 1_000_000);
                let ask = Ask {
                    id: number,
                    session,
                    amount: *amount,
                    checks: &checks,
                    now,
                };
                let mut before = Vec::new();
                for i in &of {
                    before.push(
                        counters
                            .read(&part(subjects[*i], &limits[*i], now), now)
                            .await,
                    );
                }
                let answer = counters.admit(&ask).await;
                if answer.is_ok() {
                    for (check, reading) in checks.iter().zip(&before) {
                        within(check, reading, session.is_some());
                    }
                    admitted.push((number, of));
                }
                said.push(format!("{answer:?}"));
            }
            Step::Settle { which, spent } => {
                if let Some((id, of)) = admitted.get(*which) {
                    counters.settle(*id, &parts(of, now), *spent, now);
                    counters.told().await;
                }
            }
            Step::Release { which } => {
                if let Some((id, of)) = admitted.get(*which) {
                    counters.release(*id, &parts(of, now), now);
                    counters.told().await;
                }
            }
            Step::Renew { which } => {
                if let Some((id, of)) = admitted.get(*which) {
                    let of: Vec<Subject> = of.iter().map(|i| subjects[*i]).collect();
                    counters.renew(*id, &of, now).await;
                }
            }
            Step::End { session } => {
                counters
                    .end_session(KEY, u128::from(*session) + 1_000_000, now)
                    .await;
            }
            Step::Reset => counters.reset(USER, now).await,
            Step::Wait { milliseconds } => now += milliseconds,
        }
        for (subject, limits) in subjects.iter().zip(limits) {
            let reading = counters.read(&part(*subject, limits, now), now).await;
            let all = reading.used.iter().chain([&reading.reserved]);
            assert!(all.into_iter().all(|n| *n >= 0), "below zero: {reading:?}");
            said.push(format!("{reading:?}"));
        }
    }
    // Whatever it was, when all has ended nothing is held.
    for (id, of) in &admitted {
        let parts: Vec<Part> = of
            .iter()
            .map(|i| part(subjects[*i], &limits[*i], now))
            .collect();
        counters.release(*id, &parts, now);
    }
    counters.told().await;
    let later = now + 5 * MINUTE;
    for (subject, limits) in subjects.iter().zip(limits) {
        let reading = counters.read(&part(*subject, limits, later), later).await;
        assert_eq!((&reading.used[..3], reading.reserved), (&[0; 3][..], 0));
    }
    said
}

/// What was admitted had room everywhere.
fn within(check: &Check, before: &Reading, has_session: bool) {
    for dimension in Dimension::ALL {
        let Some(limit) = check.limits[dimension.index()] else {
            continue;
        };
        let used = before.used[dimension.index()];
        if dimension.is_money() {
            assert!(used + before.reserved < limit, "{dimension:?}: {before:?}");
        } else if dimension != Dimension::ConcurrentSessions || !has_session {
            assert!(used < limit, "{dimension:?}: {before:?}");
        } else {
            assert!(
                used <= limit.max(0) || limit == 0,
                "{dimension:?}: {before:?}"
            );
        }
    }
}

fn random(cases: u32, most: usize, test: impl Fn([Limits; 2], Vec<Step>)) {
    let mut runner = TestRunner::new(ProptestConfig::with_cases(cases));
    let outcome = runner.run(&(all_limits(), steps(most)), |(limits, steps)| {
        test(limits, steps);
        Ok(())
    });
    outcome.unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn nothing_falls_below_zero_or_stays() {
    let runtime = runtime();
    random(300, 80, |limits, steps| {
        runtime.block_on(async {
            let counters = Subjects::of(Counters::in_process(&tuning())).await;
            run(&counters, &limits, &steps).await;
        });
    });
}

#[test]
fn redis_and_this_process_say_the_same() {
    if needs("TEST_REDIS_URL").is_none() {
        return;
    }
    let runtime = runtime();
    random(40, 40, |limits, steps| {
        runtime.block_on(async {
            let mut said = Vec::new();
            for counters in both().await {
                said.push(run(&counters, &limits, &steps).await);
            }
            assert_eq!(said[0], said[1]);
        });
    });
}
