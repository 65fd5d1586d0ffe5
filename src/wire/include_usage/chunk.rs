//! Takes the usage chunk out of a stream of chat completions.
//!
//! Only whole events are taken out, and every other byte passes as it came. A read may end anywhere, so the start of an event whose
//! end is not here yet is held until it is, but only as long as it may be the one: `choices` that begin with anything but the
//! end of the list let it pass at once, and so does a size that no usage chunk has. All other events never wait, and a read of
//! whole events passes as the slice it is, after one search for empty `choices`. Something is copied only where an event is taken
//! out of the middle of a read, and where a held start goes on.
//!
//! An event ends with a blank line, and a line with LF or CR LF. In a stream of lines that end with a bare CR, which no provider
//! sends, nothing is found.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use memchr::{memchr_iter, memmem, memrchr_iter};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::wire::sse::Splitter;

/// Takes the usage chunk out of one stream.
#[derive(Debug)]
pub struct UsageChunk {
    event: Event,
    /// The last two bytes that came.
    last: [u8; 2],
}

/// The event that the last read ended in.
#[derive(Debug)]
enum Event {
    /// None: it ended between two.
    None,
    /// One that passes.
    Passing,
    /// One that may be the chunk, as far as it has come.
    Held(BytesMut),
}

/// What is kept of a read. It stays a slice of it as long as it is one.
struct Kept<'c> {
    chunk: &'c Bytes,
    /// What comes before `run`, where that is not the read's start.
    joined: BytesMut,
    run: Range<usize>,
}

/// The parts of a chunk that tell what it is.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Option<&'a RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// A usage chunk has some 500 bytes.
const MAX_HELD: usize = 16 * 1024;
const BETWEEN: [u8; 2] = *b"\n\n";
const CHOICES: &[u8] = b"\"choices\"";

// === impl UsageChunk ===

impl UsageChunk {
    /// Takes the next bytes of the stream, and returns what the client gets now; `is_end` says that no more will come.
    pub fn pass(&mut self, chunk: Bytes, is_end: bool) -> Bytes {
        let mut kept = Kept::of(&chunk);
        let mut start = 0;
        if !matches!(self.event, Event::None) {
            let end = first_end(self.last, &chunk);
            start = end.unwrap_or(chunk.len());
            self.go_on(start, is_end || end.is_some(), &mut kept);
        }
        if start < chunk.len() {
            let rest = &chunk[start..];
            let end = start + last_end(rest).unwrap_or(0);
            keep_events(start..end, &mut kept);
            self.begin(end, is_end, &mut kept);
        }
        self.last = match chunk[..] {
            [] => self.last,
            [byte] => [self.last[1], byte],
            [.., before, byte] => [before, byte],
        };
        kept.finish()
    }

    /// The read goes on, up to `end`, with the event that the one before ended in.
    fn go_on(&mut self, end: usize, is_whole: bool, kept: &mut Kept<'_>) {
        if let Event::Held(held) = &mut self.event {
            held.extend_from_slice(&kept.chunk[..end]);
            if !is_whole && may_be_usage(held) {
                return;
            }
            if !is_whole || !is_usage(held) {
                kept.joined = std::mem::take(held);
            }
            kept.run = end..end;
        } else {
            kept.keep(0..end);
        }
        self.event = if is_whole {
            Event::None
        } else {
            Event::Passing
        };
    }

    /// The read ends with the start of an event, which may be empty.
    fn begin(&mut self, start: usize, is_end: bool, kept: &mut Kept<'_>) {
        let part = &kept.chunk[start..];
        if part.is_empty() {
            return;
        }
        let is_kept = if is_end {
            !is_usage(part)
        } else {
            !may_be_usage(part)
        };
        if is_kept {
            kept.keep(start..kept.chunk.len());
            self.event = Event::Passing;
        } else if !is_end {
            self.event = Event::Held(part.into());
        }
    }
}

impl Default for UsageChunk {
    fn default() -> Self {
        Self {
            event: Event::None,
            last: BETWEEN,
        }
    }
}

// === impl Kept ===

impl<'c> Kept<'c> {
    fn of(chunk: &'c Bytes) -> Self {
        Self {
            chunk,
            joined: BytesMut::new(),
            run: 0..0,
        }
    }

