//! Whether an answer that is no stream is one at all: relays say 200 to a login page, to an error and to nothing.
//!
//! Only the first 32 KiB are looked at. Bad answers are short; one that is longer and does not begin with an error is taken for
//! good. No tree is built: the [`Meter`] says how far the text comes, a scanner picks out the few words it does not look at.

pub mod complaint;

use serde::de::IgnoredAny;

use self::complaint::Complaint;
use super::meter::{Meter, Phase};
use super::scan::Scanner;
use crate::domain::protocol::{Operation, Protocol};

/// What is wrong with an answer whose status says that nothing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// There is nothing in it.
    Empty,
    /// A page for people, whatever its content type.
    Html,
    /// Not JSON where JSON is due, or JSON that breaks off.
    Foreign,
    /// It reports an error.
    Error {
        /// In the upstream's words, at most 2 KiB.
        message: String,
        /// The status it should have had, as far as its words tell.
        status: Option<u16>,
    },
    /// The protocol's answer without any content, that cost nothing.
    NoContent,
}

/// Bytes that are looked at.
pub const LIMIT: usize = 32 * 1024;
const KEYS: &[&str] = &["type", "status", "stop_reason"];

/// The top-level words that the meter has no use for.
#[derive(Default)]
struct Words {
    is_error: bool,
    is_failed: bool,
    /// It ended, or will, for another reason than that the model was done.
    is_unfinished: bool,
}

/// What is wrong with an answer of status 200, from as much of it as has come; `is_whole` says that this is all.
///
/// A stream may be given as well, of which only the errors are noticed, and what a relay answers to a request for a stream when
/// it does not know one. Answers to requests that name no model are not judged: they may be anything.
#[must_use]
pub fn judge(
    protocol: Protocol,
    operation: Operation,
    content_type: Option<&str>,
    body: &[u8],
    is_whole: bool,
) -> Option<Flaw> {
    if !operation.needs_model() {
        return None;
    }
    let is_all = is_whole && body.len() <= LIMIT;
    let text = without_blanks(&body[..body.len().min(LIMIT)]);
    let is_json = matches!(text.first(), Some(b'{' | b'['));
    if text.is_empty() {
        return is_all.then_some(Flaw::Empty);
    }
    if is_page(text) || (!is_json && content_type.is_some_and(is_html)) {
        return Some(Flaw::Html);
    }
    let mut meter = Meter::new(protocol, Operation::Generate, content_type, None);
    meter.feed(text);
    if is_all {
        meter.end();
    }
    match meter.phase() {
        Phase::Foreign => return Some(Flaw::Foreign),
        Phase::Failed => {
            let excerpt = meter.error().unwrap_or_default().as_bytes();
            return Some(error(if is_all && is_json { text } else { excerpt }));
        }
        _ if !is_json => return None,
        _ => {}
    }
    let words = Words::read(text);
    if words.is_error || words.is_failed {
        return Some(error(text));
    }
    if !is_all {
        return None;
    }
    if !is_well_formed(text) {
        return Some(Flaw::Foreign);
    }
    let is_due = matches!(operation, Operation::Generate | Operation::GenerateStream);
    let says_nothing = meter.phase() <= Phase::Open || meter.is_empty();
    let is_free = meter.finish().usage.output_tokens == 0;
    (is_due && says_nothing && is_free && !words.is_unfinished).then(|| nothing(text))
}

/// Whether a body is a page: nothing a model's API answers begins so.
#[must_use]
pub fn is_page(body: &[u8]) -> bool {
    without_blanks(body).starts_with(b"<")
}

fn is_html(content_type: &str) -> bool {
    let kind = content_type.trim_start().as_bytes();
    let is = |name: &[u8]| {
        kind.get(..name.len())
            .is_some_and(|k| k.eq_ignore_ascii_case(name))
    };
    is(b"text/html") || is(b"application/xhtml")
}

fn error(text: &[u8]) -> Flaw {
    let complaint = Complaint::read(text);
    Flaw::Error {
        status: complaint.status(),
        message: complaint.message,
    }
}

/// An object without content may yet say why, in a shape of its own.
fn nothing(text: &[u8]) -> Flaw {
    match Complaint::read(text).message.is_empty() {
        true => Flaw::NoContent,
        false => error(text),
    }
}

/// One JSON text, or several one after another.
fn is_well_formed(text: &[u8]) -> bool {
    serde_json::Deserializer::from_slice(text)
        .into_iter::<IgnoredAny>()
        .all(|value| value.is_ok())
}

/// What begins with a byte that is neither white space nor part of a byte order mark.
fn without_blanks(bytes: &[u8]) -> &[u8] {
    bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start()
}

// === impl Words ===

impl Words {
    fn read(text: &[u8]) -> Self {
        let mut words = Self::default();
        Scanner::new(KEYS, Some("response")).feed(text, &mut |key, value| match (key, value) {
            ("type", b"\"error\"") => words.is_error = true,
            ("status", b"\"failed\"") => words.is_failed = true,
            ("status", b"\"queued\"" | b"\"in_progress\"" | b"\"incomplete\"") => {
                words.is_unfinished = true;
            }
            ("stop_reason", reason) => {
                words.is_unfinished |= !matches!(reason, b"null" | b"\"\"" | b"\"end_turn\"");
            }
            _ => {}
        });
        words
    }
}

#[cfg(test)]
mod tests;
