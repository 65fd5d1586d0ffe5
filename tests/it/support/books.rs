//! A fake upstream that keeps books: of each answer, what it has said on the wire that it used, and how the answer ended.
//!
//! It shares nothing with the gateway but the protocols. Every answer says a number of input tokens of its own, so that a usage line can
//! be matched with the answer it is about.

mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::Random;

/// Tokens in disjoint buckets; reasoning is a part of the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    pub input: i64,
    pub cache_read: i64,
    pub cache_write_5m: i64,
    pub cache_write_1h: i64,
    pub output: i64,
    pub reasoning: i64,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It goes on.
    Not,
    /// All of it was sent.
    Whole,
    /// We broke it off, in good order.
    Cut,
    /// It was an error, or nothing at all.
    Failed,
    /// The other side was gone before all of it was sent.
    Left,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The number of the request, as its text says.
    pub request: u64,
    /// The number of the provider, as its path says.
    pub provider: usize,
    /// Whether it began with 200.
    pub is_good: bool,
    /// The last usage that was sent.
    pub said: Option<Tokens>,
    /// The usage is the last word.
    pub is_terminal: bool,
    /// How it ended.
    pub ended: Ended,
    /// When.
    pub at: Instant,
    /// The connection was closed by the other side right behind it.
    pub is_closed_behind: bool,
}

/// How to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// In good order.
    Whole,
    /// In good order, the first event late by so many milliseconds.
    Slow(u64),
    /// With an error of this status.
    Status(u16),
    /// By closing the connection.
    Close,
    /// 200, and then an error.
    ErrorInside,
    /// Broken off after this part (in percent) of the events.
    Cut(u64),
    /// Not at all, until the other side leaves.
    Hang,
}

/// Says how to answer: by the number of the request, and of the attempt at it from 0.
pub type Director = Arc<dyn Fn(u64, u64) -> Scene + Send + Sync>;

/// How to answer, and at what pace.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    pub script: Script,
    /// Milliseconds between two events.
    pub pause: u64,
}

/// The upstream. Runs until dropped.
pub struct Books {
    base: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    director: Director,
    seed: u64,
    entries: Mutex<Vec<Entry>>,
    attempts: Mutex<HashMap<u64, u64>>,
}

/// What is asked.
struct Ask {
    request: u64,
    provider: usize,
    path: String,
    body: Value,
}

/// An event, and what has been said of usage once it is sent.
struct Event {
    text: String,
    said: Option<Tokens>,
    is_terminal: bool,
}

/// What an answer's input tokens begin with; its number is added.
pub const FIRST_INPUT: i64 = 10_000;

// === impl Books ===

impl Books {
    /// Starts one on a free port.
    pub async fn start(seed: u64, director: Director) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            director,
            seed,
            entries: Mutex::default(),
            attempts: Mutex::default(),
        });
        let serving = shared.clone();
        let task = tokio::spawn(async move {
            let mut running = tokio::task::JoinSet::new();
            loop {
                let Ok((socket, _)) = listener.accept().await else {
                    continue;
                };
                while running.try_join_next().is_some() {}
                socket.set_nodelay(true).unwrap();
                running.spawn(serve(socket, serving.clone()));
            }
        });
        Self { base, shared, task }
    }

    /// The address as this provider.
    pub fn url(&self, provider: usize) -> String {
        format!("{}/p{provider}", self.base)
    }

    /// The books.
    pub fn entries(&self) -> Vec<Entry> {
        self.shared.entries.lock().unwrap().clone()
    }

    /// Answers under way.
    pub fn open(&self) -> usize {
        let entries = self.shared.entries.lock().unwrap();
        entries.iter().filter(|e| e.ended == Ended::Not).count()
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut socket: TcpStream, shared: Arc<Shared>) {
    let mut buffer = Vec::new();
    let mut last = None;
    loop {
        let Some(ask) = receive(&mut socket, &mut buffer).await else {
            if let Some(last) = last {
                shared.edit(last, |entry| entry.is_closed_behind = true);
            }
            return;
        };
        let (index, attempt) = shared.enter(&ask);
        last = Some(index);
        let scene = (shared.director)(ask.request, attempt);
        let (ended, goes_on) = answer(&mut socket, &shared, index, &ask, scene).await;
        shared.edit(index, |entry| {
            entry.ended = ended;
            entry.at = Instant::now();
        });
        if !goes_on {
            let _ = socket.shutdown().await;
            return;
        }
    }
}

/// One request; none when the connection ends.
async fn receive(socket: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Ask> {
    let mut chunk = [0; 8192];
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
            let length = head
                .lines()
                .find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length")
                        .then(|| value.trim().parse::<usize>().unwrap())
                })
                .unwrap_or_else(|| panic!("a request without a length: {head}"));
            if buffer.len() >= end + 4 + length {
                let body = serde_json::from_slice(&buffer[end + 4..end + 4 + length]).unwrap();
                buffer.drain(..end + 4 + length);
                return Some(Ask::new(&head, body));
            }
        }
        match socket.read(&mut chunk).await {
            Ok(read) if read > 0 => buffer.extend_from_slice(&chunk[..read]),
            _ => return None,
        }
    }
}

