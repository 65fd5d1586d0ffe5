//! Tests of the bell, with real Redis servers.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use entity::value::Sealer;

use super::*;
use crate::store::testing::{TestDb, eventually, needs};

async fn watch(test: &TestDb) -> Watch {
    let sealer = Arc::new(Sealer::new(b"master"));
    Watch::open(test.db.clone(), sealer, chrono_tz::Tz::UTC)
        .await
        .unwrap()
}

/// Runs `bus` for `watch` beside `body`.
async fn running(bus: &Bus, watch: &Watch, body: impl Future<Output = ()>) {
    let stop = tokio::sync::watch::Sender::new(false);
    let until_done = async {
        body.await;
        stop.send_replace(true);
    };
    tokio::join!(bus.run(watch, stop.subscribe()), until_done);
}

async fn is_poked(watch: &Watch) -> bool {
    timeout(Duration::from_millis(100), watch.was_poked())
        .await
        .is_ok()
}

/// A Redis of the test's own, which it may kill.
struct Redis(Child);

impl Redis {
    fn start(port: u16) -> Self {
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Compiles only if bus and watch can be run as tasks of their own.
#[tokio::test]
async fn they_run_as_tasks() {
    fn task<T: Send + 'static>(_: T) {}
    let test = TestDb::sqlite().await;
    let watch = Arc::new(watch(&test).await);
    let bus = Arc::new(Bus::connect(&Secret::new("redis://127.0.0.1:1")).unwrap());
    let stop = tokio::sync::watch::Sender::new(false);
    let (stop, same) = (stop.subscribe(), stop.subscribe());
    task({
        let (bus, watch) = (Arc::clone(&bus), Arc::clone(&watch));
        async move { bus.run(&watch, stop).await }
    });
    task(async move { watch.run(same).await });
    task(async move { bus.announce(1).await });
}

#[tokio::test]
async fn what_one_node_announces_another_hears() {
    let Some(url) = needs("TEST_REDIS_URL") else {
        return;
    };
    let test = TestDb::sqlite().await;
    let watch = watch(&test).await;
    let (here, there) = (Secret::new(url.clone()), Secret::new(url));
    let (here, there) = (Bus::connect(&here).unwrap(), Bus::connect(&there).unwrap());
    running(&there, &watch, async {
        eventually(5, "connected", async || {
            here.is_connected() && there.is_connected()
        })
        .await;
        eventually(5, "poked for the connection", async || {
            is_poked(&watch).await
        })
        .await;
        eventually(2, "the last poke was that", async || {
            !is_poked(&watch).await
        })
        .await;
        for revision in 2..5 {
            assert!(here.announce(revision).await);
            eventually(2, "poked", async || is_poked(&watch).await).await;
        }
    })
    .await;
    assert!(!there.is_connected(), "it leaves when it is stopped");
}

#[tokio::test]
async fn what_one_node_tells_the_others_hear_and_it_does_not() {
    let Some(url) = needs("TEST_REDIS_URL") else {
        return;
    };
    let test = TestDb::sqlite().await;
    let watch = watch(&test).await;
    let url = Secret::new(url);
    let (here, there) = (Bus::connect(&url).unwrap(), Bus::connect(&url).unwrap());
    assert_ne!(here.node(), there.node());
    let (mut own, mut others) = (here.notices(), there.notices());
    let told = async {
        let is_heard = async || {
            here.tell("test", serde_json::json!({"n": 0})).await && others.try_recv().is_ok()
        };
        eventually(5, "heard", is_heard).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        while others.try_recv().is_ok() {}
        while is_poked(&watch).await {}
        // What is not understood is passed over: no JSON, another version, too long.
        assert!(here.publish(NOTICES, "{".to_owned()).await);
        let other =
            r#"{"version":2,"node":"00000000-0000-0000-0000-000000000000","kind":"","body":1}"#;
        assert!(here.publish(NOTICES, other.to_owned()).await);
        let long = "x".repeat(LONGEST_NOTICE);
        assert!(!here.tell("test", long.clone().into()).await);
        assert!(here.publish(NOTICES, format!("\"{long}\"")).await);
        for n in 1..=3 {
            assert!(here.tell("test", serde_json::json!({ "n": n })).await);
        }
        for n in 1..=3 {
            let heard = timeout(Duration::from_secs(2), others.recv())
                .await
                .unwrap();
            let body = serde_json::json!({ "n": n });
            let kind = "test".to_owned();
            assert_eq!(heard.unwrap(), Notice { kind, body });
        }
        assert!(!is_poked(&watch).await, "a notice is no revision");
        assert!(own.try_recv().is_err(), "its own are not for it");
        assert!(there.tell("back", Value::Null).await);
        let heard = timeout(Duration::from_secs(2), own.recv()).await.unwrap();
        assert_eq!(heard.unwrap().kind, "back");
    };
    let elsewhere = TestDb::sqlite().await;
    let other_watch = self::watch(&elsewhere).await;
    running(&here, &other_watch, running(&there, &watch, told)).await;
}

#[tokio::test]
async fn a_redis_that_comes_late_or_goes_is_found_again() {
    if needs("TEST_REDIS_URL").is_none() {
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let test = TestDb::sqlite().await;
    let watch = watch(&test).await;
    let bus = Bus::connect(&Secret::new(format!("redis://127.0.0.1:{port}"))).unwrap();
    running(&bus, &watch, async {
        let began = tokio::time::Instant::now();
        assert!(!bus.announce(1).await);
        assert!(began.elapsed() < PUBLISH_LIMIT * 2, "{:?}", began.elapsed());
        for revision in 2..4 {
            let redis = Redis::start(port);
            eventually(15, "announced", async || bus.announce(revision).await).await;
            eventually(5, "poked", async || is_poked(&watch).await).await;
            eventually(5, "heard", async || {
                while is_poked(&watch).await {}
                bus.announce(revision).await && is_poked(&watch).await
            })
            .await;
            drop(redis);
            eventually(5, "not announced", async || !bus.announce(revision).await).await;
        }
    })
    .await;
}

#[tokio::test]
async fn tls_is_the_processs_own_and_addresses_are_checked() {
    let url = Secret::new("rediss://127.0.0.1:1");
    if CryptoProvider::get_default().is_none() {
        assert!(matches!(Bus::connect(&url), Err(BusError::NoTls)));
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    let before = CryptoProvider::get_default().unwrap();
    let bus = Bus::connect(&url).unwrap();
    assert!(!bus.announce(1).await);
    assert!(Arc::ptr_eq(before, CryptoProvider::get_default().unwrap()));
    let sentinel = "redis-sentinel://127.0.0.1:1/0?sentinelServiceName=main&node=127.0.0.1:2";
    assert!(Bus::connect(&Secret::new(sentinel)).is_ok());
    let error = Bus::connect(&Secret::new("redis://:hidden@")).unwrap_err();
    assert!(!error.to_string().contains("hidden"), "{error}");
}
