//! Requests under way, for people to look at and to end.
//!
//! A request pays for it with one entry in a map, kept by a guard, and with plain stores of what changes. What is told of it is put
//! together when somebody asks.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::domain::caller::Caller;
use crate::domain::protocol::Protocol;

const SHARDS: usize = 16;

/// Requests under way. Clones are the same.
#[derive(Clone, Default)]
pub struct Flights(Arc<[Shard; SHARDS]>);

type Shard = Mutex<HashMap<Uuid, Arc<dyn Passenger>>>;

/// A request that can tell of itself.
pub trait Passenger: Send + Sync {
    /// What does not change.
    fn about(&self) -> About<'_>;

    /// What does.
    fn progress(&self) -> &Progress;
}

/// What does not change about a request.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// The client's session, if it names one.
    pub session_id: Option<&'a str>,
    /// In which protocol.
    pub protocol: Protocol,
    /// For which model.
    pub model: Option<&'a str>,
    /// Whether the client wants a stream.
    pub wants_stream: bool,
}

/// How far a request is.
#[derive(Debug, Default)]
pub struct Progress {
    /// The provider asked last, by id; 0 while there is none.
    provider: AtomicI64,
    attempts: AtomicU32,
    /// Bytes of the answer.
    bytes: AtomicU64,
    is_ended: AtomicBool,
    ending: Notify,
}

/// A request under way, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlight {
    /// Its id, which begins with its time of arrival.
    pub id: Uuid,
    /// Whose.
    pub user_id: i64,
    /// With which key.
    pub key_id: i64,
    /// The provider asked last.
    pub provider_id: Option<i64>,
    /// The client's session, if it names one.
    pub session_id: Option<String>,
    /// In which protocol.
    pub protocol: Protocol,
    /// For which model.
    pub model: Option<String>,
    /// Whether the client wants a stream.
    pub wants_stream: bool,
    /// Attempts begun.
    pub attempts: u32,
    /// Bytes of the answer sent so far; 0 while there is none.
    pub bytes: u64,
}

/// Keeps a request among those under way.
#[must_use = "the request counts as over once this is dropped"]
pub struct FlightGuard {
    flights: Flights,
    id: Uuid,
}

// === impl Flights ===

impl Flights {
    /// A request is under way, until the guard is dropped.
    pub fn enter(&self, id: Uuid, passenger: Arc<dyn Passenger>) -> FlightGuard {
        self.shard(id).lock().insert(id, passenger);
        FlightGuard {
            flights: self.clone(),
            id,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.iter().map(|shard| shard.lock().len()).sum()
    }

    /// All of them, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<InFlight> {
        let mut all: Vec<_> = self
            .all()
            .into_iter()
            .map(|(id, passenger)| InFlight::of(id, &*passenger))
            .collect();
        all.sort_unstable_by_key(|flight| flight.id);
        all
    }

    /// Ends the requests of a session, of one user or of any; how many.
    #[must_use]
    pub fn end_session(&self, session_id: &str, user_id: Option<i64>) -> usize {
        let mut ended = 0;
        for (_, passenger) in self.all() {
            let about = passenger.about();
            let is_its = about.session_id == Some(session_id);
            let is_theirs = user_id.is_none_or(|id| id == about.caller.key.user.id);
            if is_its && is_theirs {
                passenger.progress().end();
                ended += 1;
            }
        }
        ended
    }

    /// The locks are held for as long as pointers are copied, one shard after another.
    fn all(&self) -> Vec<(Uuid, Arc<dyn Passenger>)> {
        let mut all = Vec::new();
        for shard in self.0.iter() {
            let shard = shard.lock();
            all.extend(shard.iter().map(|(id, passenger)| (*id, passenger.clone())));
        }
        all
    }

    fn shard(&self, id: Uuid) -> &Mutex<HashMap<Uuid, Arc<dyn Passenger>>> {
        // The last byte is random, the first ones are the time.
        &self.0[usize::from(id.as_bytes()[15]) % SHARDS]
    }
}

// === impl Progress ===

impl Progress {
    /// A provider is asked.
    pub fn asks(&self, provider: i64) {
        self.provider.store(provider, Relaxed);
        self.attempts.fetch_add(1, Relaxed);
    }

    /// The client has so many bytes of its answer.
    pub fn sent(&self, bytes: u64) {
        self.bytes.store(bytes, Relaxed);
    }

    /// The request is to end.
    pub fn end(&self) {
        self.is_ended.store(true, Relaxed);
        self.ending.notify_waiters();
    }

    /// Whether it is to end.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.is_ended.load(Relaxed)
    }

    /// Resolves when it is to end.
    pub async fn ended(&self) {
        loop {
            let notified = self.ending.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.is_ended() {
                return;
            }
            notified.await;
        }
    }
}

// === impl InFlight ===

impl InFlight {
    fn of(id: Uuid, passenger: &dyn Passenger) -> Self {
        let about = passenger.about();
        let progress = passenger.progress();
        let provider = progress.provider.load(Relaxed);
        Self {
            id,
            user_id: about.caller.key.user.id,
            key_id: about.caller.key.id,
            provider_id: (provider != 0).then_some(provider),
            session_id: about.session_id.map(str::to_owned),
            protocol: about.protocol,
            model: about.model.map(str::to_owned),
            wants_stream: about.wants_stream,
            attempts: progress.attempts.load(Relaxed),
            bytes: progress.bytes.load(Relaxed),
        }
    }
}

// === impl FlightGuard ===

impl Drop for FlightGuard {
    fn drop(&mut self) {
        // What it held is dropped after the lock: it may be a large body.
        let removed = self.flights.shard(self.id).lock().remove(&self.id);
        drop(removed);
    }
}
