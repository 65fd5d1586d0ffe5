//! What has been learnt from an answer so far.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::Reading;
use super::find::is_nothing;
use super::phase::Phase;
use super::tier::Tier;
use crate::domain::usage::{Provenance, Usage};

const MAX_RAW: usize = 8 * 1024;
const MAX_MODEL: usize = 256;
const MAX_ERROR: usize = 2 * 1024;

/// The sum of what events and values have told.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The last usage reported.
    pub(super) usage: Option<Usage>,
    /// It is the upstream's last word, even should the stream break off now.
    pub(super) is_final: bool,
    /// The terminal event was seen.
    pub(super) complete: bool,
    pub(super) has_content: bool,
    pub(super) phase: Phase,
    /// An error was reported after content.
    pub(super) failed_late: bool,
    /// The bytes have ended, so a frame that is not whole was cut, not written so.
    pub(super) is_cut: bool,
    /// What was reported since this was last cleared.
    pub(super) heard: Heard,
    /// What made it `Failed` or `Foreign`, at most [`MAX_ERROR`] bytes; only then is anything in it.
    excerpt: Vec<u8>,
    /// The excerpt is of bytes that are no frames, and grows with them.
    is_shapeless: bool,
    raw: Option<String>,
    model: Option<String>,
    tier: Tier,
    error: Option<String>,
}

/// What was reported.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Heard {
    pub(super) usage: bool,
    pub(super) tier: bool,
}

/// The fields of an error object that may carry its message.
#[derive(Deserialize)]
struct ErrorObject<'a> {
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
}

// === impl Tally ===

impl Tally {
    /// Notes that the answer has come so far.
    pub(super) fn reach(&mut self, phase: Phase) {
        self.phase = self.phase.then(phase);
    }

    /// A frame has come, whatever it says.
    pub(super) fn open(&mut self) {
        self.reach(Phase::Open);
    }

    /// Real content has come.
    pub(super) fn say(&mut self) {
        self.has_content = true;
        self.reach(Phase::Content);
    }

    /// The protocol's terminal event has come.
    pub(super) fn close(&mut self) {
        self.complete = true;
        self.reach(Phase::Ended);
    }

    /// An error was reported, unless the value says that there is none. A number says so too: relays put a code of 0 there.
    pub(super) fn fail(&mut self, error: &[u8], frame: &[u8]) {
        let error = error.trim_ascii();
        let is_error =
            matches!(error.first(), Some(b'{' | b'[' | b'"' | b't')) && !is_nothing(error);
        if !is_error {
            return;
        }
        self.note_error(error);
        self.fail_frame(frame);
    }

    /// A frame has come that is an error whatever it says.
    pub(super) fn fail_frame(&mut self, frame: &[u8]) {
        self.note_error(frame);
        self.failed_late |= matches!(self.phase, Phase::Content | Phase::Ended);
        self.end_with(Phase::Failed, frame);
    }

    /// What has come is not the protocol's.
    pub(super) fn foreign(&mut self, excerpt: &[u8]) {
        if !self.is_cut {
            self.end_with(Phase::Foreign, excerpt);
        }
    }

    /// As [`Self::foreign`], for bytes that are no frames at all; they are still to come.
    pub(super) fn shapeless(&mut self) {
        self.is_shapeless = true;
        self.reach(Phase::Foreign);
    }

    /// A frame that matters could not be read. JSON that has only unexpected types is left alone.
    pub(super) fn doubt(&mut self, frame: &[u8]) {
        if self.phase < Phase::Content && serde_json::from_slice::<IgnoredAny>(frame).is_err() {
            self.foreign(frame);
        }
    }

    fn end_with(&mut self, phase: Phase, excerpt: &[u8]) {
        if self.phase < Phase::Content {
            self.phase = phase;
            self.excerpt = excerpt[..excerpt.len().min(MAX_ERROR)].to_vec();
        }
    }

    /// Of bytes that are no stream at all the first are kept.
    pub(super) fn extend_excerpt(&mut self, bytes: &[u8]) {
        if self.is_shapeless {
            let room = MAX_ERROR - self.excerpt.len();
            self.excerpt
                .extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// What made it `Failed` or `Foreign`.
    pub(super) fn excerpt(&self) -> Option<&str> {
        if self.excerpt.is_empty() {
            return None;
        }
        // The cut may have gone through a character; garbage is shown as far as it is text.
        let text = match std::str::from_utf8(&self.excerpt) {
            Ok(text) => text,
            Err(e) => std::str::from_utf8(&self.excerpt[..e.valid_up_to()]).unwrap_or_default(),
        };
        Some(text)
    }

    /// Notes a usage that replaces the one before, with the JSON text it was read from.
    pub(super) fn note_usage(&mut self, usage: Usage, raw: Option<String>) {
        self.heard.usage = true;
        self.usage = Some(usage);
        self.raw = raw.filter(|raw| raw.len() <= MAX_RAW);
    }

    /// Whether the model is still to be learnt.
    pub(super) fn wants_model(&self) -> bool {
        self.model.is_none()
    }

    /// Notes the model; the first one counts.
    pub(super) fn note_model(&mut self, model: &str) {
        if self.model.is_none() && !model.is_empty() && model.len() <= MAX_MODEL {
            self.model = Some(model.to_owned());
        }
    }

    /// Notes a model given as a JSON value.
    pub(super) fn note_model_json(&mut self, value: &[u8]) {
        if let Ok(model) = serde_json::from_slice::<Cow<'_, str>>(value) {
            self.note_model(&model);
        }
    }

    /// Notes the tier of service; the last one counts, because the first is what was asked for.
    pub(super) fn note_tier(&mut self, tier: Tier) {
        self.heard.tier |= tier.0.is_some();
        self.tier = tier.or(self.tier);
    }

    /// Notes an error given as a JSON value: an object with a message, a string, or anything that is not empty.
    pub(super) fn note_error(&mut self, value: &[u8]) {
        let value = value.trim_ascii();
        if is_nothing(value) || self.error.is_some() {
            return;
        }
        let message = if let Ok(ErrorObject {
            message: Some(message),
        }) = serde_json::from_slice(value)
        {
            message
        } else if let Ok(text) = serde_json::from_slice::<Cow<'_, str>>(value) {
            text
        } else {
            String::from_utf8_lossy(value)
        };
        let end = message.floor_char_boundary(MAX_ERROR);
        self.error = Some(message[..end].to_owned());
    }

    /// As [`Self::fail`], for a value found by serde.
    pub(super) fn fail_raw(&mut self, error: Option<&RawValue>, frame: &[u8]) {
        if let Some(error) = error {
            self.fail(error.get().as_bytes(), frame);
        }
    }

    pub(super) fn into_reading(self) -> Reading {
        Reading {
            service_tier: self.tier.0,
            provenance: match self.usage {
                None => Provenance::None,
                Some(_) if self.is_final || self.complete => Provenance::Terminal,
                Some(_) => Provenance::Partial,
            },
            usage: self.usage.unwrap_or_default(),
            raw: self.raw,
            model: self.model,
            complete: self.complete,
            error: self.error,
        }
    }
}
