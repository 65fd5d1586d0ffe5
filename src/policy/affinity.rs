//! Which provider a conversation stays with, so that the prompt cache it has warmed there is used.
//!
//! A provider bills the part of a prompt that it has cached at a tenth, and only it has cached it. So a conversation is
//! best sent where its last turn succeeded. Two signals recognize it:
//!
//! - **Its prefix** ([`wire::prefix`](crate::wire::prefix)): the deepest message boundary at which an earlier request of
//!   this key, protocol and model ended. It says what is really cached, tells the parallel subagents of one session apart,
//!   and needs nothing of the client. System prompt and tools alone match nothing: all conversations of a client share
//!   them.
//! - **Its session id**, for clients that rewrite their history, or add more messages in a turn than boundaries are kept.
//!   Weaker, because subagents inherit the id of the session that started them: it nominates only a request that was alone
//!   in its session when it began. The other ones spread as if they were conversations of their own, which they are.
//!
//! All that comes of it is a nomination. The provider named still passes every check of selection, and the rule of
//! [`stays`].
//!
//! **What is remembered when.** A binding is written after the terminal success of an attempt, never before: a provider
//! that answers 200 and breaks off keeps nobody. A client that goes away says nothing about the provider, so nothing is
//! written or forgotten then. When the nominated provider fails, the bindings that led there are forgotten and the next
//! success, elsewhere, writes new ones: the conversation moves once. It does not go back when the first provider recovers,
//! as nothing points there any more.
//!
//! It is kept in process, in a table of fixed size whose least recently used entry goes first. A node that knows nothing of
//! a conversation yet has [`conversation`], which is the same on every node and for every turn, to begin from.

mod flight;
mod stay;
mod table;

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::quality::FixedState;

pub use self::flight::Flight;
use self::flight::Flights;
pub use self::stay::{Stay, stays};
use self::table::{Binding, Table};
use crate::domain::protocol::Protocol;
use crate::wire::prefix::Prefix;

/// Bindings that are remembered unless told otherwise; each takes some 100 bytes.
const CAPACITY: usize = 100_000;
/// The same on all nodes, and after a restart.
const HASH: FixedState = FixedState::with_seed(0x6166_6669_6e69_0001);

/// What is known of conversations and where they are at home. Clones share it.
#[derive(Debug, Clone)]
pub struct Affinity {
    bindings: Arc<Table>,
    flights: Arc<Flights>,
}

/// What a request shows of the conversation it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The key that asks. Nothing is shared between keys.
    pub key_id: i64,
    /// The client's protocol.
    pub protocol: Protocol,
    /// The model the client asks for.
    pub model: Option<&'a str>,
    /// The client's own id of its session.
    pub session_id: Option<&'a str>,
    /// The prefix of its conversation.
    pub prefix: Option<&'a Prefix>,
    /// How long a conversation that rests is remembered (`sticky_seconds`); zero remembers none.
    pub keep: Duration,
}

/// The provider a conversation would stay with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nominee {
    /// Its id.
    pub provider: i64,
    /// What the conversation was recognized by.
    pub by: Signal,
    /// Time since the last success there.
    pub idle: Duration,
    /// Bytes of the prompt that the provider has seen before; at most, where the session id was the signal.
    pub cached_bytes: usize,
}

/// What a conversation was recognized by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The client's session id.
    Session,
    /// The prefix of its messages.
    Prefix,
}

/// Under what a binding is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Mark {
    key_id: i64,
    hash: u64,
}

/// What identifies a request's conversation, for the first choice of its provider: the same number for every turn and on
/// every node. From the opening of the prefix; without one from the session id; without either it is random.
#[must_use]
pub fn conversation(ask: &Ask<'_>) -> u64 {
    let mark = match ask.prefix {
        Some(prefix) => Some(ask.mark(b"opening", &prefix.opening().to_le_bytes())),
        None => ask.session(),
    };
    let Some(mark) = mark else {
        return fastrand::u64(..);
    };
    let mut hasher = HASH.build_hasher();
    hasher.write_i64(mark.key_id);
    hasher.write_u64(mark.hash);
    hasher.finish()
}

/// What a session's bindings are found by when it ends.
fn session_of(session_id: &str) -> u64 {
    let mut hasher = HASH.build_hasher();
    hasher.write(session_id.as_bytes());
    hasher.finish()
}

// === impl Affinity ===

