//! Tests of the fake provider, over real sockets.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{MockUpstream, Recorder, Stage};

mod bad_answers;
mod control;
mod failures;
mod protocols;
mod recording;
mod scripts;
mod streams;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running mock and a client for it.
struct Running {
    addr: SocketAddr,
    recorder: Recorder,
    stage: Stage,
    client: reqwest::Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// An event as it arrived.
#[derive(Debug, PartialEq)]
struct Event {
    name: Option<String>,
    data: String,
}

// === impl Running ===

impl Running {
    async fn start() -> Self {
        let mock = MockUpstream::bind((Ipv4Addr::LOCALHOST, 0).into())
            .await
            .unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        Self {
            addr: mock.addr(),
            recorder: mock.recorder(),
            stage: mock.stage(),
            client: reqwest::Client::builder()
                .timeout(PATIENCE)
                .build()
                .unwrap(),
            stop,
            task: tokio::spawn(mock.run(async {
                stopped.await.ok();
            })),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    async fn post(&self, path: &str, body: &Value) -> reqwest::Result<reqwest::Response> {
        self.client.post(self.url(path)).json(body).send().await
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    /// Posts and reads a successful answer.
    async fn answer(&self, path: &str, body: &Value) -> Value {
        let response = self.post(path, body).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    /// Posts and reads a stream to its end.
    async fn stream(&self, path: &str, body: &Value) -> Vec<Event> {
        let response = self.post(path, body).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        events(&response.text().await.unwrap())
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .unwrap()
            .unwrap();
    }
}

// === impl Event ===

impl Event {
    fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

fn events(text: &str) -> Vec<Event> {
    let text = text.replace("\r\n", "\n");
    text.split("\n\n")
        .filter(|event| !event.is_empty())
        .map(|event| {
            let field = |name| event.lines().find_map(|line| line.strip_prefix(name));
            Event {
                name: field("event: ").map(str::to_owned),
                data: field("data: ").unwrap().to_owned(),
            }
        })
        .collect()
}

fn names(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event.name.as_deref().unwrap())
        .collect()
}

fn messages(stream: bool) -> Value {
    json!({
        "model": "claude-test",
        "max_tokens": 10,
        "stream": stream,
        "messages": [{ "role": "user", "content": "say PONG" }],
    })
}
