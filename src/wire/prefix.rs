//! Fingerprints of a conversation's prefix, by which its next turn is recognized.
//!
//! A turn repeats the whole conversation and appends to it, so what a provider has cached of it is recognized by hashing it
//! from the front. `F0` stands for what comes before the messages (system prompt and tools, in whatever order the body has
//! them), and `Fi` for `F0` and the messages up to the i-th. The last [`KEPT`] of these boundaries are kept: one turn ends
//! at one, and the next turn, which adds a few messages, has that boundary among its own. The messages are chained by
//! themselves and `F0` is mixed in at the end, because clients write their messages before their tools as often as behind
//! them.
//!
//! What changes between turns without changing the conversation does not count: the `cache_control` markers that
//! Anthropic's clients move from message to message (whoever passes over the body reports them as cuts), white space
//! between messages, and the system block in which Claude Code sends its billing header.
//!
//! Of a text longer than 1 KiB only a sample is hashed: its length, 256 bytes at either end and 32 bytes of every KiB
//! between, which is a sixth of a usual body and touches memory that the pass over it has just brought in. Two texts of one
//! length that differ only between the samples are therefore taken for one, and so are, very rarely, two others: the hash
//! is fast and not cryptographic. Neither can do more than nominate the wrong one of the providers that the same key may
//! use for the same model anyway: the fingerprint is a hint where a cache may be warm, is never looked up across keys, and
//! decides nothing else.
//!
//! The seed is fixed, so that all nodes of one version agree, and after a restart too. Nothing is stored or sent, so that
//! another version may hash differently.

use std::hash::{BuildHasher, Hasher};
use std::ops::Range;
use std::sync::LazyLock;

use foldhash::quality::{FixedState, FoldHasher};
use memchr::memmem;

/// Boundaries that are kept, the last ones.
pub const KEPT: usize = 16;

/// Changes with every change to what is hashed and how.
const HASH: FixedState = FixedState::with_seed(0x7377_6974_6368_0001);
/// A text up to this length is hashed in full.
const MAX_WHOLE: usize = 1024;
/// Bytes hashed at either end of a longer one.
const EDGE: usize = 256;
/// Distance of the samples between, and their length.
const STEP: usize = 1024;
const SAMPLE: usize = 32;
/// How Claude Code's billing header begins, and how far into its block that is at most.
static BILLING: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(b"\"x-anthropic-billing-header:"));
const BILLING_WITHIN: usize = 160;

/// The prefix of one request's conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    opening: u64,
    kept: [Boundary; KEPT],
    len: usize,
}

/// The end of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Boundary {
    /// Stands for everything up to here.
    pub fingerprint: u64,
    /// Messages up to here.
    pub messages: u32,
    /// Bytes up to here, system prompt and tools included: a measure of what a provider may have cached.
    pub bytes: usize,
}

/// A part of a body that belongs to the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The system prompt or instructions.
    System,
    /// The tools.
    Tools,
    /// The messages.
    Messages,
}

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The client itself: system and developer messages.
    System,
    /// The user.
    User,
    /// The model or a tool.
    Model,
}

/// Text of a body that is hashed, without what does not count.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    body: &'a [u8],
    span: Range<usize>,
    cuts: &'a [Range<usize>],
}

/// Builds a [`Prefix`] from the texts of a body, in the body's order.
#[derive(Debug, Default)]
pub struct Builder {
    system: Digest,
    tools: Digest,
    messages: Messages,
}

/// Texts hashed one after another.
#[derive(Debug, Clone, Copy, Default)]
struct Digest {
    hash: u64,
    bytes: usize,
    count: u32,
}

#[derive(Debug, Default)]
struct Messages {
    all: Digest,
    /// The last boundaries; that of the n-th is at n modulo [`KEPT`].
    kept: [Digest; KEPT],
    /// Boundaries seen, kept or not.
    seen: usize,
    /// The messages before the model first speaks, once it has.
    opening: Option<u64>,
}

// === impl Prefix ===

impl Prefix {
    /// The boundaries that are kept, the deepest first.
    pub fn boundaries(&self) -> impl Iterator<Item = &Boundary> {
        self.kept[..self.len].iter().rev()
    }

    /// The boundary behind the last message.
    #[must_use]
    pub fn tip(&self) -> Boundary {
        self.kept[self.len - 1]
    }

    /// Stands for system prompt, tools and the messages before the model first speaks: the same for every turn of a
    /// conversation, and different between conversations although a client begins all of them with the same system
    /// messages.
    #[must_use]
    pub fn opening(&self) -> u64 {
        self.opening
    }
}

// === impl Text ===

impl<'a> Text<'a> {
    /// The bytes at `span` of `body` but for `cuts`, which are in order.
    #[must_use]
    pub fn new(body: &'a [u8], span: Range<usize>, cuts: &'a [Range<usize>]) -> Self {
        Self { body, span, cuts }
    }

