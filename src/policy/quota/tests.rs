//! Tests of admission: reservations, what is guaranteed of a budget, waiting, and what a refusal says.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::time::sleep;

use super::*;
use crate::store::counters::Tuning;

const USD: i64 = 1_000_000_000;

fn now() -> DateTime<Utc> {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn quota() -> Arc<Quota> {
    let counters = Counters::in_process(&Tuning::default());
    Quota::new(Arc::new(counters), Tz::UTC, true)
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

fn key_and_user(key: Limits, user: Limits) -> Arc<[Party]> {
    let party = |subject, limits| Party { subject, limits };
    [party(Subject::Key(1), key), party(Subject::User(1), user)].into()
}

fn day(usd: i64) -> Arc<[Party]> {
    key_and_user(limits(|l| l.usd_day = Some(usd)), Limits::default())
}

fn wanted(parties: &Arc<[Party]>) -> Wanted<'static> {
    Wanted {
        id: Uuid::now_v7(),
        parties: Arc::clone(parties),
        model: "opus",
        session: None,
        may_wait: true,
    }
}

/// Sixty-four at once, each of which costs `cost` and takes a second. How many passed, and the most that ran together.
async fn rush(quota: &Arc<Quota>, parties: &Arc<[Party]>, cost: i64) -> (usize, usize) {
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let one = async || {
        let reservation = quota.admit(&wanted(parties), now()).await.ok()?;
        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        sleep(Duration::from_secs(1)).await;
        running.fetch_sub(1, Ordering::SeqCst);
        reservation.settle_now(Some(cost), now());
        Some(())
    };
    let passed = join_all((0..64).map(|_| one())).await;
    (passed.into_iter().flatten().count(), most.into_inner())
}

#[tokio::test(start_paused = true)]
async fn sixty_four_at_once_against_a_budget_for_ten() {
    for (budget, cost, passes) in [
        (10 * USD, USD, 10),
        (10 * USD, USD - 1, 11),
        (10 * USD + 1, USD, 11),
        (100 * USD, 10 * USD, 10),
        (USD / 100, USD / 1_000, 10),
    ] {
        // Nothing is known.
        let (quota, parties) = (quota(), day(budget));
        let (passed, _) = rush(&quota, &parties, cost).await;
        assert_eq!(passed, passes, "{budget} {cost}");
        let reading = quota.read(&parties[0], now()).await;
        assert_eq!((reading.reserved, reading.used[2]), (0, 0));
        assert!(
            reading.used[4] < budget + cost,
            "less than one request's worth"
        );
        // With history, they run together.
        let parties = [Subject::Key(2), Subject::User(2)].map(|subject| Party {
            subject,
            limits: limits(|l| l.usd_month = Some(budget)),
        });
        let parties: Arc<[Party]> = parties.into();
        quota.remember(Subject::Key(2), "opus", cost);
        assert_eq!(rush(&quota, &parties, cost).await, (passes, passes));
    }
}

#[tokio::test(start_paused = true)]
async fn dear_ones_that_nothing_is_known_of_are_four_at_most() {
    let (quota, parties) = (quota(), day(10 * USD));
    let (passed, most) = rush(&quota, &parties, 9 * USD).await;
    assert_eq!((passed, most), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn a_large_budget_lets_the_unknown_run_together() {
    let (quota, parties) = (quota(), day(2_000 * USD));
    assert_eq!(rush(&quota, &parties, USD / 10).await, (64, 64));
    let free = key_and_user(Limits::default(), Limits::default());
    assert_eq!(rush(&quota, &free, USD).await, (64, 64));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_refused_while_money_is_left() {
    let (quota, parties) = (quota(), day(10 * USD));
    // Dear ones are expected, cheap ones come.
    quota.remember(Subject::Key(1), "opus", 50 * USD);
    let refused = AtomicI64::new(0);
    for _ in 0..100 {
        match quota.admit(&wanted(&parties), now()).await {
            Ok(reservation) => {
                assert!(reservation.amount() > 0);
                reservation.settle_now(Some(USD / 10 + 1), now());
            }
            Err(_) => _ = refused.fetch_add(1, Ordering::Relaxed),
        }
    }
    assert_eq!(refused.into_inner(), 0, "the last one goes a little over");
    let no = quota.admit(&wanted(&parties), now()).await.unwrap_err();
    assert_eq!(
        no,
        Refused {
            subject: Subject::Key(1),
            dimension: Dimension::UsdDay,
            current: 10 * USD + 100,
            limit: 10 * USD,
            resets_at: Some("2026-11-22T00:00:00Z".parse().unwrap()),
            retry_after: None,
        }
    );
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_let_in_or_told_to_come_again() {
    let (quota, parties) = (quota(), day(USD));
    quota.remember(Subject::Key(1), "opus", USD);
    let running = quota.admit(&wanted(&parties), now()).await.unwrap();
    let began = Instant::now();
    let no = quota.admit(&wanted(&parties), now()).await.unwrap_err();
    assert!(began.elapsed() >= PATIENCE && began.elapsed() < PATIENCE + LOOK * 2);
    assert_eq!((no.current, no.retry_after), (0, Some(RETRY_RESERVED)));
    // One that may not wait does not.
    let mut other = wanted(&parties);
    other.may_wait = false;
    let began = Instant::now();
    assert!(quota.admit(&other, now()).await.is_err());
    assert_eq!(began.elapsed(), Duration::ZERO);
    // The end of one wakes another at once, whether it cost anything or not.
    let began = Instant::now();
    let release = async {
        sleep(Duration::from_millis(300)).await;
        drop(running);
    };
    let waiting = wanted(&parties);
    let (second, ()) = tokio::join!(quota.admit(&waiting, now()), release);
    assert_eq!(began.elapsed(), Duration::from_millis(300));
    // And money that is really gone refuses who waits.
    let second = second.unwrap();
    let settle = async {
        sleep(Duration::from_millis(300)).await;
        second.settle_now(Some(USD), now());
    };
    let waiting = wanted(&parties);
    let (third, ()) = tokio::join!(quota.admit(&waiting, now()), settle);
    assert_eq!(third.unwrap_err().retry_after, None);
    assert_eq!(quota.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_leaves_nothing_behind() {
    let (quota, parties) = (quota(), day(USD));
    quota.remember(Subject::Key(1), "opus", USD);
    let running = quota.admit(&wanted(&parties), now()).await.unwrap();
    let waiting = wanted(&parties);
    let given_up = tokio::time::timeout(LOOK * 3, quota.admit(&waiting, now())).await;
    assert!(given_up.is_err());
    assert_eq!(quota.waiting.available_permits(), MOST_WAITING);
    drop(running);
    let reading = quota.read(&parties[0], now()).await;
    assert_eq!(
        (reading.used[1..3].to_vec(), reading.reserved),
        (vec![0, 0], 0)
    );
    assert_eq!(
        reading.used[0], 1,
        "the minute remembers, those who waited were not in it"
    );
}

#[tokio::test(start_paused = true)]
async fn ten_in_a_minute_pass_ten_and_three_sessions_three() {
    let quota = quota();
    let parties = key_and_user(Limits::default(), limits(|l| l.rpm = Some(10)));
    let all = join_all((0..64).map(async |_| {
        let admitted = quota.admit(&wanted(&parties), now()).await;
        admitted.map(drop)
    }));
    let no: Vec<Refused> = all.await.into_iter().filter_map(Result::err).collect();
    assert_eq!(no.len(), 54);
    assert_eq!(
        (no[0].subject, no[0].dimension),
        (Subject::User(1), Dimension::Rpm)
    );
    assert_eq!(no[0].retry_after, Some(Duration::from_secs(61)));
    assert!(
        quota
            .admit(&wanted(&parties), now() + Duration::from_secs(61))
            .await
            .is_ok()
    );

    let key = limits(|l| l.concurrent_sessions = Some(3));
    let parties: Arc<[Party]> = [Party {
        subject: Subject::Key(9),
        limits: key,
    }]
    .into();
    let mut held = Vec::new();
    let mut refused = 0;
    for session in ["a", "b", "a", "c", "d", "c", "e"] {
        let mut wanted = wanted(&parties);
        wanted.session = Some(Session::new(session));
        let is_hindered = quota
            .hindrance(&parties[0], wanted.session, now())
            .is_some();
        match quota.admit(&wanted, now()).await {
            Ok(reservation) => held.push(reservation),
            Err(no) => {
                refused += 1;
                assert_eq!((no.current, no.limit), (3, 3));
                assert_eq!(no.retry_after, Some(RETRY_SESSIONS));
            }
        }
        assert_eq!(is_hindered, ["d", "e"].contains(&session));
    }
    assert_eq!((refused, held.len()), (2, 5));
}

#[tokio::test(start_paused = true)]
async fn what_runs_long_keeps_its_place_when_it_is_renewed() {
    let quota = quota();
    let limits = limits(|l| l.concurrent_requests = Some(1));
    let parties = key_and_user(limits, Limits::default());
    let running = quota.admit(&wanted(&parties), now()).await.unwrap();
    let later = now() + Duration::from_secs(14 * 60);
    quota.renew(later).await;
    let no = quota
        .admit(&wanted(&parties), later + Duration::from_secs(120))
        .await;
    assert_eq!(no.unwrap_err().retry_after, Some(RETRY_REQUESTS));
    drop(running);
    assert!(quota.admit(&wanted(&parties), later).await.is_ok());
}
