//! Server-sent events, split incrementally.
//!
//! Chunks end anywhere: inside a line, between CR and LF, inside the byte order mark. What a splitter makes of a stream does
//! not depend on where. An event that lies inside one chunk and has one `data` line, which is nearly every event, is handed on
//! as slices of that chunk: nothing is copied or allocated. Otherwise its parts are gathered in two buffers that are kept for
//! the next one.
//!
//! Memory is bounded by [`MAX_DATA`] and [`TAIL`]: of a longer event the first `MAX_DATA` bytes and the last `TAIL` bytes
//! are kept, the middle is dropped and the event is flagged. The tail is kept because providers put the figures that matter
//! behind the long text.

pub mod framing;

use memchr::{memchr2, memrchr_iter};

/// Bytes of an event's data that are kept from its start.
pub const MAX_DATA: usize = 1024 * 1024;
/// Bytes of an oversize event's data that are kept from its end.
pub const TAIL: usize = 16 * 1024;
const MAX_NAME: usize = 128;
/// A buffer larger than this is given back after the event that needed it.
const KEEP: usize = 64 * 1024;
const BOM: &[u8] = b"\xef\xbb\xbf";
/// The longest start of a line that has to be known to tell its field: a byte order mark, `event:` and a space.
const HEAD: usize = 10;

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The event's name; empty where none was given.
    pub event: &'a [u8],
    /// The data, lines joined by LF; of an oversize event its start.
    pub data: &'a [u8],
    /// The end of an oversize event's data; empty for any other.
    pub tail: &'a [u8],
    /// The data is longer than [`MAX_DATA`]; its middle is missing.
    pub oversize: bool,
}

/// Splits a stream into events.
#[derive(Debug, Default)]
pub struct Splitter {
    line: Line,
    held: Held,
    /// The last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
    /// The first line has been seen; a byte order mark can no longer come.
    began: bool,
}

/// What is known of a line that has begun in an earlier chunk.
#[derive(Debug, Default)]
enum Line {
    /// Nothing has begun.
    #[default]
    None,
    /// Its first bytes: too few to tell the field.
    Head([u8; HEAD], usize),
    /// In the value of a field.
    Value(Field),
    /// In a comment or a field without interest.
    Ignored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Data,
    Event,
    Other,
}

/// The parts of an event that could not be borrowed.
#[derive(Debug, Default)]
struct Held {
    name: Vec<u8>,
    data: Vec<u8>,
    tail: Vec<u8>,
    has_data: bool,
    oversize: bool,
}

/// The parts of the event under way that lie in the present chunk.
#[derive(Default)]
struct Borrowed<'c> {
    name: Option<&'c [u8]>,
    data: Option<&'c [u8]>,
}

// === impl Splitter ===

impl Splitter {
    /// A splitter for text that begins between two events, in the midst of a stream.
    #[must_use]
    pub fn midway() -> Self {
        Self {
            began: true,
            ..Self::default()
        }
    }

    /// Takes the next bytes of the stream and hands on every event they complete.
    pub fn feed(&mut self, chunk: &[u8], on_event: &mut impl FnMut(Event<'_>)) {
        let mut rest = chunk;
        while !rest.is_empty() {
            rest = self.feed_one(rest, on_event);
        }
    }

    /// Takes the next bytes of the stream as far as the first blank line, hands on the event that it ends, and returns the rest.
    pub fn feed_one<'c>(
        &mut self,
        chunk: &'c [u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> &'c [u8] {
        let mut rest = self.without_newline(chunk);
        let mut borrowed = Borrowed::default();
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            let (line, newline) = rest.split_at(end);
            rest = match newline {
                [b'\r', b'\n', after @ ..] => after,
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                _ => &newline[1..],
            };
            if self.end_line(line, &mut borrowed, on_event) {
                return rest;
            }
        }
        self.held.take_over(&mut borrowed);
        if !rest.is_empty() {
            self.extend_line(rest);
        }
        &[]
    }