    /// All of it, cuts included.
    #[must_use]
    pub fn uncut(&self) -> &'a [u8] {
        &self.body[self.span.clone()]
    }

    /// What is left between the cuts.
    fn pieces(&self) -> impl Iterator<Item = &'a [u8]> {
        let (body, end) = (self.body, self.span.end);
        let mut at = self.span.start;
        let cuts = self.cuts.iter().map(|cut| (cut.start, cut.end));
        cuts.chain([(end, end)]).map(move |(start, next)| {
            let start = start.min(end);
            let piece = &body[at.min(start)..start];
            at = at.max(next);
            piece
        })
    }

    fn len(&self) -> usize {
        if self.cuts.is_empty() {
            return self.span.len();
        }
        self.pieces().map(<[u8]>::len).sum()
    }

    fn hash_into(&self, hasher: &mut FoldHasher<'_>) -> usize {
        let len = self.len();
        hasher.write_u64(len as u64);
        if len <= MAX_WHOLE {
            for at in (0..len).step_by(EDGE) {
                self.hash_range(at..len.min(at + EDGE), hasher);
            }
        } else {
            self.hash_range(0..EDGE, hasher);
            for at in (STEP..len - EDGE).step_by(STEP) {
                self.hash_range(at..at + SAMPLE, hasher);
            }
            self.hash_range(len - EDGE..len, hasher);
        }
        len
    }

    /// Hashes the bytes at `range`, [`EDGE`] at most, counted without the cuts.
    fn hash_range(&self, range: Range<usize>, hasher: &mut FoldHasher<'_>) {
        if self.cuts.is_empty() {
            return hasher.write(&self.uncut()[range]);
        }
        let mut buffer = [0; EDGE];
        let (mut ahead, mut filled) = (range.start, 0);
        for piece in self.pieces() {
            let skipped = ahead.min(piece.len());
            ahead -= skipped;
            let piece = &piece[skipped..];
            let taken = piece.len().min(range.len() - filled);
            buffer[filled..filled + taken].copy_from_slice(&piece[..taken]);
            filled += taken;
        }
        hasher.write(&buffer[..filled]);
    }
}

// === impl Builder ===

impl Builder {
    /// The part begins; what was seen of it before does not count, because of equal keys the last one does.
    pub fn begin(&mut self, part: Part) {
        match part {
            Part::System => self.system = Digest::default(),
            Part::Tools => self.tools = Digest::default(),
            Part::Messages => self.messages = Messages::default(),
        }
    }

    /// A block of the system prompt, or all of it.
    pub fn system(&mut self, text: &Text<'_>) {
        let start = text.uncut();
        let start = &start[..start.len().min(BILLING_WITHIN)];
        if BILLING.find(start).is_none() {
            self.system.add(text);
        }
    }

    /// The tools.
    pub fn tools(&mut self, text: &Text<'_>) {
        self.tools.add(text);
    }

    /// A message. Who speaks is only asked until the model has.
    pub fn message(&mut self, text: &Text<'_>, speaker: impl FnOnce() -> Speaker) {
        let messages = &mut self.messages;
        let before = messages.all;
        messages.all.add(text);
        if messages.opening.is_none() {
            match speaker() {
                // A request that ends here is no turn of a conversation yet: all of a client's conversations begin with it.
                Speaker::System if messages.seen == 0 => return,
                Speaker::System | Speaker::User => {}
                Speaker::Model if before.count == 0 => {
                    messages.opening = Some(messages.all.hash);
                }
                Speaker::Model => messages.opening = Some(before.hash),
            }
        }
        messages.kept[messages.seen % KEPT] = messages.all;
        messages.seen += 1;
    }

    /// The prefix, unless there is no message that could end one.
    #[must_use]
    pub fn finish(&self) -> Option<Prefix> {
        let Messages {
            all,
            kept,
            seen,
            opening,
        } = &self.messages;
        let base = mixed(self.system.hash, self.tools.hash);
        let len = KEPT.min(*seen);
        let mut prefix = Prefix {
            opening: mixed(base, opening.unwrap_or(all.hash)),
            kept: [Boundary::default(); KEPT],
            len,
        };
        for (at, boundary) in prefix.kept[..len].iter_mut().enumerate() {
            let messages = kept[(seen - len + at) % KEPT];
            *boundary = Boundary {
                fingerprint: mixed(base, messages.hash),
                messages: messages.count,
                bytes: self.system.bytes + self.tools.bytes + messages.bytes,
            };
        }
        (len > 0).then_some(prefix)
    }
}

// === impl Digest ===

impl Digest {
    fn add(&mut self, text: &Text<'_>) {
        let mut hasher = HASH.build_hasher();
        hasher.write_u64(self.hash);
        self.bytes += text.hash_into(&mut hasher);
        self.hash = hasher.finish();
        self.count = self.count.saturating_add(1);
    }
}

fn mixed(first: u64, second: u64) -> u64 {
    let mut hasher = HASH.build_hasher();
    hasher.write_u64(first);
    hasher.write_u64(second);
    hasher.finish()
}

#[cfg(test)]
mod tests;
