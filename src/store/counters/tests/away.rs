//! Tests of Redis that is late, gone, shared or empty.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::*;

/// What a scheduler may add to a deadline on a busy machine.
const SLACK: Duration = Duration::from_millis(180);

/// A way to Redis that can be frozen: connections stand, nothing passes.
struct Proxy {
    address: SocketAddr,
    frozen: watch::Sender<bool>,
}

impl Proxy {
    async fn start() -> Option<Self> {
        let url = needs("TEST_REDIS_URL")?;
        let target: SocketAddr = url.strip_prefix("redis://")?.parse().ok()?;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let frozen = watch::Sender::new(false);
        let gate = frozen.subscribe();
        tokio::task::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let gate = gate.clone();
                tokio::task::spawn(async move {
                    let server = TcpStream::connect(target).await.unwrap();
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::join!(
                        pass(from_client, to_server, gate.clone()),
                        pass(from_server, to_client, gate),
                    );
                });
            }
        });
        Some(Self { address, frozen })
    }

    fn url(&self) -> Secret {
        Secret::new(format!("redis://{}", self.address))
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut frozen: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if frozen.wait_for(|frozen| !frozen).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

async fn timed<T>(worst: &mut Duration, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let answer = work.await;
    *worst = began.elapsed().max(*worst);
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_redis_keeps_nobody_waiting_and_hears_everything_when_it_thaws() {
    let Some(proxy) = Proxy::start().await else {
        return;
    };
    let deadline = Duration::from_millis(20);
    let tuning = Tuning {
        deadline,
        ..tuning()
    };
    let counters = Subjects::of(Counters::connect(&proxy.url(), &tuning).unwrap()).await;
    let limits = limits(|l| {
        l.usd_day = Some(1_000);
        l.concurrent_requests = Some(5);
    });
    spend(&counters, &limits, 100, START).await;
    let running = admit(&counters, &limits, None, 50, START).await.unwrap();
    let to_fail = admit(&counters, &limits, None, 50, START).await.unwrap();

    proxy.frozen.send_replace(true);
    let mut worst = Duration::ZERO;
    let began = Instant::now();
    for _ in 0..8 {
        let id = timed(&mut worst, admit(&counters, &limits, None, 10, START))
            .await
            .unwrap();
        timed(&mut worst, settle(&counters, &limits, id, 100, START)).await;
    }
    timed(&mut worst, settle(&counters, &limits, running, 100, START)).await;
    counters.release(to_fail, &[part(KEY, &limits, START)], START);
    // The limit holds meanwhile: a hundred before, nine hundred since.
    let no = timed(&mut worst, admit(&counters, &limits, None, 10, START))
        .await
        .unwrap_err();
    assert_eq!((no.dimension, no.used), (Dimension::UsdDay, 1_000));
    assert!(worst < deadline + SLACK, "{worst:?}");
    // Not every request pays the deadline: only those until it is known.
    assert!(!counters.is_whole());
    assert!(
        began.elapsed() < deadline * 8 + SLACK,
        "{:?}",
        began.elapsed()
    );

    proxy.frozen.send_replace(false);
    counters.told().await;
    let reading = counters.read(&part(KEY, &limits, START), START).await;
    assert_eq!(
        (reading.used[4], reading.used[2], reading.reserved),
        (1_000, 0, 0)
    );
    // What another node sees is the same.
    let other = needs("TEST_REDIS_URL").unwrap();
    let tuning = Tuning {
        deadline: Duration::from_secs(5),
        ..tuning
    };
    let other = Subjects::of(Counters::connect(&Secret::new(other), &tuning).unwrap()).await;
    assert_eq!(other.read(&part(KEY, &limits, START), START).await, reading);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_hold_the_same_numbers() {
    let Some(url) = needs("TEST_REDIS_URL") else {
        return;
    };
    let tuning = tuning();
    let url = Secret::new(url);
    let first = Subjects::of(Counters::connect(&url, &tuning).unwrap()).await;
    let second = Subjects::of(Counters::connect(&url, &tuning).unwrap()).await;
    let limits = limits(|l| l.usd_day = Some(1_000));
    let nodes = [&first, &second];
    let all = futures_util::future::join_all(
        (0..64).map(|n: usize| admit(nodes[n % 2], &limits, None, 100, START)),
    );
    let ids: Vec<u128> = all.await.into_iter().flatten().collect();
    assert_eq!(ids.len(), 10);
    for (n, id) in ids.iter().enumerate() {
        // Where it was admitted does not matter.
        settle(nodes[n % 2], &limits, *id, 100, START).await;
        settle(nodes[(n + 1) % 2], &limits, *id, 100, START).await;
    }
    let part = part(KEY, &limits, START);
    let reading = first.read(&part, START).await;
    assert_eq!((reading.used[4], reading.reserved), (1_000, 0));
    assert_eq!(second.read(&part, START).await, reading);
    first.reset(KEY, START).await;
    assert!(admit(&second, &limits, None, 0, START).await.is_ok());
}

#[tokio::test]
async fn without_redis_from_the_start_this_process_counts() {
    let tuning = Tuning {
        deadline: Duration::from_millis(20),
        ..tuning()
    };
    let counters = Counters::connect(&Secret::new("redis://127.0.0.1:1"), &tuning).unwrap();
    assert!(!counters.is_whole());
    let limits = limits(|l| l.rpm = Some(2));
    let mut worst = Duration::ZERO;
    for _ in 0..2 {
        timed(&mut worst, admit(&counters, &limits, None, 0, START))
            .await
            .unwrap();
    }
    assert!(
        timed(&mut worst, admit(&counters, &limits, None, 0, START))
            .await
            .is_err()
    );
    assert!(worst < deadline_and_slack(), "{worst:?}");
    let part = part(KEY, &limits, START);
    assert!(
        !counters.seed(&part, &Seed::default(), START).await,
        "Redis did not hear"
    );
}

fn deadline_and_slack() -> Duration {
    Duration::from_millis(20) + SLACK
}

#[tokio::test]
async fn an_empty_redis_asks_for_its_seed_once() {
    let Some(url) = needs("TEST_REDIS_URL") else {
        return;
    };
    let tuning = tuning();
    let url = Secret::new(url);
    let first = Subjects::of(Counters::connect(&url, &tuning).unwrap()).await;
    assert!(first.wants_seed());
    first.seeded().await;
    assert!(!first.wants_seed());
    let second = Subjects::of(Counters::connect(&url, &tuning).unwrap()).await;
    assert!(!second.wants_seed());
    let other = Tuning {
        prefix: "another".into(),
        ..tuning
    };
    let other = Counters::connect(
        &url,
        &Tuning {
            prefix: format!("{}-{}", other.prefix, Uuid::new_v4()),
            ..other
        },
    );
    assert!(
        Subjects::of(other.unwrap()).await.wants_seed(),
        "of an installation of its own"
    );
}