/// Answers; says how that ended and whether the connection goes on.
async fn answer(
    socket: &mut TcpStream,
    shared: &Shared,
    index: usize,
    ask: &Ask,
    scene: Scene,
) -> (Ended, bool) {
    let tokens = shared.tokens(index, ask);
    let mut events = if ask.is_stream() {
        ask.events(&tokens)
    } else {
        vec![Event {
            text: ask.whole(&tokens),
            said: Some(tokens),
            is_terminal: true,
        }]
    };
    let mut kept = events.len();
    match scene.script {
        Script::Whole => {}
        Script::Slow(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Script::Status(status) => {
            let body =
                json!({"type": "error", "error": {"type": "api_error", "message": "told to fail"}});
            let head = format!("HTTP/1.1 {status} Error\r\nContent-Type: application/json\r\n");
            let body = body.to_string();
            let text = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            let is_sent = socket.write_all(text.as_bytes()).await.is_ok();
            return (Ended::Failed, is_sent);
        }
        Script::Close => return (Ended::Failed, false),
        Script::ErrorInside => {
            kept = 0;
            events = vec![Event {
                text: ask.error(),
                said: None,
                is_terminal: false,
            }];
        }
        Script::Cut(percent) => {
            let part = u64::try_from(events.len()).unwrap() * percent / 100;
            kept = usize::try_from(part).unwrap().min(events.len() - 1);
        }
        Script::Hang => {
            let _ = socket.read(&mut [0; 16]).await;
            return (Ended::Left, false);
        }
    }
    if is_gone(socket) {
        return (Ended::Left, false);
    }
    let is_cut = matches!(scene.script, Script::Cut(_));
    events.truncate(kept.max(usize::from(!is_cut)));
    shared.edit(index, |entry| entry.is_good = true);
    let length: usize = events.iter().map(|event| event.text.len()).sum();
    let is_stream = ask.is_stream();
    let framing = match (is_stream, is_cut) {
        (true, _) => "Transfer-Encoding: chunked".to_owned(),
        // More is announced than comes.
        (false, true) => "Content-Length: 100000".to_owned(),
        (false, false) => format!("Content-Length: {length}"),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\n{framing}\r\n\r\n",
        ask.content_type()
    );
    if socket.write_all(head.as_bytes()).await.is_err() {
        return (Ended::Left, false);
    }
    for (at, event) in events.iter().enumerate() {
        if at > 0 && scene.pause > 0 {
            tokio::time::sleep(Duration::from_millis(scene.pause)).await;
        }
        if is_gone(socket) {
            return (Ended::Left, false);
        }
        let text = if is_stream {
            format!("{:x}\r\n{}\r\n", event.text.len(), event.text)
        } else {
            event.text.clone()
        };
        if socket.write_all(text.as_bytes()).await.is_err() {
            return (Ended::Left, false);
        }
        shared.edit(index, |entry| {
            entry.said = event.said.or(entry.said);
            entry.is_terminal |= event.is_terminal;
        });
    }
    if is_cut {
        return (Ended::Cut, false);
    }
    let is_sent = !is_stream || socket.write_all(b"0\r\n\r\n").await.is_ok();
    (if is_sent { Ended::Whole } else { Ended::Left }, is_sent)
}

/// Whether the other side has closed. It sends nothing while it waits for an answer.
fn is_gone(socket: &TcpStream) -> bool {
    let mut byte = [0];
    match socket.try_read(&mut byte) {
        Ok(_) => true,
        Err(e) => e.kind() != std::io::ErrorKind::WouldBlock,
    }
}

// === impl Shared ===

impl Shared {
    fn enter(&self, ask: &Ask) -> (usize, u64) {
        let mut attempts = self.attempts.lock().unwrap();
        let attempt = attempts.entry(ask.request).or_default();
        *attempt += 1;
        let mut entries = self.entries.lock().unwrap();
        entries.push(Entry {
            request: ask.request,
            provider: ask.provider,
            is_good: false,
            said: None,
            is_terminal: false,
            ended: Ended::Not,
            at: Instant::now(),
            is_closed_behind: false,
        });
        (entries.len() - 1, *attempt - 1)
    }

    fn edit(&self, index: usize, change: impl FnOnce(&mut Entry)) {
        change(&mut self.entries.lock().unwrap()[index]);
    }

    /// What answer number `index` uses: what its protocol can say.
    fn tokens(&self, index: usize, ask: &Ask) -> Tokens {
        let index = u64::try_from(index).unwrap();
        let mut random = Random::of(&[self.seed, 7, index]);
        let mut up_to = |end: u64| i64::try_from(random.below(end)).unwrap();
        let output = 1 + up_to(900);
        let mut tokens = Tokens {
            input: FIRST_INPUT + i64::try_from(index).unwrap(),
            cache_read: up_to(2) * up_to(50_000),
            output,
            reasoning: up_to(3).min(1) * up_to(u64::try_from(output).unwrap()),
            ..Tokens::default()
        };
        if ask.path.ends_with("/messages") {
            tokens.reasoning = 0;
            tokens.cache_write_5m = up_to(2) * up_to(3_000);
            tokens.cache_write_1h = up_to(2) * up_to(3_000);
        }
        tokens
    }
}

// === impl Ask ===

impl Ask {
    fn new(head: &str, body: Value) -> Self {
        let target = head.split(' ').nth(1).unwrap();
        let (provider, path) = target[2..].split_once('/').unwrap();
        let text = body.to_string();
        let request = text.split('#').nth(1).unwrap();
        Self {
            request: request.parse().unwrap(),
            provider: provider.parse().unwrap(),
            path: format!("/{path}"),
            body,
        }
    }
}
