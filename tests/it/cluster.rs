//! Two gateways on one database and one Redis hold limits together, and each for itself while Redis is away.

use std::time::{Duration, Instant};

use entity::usage;
use entity::value::Secret;
use futures_util::StreamExt;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::{Freezer, Front, TestApp, TestStore, Upstream, eventually, needs};

const DOLLAR: i64 = 1_000_000_000;
/// Redis is never late, whatever else the machine does.
const PATIENT: Duration = Duration::from_secs(10);

/// Two gateways, and a provider that takes a dollar a request.
struct Cluster {
    apps: [TestApp; 2],
    fronts: [Front; 2],
    upstream: Upstream,
    freezer: Freezer,
    store: TestStore,
}

// === impl Cluster ===

impl Cluster {
    /// None where there is no PostgreSQL or no Redis.
    async fn start(script: &str, deadline: Duration) -> Option<Self> {
        let redis = needs("TEST_REDIS_URL")?;
        let store = TestStore::postgres().await?;
        let redis = redis.strip_prefix("redis://").unwrap().parse().unwrap();
        let freezer = Freezer::start(redis).await;
        let url = format!("redis://{}", freezer.address());
        // What they share in Redis begins with it, so that other tests share nothing with them.
        let secret = format!("{0}{0}", uuid::Uuid::new_v4().simple());
        let node = async || {
            let (url, secret) = (Secret::new(url.clone()), Secret::new(secret.clone()));
            TestApp::builder()
                .without_key()
                .settings(store.settle_in())
                .settings(move |settings| {
                    settings.redis.url = Some(url);
                    settings.redis.deadline = deadline;
                    settings.admin.secret_key = Some(secret);
                    settings.limits.session_ttl = Duration::from_secs(60);
                })
                .start()
                .await
        };
        let apps = [node().await, node().await];
        let fronts = [apps[0].front(), apps[1].front()];
        let upstream = Upstream::start().await;
        fronts[0].price("m", &json!({"perRequestUsd": 1})).await;
        let url = upstream.url(script);
        fronts[0].provider("a", "claude", &url, json!({})).await;
        let cluster = Self {
            apps,
            fronts,
            upstream,
            freezer,
            store,
        };
        cluster.redis_is(true).await;
        Some(cluster)
    }

    async fn redis_is(&self, there: bool) {
        for front in &self.fronts {
            eventually("Redis", || async {
                let health = front.get("/../health").await;
                let parts = health["parts"].as_array()?.clone();
                let redis = parts.into_iter().find(|part| part["name"] == "redis")?;
                (redis["ok"] == there).then_some(())
            })
            .await;
        }
    }

    /// A key that both know.
    async fn key(&self, limits: Value) -> (String, String) {
        let user = self.fronts[0].user(json!({})).await;
        let (id, key) = self.fronts[0].key(user, limits).await;
        for front in &self.fronts {
            eventually("the key to be known", || async {
                let counting = front.post("/v1/messages/count_tokens", &key);
                let answer = counting.json(&body()).send().await.unwrap();
                (answer.status() != 401).then_some(())
            })
            .await;
        }
        (format!("keys/{id}"), key)
    }

    /// So many requests at once, one here and one there; how many passed.
    async fn buy(&self, key: &str, count: usize) -> usize {
        let asking = |n: usize| buy(&self.fronts[n % 2], key, None);
        let all = futures_util::stream::iter(0..count).map(asking);
        let statuses: Vec<u16> = all.buffer_unordered(count).collect().await;
        passed(&statuses)
    }

    /// Both say that so much is spent.
    async fn say(&self, subject: &str, dollars: i64) {
        for front in &self.fronts {
            eventually(&format!("{subject} to have spent ${dollars}"), || async {
                let spent = front.spent(subject, "limitTotalUsd").await;
                (spent == dollars * DOLLAR).then_some(())
            })
            .await;
        }
    }

    async fn end(self) {
        drop(self.apps);
        self.store.drop().await;
    }
}

fn body() -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
}

async fn buy(front: &Front, key: &str, session: Option<&str>) -> u16 {
    let mut request = front.post("/v1/messages", key);
    if let Some(session) = session {
        request = request.header("x-claude-code-session-id", session);
    }
    let response = request.json(&body()).send().await.unwrap();
    let status = response.status().as_u16();
    response.bytes().await.unwrap();
    status
}

