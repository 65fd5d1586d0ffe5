//! The meter: feed it an answer's bytes, get the usage.
//!
//! The answer is only read, never held up or kept. A stream goes through the splitter of [`sse`](super::sse), a JSON
//! answer through the scanner of [`scan`](super::scan); which of the two it is, its first byte says, for headers of relays
//! lie. Both work in constant memory, whatever the length of the answer and wherever its chunks end.
//!
//! In a stream only events that can matter are parsed. Before the first content that is nearly every one: the same reading tells how
//! far the answer has come ([`Phase`]), so that whoever holds it back until it says something needs no second parse. Afterwards the
//! text is searched for what may still matter, many events at once, and all others are passed over unread; `sieve.rs` says how.
//! Whether an event is parsed is told by its name, or by a key in its data *with its quotes*: inside a JSON string a quote is
//! escaped, so text that a model writes never looks like a key. Then a small typed struct is read from it; serde skips the rest
//! without building anything.

mod anthropic;
mod chat;
mod dialect;
mod find;
mod gemini;
mod json;
mod later;
mod number;
mod openai;
mod phase;
mod responses;
mod sieve;
mod stream;
mod tally;
mod tier;

pub use self::phase::Phase;

use self::dialect::Dialect;
use self::json::Json;
use self::phase::{Head, Kind};
use self::stream::Stream;
use self::tally::Tally;
use super::encoding::StreamDecoder;
use crate::domain::price::ServiceTier;
use crate::domain::protocol::{Operation, Protocol};
use crate::domain::usage::{Provenance, Usage};

/// What an answer reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// Tokens, in disjoint buckets.
    pub usage: Usage,
    /// How far they can be trusted.
    pub provenance: Provenance,
    /// The upstream's own usage object as JSON text, at most 8 KiB; an array where two objects were merged.
    pub raw: Option<String>,
    /// The model the upstream says has answered.
    pub model: Option<String>,
    /// The tier of service it says it answered in.
    pub service_tier: Option<ServiceTier>,
    /// The protocol's last event was seen, or the JSON text ended.
    pub complete: bool,
    /// The message of an error reported within the answer, at most 2 KiB.
    pub error: Option<String>,
}

/// Reads one answer.
#[derive(Debug)]
pub struct Meter {
    decoder: StreamDecoder,
    reader: Reader,
}

/// The part behind the decoder.
#[derive(Debug)]
struct Reader {
    form: Form,
    dialect: Dialect,
    tally: Tally,
    /// Something has come that is no stream.
    has_bytes: bool,
}

#[derive(Debug)]
enum Form {
    /// What it is cannot be told yet.
    Unknown(Head),
    Events(Box<Stream>),
    Json(Box<Json>),
    /// Nothing here can be metered.
    Opaque,
}

// === impl Meter ===

impl Meter {
    /// A meter for the answer to one request, from the answer's own headers.
    #[must_use]
    pub fn new(
        protocol: Protocol,
        operation: Operation,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
    ) -> Self {
        let decoder = (operation.is_metered() && is_text(content_type))
            .then(|| StreamDecoder::new(content_encoding))
            .flatten();
        let form = if decoder.is_some() {
            Form::Unknown(Head::default())
        } else {
            Form::Opaque
        };
        Self {
            decoder: decoder.unwrap_or_else(StreamDecoder::identity),
            reader: Reader {
                form,
                dialect: Dialect::of(protocol),
                tally: Tally::default(),
                has_bytes: false,
            },
        }
    }

    /// Reads the next bytes of the answer, as they came from the upstream.
    pub fn feed(&mut self, chunk: &[u8]) {
        let reader = &mut self.reader;
        self.decoder.feed(chunk, &mut |bytes| reader.feed(bytes));
    }

