//! What is billed is what the upstream says it was used for, to the nano-dollar: against an upstream that keeps its own books, with
//! clients that leave, upstreams that fail and streams that break off, over a `kill -9` and over a database that is away.

mod audit;
mod market;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use entity::usage;
use sea_orm::EntityTrait;
use serde_json::json;

use crate::support::{Process, TestApp, TestStore, Upstream, eventually};
use audit::Audit;
use market::{Market, Traffic};

/// Requests of random traffic. `LEDGER_REQUESTS=10000` asks for more.
const REQUESTS: u64 = 4_000;

/// `LEDGER_SEED` repeats a run that failed.
fn seed() -> u64 {
    let now = || chrono::Utc::now().timestamp_millis().unsigned_abs();
    let seed = std::env::var("LEDGER_SEED");
    let seed = seed.map_or_else(|_| now(), |seed| seed.parse().unwrap());
    eprintln!("LEDGER_SEED={seed}");
    seed
}

fn requests() -> u64 {
    let asked = std::env::var("LEDGER_REQUESTS");
    asked.map_or(REQUESTS, |count| count.parse().unwrap())
}

/// For how long the database is away. `LEDGER_AWAY_SECONDS=60` asks for the minute that is promised:
///
/// ```text
/// LEDGER_AWAY_SECONDS=60 scripts/test-services run cargo nextest run --workspace --locked -E 'test(a_database_that_is_away)'
/// ```
const AWAY_SECONDS: u64 = 10;

fn away() -> Duration {
    let asked = std::env::var("LEDGER_AWAY_SECONDS");
    Duration::from_secs(asked.map_or(AWAY_SECONDS, |seconds| seconds.parse().unwrap()))
}

/// Waits until nothing is under way and all that can be in the history is there.
async fn settled(market: &Market, app: &TestApp, db: &sea_orm::DatabaseConnection) {
    eventually("nothing to be under way", || async {
        (app.live() == 0 && market.books.open() == 0).then_some(())
    })
    .await;
    audit::at_rest(market, db).await;
}

