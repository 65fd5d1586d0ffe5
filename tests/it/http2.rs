//! Providers that speak HTTP/2: agreed on by ALPN, many requests on one connection, and nothing lost on the way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{self, BoxStream, StreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use switchyard::mock::Recorder;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::support::{LIMIT, TestApp, TlsFront, Upstream, noise};

/// A gateway that trusts the front, and a fake upstream behind it.
async fn start(protocols: &[&str]) -> (TestApp, Upstream, TlsFront) {
    let upstream = Upstream::start().await;
    let behind = upstream.url("");
    let front = TlsFront::start(behind.strip_prefix("http://").unwrap(), protocols).await;
    (trusting(&front).await, upstream, front)
}

async fn trusting(front: &TlsFront) -> TestApp {
    let ca_file = front.ca_file();
    TestApp::builder()
        .settings(move |settings| settings.upstream.ca_file = Some(ca_file))
        .start()
        .await
}

fn message(pad: usize, stream: bool) -> Value {
    let pad: String = noise(pad, 7)
        .iter()
        .map(|b| char::from(b'a' + b % 26))
        .collect();
    json!({"model": "m", "max_tokens": 9, "stream": stream, "messages": [{"role": "user", "content": pad}]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_arrive_whole_and_heads_are_http_2() {
    let (app, upstream, front) = start(&["h2", "http/1.1"]).await;
    app.provider("a", "claude", &front.base(), json!({})).await;
    for pad in [1 << 10, 400 << 10, 5_000_000] {
        for stream in [false, true] {
            upstream.recorder().clear();
            let body = serde_json::to_vec(&message(pad, stream)).unwrap();
            let response = app
                .ask(Method::POST, "/v1/messages")
                .header("content-type", "application/json")
                .header("connection", "x-hop")
                .header("x-hop", "1")
                .header("anthropic-beta", "one,two")
                .body(body.clone())
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), 200, "{pad} {stream}");
            let answer = response.text().await.unwrap();
            assert_eq!(answer.contains("message_stop"), stream, "{answer}");
            let seen = upstream.only_seen().await;
            assert_eq!(seen.version, "HTTP/2.0");
            assert_eq!(seen.body_len, body.len() as u64);
            let sum: String = Sha256::digest(&body)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            assert_eq!(seen.body_sha256, sum);
            let length = body.len().to_string();
            assert_eq!(seen.header("content-length"), Some(length.as_str()));
            assert_eq!(seen.header("anthropic-beta"), Some("one,two"));
            assert_eq!(seen.header("x-api-key"), Some("up-a"));
            for absent in ["connection", "transfer-encoding", "x-hop", "keep-alive"] {
                assert_eq!(seen.header(absent), None, "{absent}");
            }
            let hosts = seen.headers.iter().filter(|(name, _)| name == "host");
            assert!(hosts.count() <= 1, "{:?}", seen.headers);
        }
    }
    // Without a body.
    for (method, path) in [
        (Method::GET, "/v1/messages/batches"),
        (Method::POST, "/v1/messages/batches/b/cancel"),
    ] {
        let response = app.ask(method, path).send().await.unwrap();
        assert!(response.status().is_success(), "{path}");
    }
    assert_eq!(front.connections(), 1, "one connection for all of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_share_few_connections() {
    let (app, upstream, front) = start(&["h2"]).await;
    let url = format!("{}/~chunks=20;chunkDelayMs=50", front.base());
    app.provider("a", "claude", &url, json!({})).await;
    // The first makes the connection that the others find.
    assert_eq!(
        app.post("/v1/messages", &message(10, false)).await.status(),
        200
    );
    let (app, body) = (&app, &message(10_000, true));
    // Not all at the same moment: while a connection is being made or handed out, Pingora makes another for whoever comes then.
    let answers = join_all((0..60).map(|i| async move {
        tokio::time::sleep(Duration::from_millis(10 * i)).await;
        let response = app.post("/v1/messages", body).await;
        assert_eq!(response.status(), 200);
        response.text().await.unwrap()
    }));
    for answer in answers.await {
        assert!(answer.contains("message_stop"), "{answer}");
    }
    assert_eq!(upstream.recorder().seen().len(), 61);
    assert!(
        front.connections() < 15,
        "{} connections for 60 requests",
        front.connections()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_ends_its_own_stream_only() {
    let (app, upstream, front) = start(&["h2"]).await;
    let url = format!("{}/~chunks=30;chunkDelayMs=30", front.base());
    app.provider("a", "claude", &url, json!({})).await;
    let body = message(10, true);
    assert_eq!(
        app.post("/v1/messages", &message(10, false)).await.status(),
        200
    );
    let stays = async {
        let response = app.post("/v1/messages", &body).await;
        response.text().await.unwrap()
    };
    let leaves = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for _ in 0..10 {
            let mut response = app.post("/v1/messages", &body).await;
            response.chunk().await.unwrap();
        }
    };
    let (answer, ()) = tokio::join!(stays, leaves);
    assert!(answer.contains("message_stop"), "{answer}");
    let is_quiet = |recorder: &Recorder| recorder.in_flight() == 0;
    assert!(upstream.recorder().wait_until(LIMIT, is_quiet).await);
    assert_eq!(
        app.post("/v1/messages", &message(10, false)).await.status(),
        200
    );
    assert!(
        front.connections() < 4,
        "{} connections",
        front.connections()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_do_not_read_hold_back_nobody_on_their_connection() {
    let (app, upstream, front) = start(&["h2"]).await;
    let large = format!("{}/~chunks=600;chunkBytes=50000", front.base());
    app.provider("large", "claude", &large, json!({"allowedModels": ["m"]}))
        .await;
    let small = json!({"allowedModels": ["small"]});
    app.provider("small", "claude", &front.base(), small).await;
    let mut stalled = Vec::new();
    for _ in 0..12 {
        let mut response = app.post("/v1/messages", &message(10, true)).await;
        assert_eq!(response.status(), 200);
        response.chunk().await.unwrap();
        stalled.push(response);
    }
    // Long enough for all that fits to have come.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let before = Instant::now();
    for _ in 0..5 {
        let body = json!({"model": "small", "messages": []});
        let response = app.post("/v1/messages", &body).await;
        assert!(response.text().await.unwrap().contains("PO"));
    }
    assert!(before.elapsed() < Duration::from_secs(3));
    let are_stalled = |recorder: &Recorder| recorder.in_flight() == stalled.len();
    assert!(upstream.recorder().wait_until(LIMIT, are_stalled).await);
    assert_eq!(front.connections(), 1, "they are on one connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_is_told_as_over_http_1() {
    for (script, told) in [
        (
            "chunks=9;chunkDelayMs=20;closeAfterEvents=5",
            "upstream_cut",
        ),
        (
            "chunks=9;chunkDelayMs=20;resetAfterEvents=5",
            "upstream_cut",
        ),
    ] {
        let (app, _upstream, front) = start(&["h2"]).await;
        let url = format!("{}/~{script}", front.base());
        app.provider("a", "claude", &url, json!({})).await;
        let response = app.post("/v1/messages", &message(10, true)).await;
        assert_eq!(response.status(), 200);
        let answer = response.text().await.unwrap();
        assert!(answer.contains("event: error"), "{script}: {answer}");
        let row = app.row().await;
        assert!(row.to_string().contains(told), "{script}: {row:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_and_a_broken_connection_move_on() {
    for (script, fault) in [
        ("status=429", "provider"),
        // Whether the writing or the reading notices first is chance.
        ("resetBeforeHead", "network provider"),
        ("closeBeforeHead", "network provider"),
    ] {
        let (app, upstream, front) = start(&["h2"]).await;
        let first = format!("{}/~{script}", front.base());
        moves_on(&app, &upstream, &first, fault).await;
    }
}

/// A first provider at `url` fails a large request; a second answers it.
async fn moves_on(app: &TestApp, good: &Upstream, url: &str, fault: &str) {
    app.provider("first", "claude", url, json!({"priority": 0}))
        .await;
    app.provider("second", "claude", &good.url(""), json!({"priority": 1}))
        .await;
    let before = Instant::now();
    let response = app.post("/v1/messages", &message(3_000_000, true)).await;
    assert_eq!(response.status(), 200, "{url}");
    let answer = response.text().await.unwrap();
    assert!(answer.contains("message_stop"), "{url}: {answer}");
    assert!(before.elapsed() < Duration::from_secs(10), "{url}");
    let row = app.row().await;
    assert_eq!(row["chain"][0]["outcome"], "failed", "{url}: {row:#}");
    let found = row["chain"][0]["fault"].as_str().unwrap();
    assert!(fault.split(' ').any(|one| one == found), "{url}: {row:#}");
    assert_eq!(row["chain"][1]["outcome"], "completed", "{url}: {row:#}");
}

/// An HTTP/2 server that does what the fake upstream cannot: the path says what.
async fn odd_server() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let goes = Arc::new(Notify::new());
                let at_hand = goes.clone();
                let service = service_fn(move |request| odd(request, at_hand.clone()));
                let connection = http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(socket), service);
                let mut connection = std::pin::pin!(connection);
                tokio::select! {
                    _ = connection.as_mut() => return,
                    () = goes.notified() => connection.as_mut().graceful_shutdown(),
                }
                let _ = connection.await;
            });
        }
    });
    at
}

type Pieces = StreamBody<BoxStream<'static, Result<Frame<Bytes>, std::io::Error>>>;

async fn odd(
    request: Request<Incoming>,
    goes: Arc<Notify>,
) -> Result<Response<Pieces>, std::io::Error> {
    let path = request.uri().path().to_owned();
    let event = |text: &'static str| Ok(Frame::data(Bytes::from_static(text.as_bytes())));
    let whole = "{\"type\":\"message\",\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}";
    let (status, kind, pieces) = if path.starts_with("/early/") {
        // Nothing of the body is read.
        (429, "application/json", vec![event("{\"error\":{}}")])
    } else if path.starts_with("/reset/") {
        let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":9}}}\n\n\
                     event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"PO\"}}\n\n";
        let broken = Err(std::io::Error::other("no more"));
        (200, "text/event-stream", vec![event(start), broken])
    } else {
        request
            .into_body()
            .collect()
            .await
            .map_err(std::io::Error::other)?;
        goes.notify_one();
        (200, "application/json", vec![event(whole)])
    };
    let paced = stream::iter(pieces).then(|piece| async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        piece
    });
    Ok(Response::builder()
        .status(status)
        .header("content-type", kind)
        .body(StreamBody::new(paced.boxed()))
        .unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_before_the_body_was_read_moves_on() {
    let good = Upstream::start().await;
    let front = TlsFront::start(&odd_server().await, &["h2"]).await;
    let app = trusting(&front).await;
    moves_on(&app, &good, &format!("{}/early", front.base()), "provider").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_reset_is_cut_and_its_connection_goes_on() {
    let front = TlsFront::start(&odd_server().await, &["h2"]).await;
    let app = trusting(&front).await;
    let url = format!("{}/reset", front.base());
    app.provider("a", "claude", &url, json!({})).await;
    for _ in 0..3 {
        let response = app.post("/v1/messages", &message(10, true)).await;
        let answer = response.text().await.unwrap();
        assert!(answer.contains("PO"), "{answer}");
        assert!(answer.contains("event: error"), "{answer}");
    }
    let row = app.rows(3).await.remove(0);
    assert!(row.to_string().contains("upstream_cut"), "{row:#}");
    assert_eq!(front.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_says_goodbye_costs_no_request() {
    let front = TlsFront::start(&odd_server().await, &["h2"]).await;
    let app = trusting(&front).await;
    app.provider("a", "claude", &front.base(), json!({"maxAttempts": 1}))
        .await;
    for _ in 0..10 {
        let response = app.post("/v1/messages", &message(10, false)).await;
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_without_http_2_is_spoken_to_in_http_1() {
    let (app, upstream, front) = start(&["http/1.1"]).await;
    app.provider("a", "claude", &front.base(), json!({})).await;
    for _ in 0..3 {
        let response = app.post("/v1/messages", &message(100_000, false)).await;
        assert_eq!(response.status(), 200);
    }
    for seen in upstream.recorder().seen() {
        assert_eq!(seen.version, "HTTP/1.1");
    }
    // The next request may come before the connection is back in the pool.
    assert!(front.connections() < 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_nobody_is_not_trusted() {
    let upstream = Upstream::start().await;
    let behind = upstream.url("");
    let front = TlsFront::start(behind.strip_prefix("http://").unwrap(), &["h2"]).await;
    let app = TestApp::start().await;
    app.provider("a", "claude", &front.base(), json!({})).await;
    let response = app.post("/v1/messages", &message(10, false)).await;
    assert_eq!(response.status(), 503);
    assert!(upstream.recorder().seen().is_empty());
    assert!(app.row().await.to_string().contains("network"));
}
