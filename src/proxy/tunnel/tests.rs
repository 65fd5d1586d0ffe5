//! Tests of the way through proxies, with fake ones.

#[path = "../../../tests/it/support/proxy.rs"]
mod proxy;
#[path = "../../../tests/it/support/tls_front.rs"]
mod tls_front;

use std::path::PathBuf;

use entity::value::{ProviderType, Secret};
use pingora::connectors::TransportConnector;
use pingora::upstreams::peer::Peer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::domain::provider::{BaseUrl, Provider};
use crate::proxy::upstreams::{Reached, Upstreams};
use proxy::{FakeProxy, Speaks};
use tls_front::TlsFront;

const ANY: EgressPolicy = EgressPolicy::AllowPrivate;

/// Says back what it is told; answers its port.
async fn echo() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let (mut read, mut write) = socket.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    port
}

fn provider(url: &str, proxy: &str) -> Provider {
    let base = BaseUrl::parse(url).unwrap();
    let mut provider = Provider::new(1, ProviderType::Claude, base, Secret::new("key"));
    provider.proxy = Some(OutboundProxy::parse(proxy).unwrap());
    provider.timeouts.connect_ms = 2000;
    provider
}

async fn reach(upstreams: &Upstreams, provider: &Provider) -> Reached {
    upstreams.reach(provider, 0, ANY).await.unwrap()
}

async fn through(reached: &Reached) -> Result<Stream> {
    let tunnel = reached.tunnel.as_ref().unwrap();
    tunnel.connect(&PeerAddress::Inet(reached.address)).await
}

async fn is_echoed(mut stream: Stream) {
    let said: Vec<u8> = (0..100_000u32).map(|i| (i % 251) as u8).collect();
    let (heard, ()) = tokio::time::timeout(Duration::from_secs(10), async {
        let mut heard = vec![0; said.len()];
        let (mut read, mut write) = tokio::io::split(&mut stream);
        tokio::join!(
            async {
                read.read_exact(&mut heard).await.unwrap();
                heard
            },
            async {
                write.write_all(&said).await.unwrap();
                write.flush().await.unwrap();
            }
        )
    })
    .await
    .unwrap();
    assert_eq!(heard, said);
}

fn crypto() {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .ok();
}

#[tokio::test]
async fn every_kind_leads_to_the_provider() {
    crypto();
    let port = echo().await;
    for credentials in [None, Some(("me", "p@ss:word"))] {
        let user = credentials.map_or("", |_| "me:p%40ss:word@");
        for scheme in ["http", "https", "socks5", "socks5h"] {
            let speaks = match scheme {
                "http" | "https" => Speaks::Http,
                _ => Speaks::Socks5,
            };
            let fake = FakeProxy::start(speaks, credentials).await;
            let front = TlsFront::start(&fake.address().to_string(), &[]).await;
            let at = match scheme {
                "https" => front.authority(),
                _ => fake.address().to_string(),
            };
            let upstreams = Upstreams::new(Some(front.ca_file()));
            let url = format!("http://localhost:{port}");
            let some = provider(&url, &format!("{scheme}://{user}{at}"));
            let reached = reach(&upstreams, &some).await;
            is_echoed(through(&reached).await.unwrap()).await;
            assert_eq!(front.connections(), usize::from(scheme == "https"));
            let asked = fake.asked();
            let named = format!("localhost:{port}");
            assert_eq!(asked.len(), 1, "{scheme}");
            assert_eq!(asked[0] == named, scheme != "socks5", "{scheme}: {asked:?}");
        }
    }
}

#[tokio::test]
async fn what_the_proxy_says_is_told_and_who_we_are_is_not() {
    crypto();
    let port = echo().await;
    for (speaks, scheme, told) in [
        (Speaks::Http, "http", "answered 407 Proxy Authentication"),
        (Speaks::Socks5, "socks5h", "auth"),
    ] {
        let fake = FakeProxy::start(speaks, Some(("me", "right"))).await;
        for user in ["somebody:hidden@", "me:hidden@", ""] {
            let proxy = format!("{scheme}://{user}{}", fake.address());
            let some = provider(&format!("http://127.0.0.1:{port}"), &proxy);
            let upstreams = Upstreams::new(None);
            let reached = reach(&upstreams, &some).await;
            let error = through(&reached).await.unwrap_err();
            assert_eq!(*error.etype(), ErrorType::ConnectProxyFailure);
            let shown = format!("{error} {error:?} {reached:?}");
            assert!(shown.contains(told), "{user}: {shown}");
            assert!(shown.contains(&fake.address().to_string()), "{shown}");
            for hidden in ["hidden", "somebody", "c29tZWJvZHk6aGlkZGVu"] {
                assert!(!shown.contains(hidden), "{shown}");
            }
        }
        assert!(fake.asked().is_empty());
    }
}

/// What says this to whoever connects.
async fn says(answer: &'static [u8], times: usize) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = [0; 1024];
            let _ = socket.read(&mut head).await;
            for _ in 0..times {
                let _ = socket.write_all(answer).await;
            }
            if times == 0 {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
        }
    });
    at
}

#[tokio::test]
async fn a_proxy_that_is_none_is_an_error_in_time() {
    for (answer, times, told) in [
        (&b"SSH-2.0-x\r\n\r\n"[..], 1, "HTTP"),
        (b"", 1, "closed"),
        (b"x: 0123456789012345678901234567890\r\n", 2000, "over"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", 1, "502 Bad Gateway"),
        (b"", 0, "in time"),
    ] {
        let at = says(answer, times).await;
        let mut some = provider("http://relay.test", &format!("http://{at}"));
        some.timeouts.connect_ms = if times == 0 { 300 } else { 10_000 };
        let upstreams = Upstreams::new(None);
        let error = through(&reach(&upstreams, &some).await).await.unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains(told), "{told}: {shown}");
    }
}

