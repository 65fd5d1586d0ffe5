//! Tests of endpoints: look-ups, order and checks.

use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use entity::value::{HealthCheck, ProviderType, Secret};
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const ANY: EgressPolicy = EgressPolicy::AllowPrivate;

/// Knows one address for every name, or none, after a while.
struct Book {
    known: Mutex<Vec<SocketAddr>>,
    pause: Mutex<Duration>,
    asked: AtomicUsize,
}

#[async_trait]
impl Names for Book {
    async fn lookup(&self, _host: &str, _port: u16) -> io::Result<Vec<SocketAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let pause = *self.pause.lock();
        tokio::time::sleep(pause).await;
        let known = self.known.lock().clone();
        if known.is_empty() {
            return Err(io::Error::other("nobody knows"));
        }
        Ok(known)
    }
}

impl Book {
    fn of(known: &[&str]) -> Arc<Self> {
        Arc::new(Self {
            known: Mutex::new(known.iter().map(|a| a.parse().unwrap()).collect()),
            pause: Mutex::new(Duration::ZERO),
            asked: AtomicUsize::new(0),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn upstreams(book: &Arc<Book>, terms: Terms) -> Upstreams {
    Upstreams::with(book.clone(), Tools::default(), terms)
}

fn provider(id: i64, urls: &[&str]) -> Provider {
    let mut bases = urls.iter().map(|url| BaseUrl::parse(url).unwrap());
    let first = bases.next().unwrap();
    let mut provider = Provider::new(id, ProviderType::Claude, first, Secret::new("key"));
    provider.endpoints.extend(bases);
    provider
}

async fn address(upstreams: &Upstreams, provider: &Provider) -> Result<SocketAddr, ReachError> {
    Ok(upstreams.reach(provider, 0, ANY).await?.address)
}

#[tokio::test]
async fn literals_are_not_looked_up_and_obey_the_policy() {
    let book = Book::of(&[]);
    let upstreams = upstreams(&book, Terms::default());
    let local = provider(1, &["http://[::1]:81"]);
    let found = address(&upstreams, &local).await.unwrap();
    assert_eq!(found, "[::1]:81".parse().unwrap());
    let refused = upstreams.reach(&local, 0, EgressPolicy::PublicOnly).await;
    assert!(matches!(refused, Err(ReachError::Forbidden)));
    let metadata = provider(2, &["http://169.254.169.254"]);
    assert!(address(&upstreams, &metadata).await.is_err());
    assert!(matches!(
        upstreams.reach(&local, 1, ANY).await,
        Err(ReachError::NoEndpoint)
    ));
    assert_eq!(book.asked(), 0);
    assert!(upstreams.table.load().is_empty(), "nothing is kept of them");
}

#[tokio::test]
async fn the_system_knows_localhost_and_no_nonsense() {
    let upstreams = Upstreams::new(None);
    let local = provider(1, &["http://localhost:81"]);
    let found = address(&upstreams, &local).await.unwrap();
    assert!(found.ip().is_loopback() && found.port() == 81, "{found}");
    let nobody = provider(2, &["http://no-such-host.invalid"]);
    let why = address(&upstreams, &nobody).await.unwrap_err();
    assert!(why.to_string().contains("does not resolve"), "{why}");
}

#[tokio::test]
async fn everybody_waits_for_the_same_look_up_and_a_failure_is_not_remembered() {
    let book = Book::of(&[]);
    *book.pause.lock() = Duration::from_millis(50);
    let upstreams = upstreams(&book, Terms::default());
    let (one, two) = (
        provider(1, &["http://relay.test/a"]),
        provider(2, &["http://relay.test/b"]),
    );
    let both = || (0..10).map(|i| address(&upstreams, if i % 2 == 0 { &one } else { &two }));
    for outcome in join_all(both()).await {
        let why = outcome.unwrap_err().to_string();
        assert!(why.contains("nobody knows"), "{why}");
    }
    assert_eq!(book.asked(), 1, "the failure is everybody's who waited");
    book.known.lock().push("127.0.0.1:80".parse().unwrap());
    for outcome in join_all(both()).await {
        assert_eq!(outcome.unwrap(), "127.0.0.1:80".parse().unwrap());
    }
    assert_eq!(book.asked(), 2, "and nobody's who came later");
    address(&upstreams, &one).await.unwrap();
    assert_eq!(book.asked(), 2);
}

#[tokio::test]
async fn a_look_up_that_is_abandoned_leaves_nobody_waiting() {
    let book = Book::of(&["127.0.0.1:80"]);
    *book.pause.lock() = Duration::from_secs(3600);
    let upstreams = upstreams(&book, Terms::default());
    let relay = provider(1, &["http://relay.test"]);
    let impatient = tokio::time::timeout(Duration::from_millis(30), address(&upstreams, &relay));
    assert!(impatient.await.is_err());
    *book.pause.lock() = Duration::ZERO;
    address(&upstreams, &relay).await.unwrap();
    assert_eq!(book.asked(), 2);
}

#[tokio::test]
async fn a_stale_answer_is_used_while_it_is_renewed_behind_the_scenes() {
    let book = Book::of(&["127.0.0.1:1"]);
    let terms = Terms {
        fresh: Duration::from_millis(300),
        stale: Duration::from_millis(1500),
        retry: Duration::from_millis(300),
        used: Duration::from_secs(60),
    };
    let upstreams = upstreams(&book, terms);
    let relay = provider(1, &["http://relay.test"]);
    address(&upstreams, &relay).await.unwrap();
    assert!(upstreams.due().is_empty(), "nothing to renew yet");
    tokio::time::sleep(Duration::from_millis(350)).await;
    *book.known.lock() = vec!["127.0.0.1:2".parse().unwrap()];
    *book.pause.lock() = Duration::from_millis(100);
    let due = upstreams.due().pop().unwrap();
    let before = Instant::now();
    let (old, ()) = tokio::join!(address(&upstreams, &relay), due.tend(ANY));
    assert_eq!(old.unwrap().port(), 1, "not waited for");
    assert!(before.elapsed() >= Duration::from_millis(100));
    assert_eq!(address(&upstreams, &relay).await.unwrap().port(), 2);
    assert_eq!(book.asked(), 2);

    // A renewal that fails changes nothing, until the answer is too old.
    *book.known.lock() = Vec::new();
    *book.pause.lock() = Duration::ZERO;
    tokio::time::sleep(Duration::from_millis(350)).await;
    upstreams.due().pop().unwrap().tend(ANY).await;
    assert_eq!(book.asked(), 3);
    assert!(upstreams.due().is_empty(), "not again at once");
    assert_eq!(address(&upstreams, &relay).await.unwrap().port(), 2);
    tokio::time::sleep(Duration::from_millis(1600)).await;
    assert!(address(&upstreams, &relay).await.is_err());
}

#[tokio::test]
async fn names_nobody_uses_are_not_renewed() {
    let book = Book::of(&["127.0.0.1:1"]);
    let terms = Terms {
        fresh: Duration::from_millis(100),
        used: Duration::from_millis(600),
        ..Terms::default()
    };
    let upstreams = upstreams(&book, terms);
    let relay = provider(1, &["http://relay.test"]);
    upstreams.sync(&[Arc::new(provider(2, &["http://other.test"]))]);
    address(&upstreams, &relay).await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(upstreams.due().len(), 1);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(upstreams.due().is_empty());
}

#[tokio::test]
async fn an_address_that_is_forbidden_is_passed_over() {
    let book = Book::of(&["0.0.0.0:80", "127.0.0.1:80", "127.0.0.2:80"]);
    let upstreams = upstreams(&book, Terms::default());
    let relay = provider(1, &["http://relay.test"]);
    let mut seen = Vec::new();
    for _ in 0..20 {
        seen.push(address(&upstreams, &relay).await.unwrap().ip());
    }
    for last in [1, 2] {
        let ip = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        assert!(seen.contains(&ip), "{seen:?}");
    }
    assert!(!seen.contains(&IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
    let refused = upstreams.reach(&relay, 0, EgressPolicy::PublicOnly).await;
    assert!(matches!(refused, Err(ReachError::Forbidden)));
}

#[tokio::test]
async fn a_changed_configuration_keeps_what_stays_and_forgets_the_rest() {
    let book = Book::of(&["127.0.0.1:1"]);
    let upstreams = upstreams(&book, Terms::default());
    let (stays, goes) = (
        Arc::new(provider(1, &["http://stays.test"])),
        Arc::new(provider(2, &["http://goes.test"])),
    );
    upstreams.sync(&[stays.clone(), goes.clone()]);
    for provider in [&stays, &goes] {
        address(&upstreams, provider).await.unwrap();
    }
    assert_eq!(book.asked(), 2);
    let mut off = provider(2, &["http://goes.test"]);
    off.is_enabled = false;
    upstreams.sync(&[stays.clone(), Arc::new(off)]);
    assert_eq!(upstreams.table.load().len(), 1);
    address(&upstreams, &stays).await.unwrap();
    assert_eq!(book.asked(), 2, "what stays is still known");
    address(&upstreams, &goes).await.unwrap();
    assert_eq!(
        book.asked(),
        3,
        "a request that began before still finds it"
    );
}

/// A page that answers this status, and tells what it was asked.
async fn page(status: u16) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let told = asked.clone();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let read = socket.read(&mut head).await.unwrap_or(0);
            head.truncate(read);
            told.lock().push(String::from_utf8(head).unwrap());
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    (at, asked)
}

fn checked(kind: HealthCheckKind) -> HealthCheck {
    HealthCheck {
        kind,
        path: "/healthz?x=1".to_owned(),
        interval_seconds: 1,
    }
}

/// Tends what is due, so often that an address which fails is known to.
async fn check_twice(upstreams: &Upstreams) {
    for _ in 0..2 {
        for endpoint in upstreams.due() {
            endpoint.tend(ANY).await;
        }
        tokio::time::sleep(Duration::from_millis(1150)).await;
    }
}

#[tokio::test]
async fn checks_put_healthy_endpoints_first_and_say_what_is_wrong() {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .ok();
    let ((bad, _), (good, asked)) = (page(503).await, page(404).await);
    let book = Book::of(&[]);
    let upstreams = upstreams(&book, Terms::default());
    let urls = [
        format!("http://{bad}"),
        format!("http://{good}/relay"),
        "http://127.0.0.1:1".to_owned(),
    ];
    let mut some = provider(1, &urls.each_ref().map(String::as_str));
    some.health_check = checked(HealthCheckKind::Http);
    let some = Arc::new(some);
    upstreams.sync(std::slice::from_ref(&some));
    assert_eq!(upstreams.order(&some).collect::<Vec<_>>(), [0, 1, 2]);
    check_twice(&upstreams).await;
    assert_eq!(upstreams.order(&some).collect::<Vec<_>>(), [1, 0, 2]);

    let health = upstreams.health(&some);
    let healthy: Vec<bool> = health.iter().map(|h| h.healthy).collect();
    assert_eq!(healthy, [false, true, false]);
    assert!(health.iter().all(|h| h.checked_at.is_some()));
    assert!(health[0].error.as_deref().unwrap().contains("503"));
    assert_eq!(health[1].error, None);
    assert_eq!(health[1].addresses, [(good, true)]);
    assert_eq!(health[1].url, urls[1]);
    assert!(
        health[2].error.as_deref().unwrap().contains("127.0.0.1:1"),
        "{health:?}"
    );
    let head = asked.lock()[0].to_ascii_lowercase();
    assert!(head.starts_with("get /healthz?x=1 http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nhost: {good}\r\n")), "{head}");
    assert!(!head.contains("key") && !head.contains("authorization"));

    // One that is unhealthy is still reached when it is asked for.
    assert_eq!(address(&upstreams, &some).await.unwrap(), bad);
}

#[tokio::test]
async fn a_name_that_is_gone_is_unhealthy_and_a_proxied_one_is_not_checked() {
    let book = Book::of(&[]);
    let upstreams = upstreams(&book, Terms::default());
    let mut gone = provider(1, &["http://gone.test", "http://127.0.0.1:1"]);
    gone.health_check = checked(HealthCheckKind::Tcp);
    let mut proxied = provider(2, &["http://127.0.0.1:1"]);
    proxied.health_check = checked(HealthCheckKind::Tcp);
    proxied.proxy = Some(OutboundProxy::parse("socks5h://127.0.0.1:1").unwrap());
    let (gone, proxied) = (Arc::new(gone), Arc::new(proxied));
    upstreams.sync(&[gone.clone(), proxied.clone()]);
    for endpoint in upstreams.due() {
        endpoint.tend(ANY).await;
    }
    let health = upstreams.health(&gone);
    assert!(!health[0].healthy);
    assert!(health[0].error.as_deref().unwrap().contains("nobody knows"));
    assert!(health[1].healthy, "once is not enough");
    assert_eq!(upstreams.order(&gone).collect::<Vec<_>>(), [1, 0]);
    let health = &upstreams.health(&proxied)[0];
    assert!(health.healthy && health.checked_at.is_none());
    assert!(health.unchecked.unwrap().contains("proxy"));
}

#[tokio::test]
async fn checks_obey_the_policy() {
    let (at, asked) = page(200).await;
    let book = Book::of(&[]);
    let upstreams = upstreams(&book, Terms::default());
    let mut local = provider(1, &[&format!("http://{at}")]);
    local.health_check = checked(HealthCheckKind::Http);
    let local = Arc::new(local);
    upstreams.sync(std::slice::from_ref(&local));
    for endpoint in upstreams.due() {
        endpoint.tend(EgressPolicy::PublicOnly).await;
    }
    assert!(asked.lock().is_empty());
    let health = upstreams.health(&local).remove(0);
    assert!(health.error.unwrap().contains("egressPolicy"));
}
