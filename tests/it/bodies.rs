//! Request bodies arrive upstream byte for byte, whatever their size, framing and HTTP version: around every 64 KiB edge above all, where
//! buffers end.

use std::time::Duration;

use reqwest::{Body, Client, Method};
use sha2::{Digest, Sha256};

use crate::support::{LIMIT, RawClient, TestApp, Upstream, http, noise};

/// Around every edge there is: Pingora's buffers are 64 KiB, HTTP/2's first window 65,535 bytes.
const SIZES: [usize; 19] = [
    2, 100, 1_024, 16_384, 32_767, 32_768, 65_534, 65_535, 65_536, 65_537, 65_600, 131_071,
    131_072, 131_073, 196_608, 1_048_575, 1_048_576, 1_048_577, 5_000_000,
];
const LARGEST: usize = 40 << 20;

#[derive(Debug, Clone, Copy)]
enum Framing {
    Length,
    Chunked,
}

/// JSON of exactly `size` bytes, or as close as JSON with a model can be.
fn json_of(size: usize) -> Vec<u8> {
    let start = br#"{"model":"m","messages":[],"pad":""#;
    let end = br#""}"#;
    let mut body = start.to_vec();
    let pad = size.saturating_sub(start.len() + end.len());
    body.extend(noise(pad, size as u64).iter().map(|b| b'a' + b % 26));
    body.extend(end);
    body
}

fn hex(body: &[u8]) -> String {
    Sha256::digest(body)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

async fn arrives(
    app: &TestApp,
    upstream: &Upstream,
    client: &Client,
    framing: Framing,
    path: &str,
    body: Vec<u8>,
) {
    let expected = (body.len() as u64, hex(&body));
    let what = format!("{path} {framing:?} {} bytes", body.len());
    upstream.recorder().clear();
    let sent = match framing {
        Framing::Length => Body::from(body),
        Framing::Chunked => {
            let pieces: Vec<Result<Vec<u8>, std::io::Error>> = body
                .chunks(50_000)
                .map(|piece| Ok(piece.to_vec()))
                .collect();
            Body::wrap_stream(futures_util::stream::iter(pieces))
        }
    };
    let response = client
        .post(format!("{}{path}", app.base()))
        .bearer_auth(app.key())
        .header("content-type", "application/json")
        .body(sent)
        .send()
        .await
        .unwrap_or_else(|e| panic!("{what}: {e:?}"));
    assert_eq!(response.status(), 200, "{what}");
    response.bytes().await.unwrap();
    let seen = upstream.only_seen().await;
    assert_eq!((seen.body_len, seen.body_sha256), expected, "{what}");
}

async fn walk(client: Client) {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let url = upstream.url("");
    app.provider("a", "claude", &url, serde_json::json!({}))
        .await;
    app.provider("o", "openai-compatible", &url, serde_json::json!({}))
        .await;
    for framing in [Framing::Length, Framing::Chunked] {
        for size in SIZES {
            arrives(
                &app,
                &upstream,
                &client,
                framing,
                "/v1/messages",
                json_of(size),
            )
            .await;
        }
        for size in [1, 65_536, 70_000, 3_000_000] {
            arrives(
                &app,
                &upstream,
                &client,
                framing,
                "/v1/files",
                noise(size, 7),
            )
            .await;
        }
        arrives(
            &app,
            &upstream,
            &client,
            framing,
            "/v1/messages",
            json_of(LARGEST),
        )
        .await;
    }
    arrives(
        &app,
        &upstream,
        &client,
        Framing::Length,
        "/v1/files",
        Vec::new(),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http_1_1() {
    walk(http().http1_only().timeout(LIMIT).build().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_h2c() {
    walk(
        http()
            .http2_prior_knowledge()
            .timeout(LIMIT)
            .build()
            .unwrap(),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_bodies_arrive_in_the_clear() {
    use std::io::Write;
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider("a", "codex", &upstream.url(""), serde_json::json!({}))
        .await;
    let plain = json_of(300_000);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&plain).unwrap();
    let packed = [
        ("gzip", gzip.finish().unwrap()),
        ("zstd", zstd::encode_all(&plain[..], 3).unwrap()),
    ];
    for (encoding, body) in packed {
        upstream.recorder().clear();
        let response = app
            .ask(Method::POST, "/v1/responses")
            .header("content-encoding", encoding)
            .body(body.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{encoding}");
        let seen = upstream.only_seen().await;
        assert_eq!(seen.body_sha256, hex(&plain), "{encoding}");
        assert_eq!(seen.header("content-encoding"), None);

        let cut = &body[..body.len() / 2];
        let response = app
            .ask(Method::POST, "/v1/responses")
            .header("content-encoding", encoding)
            .body(cut.to_vec())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 400, "half of it, {encoding}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_waits_for_continue_is_told_to() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider("a", "claude", &upstream.url(""), serde_json::json!({}))
        .await;
    let body = json_of(2_000);
    let mut client = RawClient::connect(app.authority()).await;
    client
        .send(format!(
            "POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: {}\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
            app.key(),
            body.len()
        ))
        .await;
    let told = client.read_until("\r\n\r\n").await;
    assert!(told.starts_with("HTTP/1.1 100"), "{told}");
    client.send(&body).await;
    assert_eq!(client.response().await.status, 200);
    assert_eq!(upstream.only_seen().await.header("expect"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_follow_each_other_on_one_connection() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider("a", "claude", &upstream.url(""), serde_json::json!({}))
        .await;
    let mut client = RawClient::connect(app.authority()).await;
    for size in [100, 70_000, 200, 200_000] {
        let body = json_of(size);
        client
            .send(format!(
                "POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: {}\r\nContent-Length: {}\r\n\r\n",
                app.key(),
                body.len()
            ))
            .await;
        client.send(&body).await;
        assert_eq!(client.response().await.status, 200, "{size}");
    }
    assert!(!client.is_closed_within(Duration::from_millis(100)).await);
}