async fn the_bill_is_the_upstreams(store: &TestStore) {
    let seed = seed();
    let app = TestApp::builder().settings(store.settle_in()).start().await;
    let market = Market::open(&app.front(), seed).await;
    let begun = Instant::now();
    let traffic = Traffic {
        requests: 0..requests(),
        at_once: 24,
        pace: Duration::ZERO,
    };
    market.run(&app.front(), &traffic).await;
    let db = store.connect().await;
    settled(&market, &app, &db).await;
    let audit = Audit::of(&market, &db).await;
    eprintln!("{}: {:?}, {audit}", store.name, begun.elapsed());
    audit.nothing_is_missing();
    audit.rows_are(&traffic.requests).await;
    audit.sums_are_the_lines().await;
    audit.counters_are_the_lines(&app.front()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bill_is_the_upstreams_on_sqlite() {
    the_bill_is_the_upstreams(&TestStore::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bill_is_the_upstreams_on_postgres() {
    let Some(store) = TestStore::postgres().await else {
        return;
    };
    the_bill_is_the_upstreams(&store).await;
    store.drop().await;
}

/// What the upstream finished longer ago than this is never lost: the promise.
const LOST_WITHIN: Duration = Duration::from_millis(200);
/// What a build without optimisation adds.
const SLACK: Duration = Duration::from_millis(300);

/// Does what the journal does, a small write and a sync, again and again, and knows how late it came: on a machine that is busy with other
/// things that is what the promise is late by.
struct Canary {
    worst: std::thread::JoinHandle<Duration>,
    stop: mpsc::Sender<()>,
}

impl Canary {
    fn start(directory: &Path) -> Self {
        let mut file = File::create(directory.join("canary")).unwrap();
        let (stop, stopped) = mpsc::channel();
        let worst = std::thread::spawn(move || {
            let pause = Duration::from_millis(20);
            let mut worst = Duration::ZERO;
            let mut begun = Instant::now();
            while stopped.recv_timeout(pause).is_err() {
                file.write_all(b"tick").unwrap();
                file.sync_data().unwrap();
                worst = worst.max(begun.elapsed().saturating_sub(pause));
                begun = Instant::now();
            }
            worst
        });
        Self { worst, stop }
    }

    /// How late it was at worst.
    fn end(self) -> Duration {
        self.stop.send(()).unwrap();
        self.worst.join().unwrap()
    }
}

async fn a_kill_loses_the_last_moment_at_most(store: &TestStore) {
    let seed = seed();
    let data = tempfile::tempdir().unwrap();
    let environment = [("DSN", store.dsn())];
    let process = Process::start(data.path(), &environment).await;
    let market = Market::open(process.front(), seed).await;
    let front = process.front().clone();
    let traffic = Traffic {
        requests: 0..100_000,
        at_once: 8,
        pace: Duration::from_millis(5),
    };
    let elsewhere = tempfile::tempdir().unwrap();
    let canary = Canary::start(elsewhere.path());
    tokio::select! {
        () = market.run(&front, &traffic) => panic!("it must be cut short"),
        () = tokio::time::sleep(Duration::from_secs(4)) => {}
    }
    // Not only the clients are gone now: so is the gateway.
    process.kill();
    let killed = Instant::now();
    let late = canary.end();
    tokio::time::sleep(Duration::from_millis(200)).await;

    let process = Process::start(data.path(), &environment).await;
    let db = store.connect().await;
    audit::at_rest(&market, &db).await;
    let audit = Audit::of(&market, &db).await;
    let lost = audit.missing();
    let ages: Vec<_> = lost.iter().map(|e| killed.duration_since(e.at)).collect();
    eprintln!(
        "{}: lost {ages:?}, the machine was late by {late:?}, {audit}",
        store.name
    );
    assert!(audit.lines() > 100, "{audit}");
    for (entry, age) in lost
        .iter()
        .zip(&ages)
        .filter(|(_, age)| **age > LOST_WITHIN)
    {
        eprintln!(
            "lost after {age:?}: {entry:?}, {:?}",
            market.plan(entry.request)
        );
    }
    let oldest = ages.iter().max().copied().unwrap_or_default();
    let within = LOST_WITHIN + SLACK + late * 2;
    assert!(oldest <= within, "within {within:?}: {ages:?} {lost:#?}");
    audit.sums_are_the_lines().await;
    audit.counters_are_the_lines(process.front()).await;

    // And it goes on where it stopped.
    let more = Traffic {
        requests: 200_000..200_100,
        at_once: 8,
        pace: Duration::ZERO,
    };
    market.run(process.front(), &more).await;
    audit::at_rest(&market, &db).await;
    let after = Audit::of(&market, &db).await;
    assert_eq!(after.missing().len(), lost.len(), "{:#?}", after.missing());
    after.counters_are_the_lines(process.front()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_the_last_moment_at_most_on_sqlite() {
    a_kill_loses_the_last_moment_at_most(&TestStore::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_the_last_moment_at_most_on_postgres() {
    let Some(store) = TestStore::postgres().await else {
        return;
    };
    a_kill_loses_the_last_moment_at_most(&store).await;
    store.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_delays_lines_and_loses_none() {
    let Some(store) = TestStore::postgres().await else {
        return;
    };
    let seed = seed();
    let app = TestApp::builder().settings(store.settle_in()).start().await;
    let market = Market::open(&app.front(), seed).await;
    let front = app.front();
    let traffic = |requests| Traffic {
        requests,
        at_once: 8,
        pace: Duration::from_millis(40),
    };
    market.run(&front, &traffic(0..100)).await;
    store.stop().await;
    let stopped = Instant::now();
    let mut next = 100;
    while stopped.elapsed() < away() {
        market.run(&front, &traffic(next..next + 100)).await;
        next += 100;
    }
    store.start().await;
    let away = stopped.elapsed();
    market.run(&front, &traffic(next..next + 100)).await;
    let db = store.connect().await;
    settled(&market, &app, &db).await;
    let audit = Audit::of(&market, &db).await;
    eprintln!(
        "{}: away for {away:?}, {} requests, {audit}",
        store.name,
        next + 100
    );
    audit.nothing_is_missing();
    audit.rows_are(&(0..next + 100)).await;
    audit.sums_are_the_lines().await;
    audit.counters_are_the_lines(&front).await;
    drop(app);
    store.drop().await;
}

/// A rebuild reads a history that lacks what was settled in the last moment. What it misses is found when that is written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_under_traffic_loses_nothing_for_long() {
    let seed = seed();
    let store = TestStore::sqlite();
    let app = TestApp::builder().settings(store.settle_in()).start().await;
    let front = app.front();
    let market = Market::open(&front, seed).await;
    let traffic = Traffic {
        requests: 0..600,
        at_once: 8,
        pace: Duration::from_millis(5),
    };
    let rebuilding = async {
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            front.create("/limits/rebuild", json!({})).await;
        }
    };
    tokio::select! {
        () = market.run(&front, &traffic) => {}
        () = rebuilding => {}
    }
    front.create("/limits/rebuild", json!({})).await;
    let db = store.connect().await;
    settled(&market, &app, &db).await;
    // It is looked again five seconds after the last rebuild.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let audit = Audit::of(&market, &db).await;
    audit.counters_are_the_lines(&front).await;
}

/// A request may go on for minutes behind an attempt that has ended: with the next one, or with one that lost. A crash meanwhile must not
/// take the line of the one that ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_does_not_wait_for_the_rest_of_its_request() {
    for (first, second, is_hedged) in [
        // Its usage is said at the start, then it fails: the next one takes its time.
        ("input=71;errorEventAfter=1", "input=72;delayMs=3000", false),
        // It is late and loses, and is read on.
        (
            "input=72;firstEventDelayMs=400;chunks=30;chunkDelayMs=100",
            "input=71",
            true,
        ),
    ] {
        let store = TestStore::sqlite();
        let app = TestApp::builder().settings(store.settle_in()).start().await;
        let front = app.front();
        let upstream = Upstream::start().await;
        front
            .change("/settings", json!({"hedgeMaxPercent": 100}))
            .await;
        let hedge = if is_hedged { 50 } else { 0 };
        let more = json!({"hedgeAfterMs": hedge});
        front
            .provider("a", "claude", &upstream.url(first), more)
            .await;
        let more = json!({"priority": 1});
        front
            .provider("b", "claude", &upstream.url(second), more)
            .await;
        let body = json!({"model": "m", "stream": true});
        let response = tokio::spawn(front.post("/v1/messages", app.key()).json(&body).send());
        let db = store.connect().await;
        let line = eventually("the line of what has ended", || async {
            usage::Entity::find().one(&db).await.unwrap()
        })
        .await;
        assert_eq!(line.input_tokens, 71, "{line:?}");
        assert_eq!(upstream.recorder().in_flight(), 1, "the other one goes on");
        response.await.unwrap().unwrap().bytes().await.unwrap();
        eventually("both lines", || async {
            let lines = usage::Entity::find().all(&db).await.unwrap();
            (lines.len() == 2).then_some(())
        })
        .await;
    }
}
