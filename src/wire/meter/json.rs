//! An answer in JSON on its way to the tally: one object, or an array of them that comes in pieces.

use super::dialect::Dialect;
use super::later::{Later, Sink};
use super::phase::Phase;
use super::tally::Tally;
use crate::wire::scan::{MAX_VALUE, Scanner};

/// Reads one answer.
#[derive(Debug)]
pub(super) struct Json {
    scanner: Scanner,
    /// Bytes that have come, up to [`MAX_VALUE`].
    len: usize,
    later: Later,
}

// === impl Json ===

impl Json {
    pub(super) fn new(dialect: &Dialect) -> Self {
        Self {
            scanner: dialect.scanner(),
            len: 0,
            later: Later::default(),
        }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8], dialect: &mut Dialect, tally: &mut Tally) {
        let Self {
            scanner,
            len,
            later,
        } = self;
        let mut sink = Sink::new(dialect, tally);
        sink.tally.open();
        // Where the chunks end must not decide what comes first, the limit or an error.
        let (before, after) = bytes.split_at(bytes.len().min(MAX_VALUE - *len));
        *len += before.len();
        for part in [before, after] {
            scanner.feed(part, &mut |key, value| {
                on_value(key, value, later, &mut sink)
            });
            if *len == MAX_VALUE {
                sink.tally.reach(Phase::Content);
            }
        }
    }

    /// Whether the text that began has ended.
    pub(super) fn is_complete(&self) -> bool {
        self.scanner.is_complete()
    }

    /// The bytes have ended.
    pub(super) fn finish(&mut self, dialect: &mut Dialect, tally: &mut Tally) {
        tally.complete = self.is_complete();
        self.later.flush(&mut Sink::new(dialect, tally));
    }
}

fn on_value(key: &str, value: &[u8], later: &mut Later, sink: &mut Sink<'_>) {
    match (key, sink.sieve()) {
        // The elements of an array count on; what else has one such key has it once.
        ("usageMetadata", Some(_)) => {
            if later.push_value(key, value, sink) {
                return;
            }
            later.flush(sink);
        }
        ("candidates", Some(sieve)) if !sieve.is_of_interest(value) => return,
        _ => {}
    }
    sink.read_value(key, value);
}
