//! The real binary: it starts, drains and ends as an operator expects.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::{TestApp, Upstream, eventually, http};

const TOKEN: &str = "shutdown-admin-token-0123456789";

struct Process {
    child: Child,
    base: String,
}

impl Process {
    async fn start(data: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new(env!("CARGO_BIN_EXE_switchyard"))
            .arg("serve")
            .current_dir(data)
            .env_clear()
            .env("DATA_DIR", data)
            .env("ADMIN_TOKEN", TOKEN)
            .env("APP_PORT", port.to_string())
            .env("HOSTNAME", "127.0.0.1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let process = Self { child, base };
        eventually("readiness", || async {
            let ready = ask_readiness(&process.base).await.ok()?;
            (ready.status() == 200).then_some(())
        })
        .await;
        process
    }

    fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    async fn exit_code(&mut self) -> Option<i32> {
        let child = std::cell::RefCell::new(&mut self.child);
        eventually("the process to end", || async {
            child.borrow_mut().try_wait().unwrap()
        })
        .await
        .code()
    }

    async fn admin(&self, method: reqwest::Method, path: &str, body: Value) -> Value {
        http()
            .build()
            .unwrap()
            .request(method, format!("{}/api/v1{path}", self.base))
            .bearer_auth(TOKEN)
            .json(&body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }
}

async fn ask_readiness(base: &str) -> reqwest::Result<reqwest::Response> {
    let url = format!("{base}/api/health/ready");
    http().build().unwrap().get(url).send().await
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_drains_a_live_stream_and_flushes_the_log() {
    let upstream = Upstream::start().await;
    let data = tempfile::tempdir().unwrap();
    let mut process = Process::start(data.path()).await;
    let post = reqwest::Method::POST;
    let url = upstream.url("chunks=20;chunkDelayMs=100");
    process
        .admin(
            post.clone(),
            "/providers",
            json!({"name": "a", "type": "claude", "url": url, "apiKey": "k"}),
        )
        .await;
    let user = process
        .admin(post.clone(), "/users", json!({"name": "ann"}))
        .await;
    let key = process
        .admin(
            post,
            &format!("/users/{}/keys", user["id"]),
            json!({"name": "k"}),
        )
        .await;
    let key = key["key"].as_str().unwrap().to_owned();
    let response = http()
        .build()
        .unwrap()
        .post(format!("{}/v1/messages", process.base))
        .header("x-api-key", &key)
        .json(&json!({"model": "m", "stream": true}))
        .send()
        .await
        .unwrap();
    let mut body = response.bytes_stream();
    let mut text = String::from_utf8_lossy(&body.next().await.unwrap().unwrap()).into_owned();
    process.terminate();
    eventually("readiness to say no", || async {
        let ready = ask_readiness(&process.base).await.ok()?;
        (ready.status() == 503).then_some(())
    })
    .await;
    while let Some(chunk) = body.next().await {
        text.push_str(&String::from_utf8_lossy(&chunk.unwrap()));
    }
    assert!(text.contains("message_stop"), "{text}");
    assert_eq!(process.exit_code().await, Some(0));

    let again = Process::start(data.path()).await;
    let rows = again
        .admin(reqwest::Method::GET, "/requests", Value::Null)
        .await;
    let rows = rows["items"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["settledFrom"], "terminal");
    assert_eq!(rows[0]["usage"]["outputTokens"], 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_gateway_ends_at_once() {
    let data = tempfile::tempdir().unwrap();
    let mut process = Process::start(data.path()).await;
    process.terminate();
    let begun = std::time::Instant::now();
    assert_eq!(process.exit_code().await, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_first_start_prints_the_token_and_the_next_steps_once() {
    let data = tempfile::tempdir().unwrap();
    let start = || {
        let mut child = Command::new(env!("CARGO_BIN_EXE_switchyard"))
            .current_dir(data.path())
            .env_clear()
            .env("DATA_DIR", data.path())
            .env("APP_PORT", "0")
            .env("HOSTNAME", "127.0.0.1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut log = log.lines().map_while(Result::ok);
        assert!(log.any(|line| line.contains("switchyard is listening")));
        std::thread::spawn(move || log.count());
        assert!(
            Command::new("kill")
                .args(["-TERM", &child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let first = start();
    assert!(
        first.contains("ADMIN_TOKEN=")
            && first.contains("/api/v1/providers")
            && first.contains("claude"),
        "{first}"
    );
    let token = first
        .split("ADMIN_TOKEN=")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    assert!(token.len() >= 32);
    assert!(!start().contains("ADMIN_TOKEN="));
    for entry in std::fs::read_dir(data.path()).unwrap() {
        let path = entry.unwrap().path();
        if let Ok(bytes) = std::fs::read(&path) {
            assert!(
                !String::from_utf8_lossy(&bytes).contains(token),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn every_mistake_in_the_configuration_is_reported_and_nothing_starts() {
    let data = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_switchyard"))
        .current_dir(data.path())
        .env_clear()
        .env("DATA_DIR", data.path())
        .env("APP_PORT", "many")
        .env("ADMIN_TOKEN", "change-me")
        .env("AUTO_MIGRATE", "perhaps")
        .env("DSN", "mysql://x")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    for name in ["APP_PORT", "ADMIN_TOKEN", "AUTO_MIGRATE", "DSN"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_outlasts_the_drain_time_is_told_and_settled() {
    let upstream = Upstream::start().await;
    let mut app = TestApp::builder()
        .settings(|settings| settings.server.drain = Duration::from_millis(500))
        .start()
        .await;
    app.provider(
        "a",
        "claude",
        &upstream.url("chunks=1000;chunkDelayMs=50;input=33"),
        json!({}),
    )
    .await;
    let response = app
        .post("/v1/messages", &json!({"model": "m", "stream": true}))
        .await;
    let running = app.take();
    let (is_clean, text) = tokio::join!(running.stop(), response.text());
    assert!(!is_clean);
    let text = text.unwrap();
    assert!(
        text.trim_end()
            .rsplit("\n\n")
            .next()
            .unwrap()
            .starts_with("event: error"),
        "{text}"
    );
    let app = app.restart().await;
    let row = app.row().await;
    assert_eq!(row["errorCode"], "upstream_cut", "{row:#}");
    assert_eq!(row["settledFrom"], "partial", "{row:#}");
    assert_eq!(row["usage"]["inputTokens"], 33, "{row:#}");
}
