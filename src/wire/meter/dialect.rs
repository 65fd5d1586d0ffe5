//! What each protocol makes of the parts of an answer.

use super::phase::Phase;
use super::sieve::{self, Sieve};
use super::tally::Tally;
use super::tier::Tier;
use super::{anthropic, chat, find, gemini, openai, responses};
use crate::domain::protocol::Protocol;
use crate::wire::scan::Scanner;
use crate::wire::sse::Event;

/// The protocol, with what has to be known of its answer.
#[derive(Debug)]
pub(super) enum Dialect {
    Anthropic(Box<anthropic::Merge>),
    Chat,
    Responses,
    Gemini,
}

// === impl Dialect ===

impl Dialect {
    pub(super) fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Anthropic => Self::Anthropic(Box::default()),
            Protocol::Responses => Self::Responses,
            Protocol::Openai => Self::Chat,
            Protocol::Gemini | Protocol::GeminiCli => Self::Gemini,
        }
    }

    pub(super) fn scanner(&self) -> Scanner {
        match self {
            Self::Anthropic(_) => Scanner::new(anthropic::KEYS, None),
            Self::Chat => Scanner::new(chat::KEYS, None),
            Self::Responses => Scanner::new(responses::KEYS, None),
            Self::Gemini => Scanner::new(gemini::KEYS, Some("response")),
        }
    }

    /// What to look for in a stream that has begun to say something; before that every event is to be read.
    pub(super) fn sieve(&self, tally: &Tally) -> Option<&'static Sieve> {
        tally.has_content.then(|| match self {
            Self::Anthropic(_) => sieve::anthropic(),
            Self::Chat => sieve::chat(tally.wants_model()),
            Self::Responses => sieve::responses(),
            Self::Gemini => sieve::gemini(!tally.complete, tally.wants_model()),
        })
    }

    /// Takes an event of a stream.
    pub(super) fn on_event(&mut self, event: Event<'_>, tally: &mut Tally) {
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

    /// Takes a value of an answer that is no stream.
    pub(super) fn on_value(&mut self, key: &str, value: &[u8], tally: &mut Tally) {
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