#[tokio::test]
async fn what_comes_with_the_answer_is_not_lost() {
    let at = says(b"HTTP/1.1 200 OK\r\n\r\nhello", 1).await;
    let some = provider("http://relay.test", &format!("http://{at}"));
    let upstreams = Upstreams::new(None);
    let mut stream = through(&reach(&upstreams, &some).await).await.unwrap();
    let mut heard = [0; 5];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"hello");
}

#[tokio::test]
async fn a_proxy_that_fails_is_bypassed_if_so_configured() {
    let port = echo().await;
    let url = format!("http://localhost:{port}");
    let dead = "http://127.0.0.1:1".to_owned();
    let fake = FakeProxy::start(Speaks::Socks5, Some(("me", "right"))).await;
    let refusing = format!("socks5h://me:wrong@{}", fake.address());
    let nowhere = "socks5h://no-such-host.invalid:1".to_owned();
    for proxy in [dead, refusing, nowhere.clone()] {
        let upstreams = Upstreams::new(None);
        let mut some = provider(&url, &proxy);
        some.proxy_fallback_to_direct = true;
        let first = reach(&upstreams, &some).await;
        if proxy != nowhere {
            is_echoed(through(&first).await.unwrap()).await;
        }
        assert!(upstreams.is_bypassed(some.id));
        let next = reach(&upstreams, &some).await;
        assert!(next.tunnel.is_none(), "{proxy} is left alone for a while");
        assert_eq!((next.address.port(), next.group), (port, 0));
        some.proxy_fallback_to_direct = false;
        match upstreams.reach(&some, 0, ANY).await {
            Ok(reached) => assert!(through(&reached).await.is_err(), "{proxy}"),
            Err(e) => assert!(e.to_string().contains("the proxy socks5h://"), "{e}"),
        }
    }
    let upstreams = Upstreams::new(None);
    let mut forbidden = provider("http://localhost:1", "http://127.0.0.1:1");
    forbidden.proxy_fallback_to_direct = true;
    let policy = EgressPolicy::PublicOnly;
    let reached = upstreams.reach(&forbidden, 0, policy).await.unwrap();
    let error = through(&reached).await.unwrap_err().to_string();
    assert!(error.contains("egressPolicy"), "{error}");
}

#[tokio::test]
async fn a_forbidden_literal_is_not_reached_through_a_proxy_either() {
    let upstreams = Upstreams::new(None);
    for scheme in ["http", "https", "socks5", "socks5h"] {
        let some = provider("http://169.254.169.254", &format!("{scheme}://127.0.0.1:1"));
        let refused = upstreams.reach(&some, 0, ANY).await;
        assert!(matches!(refused, Err(ReachError::Forbidden)), "{scheme}");
    }
}

#[tokio::test]
async fn connections_are_kept_apart_by_proxy_and_credentials() {
    let port = echo().await;
    let (one, other) = (
        FakeProxy::start(Speaks::Http, None).await,
        FakeProxy::start(Speaks::Http, None).await,
    );
    let url = format!("http://127.0.0.1:{port}");
    let upstreams = Upstreams::new(None);
    let connector = TransportConnector::new(None);
    let peer = async |proxy: Option<String>| {
        let mut some = provider(&url, proxy.as_deref().unwrap_or("http://unused"));
        some.proxy = some.proxy.filter(|_| proxy.is_some());
        let reached = reach(&upstreams, &some).await;
        reached.peer(&some, &some.endpoints[0])
    };
    let ways = [
        Some(format!("http://{}", one.address())),
        Some(format!("http://me:1@{}", one.address())),
        Some(format!("http://me:2@{}", one.address())),
        Some(format!("http://{}", other.address())),
        None,
    ];
    for way in &ways {
        let peer = peer(way.clone()).await;
        let (stream, is_reused) = connector.get_stream(&peer).await.unwrap();
        assert!(!is_reused, "{way:?} takes another's connection");
        connector.release_stream(stream, peer.reuse_hash(), peer.idle_timeout());
    }
    for way in &ways {
        let peer = peer(way.clone()).await;
        let (_stream, is_reused) = connector.get_stream(&peer).await.unwrap();
        assert!(is_reused, "{way:?} does not find its own connection");
    }
    assert_eq!((one.asked().len(), other.asked().len()), (3, 1));
}

#[tokio::test]
async fn tls_to_the_provider_goes_through_and_agrees_on_a_protocol() {
    crypto();
    let port = echo().await;
    let front = TlsFront::start(&format!("127.0.0.1:{port}"), &["h2"]).await;
    let ca_file: PathBuf = front.ca_file();
    let mut options = pingora::connectors::ConnectorOptions::new(1);
    options.ca_file = Some(ca_file.to_str().unwrap().to_owned());
    let connector = TransportConnector::new(Some(options));
    for (speaks, scheme) in [(Speaks::Http, "http"), (Speaks::Socks5, "socks5h")] {
        let fake = FakeProxy::start(speaks, None).await;
        let some = provider(&front.base(), &format!("{scheme}://{}", fake.address()));
        let upstreams = Upstreams::new(None);
        let reached = reach(&upstreams, &some).await;
        let peer = reached.peer(&some, &some.endpoints[0]);
        let (mut stream, _) = connector.get_stream(&peer).await.unwrap();
        assert!(stream.get_ssl_digest().is_some());
        stream.write_all(b"hello").await.unwrap();
        stream.flush().await.unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
        assert_eq!(fake.asked(), [front.authority()]);
    }
}