    /// The next bytes of the stream from where an event may begin; `None` when they go on with one that has begun. They must be fed
    /// as they are returned, or whole events at their start left out.
    pub fn between<'c>(&mut self, chunk: &'c [u8]) -> Option<&'c [u8]> {
        let is_between = self.began
            && matches!(self.line, Line::None)
            && !self.held.has_data
            && self.held.name.is_empty();
        is_between.then(|| self.without_newline(chunk))
    }

    /// What follows the LF of a CR LF whose CR came before.
    fn without_newline<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        if chunk.is_empty() || !std::mem::take(&mut self.after_cr) {
            return chunk;
        }
        chunk.strip_prefix(b"\n").unwrap_or(chunk)
    }

    /// Ends the stream. An event that was not closed by a blank line is handed on too: some providers forget the last one.
    pub fn finish(&mut self, on_event: &mut impl FnMut(Event<'_>)) {
        let mut borrowed = Borrowed::default();
        if !matches!(self.line, Line::None) {
            self.end_line(&[], &mut borrowed, on_event);
        }
        self.dispatch(&mut borrowed, on_event);
        *self = Self::default();
    }

    /// `rest` completes a line: either all of it, or what is missing of one begun earlier. True if the line is blank.
    fn end_line<'c>(
        &mut self,
        rest: &'c [u8],
        borrowed: &mut Borrowed<'c>,
        on_event: &mut impl FnMut(Event<'_>),
    ) -> bool {
        if matches!(self.line, Line::None) {
            let line = if self.began { rest } else { without_bom(rest) };
            self.began = true;
            if line.is_empty() {
                self.dispatch(borrowed, on_event);
                return true;
            }
            match field(line) {
                (Field::Data, value) if borrowed.data.is_none() && !self.held.has_data => {
                    borrowed.data = Some(value);
                }
                (Field::Data, value) => {
                    self.held.take_over(borrowed);
                    self.held.begin_data();
                    self.held.push_data(value);
                }
                (Field::Event, value) => borrowed.name = Some(value),
                (Field::Other, _) => {}
            }
            return false;
        }
        self.held.take_over(borrowed);
        self.extend_line(rest);
        let mut is_blank = false;
        if let Line::Head(head, len) = std::mem::take(&mut self.line) {
            let head = &head[..len];
            let line = if self.began { head } else { without_bom(head) };
            is_blank = line.is_empty();
            match field(line) {
                _ if is_blank => self.dispatch(borrowed, on_event),
                (field, value) => self.held.begin(field, value),
            }
        }
        self.began = true;
        is_blank
    }

    /// Takes a piece of a line whose end is not here.
    fn extend_line(&mut self, piece: &[u8]) {
        match &mut self.line {
            Line::Ignored => {}
            Line::Value(field) => self.held.push(*field, piece),
            Line::None => {
                self.line = Line::Head([0; HEAD], 0);
                self.extend_line(piece);
            }
            Line::Head(head, len) => {
                let taken = piece.len().min(HEAD - *len);
                let (start, rest) = piece.split_at(taken);
                head[*len..*len + taken].copy_from_slice(start);
                *len += taken;
                if *len < HEAD {
                    return;
                }
                let head = *head;
                let line = if self.began {
                    &head[..]
                } else {
                    without_bom(&head)
                };
                let (field, value) = field(line);
                self.held.begin(field, value);
                self.line = match field {
                    Field::Other => Line::Ignored,
                    field => Line::Value(field),
                };
                self.held.push(field, rest);
            }
        }
    }

    fn dispatch(&mut self, borrowed: &mut Borrowed<'_>, on_event: &mut impl FnMut(Event<'_>)) {
        let Borrowed { name, data } = std::mem::take(borrowed);
        if data.is_some() || self.held.has_data {
            let name = name.unwrap_or(&self.held.name);
            let event = &name[..name.len().min(MAX_NAME)];
            on_event(match data {
                Some(data) if data.len() > MAX_DATA => Event {
                    event,
                    data: &data[..MAX_DATA],
                    tail: &data[data.len() - TAIL..],
                    oversize: true,
                },
                Some(data) => Event {
                    event,
                    data,
                    tail: &[],
                    oversize: false,
                },
                None => Event {
                    event,
                    data: &self.held.data,
                    tail: &self.held.tail[self.held.tail.len().saturating_sub(TAIL)..],
                    oversize: self.held.oversize,
                },
            });
        }
        self.held.clear();
    }
}

// === impl Held ===

impl Held {
    /// Copies what lay in a chunk that is about to end.
    fn take_over(&mut self, borrowed: &mut Borrowed<'_>) {
        if let Some(name) = borrowed.name.take() {
            self.begin(Field::Event, name);
        }
        if let Some(data) = borrowed.data.take() {
            self.begin(Field::Data, data);
        }
    }

    fn begin(&mut self, field: Field, value: &[u8]) {
        match field {
            Field::Data => self.begin_data(),
            Field::Event => self.name.clear(),
            Field::Other => {}
        }
        self.push(field, value);
    }

    fn push(&mut self, field: Field, piece: &[u8]) {
        match field {
            Field::Data => self.push_data(piece),
            Field::Event => {
                let room = MAX_NAME - self.name.len();
                self.name.extend_from_slice(&piece[..piece.len().min(room)]);
            }
            Field::Other => {}
        }
    }

    fn begin_data(&mut self) {
        if std::mem::replace(&mut self.has_data, true) {
            self.push_data(b"\n");
        }
    }

    fn push_data(&mut self, piece: &[u8]) {
        let (kept, over) = piece.split_at(piece.len().min(MAX_DATA - self.data.len()));
        self.data.extend_from_slice(kept);
        if over.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.oversize, true) {
            self.tail.extend_from_slice(&self.data[MAX_DATA - TAIL..]);
        }
        let over = &over[over.len().saturating_sub(TAIL)..];
        if self.tail.len() + over.len() > 2 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
        self.tail.extend_from_slice(over);
    }

    fn clear(&mut self) {
        self.name.clear();
        self.data.clear();
        self.data.shrink_to(KEEP);
        self.tail = Vec::new();
        self.has_data = false;
        self.oversize = false;
    }
}

/// The field of a line and its value, without the one space that may precede it.
fn field(line: &[u8]) -> (Field, &[u8]) {
    let (name, value) = match line.iter().take(HEAD).position(|b| *b == b':') {
        Some(colon) => (&line[..colon], &line[colon + 1..]),
        None => (line, &[][..]),
    };
    let field = match name {
        b"data" => Field::Data,
        b"event" => Field::Event,
        _ => Field::Other,
    };
    (field, value.strip_prefix(b" ").unwrap_or(value))
}

/// Where the last event ends in `text`, which begins between two; 0 where none does. Ends of lines are LF and CR LF: among bare
/// CRs, which no provider sends, an earlier end is found, or none.
#[must_use]
pub fn last_end(text: &[u8]) -> usize {
    memrchr_iter(b'\n', text)
        .find(|at| matches!(text[..*at], [.., b'\n'] | [.., b'\n', b'\r']))
        .map_or(0, |at| at + 1)
}

fn without_bom(line: &[u8]) -> &[u8] {
    line.strip_prefix(BOM).unwrap_or(line)
}

#[cfg(test)]
mod tests;
