//! What is billed is what the upstream says it was used for, to the nano-dollar: against an upstream that keeps its own books, with
//! clients that leave, upstreams that fail and streams that break off, over a `kill -9` and over a database that is away.

mod audit;
mod market;

use std::time::{Duration, Instant};

use crate::support::{Process, TestApp, TestStore, eventually};
use audit::Audit;
use market::{Market, Traffic};

/// Requests of random traffic. `LEDGER_REQUESTS` asks for more.
const REQUESTS: u64 = 2_000;
/// `LEDGER_SEED` repeats a run that failed.
fn seed() -> u64 {
    let now = || chrono::Utc::now().timestamp_millis().unsigned_abs();
    let seed = std::env::var("LEDGER_SEED");
    let seed = seed.map_or_else(|_| now(), |seed| seed.parse().unwrap());
    println!("LEDGER_SEED={seed}");
    seed
}

fn requests() -> u64 {
    let asked = std::env::var("LEDGER_REQUESTS");
    asked.map_or(REQUESTS, |count| count.parse().unwrap())
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
    println!("{}: {:?}, {audit}", store.name, begun.elapsed());
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

/// What the upstream finished longer ago than this is never lost. The promise is 200 ms; the rest is for a machine that is busy with
/// other things and a build without optimisation.
const LOST_WITHIN: Duration = Duration::from_millis(200 + 300);

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
    tokio::select! {
        () = market.run(&front, &traffic) => panic!("it must be cut short"),
        () = tokio::time::sleep(Duration::from_secs(4)) => {}
    }
    // Not only the clients are gone now: so is the gateway.
    process.kill();
    let killed = Instant::now();
    tokio::time::sleep(Duration::from_millis(200)).await;

    let process = Process::start(data.path(), &environment).await;
    let db = store.connect().await;
    audit::at_rest(&market, &db).await;
    let audit = Audit::of(&market, &db).await;
    let lost = audit.missing();
    let ages: Vec<_> = lost.iter().map(|e| killed.duration_since(e.at)).collect();
    println!("{}: lost {ages:?}, {audit}", store.name);
    assert!(audit.lines() > 100, "{audit}");
    let oldest = ages.iter().max().copied().unwrap_or_default();
    assert!(oldest <= LOST_WITHIN, "{ages:?} {lost:#?}");
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
    let away = Instant::now();
    let mut next = 100;
    while away.elapsed() < Duration::from_secs(10) {
        market.run(&front, &traffic(next..next + 100)).await;
        next += 100;
    }
    store.start().await;
    market.run(&front, &traffic(next..next + 100)).await;
    let db = store.connect().await;
    settled(&market, &app, &db).await;
    let audit = Audit::of(&market, &db).await;
    println!("{}: {} requests, {audit}", store.name, next + 100);
    audit.nothing_is_missing();
    audit.rows_are(&(0..next + 100)).await;
    audit.sums_are_the_lines().await;
    audit.counters_are_the_lines(&front).await;
    drop(app);
    store.drop().await;
}
