//! Somebody who is sent messages: a webhook on loopback that keeps what it gets and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::eventually;

/// A message that came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Method and path, with the query.
    pub target: String,
    /// The head, in lower case.
    pub head: String,
    /// The body.
    pub body: Value,
    /// The status it was answered with.
    pub status: u16,
}

/// A webhook. It ends when dropped.
pub struct Receiver {
    base: String,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    task: JoinHandle<()>,
}

// === impl Receiver ===

impl Receiver {
    /// On a free port. It answers 200 and `{}` unless told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let answers: Arc<Mutex<VecDeque<(u16, String)>>> = Arc::default();
        let task = tokio::spawn({
            let (received, answers) = (received.clone(), answers.clone());
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    // One that breaks off is nobody's matter.
                    let _ = serve(stream, &received, &answers).await;
                }
            }
        });
        Self {
            base,
            received,
            answers,
            task,
        }
    }

    /// An address of it.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Answers the next messages so, one after another.
    pub fn answer(&self, answers: impl IntoIterator<Item = (u16, &'static str)>) {
        let answers = answers.into_iter();
        let answers = answers.map(|(status, body)| (status, body.to_owned()));
        self.answers.lock().unwrap().extend(answers);
    }

    /// All that came so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// What came, waited for until there are so many.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        eventually(&format!("{count} messages"), || async {
            let received = self.received();
            (received.len() >= count).then_some(received)
        })
        .await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: TcpStream,
    received: &Mutex<Vec<Received>>,
    answers: &Mutex<VecDeque<(u16, String)>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let target = head.lines().next().unwrap_or_default();
    let target = target.trim_end_matches(" HTTP/1.1").to_owned();
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| {
        let length = line.strip_prefix("content-length:")?;
        length.trim().parse::<usize>().ok()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    let answer = answers.lock().unwrap().pop_front();
    let (status, answer) = answer.unwrap_or_else(|| (200, "{}".to_owned()));
    received.lock().unwrap().push(Received {
        target,
        head,
        body: serde_json::from_slice(&body).unwrap_or_default(),
        status,
    });
    let answer = format!(
        "HTTP/1.1 {status} Said\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}
