//! What has been learnt from an answer so far.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Reading;
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
    raw: Option<String>,
    model: Option<String>,
    error: Option<String>,
}

/// The fields of an error object that may carry its message.
#[derive(Deserialize)]
struct ErrorObject<'a> {
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
}

// === impl Tally ===

impl Tally {
    /// Notes a usage that replaces the one before, with the JSON text it was read from.
    pub(super) fn note_usage(&mut self, usage: Usage, raw: Option<String>) {
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

    /// Notes an error given as a JSON value: an object with a message, a string, or anything that is not empty.
    pub(super) fn note_error(&mut self, value: &[u8]) {
        let value = value.trim_ascii();
        if matches!(value, b"" | b"null" | b"false" | b"{}" | b"[]" | b"\"\"")
            || self.error.is_some()
        {
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

    /// As [`Self::note_error`], for a value found by serde.
    pub(super) fn note_error_raw(&mut self, value: Option<&RawValue>) {
        if let Some(value) = value {
            self.note_error(value.get().as_bytes());
        }
    }

    pub(super) fn into_reading(self) -> Reading {
        Reading {
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