fn passed(statuses: &[u16]) -> usize {
    let known = statuses.iter().all(|status| [200, 429].contains(status));
    assert!(known, "{statuses:?}");
    statuses.iter().filter(|status| **status == 200).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_hold_the_same_numbers() {
    let Some(cluster) = Cluster::start("delayMs=40", PATIENT).await else {
        return;
    };
    let (subject, key) = cluster.key(json!({"rpm": 10})).await;
    assert_eq!(cluster.buy(&key, 30).await, 10);
    for front in &cluster.fronts {
        let used = front.used(&subject).await;
        assert_eq!(used["rpm"]["current"], 10, "{used:#}");
    }
    cluster.say(&subject, 10).await;

    let (subject, key) = cluster.key(json!({"limitTotalUsd": 10})).await;
    cluster.upstream.recorder().clear();
    let passed = cluster.buy(&key, 64).await;
    assert!((10..=11).contains(&passed), "{passed} passed");
    assert_eq!(cluster.upstream.recorder().seen().len(), passed);
    cluster.say(&subject, i64::try_from(passed).unwrap()).await;

    let limits = json!({"limitConcurrentSessions": 3});
    let (_, key) = cluster.key(limits).await;
    let [here, there] = &cluster.fronts;
    for (front, session, status) in [
        (here, "one", 200),
        (there, "two", 200),
        (here, "three", 200),
        (there, "one", 200),
        (there, "four", 429),
        (here, "four", 429),
        (here, "two", 200),
    ] {
        assert_eq!(buy(front, &key, Some(session)).await, status, "{session}");
    }

    // A reset here is one there.
    let (subject, key) = cluster.key(json!({"limitTotalUsd": 1})).await;
    assert_eq!(buy(here, &key, None).await, 200);
    cluster.say(&subject, 1).await;
    assert_eq!(buy(there, &key, None).await, 429);
    let reset = format!("/{subject}/limits/reset");
    here.create(&reset, json!({})).await;
    assert_eq!(buy(there, &key, None).await, 200);
    cluster.say(&subject, 1).await;
    assert_eq!(buy(here, &key, None).await, 429);
    cluster.end().await;
}

/// As it is by default.
const DEADLINE: Duration = Duration::from_millis(20);
/// A request asks for the caller and for the provider. The rest is what a busy machine adds in a build without optimisation.
const LONGEST: Duration = Duration::from_millis(2 * 20 + 300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_redis_delays_nobody_and_forgets_nothing() {
    let Some(cluster) = Cluster::start("", DEADLINE).await else {
        return;
    };
    let limits = json!({"limitTotalUsd": 10, "limitDailyUsd": 10});
    let (subject, key) = cluster.key(limits).await;
    let (crowded, crowd) = cluster.key(json!({"rpm": 5})).await;
    let (free, anyone) = cluster.key(json!({})).await;
    // Both know of what was spent before.
    for front in &cluster.fronts {
        for _ in 0..2 {
            assert_eq!(buy(front, &key, None).await, 200);
        }
    }
    cluster.say(&subject, 4).await;
    for front in &cluster.fronts {
        assert_eq!(buy(front, &key, None).await, 200);
    }
    cluster.say(&subject, 6).await;

    cluster.freezer.freeze(true);
    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        for front in &cluster.fronts {
            let begun = Instant::now();
            assert_eq!(buy(front, &anyone, None).await, 200);
            longest = begun.elapsed().max(longest);
        }
    }
    eprintln!("the longest of 40 requests while Redis was frozen took {longest:?}");
    assert!(longest <= LONGEST, "{longest:?}");
    let mut spent = 6;
    for front in &cluster.fronts {
        let mut passed = 0;
        for _ in 0..8 {
            passed += i64::from(buy(front, &key, None).await == 200);
        }
        // A node knows what all had spent when it last asked Redis: five dollars or six.
        assert!((4..=5).contains(&passed), "{passed} passed on a node");
        spent += passed;
        let mut passed = 0;
        for _ in 0..8 {
            passed += i64::from(buy(front, &crowd, None).await == 200);
        }
        assert_eq!(passed, 5, "requests in a minute hold on each node");
    }

    cluster.freezer.freeze(false);
    cluster.redis_is(true).await;
    cluster.say(&subject, spent).await;
    cluster.say(&free, 40).await;
    cluster.say(&crowded, 10).await;
    for front in &cluster.fronts {
        assert_eq!(buy(front, &key, None).await, 429);
        let used = front.used(&subject).await;
        assert_eq!(used["limitConcurrentRequests"]["current"], 0, "{used:#}");
    }
    let db = cluster.store.connect().await;
    let lines = eventually("the lines", || async {
        let lines = usage::Entity::find().all(&db).await.unwrap();
        let due = usize::try_from(spent + 50).unwrap();
        (lines.len() == due).then_some(lines)
    })
    .await;
    let billed: i64 = lines.iter().filter_map(|line| line.cost_nano_usd).sum();
    assert_eq!(billed, (spent + 50) * DOLLAR);
    // Made anew from the history they are the same.
    cluster.fronts[1].create("/limits/rebuild", json!({})).await;
    cluster.say(&subject, spent).await;
    db.close().await.unwrap();
    cluster.end().await;
}
