//! A failed attempt, as the breakers hear of it.

use std::time::Duration;

use super::time::{Ticks, span};
use crate::domain::fault::Fault;

/// Most bytes that are kept of a failure's message.
pub const LONGEST_MESSAGE: usize = 300;
/// The longest rest that an upstream is given, whatever it asks for.
const LONGEST_REST: Duration = Duration::from_secs(3_600);

const FAULTS: [Fault; 8] = [
    Fault::Client,
    Fault::Poison,
    Fault::Key,
    Fault::Model,
    Fault::Endpoint,
    Fault::Provider,
    Fault::Network,
    Fault::Us,
];

/// Why an attempt failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Whose fault.
    pub fault: Fault,
    /// The upstream's status, where there was one.
    pub status: Option<u16>,
    /// What went wrong, in words; its first 300 bytes are kept.
    pub message: String,
    /// How long the upstream asked to be left alone.
    pub retry_after: Option<Duration>,
}

/// A failure that was seen.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) at: Ticks,
    pub(super) fault: Fault,
    pub(super) status: Option<u16>,
    pub(super) message: Box<str>,
}

// === impl Failure ===

impl Failure {
    /// For how long the provider is to rest, if that is what the failure says.
    pub(super) fn rest(&self) -> Option<Ticks> {
        let asked = self.retry_after.filter(|asked| !asked.is_zero())?;
        matches!(self.status, Some(429 | 503)).then(|| span(asked.min(LONGEST_REST)))
    }

    pub(super) fn seen(&self, at: Ticks) -> Seen {
        Seen {
            at,
            fault: self.fault,
            status: self.status,
            message: excerpt(&self.message).into(),
        }
    }
}

// === impl Seen ===

impl Seen {
    /// In a sentence.
    pub(super) fn words(&self) -> String {
        let fault = self.fault.name();
        match self.status {
            Some(status) => format!("{fault}, status {status}"),
            None => fault.to_owned(),
        }
    }
}

/// The beginning of a text from outside, on one line: control characters say nothing to people, and a database may refuse them.
pub(super) fn excerpt(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(LONGEST_MESSAGE)];
    text.replace(char::is_control, " ")
}

/// The reverse of [`Fault::name`].
pub(super) fn named(text: &str) -> Option<Fault> {
    FAULTS.into_iter().find(|fault| fault.name() == text)
}
