//! What the recorder notes, and who is noticed leaving.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{PATIENCE, Running, messages};

#[tokio::test]
async fn a_request_is_noted_as_it_arrived() {
    let mock = Running::start().await;
    let request = mock.client.post(mock.url("/v1/files?a=b"));
    let request = request
        .header("X-Custom", "v")
        .header("authorization", "Bearer k");
    request.body("hello").send().await.unwrap();
    let seen = mock.recorder.wait_for(1, PATIENCE).await.unwrap().remove(0);
    assert_eq!(seen.path_and_query, "/v1/files?a=b");
    assert_eq!(seen.header("x-custom"), Some("v"));
    assert_eq!(seen.header("authorization"), Some("Bearer k"));
    assert_eq!(seen.body, "hello");
    assert_eq!(seen.body_len, 5);
    assert!(!seen.client_gone);
}

#[tokio::test]
async fn large_bodies_are_measured_and_not_kept() {
    let mock = Running::start().await;
    let body = Bytes::from(vec![b'x'; 3 * 1024 * 1024]);
    let digest = {
        use sha2::{Digest, Sha256};
        format!("{:x}", Sha256::digest(&body))
    };
    let url = mock.url("/v1/files");
    mock.client
        .post(url)
        .body(body.clone())
        .send()
        .await
        .unwrap();
    let mut socket = TcpStream::connect(mock.addr).await.unwrap();
    let head = b"POST /v1/files HTTP/1.1\r\nhost: mock\r\ntransfer-encoding: chunked\r\n\r\n";
    socket.write_all(head).await.unwrap();
    for part in body.chunks(100_000) {
        let size = format!("{:x}\r\n", part.len());
        socket.write_all(size.as_bytes()).await.unwrap();
        socket.write_all(part).await.unwrap();
        socket.write_all(b"\r\n").await.unwrap();
    }
    socket.write_all(b"0\r\n\r\n").await.unwrap();
    mock.recorder.wait_for(2, PATIENCE).await.unwrap();
    for seen in mock.recorder.seen() {
        assert_eq!(seen.body_len, 3 * 1024 * 1024);
        assert_eq!(seen.body_sha256, digest);
        assert!(seen.body.is_empty());
    }
    assert_eq!(mock.recorder.seen().len(), 2);
}

#[tokio::test]
async fn only_the_last_thousand_are_kept() {
    let mock = Running::start().await;
    for n in 0..1005 {
        mock.get(&format!("/v1/files/{n}")).await;
    }
    let seen = mock.recorder.seen();
    assert_eq!(seen.len(), 1000);
    assert_eq!(seen[0].path_and_query, "/v1/files/5");
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed() {
    for (script, version) in [
        ("stallAfterEvents=4", "h1"),
        ("stallAfterEvents=4", "h2"),
        ("hangBeforeHead", "h1"),
        ("hangBeforeHead", "h2"),
    ] {
        let mock = Running::start().await;
        let client = match version {
            "h1" => reqwest::Client::new(),
            _ => reqwest::Client::builder()
                .http2_prior_knowledge()
                .build()
                .unwrap(),
        };
        let url = mock.url(&format!("/~{script}/v1/messages"));
        let request = client.post(url).json(&messages(true)).send();
        let request = tokio::spawn(async move { request.await.unwrap().bytes().await });
        let seen = mock.recorder.wait_for(1, PATIENCE).await.unwrap();
        assert!(!seen[0].client_gone);
        assert_eq!(mock.recorder.in_flight(), 1);
        request.abort();
        drop(client);
        let gone = mock
            .recorder
            .wait_until(PATIENCE, |recorder| recorder.in_flight() == 0);
        assert!(gone.await, "{script} {version}");
        assert!(mock.recorder.seen()[0].client_gone, "{script} {version}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_noted_too() {
    let mock = Running::start().await;
    let mut socket = TcpStream::connect(mock.addr).await.unwrap();
    let head = b"POST /v1/messages HTTP/1.1\r\nhost: mock\r\ncontent-length: 100\r\n\r\n{";
    socket.write_all(head).await.unwrap();
    assert!(
        mock.recorder
            .wait_until(PATIENCE, |recorder| recorder.in_flight() == 1)
            .await
    );
    drop(socket);
    let seen = mock.recorder.wait_for(1, PATIENCE).await.unwrap();
    assert!(seen[0].client_gone);
}

#[tokio::test]
async fn waiting_in_vain_says_so() {
    let mock = Running::start().await;
    let waited = mock.recorder.wait_for(1, Duration::from_millis(20)).await;
    assert!(waited.unwrap_err().to_string().contains("0 arrived"));
}

#[tokio::test]
async fn stopping_ends_the_connections() {
    let mock = Running::start().await;
    let path = "/~stallAfterEvents=1/v1/messages";
    let response = mock.post(path, &messages(true)).await.unwrap();
    let addr = mock.addr;
    mock.stop().await;
    assert!(response.bytes().await.is_err());
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn two_thousand_streams_run_side_by_side() {
    let mock = Running::start().await;
    let client = reqwest::Client::builder().http2_prior_knowledge();
    let client = client.timeout(Duration::from_secs(60)).build().unwrap();
    let mut streams = tokio::task::JoinSet::new();
    for _ in 0..2000 {
        let url = mock.url("/~chunks=10;chunkDelayMs=20/v1/messages");
        let request = client.post(url).json(&messages(true)).send();
        streams.spawn(async move { request.await.unwrap().text().await.unwrap() });
    }
    while let Some(text) = streams.join_next().await {
        assert!(text.unwrap().ends_with("{\"type\":\"message_stop\"}\n\n"));
    }
    assert_eq!(mock.recorder.in_flight(), 0);
}
