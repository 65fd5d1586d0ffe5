//! What arrived: the last requests with their bodies, how many are being answered, and who left early.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use entity::value::hex;
use serde::Serialize;
use tokio::sync::watch;

/// A handle to what a running mock has seen; clones share it.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

/// One request as it arrived.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// When its head arrived.
    pub at: DateTime<Utc>,
    /// Its method.
    pub method: String,
    /// The target as sent, script segments included.
    pub path_and_query: String,
    /// The protocol, such as `HTTP/1.1`.
    pub version: String,
    /// The headers in order; names in lower case, bytes that are not UTF-8 replaced.
    pub headers: Vec<(String, String)>,
    /// Bytes of body that arrived.
    pub body_len: u64,
    /// SHA-256 of the body, in hexadecimal.
    pub body_sha256: String,
    /// The body, kept up to 1 MiB and as long as all bodies kept fit 256 MiB; else empty.
    #[serde(skip)]
    pub body: Bytes,
    /// The client left before the answer was complete.
    pub client_gone: bool,
}

/// Fewer requests arrived in time than were waited for.
#[derive(Debug, thiserror::Error)]
#[error("waited {waited:?} for {wanted} requests, {arrived} arrived")]
pub struct TooFew {
    wanted: usize,
    arrived: usize,
    waited: Duration,
}

struct Shared {
    list: Mutex<List>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct List {
    entries: VecDeque<Entry>,
    kept_bytes: usize,
    in_flight: usize,
}

struct Entry {
    seen: Seen,
    gone: Arc<AtomicBool>,
}

/// A request being answered. Dropped before [`Visit::finish`], it notes that the client left.
pub(super) struct Visit {
    recorder: Recorder,
    draft: Option<Seen>,
    gone: Arc<AtomicBool>,
    finished: bool,
}

const MAX_ENTRIES: usize = 1000;
const MAX_BODY: usize = 1024 * 1024;
const MAX_KEPT: usize = 256 * 1024 * 1024;

// === impl Recorder ===

impl Recorder {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared {
            list: Mutex::default(),
            changes: watch::Sender::new(0),
        }))
    }

    /// The last 1,000 requests, oldest first. One is in the list once its body has arrived, or failed to.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.lock().entries.iter().map(Entry::read).collect()
    }

    /// Forgets them.
    pub fn clear(&self) {
        let mut list = self.lock();
        list.entries.clear();
        list.kept_bytes = 0;
    }

    /// Requests whose answer is not complete.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.lock().in_flight
    }

    /// Waits until `wanted` requests are in the list, and returns it.
    ///
    /// # Errors
    ///
    /// They did not arrive in time.
    pub async fn wait_for(&self, wanted: usize, timeout: Duration) -> Result<Vec<Seen>, TooFew> {
        let enough = |recorder: &Self| recorder.lock().entries.len() >= wanted;
        if self.wait_until(timeout, enough).await {
            return Ok(self.seen());
        }
        Err(TooFew {
            wanted,
            arrived: self.lock().entries.len(),
            waited: timeout,
        })
    }

    /// Waits until `holds` is true of the recorder. False when it was not within `timeout`.
    pub async fn wait_until(&self, timeout: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        let mut changes = self.0.changes.subscribe();
        let held = async {
            while !holds(self) {
                if changes.changed().await.is_err() {
                    break;
                }
            }
        };
        tokio::time::timeout(timeout, held).await.is_ok()
    }

    /// Notes a head that arrived.
    pub(super) fn enter(&self, head: &http::request::Parts) -> Visit {
        self.lock().in_flight += 1;
        self.changed();
        let draft = Seen::new(head);
        Visit {
            recorder: self.clone(),
            draft: Some(draft),
            gone: Arc::default(),
            finished: false,
        }
    }

    fn push(&self, seen: Seen, gone: Arc<AtomicBool>) {
        let mut list = self.lock();
        list.kept_bytes += seen.body.len();
        list.entries.push_back(Entry { seen, gone });
        if list.entries.len() > MAX_ENTRIES
            && let Some(oldest) = list.entries.pop_front()
        {
            list.kept_bytes -= oldest.seen.body.len();
        }
        if list.kept_bytes > MAX_KEPT {
            list.drop_oldest_bodies();
        }
        drop(list);
        self.changed();
    }

    fn changed(&self) {
        self.0
            .changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

// === impl List ===

impl List {
    fn drop_oldest_bodies(&mut self) {
        for entry in &mut self.entries {
            if self.kept_bytes <= MAX_KEPT {
                break;
            }
            self.kept_bytes -= entry.seen.body.len();
            entry.seen.body = Bytes::new();
        }
    }
}

// === impl Entry ===

impl Entry {
    fn read(&self) -> Seen {
        Seen {
            client_gone: self.gone.load(Ordering::Acquire),
            ..self.seen.clone()
        }
    }
}

// === impl Seen ===

impl Seen {
    /// The first header of that name (given in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn new(head: &http::request::Parts) -> Self {
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Self {
            at: Utc::now(),
            method: head.method.to_string(),
            path_and_query: head
                .uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string),
            version: format!("{:?}", head.version),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            body_len: 0,
            body_sha256: sha256(&[]),
            body: Bytes::new(),
            client_gone: false,
        }
    }
}

// === impl Visit ===

impl Visit {
    /// Puts the request in the list, with its body. Returns the body's digest.
    pub(super) fn arrived(&mut self, body: &Bytes) -> String {
        let digest = sha256(body);
        if let Some(mut seen) = self.draft.take() {
            seen.body_len = body.len() as u64;
            seen.body_sha256.clone_from(&digest);
            if body.len() <= MAX_BODY {
                seen.body = body.clone();
            }
            self.recorder.push(seen, self.gone.clone());
        }
        digest
    }

    /// The answer is complete, or cut on our side: a client that leaves now is not noted.
    pub(super) fn finish(&mut self) {
        self.leave(false);
    }

    fn leave(&mut self, early: bool) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.gone.store(early, Ordering::Release);
        self.recorder.lock().in_flight -= 1;
        match self.draft.take() {
            Some(seen) => self.recorder.push(seen, self.gone.clone()),
            None => self.recorder.changed(),
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.leave(true);
    }
}

/// SHA-256 in hexadecimal.
fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes).as_ref())
}