    /// Whether the first real content was seen: of a stream an event that says something, else the first byte.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.reader.tally.has_content || self.reader.has_bytes
    }

    /// How far the answer has come.
    ///
    /// It is meant for what comes in pieces: streams, and Gemini's array of objects. A JSON answer is in `Content` when the
    /// value that holds its content is complete, or when more of it has come than any error has. What is not metered, or
    /// compressed in a way we do not know, cannot be judged: its first byte is its content.
    ///
    /// A refusal by the model or its provider's filters is the answer to this request, so it counts as content. So does an
    /// empty message that cost output or was ended by anything but the model's own will: a budget, a stop sequence.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.reader.tally.phase
    }

    /// It ended in good order and said nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phase() == Phase::Ended && !self.reader.tally.has_content
    }

    /// Whether the protocol's last event was seen, or the JSON text that began has ended.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match &self.reader.form {
            Form::Json(json) => json.is_complete(),
            _ => self.reader.tally.complete,
        }
    }

    /// The frame that made the answer `Failed`, or the beginning of what made it `Foreign`: at most 2 KiB.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.reader.tally.excerpt()
    }

    /// Whether an error was reported when there was content already. [`Reading::error`] has its message.
    #[must_use]
    pub fn failed_after_content(&self) -> bool {
        self.reader.tally.failed_late
    }

    /// The bytes have ended: an event that was not closed counts now. What the other methods tell is final; [`Self::finish`]
    /// does this by itself.
    pub fn end(&mut self) {
        self.reader.end();
    }

    /// Ends the answer and tells what it reported. The meter is empty afterwards.
    pub fn finish(&mut self) -> Reading {
        self.reader.finish()
    }
}

// === impl Reader ===

impl Reader {
    fn feed(&mut self, bytes: &[u8]) {
        if let Form::Unknown(head) = &mut self.form {
            let bytes = if head.is_empty() {
                without_blanks(bytes)
            } else {
                bytes
            };
            let earlier = *head;
            if let Some(kind) = head.extend(bytes) {
                self.begin(kind);
                self.read(earlier.bytes());
                self.read(bytes);
            }
            return;
        }
        self.read(bytes);
    }

    /// A stream is split into events even should it begin with something else: its usage counts, whatever is made of it.
    fn begin(&mut self, kind: Kind) {
        self.form = match kind {
            Kind::Json => Form::Json(Box::new(Json::new(&self.dialect))),
            Kind::Events => Form::Events(Box::default()),
            Kind::Foreign => {
                self.tally.shapeless();
                Form::Events(Box::default())
            }
        };
    }

    fn read(&mut self, bytes: &[u8]) {
        let Self {
            form,
            dialect,
            tally,
            has_bytes,
        } = self;
        match form {
            Form::Unknown(_) => {}
            Form::Opaque if bytes.is_empty() => {}
            Form::Opaque => {
                *has_bytes = true;
                tally.reach(Phase::Content);
            }
            Form::Events(stream) => {
                tally.extend_excerpt(bytes);
                stream.feed(bytes, dialect, tally);
            }
            Form::Json(json) => {
                *has_bytes |= !bytes.is_empty();
                json.feed(bytes, dialect, tally);
            }
        }
    }

    fn end(&mut self) {
        let Self {
            form,
            dialect,
            tally,
            ..
        } = self;
        tally.is_cut = true;
        match form {
            Form::Events(stream) => stream.finish(dialect, tally),
            Form::Json(json) => json.finish(dialect, tally),
            Form::Unknown(_) | Form::Opaque => {}
        }
    }

    fn finish(&mut self) -> Reading {
        self.end();
        self.form = Form::Opaque;
        self.has_bytes = false;
        std::mem::take(&mut self.tally).into_reading()
    }
}

/// What begins with a byte that is neither white space nor part of a byte order mark.
fn without_blanks(bytes: &[u8]) -> &[u8] {
    let is_blank = |b: &u8| b.is_ascii_whitespace() || b"\xef\xbb\xbf".contains(b);
    let start = bytes.iter().position(|b| !is_blank(b));
    &bytes[start.unwrap_or(bytes.len())..]
}

fn is_text(content_type: Option<&str>) -> bool {
    let kind = content_type.unwrap_or_default().trim_start();
    !["image/", "audio/", "video/", "multipart/"]
        .iter()
        .any(|p| {
            kind.get(..p.len())
                .is_some_and(|k| k.eq_ignore_ascii_case(p))
        })
}

#[cfg(test)]
mod tests;