    /// Keeps a part behind those that were kept before.
    fn keep(&mut self, part: Range<usize>) {
        if part.is_empty() {
            return;
        }
        if part.start == self.run.end {
            self.run.end = part.end;
            return;
        }
        if !self.run.is_empty() {
            self.joined.extend_from_slice(&self.chunk[self.run.clone()]);
        }
        self.run = part;
    }

    fn finish(mut self) -> Bytes {
        if self.joined.is_empty() {
            return self.chunk.slice(self.run);
        }
        self.joined.extend_from_slice(&self.chunk[self.run]);
        self.joined.freeze()
    }
}

/// Keeps whole events but for the usage chunk.
fn keep_events(span: Range<usize>, kept: &mut Kept<'_>) {
    let chunk = kept.chunk;
    let mut start = span.start;
    while let Some(at) = empty_choices(&chunk[start..span.end]) {
        let event_start = start + last_end(&chunk[start..start + at]).unwrap_or(0);
        let rest = &chunk[event_start..span.end];
        let event_end = event_start + first_end(BETWEEN, rest).unwrap_or(rest.len());
        if is_usage(&chunk[event_start..event_end]) {
            kept.keep(start..event_start);
        } else {
            kept.keep(start..event_end);
        }
        start = event_end;
    }
    kept.keep(start..span.end);
}

/// Where `choices` are that have nothing in them. Text that a model writes never looks like this: its quotes are escaped.
fn empty_choices(text: &[u8]) -> Option<usize> {
    memmem::find_iter(text, CHOICES).find(|at| choices_at(&text[*at..]) == Some(true))
}

/// Whether the choices that begin here are empty; `None` where too little of them is here to tell.
fn choices_at(text: &[u8]) -> Option<bool> {
    let mut rest = text[CHOICES.len()..].trim_ascii_start();
    for byte in b":[" {
        let (first, behind) = rest.split_first()?;
        if first != byte {
            return Some(false);
        }
        rest = behind.trim_ascii_start();
    }
    Some(*rest.first()? == b']')
}

/// Whether the start of an event may become the usage chunk. What it says no to it says no to however the event goes on.
fn may_be_usage(part: &[u8]) -> bool {
    part.len() <= MAX_HELD
        && memmem::find_iter(part, CHOICES).all(|at| choices_at(&part[at..]) != Some(false))
}

/// Whether an event is the usage chunk: it has a usage, no choices, and no error. A start that passed must not decide otherwise.
fn is_usage(event: &[u8]) -> bool {
    if !may_be_usage(event) {
        return false;
    }
    let mut found = false;
    let mut splitter = Splitter::default();
    let on_event = &mut |event: crate::wire::sse::Event<'_>| {
        let chunk = serde_json::from_slice::<Chunk<'_>>(event.data);
        found = !event.oversize && chunk.is_ok_and(|chunk| chunk.is_usage());
    };
    splitter.feed(event, on_event);
    splitter.finish(on_event);
    found
}

// === impl Chunk ===

impl Chunk<'_> {
    fn is_usage(&self) -> bool {
        let choices = self.choices.map_or("", RawValue::get);
        let inner = choices
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        inner.is_some_and(|inner| inner.trim().is_empty())
            && self.usage.is_some_and(|usage| usage.get().starts_with('{'))
            && self.error.is_none_or(|error| error.get() == "null")
    }
}

/// Where the first blank line of `text` ends that closes an event, after the two bytes in `before`.
fn first_end(before: [u8; 2], text: &[u8]) -> Option<usize> {
    memchr_iter(b'\n', text)
        .map(|at| at + 1)
        .find(|end| is_end(before, text, *end))
}

/// Where the last event ends in `text`, which begins between two.
fn last_end(text: &[u8]) -> Option<usize> {
    memrchr_iter(b'\n', text)
        .map(|at| at + 1)
        .find(|end| is_end(BETWEEN, text, *end))
}

/// Whether the line feed before `end` ends a blank line.
fn is_end(before: [u8; 2], text: &[u8], end: usize) -> bool {
    let back = |n: usize| match end.checked_sub(n) {
        Some(at) => text[at],
        None => before[2 + end - n],
    };
    match back(2) {
        b'\n' => true,
        b'\r' => back(3) == b'\n',
        _ => false,
    }
}
