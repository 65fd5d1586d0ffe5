//! Nodes on one database, with and without Redis.

use entity::value::{BreakerSettings, Sealer, Secret};
use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;
use crate::domain::fault::Fault;
use crate::policy::breaker::{Failure, Standing, Target, View};
use crate::settings;
use crate::store::database;
use crate::store::watch::Watch;

const SETTINGS: BreakerSettings = BreakerSettings {
    failure_threshold: 2,
    failure_percent: 0,
    open_seconds: 300,
    half_open_successes: 1,
};

/// A node: its breakers and the task that keeps them.
struct Node {
    breakers: Breakers,
    db: DatabaseConnection,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    async fn start(dir: &TempDir) -> Self {
        Self::with(dir, None).await
    }

    async fn on_redis(dir: &TempDir, url: &str) -> Self {
        let bus = Arc::new(Bus::connect(&Secret::new(url)).unwrap());
        let sealer = Arc::new(Sealer::new(b"master"));
        let mut node = Self::with(dir, Some(bus.clone())).await;
        let config = Watch::open(node.db.clone(), sealer, chrono_tz::Tz::UTC)
            .await
            .unwrap();
        let stop = node.stop.subscribe();
        let run = async move { bus.run(&config, stop).await };
        node.tasks.push(tokio::spawn(run));
        node
    }

    async fn with(dir: &TempDir, bus: Option<Arc<Bus>>) -> Self {
        let settings = settings::Database::default();
        let db = database::connect(&settings, dir.path()).await.unwrap();
        database::migrate(&db).await.unwrap();
        let breakers = Breakers::new(Instant::now());
        let keeper = BreakerKeeper::open(breakers.clone(), db.clone(), bus).await;
        let stop = watch::Sender::new(false);
        let task = tokio::spawn(keeper.run(stop.subscribe()));
        Self {
            breakers,
            db,
            stop,
            tasks: vec![task],
        }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            let ended = tokio::time::timeout(Duration::from_secs(10), task).await;
            ended.unwrap().unwrap();
        }
        self.db.close().await.unwrap();
    }

    fn open(&self, provider: i64) {
        for _ in 0..2 {
            self.ask(provider, false);
        }
        assert!(self.is_open(provider));
    }

    fn ask(&self, provider: i64, is_good: bool) {
        let now = Instant::now();
        let target = target(provider);
        let permit = self.breakers.admit(target, &SETTINGS, now, true).unwrap();
        if is_good {
            return permit.success(now);
        }
        let failure = Failure {
            fault: Fault::Provider,
            status: Some(502),
            message: "bad\0gateway".to_owned(),
            retry_after: None,
        };
        permit.failure(failure, now);
    }

    fn standing(&self, provider: i64) -> Standing {
        self.breakers
            .peek(provider, None, None, &SETTINGS, Instant::now())
    }

    fn is_open(&self, provider: i64) -> bool {
        matches!(self.standing(provider), Standing::Open { .. })
    }

    fn view(&self, provider: i64) -> Option<View> {
        let views = self.breakers.list(Which::Provider(provider), now());
        views.into_iter().next()
    }

    async fn rows(&self) -> Vec<(i64, String)> {
        let rows = breakers::load(&self.db).await.unwrap();
        let rows = rows
            .into_iter()
            .map(|row| (row.key.provider, row.key.scope));
        rows.collect()
    }

    async fn eventually(&self, limit_s: u64, what: &str, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + Duration::from_secs(limit_s);
        while !is_so(self) {
            assert!(Instant::now() < until, "never: {what}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

fn target(provider: i64) -> Target {
    Target {
        provider,
        endpoint: None,
        model: None,
    }
}

/// Nothing comes of waiting for what the other node would write and this one read.
async fn a_round() {
    sleep(SAVE_EVERY * (POLL_EVERY + 2)).await;
}

#[tokio::test]
async fn what_is_open_at_the_stop_is_open_after_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(&dir).await;
    node.open(1);
    node.open(2);
    node.ask(2, true);
    let before = node.view(1).unwrap();
    node.stop().await;

    let node = Node::start(&dir).await;
    assert!(node.is_open(1));
    assert_eq!(node.standing(2), Standing::Closed);
    let after = node.view(1).unwrap();
    assert_eq!(after.reason, before.reason);
    assert_eq!(after.samples.len(), 2);
    assert_eq!(after.samples[0].message, "bad gateway");
    assert!(
        (after.until.unwrap() - before.until.unwrap())
            .num_seconds()
            .abs()
            <= 1
    );
    assert_eq!(node.view(2).unwrap().opened, 1);
    node.breakers.forget(&[1]);
    node.stop().await;

    let node = Node::start(&dir).await;
    assert_eq!(node.rows().await, [(2, "provider".to_owned())]);
    node.stop().await;
}

#[tokio::test]
async fn it_is_written_while_it_runs_and_taken_as_advice_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (Node::start(&dir).await, Node::start(&dir).await);
    here.open(1);
    there
        .eventually(6, "advised", |there| there.view(1).is_some())
        .await;
    let view = there.view(1).unwrap();
    assert!(view.is_advice, "{view:?}");
    let reason = "open at another node: 2 failures in a row (provider, status 502)";
    assert_eq!(view.reason, reason);
    assert_eq!(there.standing(1), Standing::HalfOpen);
    there.ask(1, true);
    a_round().await;
    assert_eq!(there.standing(1), Standing::Closed, "dismissed for good");
    assert!(here.is_open(1), "and each node knows for itself");
    here.stop().await;
    there.stop().await;
}

#[tokio::test]
async fn a_reset_is_followed_once_by_nodes_that_share_only_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (Node::start(&dir).await, Node::start(&dir).await);
    for node in [&here, &there] {
        for provider in 1..=3 {
            node.open(provider);
        }
    }
    a_round().await;
    here.breakers.reset(Which::Provider(1), Instant::now());
    there
        .eventually(6, "reset", |there| !there.is_open(1))
        .await;
    assert!(here.is_open(2) && there.is_open(2));
    assert!(!here.is_open(1));
    there.open(1);
    a_round().await;
    assert!(there.is_open(1), "the mark is not followed twice");

    there.breakers.reset(Which::All, Instant::now());
    here.eventually(6, "all reset", |here| {
        (1..=3).all(|provider| !here.is_open(provider))
    })
    .await;
    a_round().await;
    for node in [here, there] {
        assert!(node.breakers.list(Which::All, now()).is_empty());
        let rows = node.rows().await;
        assert!(
            rows.iter().all(|(_, scope)| scope == breakers::RESET),
            "{rows:?}"
        );
        node.stop().await;
    }
    let late = Node::start(&dir).await;
    late.open(1);
    a_round().await;
    assert!(late.is_open(1), "who starts later does not follow it");
    late.stop().await;
}

