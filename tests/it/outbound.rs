//! Providers behind proxies of their own: every kind, with credentials, and what happens when they fail.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{FakeProxy, Speaks, TestApp, TlsFront, Upstream};

fn message() -> Value {
    json!({"model": "m", "messages": [], "x": "a".repeat(100_000)})
}

async fn trusting(front: &TlsFront) -> TestApp {
    let ca_file = front.ca_file();
    TestApp::builder()
        .settings(move |settings| settings.upstream.ca_file = Some(ca_file))
        .start()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_proxy_leads_to_the_provider() {
    for (scheme, speaks) in [
        ("http", Speaks::Http),
        ("https", Speaks::Http),
        ("socks5", Speaks::Socks5),
        ("socks5h", Speaks::Socks5),
    ] {
        let upstream = Upstream::start().await;
        let proxy = FakeProxy::start(speaks, Some(("me", "p@ss"))).await;
        let front = TlsFront::start(&proxy.address().to_string(), &[]).await;
        let app = trusting(&front).await;
        let at = match scheme {
            "https" => front.authority(),
            _ => proxy.address().to_string(),
        };
        let url = format!("{scheme}://me:p%40ss@{at}");
        let behind = upstream.url("").replace("127.0.0.1", "localhost");
        app.provider("a", "claude", &behind, json!({"proxyUrl": url}))
            .await;
        for _ in 0..3 {
            let response = app.post("/v1/messages", &message()).await;
            assert_eq!(response.status(), 200, "{scheme}");
            // The connection has to be back in the pool.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let asked = proxy.asked();
        let is_named = asked[0].starts_with("localhost:");
        assert_eq!(is_named, scheme != "socks5", "{scheme}: {asked:?}");
        // A tunnel is kept and used again, except one inside TLS.
        let tunnels = if scheme == "https" { 3 } else { 1 };
        assert_eq!(asked.len(), tunnels, "{scheme}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_are_told_without_them() {
    for (scheme, speaks, told) in [
        ("http", Speaks::Http, "407"),
        ("socks5h", Speaks::Socks5, "auth"),
    ] {
        let upstream = Upstream::start().await;
        let proxy = FakeProxy::start(speaks, Some(("me", "right"))).await;
        let app = TestApp::start().await;
        let url = format!("{scheme}://me:hidden@{}", proxy.address());
        let more = json!({"proxyUrl": url});
        app.provider("a", "claude", &upstream.url(""), more).await;
        let response = app.post("/v1/messages", &message()).await;
        assert_eq!(response.status(), 503);
        let row = app.row().await;
        assert_eq!(row["chain"][0]["fault"], "network", "{row:#}");
        let error = row["chain"][0]["error"].as_str().unwrap();
        assert!(error.contains(told), "{error}");
        assert!(!row.to_string().contains("hidden"), "{row:#}");
        assert!(upstream.recorder().seen().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_is_down_is_bypassed_only_if_so_configured() {
    for is_bypassed in [false, true] {
        let upstream = Upstream::start().await;
        let app = TestApp::start().await;
        let more = json!({"proxyUrl": "http://127.0.0.1:1", "proxyFallbackToDirect": is_bypassed});
        app.provider("a", "claude", &upstream.url(""), more).await;
        for _ in 0..3 {
            let response = app.post("/v1/messages", &message()).await;
            assert_eq!(response.status(), if is_bypassed { 200 } else { 503 });
        }
        let expected = if is_bypassed { 3 } else { 0 };
        assert_eq!(upstream.recorder().seen().len(), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn providers_at_one_address_do_not_share_connections_across_proxies() {
    let upstream = Upstream::start().await;
    let (one, other) = (
        FakeProxy::start(Speaks::Http, None).await,
        FakeProxy::start(Speaks::Socks5, None).await,
    );
    let app = TestApp::start().await;
    let proxies = [
        ("a", Some(format!("http://{}", one.address()))),
        ("b", Some(format!("http://me:1@{}", one.address()))),
        ("c", Some(format!("socks5h://{}", other.address()))),
        ("d", None),
    ];
    for (name, proxy) in &proxies {
        let kind_of_request = json!({"proxyUrl": proxy, "allowedModels": [name]});
        app.provider(name, "claude", &upstream.url(""), kind_of_request)
            .await;
    }
    for _ in 0..4 {
        for (name, _) in &proxies {
            let body = json!({"model": name, "messages": []});
            assert_eq!(app.post("/v1/messages", &body).await.status(), 200);
        }
    }
    assert_eq!(upstream.recorder().seen().len(), 16);
    assert_eq!((one.asked().len(), other.asked().len()), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_to_the_provider_goes_through_the_proxy() {
    for (speaks, scheme) in [(Speaks::Http, "http"), (Speaks::Socks5, "socks5")] {
        let upstream = Upstream::start().await;
        let behind = upstream.url("");
        let front = TlsFront::start(behind.strip_prefix("http://").unwrap(), &["h2"]).await;
        let proxy = FakeProxy::start(speaks, None).await;
        let app = trusting(&front).await;
        let url = format!("{scheme}://{}", proxy.address());
        app.provider("a", "claude", &front.base(), json!({"proxyUrl": url}))
            .await;
        for _ in 0..3 {
            let response = app.post("/v1/messages", &message()).await;
            assert_eq!(response.status(), 200, "{scheme}");
        }
        for seen in upstream.recorder().seen() {
            assert_eq!(seen.version, "HTTP/2.0");
        }
        assert_eq!(proxy.asked().len(), 1, "one tunnel for all of it");
    }
}
