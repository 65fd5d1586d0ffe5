//! Tests of the counters: one suite for both kinds, then the same random steps to both, then Redis that is late, gone or shared.

mod away;
mod laws;
mod money;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::value::{Limits, ResetMode};
use uuid::Uuid;

use super::*;
use crate::domain::window::windows;
use crate::store::testing::{eventually, needs};

/// 21 November 2026, 10:00 UTC, a Saturday.
const START: i64 = 1_795_255_200_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const KEY: Subject = Subject::Key(1);
const USER: Subject = Subject::User(1);

fn tuning() -> Tuning {
    Tuning {
        prefix: format!("test-{}", Uuid::new_v4().simple()),
        // Not what is tested here, and the machine may be busy.
        deadline: Duration::from_secs(5),
        ..Tuning::default()
    }
}

/// Counters, and the task that keeps Redis in step.
struct Subjects {
    counters: Arc<Counters>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Drop for Subjects {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl Subjects {
    async fn of(counters: Counters) -> Self {
        let counters = Arc::new(counters);
        let stop = tokio::sync::watch::Sender::new(false);
        let (running, until) = (Arc::clone(&counters), stop.subscribe());
        tokio::task::spawn(async move { running.run(until).await });
        let subjects = Self { counters, stop };
        subjects.whole().await;
        subjects
    }

    async fn whole(&self) {
        eventually(10, "Redis counts", async || self.counters.is_whole()).await;
    }

    /// Until everything has been told.
    async fn told(&self) {
        if let Counters::Redis(shared) = &*self.counters {
            eventually(10, "told", async || shared.is_told() && !shared.is_away()).await;
        }
    }
}

impl std::ops::Deref for Subjects {
    type Target = Counters;

    fn deref(&self) -> &Counters {
        &self.counters
    }
}

/// Both kinds; in Redis where there is one.
async fn both() -> Vec<Subjects> {
    both_with(tuning()).await
}

async fn both_with(tuning: Tuning) -> Vec<Subjects> {
    let mut all = vec![Subjects::of(Counters::in_process(&tuning)).await];
    if let Some(url) = needs("TEST_REDIS_URL") {
        let counters = Counters::connect(&Secret::new(url), &tuning).unwrap();
        all.push(Subjects::of(counters).await);
    }
    all
}

fn check(subject: Subject, limits: &Limits, now: i64) -> Check {
    let at: DateTime<Utc> = DateTime::from_timestamp_millis(now).unwrap();
    Check {
        subject,
        limits: Dimension::ALL.map(|dimension| dimension.limit(limits)),
        windows: windows(limits, |period| period.window(Tz::UTC, at)),
    }
}

fn part(subject: Subject, limits: &Limits, now: i64) -> Part {
    Part::from(&check(subject, limits, now))
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

static NEXT: AtomicU64 = AtomicU64::new(1);

fn next() -> u128 {
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) << 64
}

/// Asks for one subject.
async fn admit(
    counters: &Counters,
    limits: &Limits,
    session: Option<u128>,
    amount: i64,
    now: i64,
) -> Result<u128, Exceeded> {
    let id = next();
    let checks = [check(KEY, limits, now)];
    let ask = Ask {
        id,
        session,
        amount,
        checks: &checks,
        now,
    };
    counters.admit(&ask).await.map(|()| id)
}

async fn settle(counters: &Counters, limits: &Limits, id: u128, spent: i64, now: i64) {
    let parts = [part(KEY, limits, now)];
    counters.settle(id, &parts, spent, now);
    // Until it is told, or cannot be.
    if let Counters::Redis(shared) = counters {
        eventually(10, "settled", async || shared.is_told() || shared.is_away()).await;
    }
}

/// Spends without having been admitted, as an attempt does that ends late.
async fn spend(counters: &Counters, limits: &Limits, spent: i64, now: i64) {
    settle(counters, limits, next(), spent, now).await;
}

async fn used(counters: &Counters, limits: &Limits, now: i64) -> [i64; 8] {
    counters.read(&part(KEY, limits, now), now).await.used
}

#[tokio::test]
async fn ten_a_minute_are_ten_in_any_minute() {
    for counters in both().await {
        let limits = limits(|l| l.rpm = Some(10));
        for second in 0..10 {
            admit(&counters, &limits, None, 0, START + second * 3_000)
                .await
                .unwrap();
        }
        let now = START + 40_000;
        let no = admit(&counters, &limits, None, 0, now).await.unwrap_err();
        assert_eq!((no.dimension, no.used, no.limit), (Dimension::Rpm, 10, 10));
        assert_eq!(
            no.frees_at,
            Some(START + 61_000),
            "the first is a minute old"
        );
        assert!(!no.is_only_reserved());
        assert!(
            admit(&counters, &limits, None, 0, START + 60_999)
                .await
                .is_err()
        );
        let id = admit(&counters, &limits, None, 0, START + 61_000)
            .await
            .unwrap();
        assert!(
            admit(&counters, &limits, None, 0, START + 61_000)
                .await
                .is_err()
        );
        // What fails has been asked for all the same.
        counters.release(id, &[part(KEY, &limits, START)], START + 61_000);
        counters.told().await;
        assert!(
            admit(&counters, &limits, None, 0, START + 61_001)
                .await
                .is_err()
        );
        assert_eq!(
            used(&counters, &limits, START + 61_001).await[..3],
            [10, 10, 10]
        );
        assert_eq!(used(&counters, &limits, START + 200_000).await[0], 0);
    }
}

#[tokio::test]
async fn sessions_are_distinct_and_end_with_their_time() {
    for counters in both().await {
        let limits = limits(|l| l.concurrent_sessions = Some(3));
        let mut ids = Vec::new();
        for session in [1, 2, 3, 1, 2] {
            ids.push(
                admit(&counters, &limits, Some(session), 0, START)
                    .await
                    .unwrap(),
            );
        }
        let no = admit(&counters, &limits, Some(4), 0, START)
            .await
            .unwrap_err();
        assert_eq!(
            (no.dimension, no.used, no.limit),
            (Dimension::ConcurrentSessions, 3, 3)
        );
        assert!(admit(&counters, &limits, None, 0, START).await.is_err());
        // While its requests run a session lives, whatever its time is.
        let late = START + 10 * MINUTE;
        assert!(admit(&counters, &limits, Some(4), 0, late).await.is_err());
        for id in ids {
            settle(&counters, &limits, id, 1, late).await;
        }
        assert!(
            admit(&counters, &limits, Some(4), 0, late + 5 * MINUTE - 1)
                .await
                .is_err()
        );
        let again = admit(&counters, &limits, Some(1), 0, late + 4 * MINUTE)
            .await
            .unwrap();
        settle(&counters, &limits, again, 1, late + 4 * MINUTE).await;
        let id = admit(&counters, &limits, Some(4), 0, late + 5 * MINUTE)
            .await
            .unwrap();
        assert_eq!(
            used(&counters, &limits, late + 5 * MINUTE).await[1],
            2,
            "1 and 4"
        );
        settle(&counters, &limits, id, 1, late + 5 * MINUTE).await;
        counters.end_session(KEY, 4, late + 5 * MINUTE).await;
        assert_eq!(used(&counters, &limits, late + 5 * MINUTE).await[1], 1);
        assert_eq!(used(&counters, &limits, late + 9 * MINUTE).await[1], 0);
    }
}

#[tokio::test]
async fn a_session_that_only_failed_is_none_and_a_request_without_one_is_its_own() {
    for counters in both().await {
        let limits = limits(|l| l.concurrent_sessions = Some(1));
        let parts = [part(KEY, &limits, START)];
        let first = admit(&counters, &limits, Some(1), 5, START).await.unwrap();
        let second = admit(&counters, &limits, Some(1), 5, START).await.unwrap();
        counters.release(first, &parts, START);
        counters.told().await;
        assert!(admit(&counters, &limits, Some(2), 0, START).await.is_err());
        counters.release(second, &parts, START);
        counters.told().await;
        assert_eq!(used(&counters, &limits, START).await[1..3], [0, 0]);
        let lone = admit(&counters, &limits, None, 0, START).await.unwrap();
        assert!(admit(&counters, &limits, None, 0, START).await.is_err());
        settle(&counters, &limits, lone, 1, START).await;
        let kept = admit(&counters, &limits, Some(2), 0, START).await.unwrap();
        settle(&counters, &limits, kept, 1, START).await;
        let failed = admit(&counters, &limits, Some(2), 0, START).await.unwrap();
        counters.release(failed, &parts, START);
        counters.told().await;
        assert_eq!(
            used(&counters, &limits, START).await[1],
            1,
            "2 was of use once"
        );
    }
}

#[tokio::test]
async fn requests_under_way_are_counted_until_they_end_or_their_node_is_lost() {
    for counters in both().await {
        let limits = limits(|l| l.concurrent_requests = Some(2));
        let first = admit(&counters, &limits, Some(1), 7, START).await.unwrap();
        let lost = admit(&counters, &limits, Some(1), 5, START).await.unwrap();
        let no = admit(&counters, &limits, Some(1), 0, START)
            .await
            .unwrap_err();
        assert_eq!(
            (no.dimension, no.used, no.frees_at),
            (Dimension::ConcurrentRequests, 2, None)
        );
        settle(&counters, &limits, first, 3, START).await;
        let next = admit(&counters, &limits, Some(1), 2, START + 14 * MINUTE)
            .await
            .unwrap();
        assert_eq!(
            counters
                .read(&part(KEY, &limits, START), START)
                .await
                .reserved,
            7
        );
        let late = START + 15 * MINUTE;
        let reading = counters.read(&part(KEY, &limits, late), late).await;
        assert_eq!(
            (reading.used[2], reading.reserved),
            (1, 2),
            "a lease is over"
        );
        counters.renew(next, &[KEY], late).await;
        let later = START + 29 * MINUTE;
        assert_eq!(
            used(&counters, &limits, later).await[2],
            1,
            "another was renewed"
        );
        // What was lost and comes back after all is charged all the same.
        settle(&counters, &limits, lost, 11, later).await;
        let reading = counters.read(&part(KEY, &limits, later), later).await;
        assert_eq!((reading.reserved, reading.used[7]), (2, 14));
    }
}

#[tokio::test]
async fn nothing_is_allowed_by_zero_and_everything_by_none() {
    for counters in both().await {
        let set: [fn(&mut Limits); 8] = [
            |l| l.rpm = Some(0),
            |l| l.concurrent_sessions = Some(0),
            |l| l.concurrent_requests = Some(0),
            |l| l.usd_5h = Some(0),
            |l| l.usd_day = Some(0),
            |l| l.usd_week = Some(0),
            |l| l.usd_month = Some(0),
            |l| l.usd_total = Some(0),
        ];
        for (dimension, set) in Dimension::ALL.into_iter().zip(set) {
            let no = admit(&counters, &limits(set), Some(1), 0, START)
                .await
                .unwrap_err();
            assert_eq!((no.dimension, no.used, no.limit), (dimension, 0, 0));
        }
        for _ in 0..50 {
            admit(&counters, &Limits::default(), None, i64::MAX / 1_000, START)
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn all_subjects_take_or_none() {
    for counters in both().await {
        let open = Limits::default();
        let narrow = limits(|l| l.concurrent_requests = Some(1));
        let ask = async |first: &Limits, second: &Limits, session| {
            let checks = [check(KEY, first, START), check(USER, second, START)];
            let ask = Ask {
                id: next(),
                session,
                amount: 5,
                checks: &checks,
                now: START,
            };
            counters.admit(&ask).await
        };
        ask(&open, &narrow, Some(1)).await.unwrap();
        let before = counters.read(&part(KEY, &open, START), START).await;
        let no = ask(&open, &narrow, Some(2)).await.unwrap_err();
        assert_eq!(
            (no.subject, no.dimension),
            (USER, Dimension::ConcurrentRequests)
        );
        assert_eq!(counters.read(&part(KEY, &open, START), START).await, before);
        // What lasts longest is said, whoever's it is.
        let rpm = limits(|l| l.rpm = Some(1));
        let broke = limits(|l| l.usd_month = Some(0));
        let no = ask(&rpm, &broke, Some(2)).await.unwrap_err();
        assert_eq!((no.subject, no.dimension), (USER, Dimension::UsdMonth));
        // And reserved money last of all.
        let spoken_for = limits(|l| l.usd_month = Some(1));
        let no = ask(&spoken_for, &narrow, Some(2)).await.unwrap_err();
        assert_eq!(no.dimension, Dimension::ConcurrentRequests);
        let no = ask(&spoken_for, &open, Some(2)).await.unwrap_err();
        assert!(no.is_only_reserved());
    }
}

#[tokio::test]
async fn sixty_four_at_once_are_one_after_another_to_the_counters() {
    for counters in both().await {
        let limits = limits(|l| l.usd_day = Some(1_000));
        let all = futures_util::future::join_all(
            (0..64).map(|_| admit(&counters, &limits, None, 100, START)),
        );
        let admitted = all.await.into_iter().filter(Result::is_ok).count();
        assert_eq!(admitted, 10);
    }
}

#[tokio::test]
async fn what_is_idle_is_forgotten() {
    let counters = Counters::in_process(&tuning());
    let limits = Limits::default();
    let mut ids = Vec::new();
    for id in 0..100 {
        let checks = [check(Subject::Key(id), &limits, START)];
        let ask = Ask {
            id: next(),
            session: Some(1),
            amount: 1,
            checks: &checks,
            now: START,
        };
        counters.admit(&ask).await.unwrap();
        ids.push((ask.id, checks[0]));
    }
    for (id, check) in &ids[..50] {
        counters.settle(*id, &[Part::from(check)], 0, START);
    }
    let (rich, check) = &ids[50];
    counters.settle(*rich, &[Part::from(check)], 9, START);
    counters.sweep(START + 10 * MINUTE);
    assert_eq!(counters.accounts(), 50, "under way, or with money");
    counters.sweep(START + 20 * MINUTE);
    assert_eq!(counters.accounts(), 1, "money is not forgotten");
    counters.forget(check.subject);
    assert_eq!(counters.accounts(), 0);
}

#[tokio::test]
async fn sessions_have_an_end() {
    for counters in both().await {
        if matches!(*counters.counters, Counters::Redis(_)) {
            // Ten thousand round trips say nothing that the random steps do not.
            continue;
        }
        for session in 0..10_100_u32 {
            let now = START + i64::from(session);
            let session = Some(u128::from(session) + 1);
            let id = admit(&counters, &Limits::default(), session, 0, now)
                .await
                .unwrap();
            settle(&counters, &Limits::default(), id, 1, now).await;
        }
        let now = START + 10_100;
        assert_eq!(used(&counters, &Limits::default(), now).await[1], 10_000);
    }
}
