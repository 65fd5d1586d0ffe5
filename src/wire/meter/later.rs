//! A usage that is replaced by the next one.
//!
//! Gemini reports the usage in every event, and so do some upstreams of chat completions. It counts on, so the last one is all that
//! matters, but which one is the last is known at the end only. So whole events of which nothing but the usage is of interest are
//! put off, as text, up to [`MAX`] bytes of them; when there are more, or an event comes that has to be read, or the end, the
//! last of them is read. If its usage cannot be read, or an earlier one may have said something that it did not, all are. So what is
//! made of them is what reading each would have made, and the cost is that of reading one in some dozens.

use memchr::{memchr2, memmem};

use super::dialect::Dialect;
use super::sieve::{Mark, Run, Sieve};
use super::tally::{Heard, Tally};
use crate::wire::sse::{Event, Splitter, last_end};

/// Bytes of events that are put off at most.
const MAX: usize = 16 * 1024;

/// Whole events that were put off.
#[derive(Debug, Default)]
pub(super) struct Later(Vec<u8>);

/// Where events go.
pub(super) struct Sink<'a> {
    dialect: &'a mut Dialect,
    pub(super) tally: &'a mut Tally,
}

// === impl Later ===

impl Later {
    /// Puts an event off; false if it is no single line, or too long.
    pub(super) fn push_event(&mut self, data: &[u8], sink: &mut Sink<'_>) -> bool {
        memchr2(b'\n', b'\r', data).is_none() && self.push(&[b"data: ", data, b"\n\n"], sink)
    }

    /// Puts a value off that an answer has which is no stream of events; false if it is too long.
    pub(super) fn push_value(&mut self, key: &str, value: &[u8], sink: &mut Sink<'_>) -> bool {
        let parts = [b"data: {\"", key.as_bytes(), b"\":", value, b"}\n\n"];
        if !self.push(&parts, sink) {
            return false;
        }
        // Ends of lines are white space like any other.
        let end = self.0.len() - b"}\n\n".len();
        for byte in &mut self.0[end - value.len()..end] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        true
    }

    fn push(&mut self, parts: &[&[u8]], sink: &mut Sink<'_>) -> bool {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        if len > MAX {
            return false;
        }
        if self.0.len() + len > MAX {
            self.flush(sink);
        }
        parts.iter().for_each(|part| self.0.extend_from_slice(part));
        true
    }

    /// Takes whole events of which nothing but the usage is of interest.
    pub(super) fn pass(&mut self, text: &[u8], run: Run, sieve: &Sieve, sink: &mut Sink<'_>) {
        let (Some(mark), Some(at)) = (sieve.usage, run.usage) else {
            return;
        };
        if self.0.len() + text.len() <= MAX {
            self.0.extend_from_slice(text);
            return;
        }
        if !sink.read_last(text, at, mark, &self.0) {
            self.flush(sink);
            sink.read_all(text);
        }
        self.0.clear();
    }

    /// Reads what was put off.
    pub(super) fn flush(&mut self, sink: &mut Sink<'_>) {
        let Some(mark) = sink.sieve().and_then(|sieve| sieve.usage) else {
            return;
        };
        if let Some(at) = mark.find_last(&self.0)
            && !sink.read_last(&self.0, at, mark, &[])
        {
            sink.read_all(&self.0);
        }
        self.0.clear();
    }
}

// === impl Sink ===

impl<'a> Sink<'a> {
    pub(super) fn new(dialect: &'a mut Dialect, tally: &'a mut Tally) -> Self {
        Self { dialect, tally }
    }

    pub(super) fn sieve(&self) -> Option<&'static Sieve> {
        self.dialect.sieve(self.tally)
    }

    pub(super) fn read(&mut self, event: Event<'_>) {
        self.dialect.on_event(event, self.tally);
    }

    pub(super) fn read_value(&mut self, key: &str, value: &[u8]) {
        self.dialect.on_value(key, value, self.tally);
    }

    fn read_all(&mut self, text: &[u8]) {
        Splitter::midway().feed(text, &mut |event| self.read(event));
    }

    /// Reads the last event of a text that has a usage, and what is behind it. Whether nothing that comes before it, there or in
    /// `older`, can matter any more.
    fn read_last(&mut self, text: &[u8], usage_at: usize, mark: Mark, older: &[u8]) -> bool {
        let (before, last) = text.split_at(last_end(&text[..usage_at]));
        self.tally.heard = Heard::default();
        self.read_all(last);
        let heard = self.tally.heard;
        let has_tier = |text| memmem::find(text, mark.tier).is_some();
        heard.usage && (heard.tier || !(has_tier(before) || has_tier(older)))
    }
}