#[tokio::test]
async fn a_database_that_is_away_only_makes_it_wait() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(&dir).await;
    let rename = |from: &str, to: &str| format!("ALTER TABLE {from} RENAME TO {to}");
    let away = rename("breaker_states", "elsewhere");
    node.db.execute_unprepared(&away).await.unwrap();
    node.open(1);
    // A node that starts meanwhile knows nothing yet.
    let late = Node::start(&dir).await;
    a_round().await;
    assert!(node.is_open(1));
    assert_eq!(late.standing(1), Standing::Closed);
    let back = rename("elsewhere", "breaker_states");
    node.db.execute_unprepared(&back).await.unwrap();
    late.eventually(8, "it comes to know", |late| late.view(1).is_some())
        .await;
    node.stop().await;
    late.stop().await;
}

#[tokio::test]
async fn rows_that_nobody_understands_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(&dir).await;
    node.open(1);
    node.stop().await;
    let settings = settings::Database::default();
    let db = database::connect(&settings, dir.path()).await.unwrap();
    let insert = "INSERT INTO breaker_states (provider_id, scope, subject, state, stamp, updated_at) VALUES (2, 'provider', '', '{}', 1, '2026-01-01T00:00:00Z'), (3, 'moon', '', '{}', 2, '2026-01-01T00:00:00Z')";
    db.execute_unprepared(insert).await.unwrap();
    let node = Node::start(&dir).await;
    assert!(node.is_open(1));
    assert_eq!(node.breakers.list(Which::All, now()).len(), 1);
    node.stop().await;
}

#[tokio::test]
async fn redis_tells_at_once_what_opened_closed_and_was_reset() {
    let url = std::env::var("TEST_REDIS_URL").unwrap_or_default();
    assert!(
        !url.is_empty() || std::env::var("CI").as_deref() != Ok("true"),
        "this test needs TEST_REDIS_URL"
    );
    if url.is_empty() {
        return;
    }
    // Two databases, so that nothing is heard but by Redis.
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let here = Node::on_redis(&dirs[0], &url).await;
    let there = Node::on_redis(&dirs[1], &url).await;
    // Other tests may use the same Redis.
    let provider = fastrand::i64(1_000_000..i64::MAX);
    let begun = Instant::now();
    while there.view(provider).is_none() {
        assert!(begun.elapsed() < Duration::from_secs(10), "never connected");
        here.breakers
            .reset(Which::Provider(provider), Instant::now());
        sleep(Duration::from_millis(200)).await;
        here.open(provider);
        sleep(Duration::from_millis(400)).await;
    }
    assert!(there.view(provider).unwrap().is_advice);
    here.ask(provider, true);
    assert_eq!(here.standing(provider), Standing::Closed);
    there
        .eventually(2, "dismissed", |there| {
            there.standing(provider) == Standing::Closed
        })
        .await;

    there.open(provider);
    here.eventually(2, "advised", |here| {
        here.standing(provider) == Standing::HalfOpen
    })
    .await;
    here.ask(provider, false);
    assert!(here.is_open(provider), "the first failure opens");
    here.breakers
        .reset(Which::Provider(provider), Instant::now());
    there
        .eventually(2, "reset", |there| !there.is_open(provider))
        .await;
    assert!(!here.is_open(provider));
    here.stop().await;
    there.stop().await;
}
