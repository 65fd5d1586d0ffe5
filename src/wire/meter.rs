//! The meter: feed it an answer's bytes, get the usage.
//!
//! The answer is only read, never held up or kept. A stream goes through the splitter of [`sse`](super::sse), a JSON
//! answer through the scanner of [`scan`](super::scan); which of the two it is, its first byte says, for headers of relays
//! lie. Both work in constant memory, whatever the length of the answer and wherever its chunks end.
//!
//! In a stream only events that can matter are parsed. Whether one can is checked on its name, or by searching its data for a
//! key *with its quotes*: inside a JSON string a quote is escaped, so text that a model writes never looks like a key. Then a
//! small typed struct is read from it; serde skips the rest without building anything.
//!
//! The same reading tells how far the answer has come ([`Phase`]), so that whoever holds it back until it says something needs
//! no second parse. Before the first content every event is looked at for that, afterwards none is.

mod anthropic;
mod chat;
mod find;
mod gemini;
mod number;
mod openai;
mod phase;
mod responses;
mod tally;
mod tier;

pub use self::phase::Phase;

use self::phase::{Head, Kind};
use self::tally::Tally;
use self::tier::Tier;
use super::encoding::StreamDecoder;
use super::scan::{MAX_VALUE, Scanner};
use super::sse::{Event, Splitter};
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
    Events(Splitter),
    /// With the number of bytes that have come.
    Json(Box<Scanner>, usize),
    /// Nothing here can be metered.
    Opaque,
}

#[derive(Debug)]
enum Dialect {
    Anthropic(Box<anthropic::Merge>),
    Chat,
    Responses,
    Gemini,
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
            Form::Json(scanner, _) => scanner.is_complete(),
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
            Kind::Json => Form::Json(Box::new(self.dialect.scanner()), 0),
            Kind::Events => Form::Events(Splitter::default()),
            Kind::Foreign => {
                self.tally.shapeless();
                Form::Events(Splitter::default())
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
            Form::Events(splitter) => {
                tally.extend_excerpt(bytes);
                splitter.feed(bytes, &mut |event| dialect.on_event(event, tally));
            }
            Form::Json(scanner, len) => {
                *has_bytes |= !bytes.is_empty();
                tally.open();
                // Where the chunks end must not decide what comes first, the limit or an error.
                let (before, after) = bytes.split_at(bytes.len().min(MAX_VALUE - *len));
                *len += before.len();
                scanner.feed(before, &mut |key, value| {
                    dialect.on_value(key, value, tally)
                });
                if *len == MAX_VALUE {
                    tally.reach(Phase::Content);
                }
                scanner.feed(after, &mut |key, value| dialect.on_value(key, value, tally));
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
            Form::Events(splitter) => splitter.finish(&mut |event| dialect.on_event(event, tally)),
            Form::Json(scanner, _) => tally.complete = scanner.is_complete(),
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

// === impl Dialect ===

impl Dialect {
    fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Anthropic => Self::Anthropic(Box::default()),
            Protocol::Responses => Self::Responses,
            Protocol::Openai => Self::Chat,
            Protocol::Gemini | Protocol::GeminiCli => Self::Gemini,
        }
    }

    fn scanner(&self) -> Scanner {
        match self {
            Self::Anthropic(_) => Scanner::new(anthropic::KEYS, None),
            Self::Chat => Scanner::new(chat::KEYS, None),
            Self::Responses => Scanner::new(responses::KEYS, None),
            Self::Gemini => Scanner::new(gemini::KEYS, Some("response")),
        }
    }

    fn on_event(&mut self, event: Event<'_>, tally: &mut Tally) {
        if tally.phase < Phase::Content && !self.admits(&event, tally) {
            return;
        }
        match self {
            Self::Anthropic(merge) => anthropic::on_event(merge, event, tally),
            Self::Chat => chat::on_event(event, tally),
            Self::Responses => responses::on_event(event, tally),
            Self::Gemini => gemini::on_event(event, tally),
        }
    }

    /// Whether an event that comes before any content is a frame to be read at all. Its braces have to do: large frames that
    /// echo the request come here, and what is read of a frame is parsed anyway.
    fn admits(&self, event: &Event<'_>, tally: &mut Tally) -> bool {
        let data = event.data.trim_ascii();
        if data == b"[DONE]" && !matches!(self, Self::Chat) {
            tally.reach(Phase::Ended);
            return false;
        }
        let is_object = event.oversize || data == b"[DONE]" || matches!(data, [b'{', .., b'}']);
        // No protocol has these frames, and serde would read a struct from an array.
        let is_neutral = matches!(data, [] | [b'[', .., b']']);
        if is_object || is_neutral {
            tally.open();
        } else {
            tally.foreign(data);
        }
        is_object
    }

    fn on_value(&mut self, key: &str, value: &[u8], tally: &mut Tally) {
        match (key, self) {
            ("error", _) => tally.fail(value, value),
            ("model" | "modelVersion", _) => tally.note_model_json(value),
            ("service_tier", _) => {
                let value = std::str::from_utf8(value).unwrap_or_default();
                tally.note_tier(Tier::of_json(value));
            }
            ("usage", Self::Anthropic(merge)) => anthropic::on_usage(merge, value, tally),
            ("usage", _) => {
                openai::on_usage(value, tally);
            }
            ("usageMetadata", _) => {
                gemini::on_usage(value, tally);
            }
            ("candidates", _) => gemini::on_candidates(value, tally),
            ("promptFeedback", _) => gemini::on_feedback(value, tally),
            // `content`, `choices` or `output`.
            _ if !find::is_nothing(value) => tally.say(),
            _ => {}
        }
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