impl Affinity {
    /// Remembers up to `capacity` bindings; every turn of a conversation writes one, or two with a session id.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            bindings: Arc::new(Table::new(capacity)),
            flights: Arc::default(),
        }
    }

    /// A request has begun. The guard belongs to it until its end.
    pub fn begin(&self, ask: &Ask<'_>) -> Flight {
        self.flights.begin(ask.session())
    }

    /// The provider that the request's conversation was last served by.
    #[must_use]
    pub fn nominate(&self, ask: &Ask<'_>, flight: &Flight, now: Instant) -> Option<Nominee> {
        self.by_prefix(ask, now)
            .or_else(|| self.by_session(ask, flight, now))
    }

    fn by_prefix(&self, ask: &Ask<'_>, now: Instant) -> Option<Nominee> {
        ask.prefix?.boundaries().find_map(|boundary| {
            let mark = ask.boundary(boundary.fingerprint);
            let binding = self.bindings.get(mark, ask.keep, now)?;
            Some(Nominee {
                provider: binding.provider,
                by: Signal::Prefix,
                idle: binding.idle(now),
                cached_bytes: boundary.bytes,
            })
        })
    }

    fn by_session(&self, ask: &Ask<'_>, flight: &Flight, now: Instant) -> Option<Nominee> {
        if !flight.is_alone() {
            return None;
        }
        let binding = self.bindings.get(ask.session()?, ask.keep, now)?;
        Some(Nominee {
            provider: binding.provider,
            by: Signal::Session,
            idle: binding.idle(now),
            // How much the two prompts share is not known, but no more than either has.
            cached_bytes: binding.bytes.min(ask.bytes()),
        })
    }

    /// The request succeeded to its end at this provider: the conversation is at home there.
    pub fn commit(&self, ask: &Ask<'_>, provider: i64, now: Instant) {
        if ask.keep.is_zero() {
            return;
        }
        let binding = Binding {
            provider,
            bytes: ask.bytes(),
            used: now,
            session: ask.session_id.map(session_of),
        };
        if let Some(prefix) = ask.prefix {
            let mut boundaries = prefix.boundaries();
            if let Some(tip) = boundaries.next() {
                self.bindings.put(ask.boundary(tip.fingerprint), binding);
            }
            // Reading a cached prefix keeps it warm, also for other conversations that branch off there.
            for boundary in boundaries {
                let mark = ask.boundary(boundary.fingerprint);
                self.bindings.touch(mark, provider, now);
            }
        }
        if let Some(session) = ask.session() {
            self.bindings.put(session, binding);
        }
    }

    /// The provider failed the request: what led there is forgotten. Not for a request that its client gave up.
    pub fn forget(&self, ask: &Ask<'_>, provider: i64) {
        let boundaries = ask.prefix.into_iter().flat_map(Prefix::boundaries);
        boundaries
            .map(|boundary| ask.boundary(boundary.fingerprint))
            .chain(ask.session())
            .for_each(|mark| self.bindings.remove(mark, provider));
    }

    /// Forgets the conversations of a session of a key, in all protocols and for all models.
    pub fn end_session(&self, key_id: i64, session_id: &str) {
        self.bindings.end_session(key_id, session_of(session_id));
    }

    /// Forgets every conversation of a provider, or all. Returns how many bindings there were.
    pub fn flush(&self, provider: Option<i64>) -> usize {
        self.bindings.flush(provider)
    }
}

impl Default for Affinity {
    fn default() -> Self {
        Self::new(CAPACITY)
    }
}

// === impl Ask ===

impl Ask<'_> {
    fn session(&self) -> Option<Mark> {
        Some(self.mark(b"session", self.session_id?.as_bytes()))
    }

    fn boundary(&self, fingerprint: u64) -> Mark {
        self.mark(b"boundary", &fingerprint.to_le_bytes())
    }

    fn mark(&self, kind: &[u8], value: &[u8]) -> Mark {
        let mut hasher = HASH.build_hasher();
        let model = self.model.unwrap_or_default();
        for part in [
            kind,
            value,
            self.protocol.name().as_bytes(),
            model.as_bytes(),
        ] {
            hasher.write(part);
        }
        Mark {
            key_id: self.key_id,
            hash: hasher.finish(),
        }
    }

    fn bytes(&self) -> usize {
        self.prefix.map_or(0, |prefix| prefix.tip().bytes)
    }
}

#[cfg(test)]
mod tests;
