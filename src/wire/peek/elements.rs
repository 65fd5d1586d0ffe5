//! What of a body goes into the fingerprint of its prefix, collected while the body is passed over.
//!
//! The cache markers of Anthropic's clients are found by structure: at a brace outside of strings, the key before it is compared.
//! That costs a few comparisons a brace, where a search through the text would cost as much as the whole pass. What is not
//! done for every bracket is kept out of the pass (`#[cold]`), which has no registers to spare.

use std::ops::Range;

use fearless_simd::Level;

use super::BadJson;
use super::cursor::Cursor;
use super::pass::Watch;
use crate::domain::protocol::Protocol;
use crate::wire::prefix::{Builder, Part, Speaker, Text};

const MARKER: &[u8] = b"\"cache_control\"";
/// Markers left out of one element; providers allow four in a request. More than these count as text.
const MAX_CUTS: usize = 8;

/// Calls `each` with every element of a value: the containers `level` deep in it.
struct Elements<F> {
    level: usize,
    start: usize,
    marker: Option<Marker>,
    cuts: [Range<usize>; MAX_CUTS],
    cut_count: usize,
    each: F,
}

/// A cache marker whose value has not ended yet.
struct Marker {
    start: usize,
    depth: usize,
}

/// The part that a key's value is, at the level of the body where the messages are.
pub(super) fn part(protocol: Protocol, key: &[u8]) -> Option<Part> {
    use Protocol::{Anthropic, Gemini, GeminiCli, Openai, Responses};
    match (protocol, key) {
        (Anthropic | Openai, b"messages") | (Responses, b"input") => Some(Part::Messages),
        (Gemini | GeminiCli, b"contents") => Some(Part::Messages),
        (Anthropic, b"system") | (Responses, b"instructions") => Some(Part::System),
        (Gemini | GeminiCli, b"systemInstruction" | b"system_instruction") => Some(Part::System),
        (_, b"tools") => Some(Part::Tools),
        _ => None,
    }
}

/// Moves past a part, which is added to the prefix.
pub(super) fn collect(
    part: Part,
    protocol: Protocol,
    cursor: &mut Cursor<'_>,
    prefix: &mut Builder,
) -> Result<(), BadJson> {
    prefix.begin(part);
    let (body, level) = (cursor.body(), cursor.level());
    let mut add = |text: &Text<'_>| match part {
        Part::System => prefix.system(text),
        Part::Tools => prefix.tools(text),
        Part::Messages => prefix.message(text, || speaker(protocol, level, text.uncut())),
    };
    let first = cursor.next_byte();
    // Tools change together or not at all, and are many and small: one text.
    let depth = usize::from(first == Some(b'[') && part != Part::Tools);
    let span = cursor.watched(&mut Elements::new(depth, &mut add))?;
    if first == Some(b'"') {
        add(&Text::new(body, span, &[]));
    }
    Ok(())
}

/// Who speaks in a message. Gemini's may leave it out; OpenAI's items without a role are the model's and its tools'.
fn speaker(protocol: Protocol, level: Level, message: &[u8]) -> Speaker {
    if message.first() != Some(&b'{') {
        return Speaker::User;
    }
    let mut role = None;
    // Any error ends the walk, and so does the role once it is known.
    let _ = Cursor::new(level, message).document(&mut |key, cursor| {
        if key != b"role" {
            return cursor.skip();
        }
        role = cursor.short_string()?;
        Err(BadJson {
            at: 0,
            what: "found",
        })
    });
    match role.as_deref() {
        Some("system" | "developer") => Speaker::System,
        Some("user") => Speaker::User,
        None if matches!(protocol, Protocol::Gemini | Protocol::GeminiCli) => Speaker::User,
        _ => Speaker::Model,
    }
}

// === impl Elements ===

impl<F: FnMut(&Text<'_>)> Elements<F> {
    fn new(level: usize, each: F) -> Self {
        Self {
            level,
            start: 0,
            marker: None,
            cuts: [const { 0..0 }; MAX_CUTS],
            cut_count: 0,
            each,
        }
    }

    /// An object begins whose key may be a marker's.
    #[cold]
    fn mark(&mut self, body: &[u8], at: usize, depth: usize) {
        if self.marker.is_none()
            && self.cut_count < MAX_CUTS
            && let Some(start) = marker_at_end(&body[..at])
        {
            self.marker = Some(Marker { start, depth });
        }
    }

    /// The marker has ended.
    #[cold]
    fn cut(&mut self, body: &[u8], end: usize) {
        if let Some(Marker { start, .. }) = self.marker.take() {
            self.cuts[self.cut_count] = with_comma(body, start, end);
            self.cut_count += 1;
        }
    }

    /// An element has ended.
    #[cold]
    fn hand_on(&mut self, body: &[u8], end: usize) {
        let cuts = &self.cuts[..self.cut_count];
        (self.each)(&Text::new(body, self.start..end, cuts));
    }
}

impl<F: FnMut(&Text<'_>)> Watch for Elements<F> {
    #[inline(always)]
    fn opened(&mut self, body: &[u8], at: usize, depth: usize) {
        if depth > self.level {
            if may_be_marked(&body[..at]) && body[at] == b'{' {
                self.mark(body, at, depth);
            }
        } else if depth == self.level {
            (self.start, self.cut_count) = (at, 0);
        }
    }

    #[inline(always)]
    fn closed(&mut self, body: &[u8], end: usize, depth: usize) {
        if self
            .marker
            .as_ref()
            .is_some_and(|marker| marker.depth == depth)
        {
            self.cut(body, end);
        }
        if depth == self.level {
            self.hand_on(body, end);
        }
    }
}

/// Whether the key of a marker and its colon may end a text. Where there is no white space, as clients write it, they do.
#[inline(always)]
fn may_be_marked(before: &[u8]) -> bool {
    match before {
        [.., b'"', b':'] => before[..before.len() - 1].ends_with(MARKER),
        [.., last] => *last == b':' || last.is_ascii_whitespace(),
        [] => false,
    }
}

/// Where the marker begins whose key and colon end a text.
fn marker_at_end(text: &[u8]) -> Option<usize> {
    let key = text.trim_ascii_end().strip_suffix(b":")?;
    let before = key.trim_ascii_end().strip_suffix(MARKER)?;
    matches!(before.trim_ascii_end().last(), Some(b'{' | b',')).then_some(before.len())
}

/// A member with the comma before it, or else with the one behind.
fn with_comma(body: &[u8], start: usize, end: usize) -> Range<usize> {
    let before = body[..start].trim_ascii_end();
    if let Some(before) = before.strip_suffix(b",") {
        return before.len()..end;
    }
    match body[end..].trim_ascii_start().strip_prefix(b",") {
        Some(behind) => start..body.len() - behind.trim_ascii_start().len(),
        None => start..end,
    }
}
