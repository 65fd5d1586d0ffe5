//! The meter: feed it an answer's bytes, get the usage.
//!
//! The answer is only read, never held up or kept. A stream goes through the splitter of [`sse`](super::sse), a JSON
//! answer through the scanner of [`scan`](super::scan); which of the two it is, its first byte says, for headers of relays
//! lie. Both work in constant memory, whatever the length of the answer and wherever its chunks end.
//!
//! In a stream only events that can matter are parsed. Whether one can is checked on its name, or by searching its data for a
//! key *with its quotes*: inside a JSON string a quote is escaped, so text that a model writes never looks like a key. Then a
//! small typed struct is read from it; serde skips the rest without building anything.

mod anthropic;
mod chat;
mod find;
mod gemini;
mod number;
mod openai;
mod responses;
mod tally;

use self::tally::Tally;
use super::encoding::StreamDecoder;
use super::scan::Scanner;
use super::sse::{Event, Splitter};
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
}

#[derive(Debug)]
enum Form {
    /// Nothing but white space has come yet.
    Unknown,
    Events(Splitter),
    Json(Box<Scanner>),
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
            Form::Unknown
        } else {
            Form::Opaque
        };
        Self {
            decoder: decoder.unwrap_or_else(StreamDecoder::identity),
            reader: Reader {
                form,
                dialect: Dialect::of(protocol),
                tally: Tally::default(),
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
        self.reader.tally.has_content
    }

    /// Ends the answer and tells what it reported. The meter is empty afterwards.
    pub fn finish(&mut self) -> Reading {
        self.reader.finish()
    }
}

// === impl Reader ===

impl Reader {
    fn feed(&mut self, bytes: &[u8]) {
        let mut bytes = bytes;
        if matches!(self.form, Form::Unknown) {
            bytes = without_blanks(bytes);
            self.form = match bytes.first() {
                None => return,
                Some(b'{' | b'[') => Form::Json(Box::new(self.dialect.scanner())),
                Some(_) => Form::Events(Splitter::default()),
            };
        }
        let Self {
            form,
            dialect,
            tally,
        } = self;
        match form {
            Form::Unknown => {}
            Form::Opaque => tally.has_content |= !bytes.is_empty(),
            Form::Events(splitter) => {
                splitter.feed(bytes, &mut |event| dialect.on_event(event, tally));
            }
            Form::Json(scanner) => {
                tally.has_content = true;
                scanner.feed(bytes, &mut |key, value| dialect.on_value(key, value, tally));
            }
        }
    }

    fn finish(&mut self) -> Reading {
        let Self {
            form,
            dialect,
            tally,
        } = self;
        match std::mem::replace(form, Form::Opaque) {
            Form::Events(mut splitter) => {
                splitter.finish(&mut |event| dialect.on_event(event, tally));
            }
            Form::Json(scanner) => tally.complete = scanner.is_complete(),
            Form::Unknown | Form::Opaque => {}
        }
        std::mem::take(tally).into_reading()
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
        match self {
            Self::Anthropic(merge) => anthropic::on_event(merge, event, tally),
            Self::Chat => chat::on_event(event, tally),
            Self::Responses => responses::on_event(event, tally),
            Self::Gemini => gemini::on_event(event, tally),
        }
    }

    fn on_value(&mut self, key: &str, value: &[u8], tally: &mut Tally) {
        match (key, self) {
            ("error", _) => tally.note_error(value),
            ("model" | "modelVersion", _) => tally.note_model_json(value),
            ("usage", Self::Anthropic(merge)) => anthropic::on_usage(merge, value, tally),
            ("usage", _) => {
                openai::on_usage(value, tally);
            }
            ("usageMetadata", _) => {
                gemini::on_usage(value, tally);
            }
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
