//! A stream of events on its way to the tally.
//!
//! Before the first content each event is read. Afterwards only those that are of interest are cut out of the stream (see
//! `sieve.rs`), and those that tell a usage and nothing else are put off (see `later.rs`).

use super::dialect::Dialect;
use super::later::{Later, Sink};
use super::sieve::Interest;
use super::tally::Tally;
use crate::wire::sse::{Event, Splitter};

/// Reads one stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    splitter: Splitter,
    later: Later,
}

// === impl Stream ===

impl Stream {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8], dialect: &mut Dialect, tally: &mut Tally) {
        let Self { splitter, later } = self;
        let mut sink = Sink::new(dialect, tally);
        let mut rest = bytes;
        while !rest.is_empty() {
            let mut due = 0;
            if let Some(sieve) = sink.sieve()
                && let Some(text) = splitter.between(rest)
            {
                let run = sieve.run(text);
                later.pass(&text[..run.len], run, sieve, &mut sink);
                rest = &text[run.len..];
                due = run.stop - run.len;
            }
            // At least the event with the pattern, or the start of one whose end is not here.
            let undue = rest.len().saturating_sub(due);
            while !rest.is_empty() && rest.len() >= undue {
                rest = splitter.feed_one(rest, &mut |event| on_event(event, later, &mut sink));
            }
        }
    }

    /// The bytes have ended.
    pub(super) fn finish(&mut self, dialect: &mut Dialect, tally: &mut Tally) {
        let Self { splitter, later } = self;
        let mut sink = Sink::new(dialect, tally);
        splitter.finish(&mut |event| on_event(event, later, &mut sink));
        later.flush(&mut sink);
    }
}

fn on_event(event: Event<'_>, later: &mut Later, sink: &mut Sink<'_>) {
    if let Some(sieve) = sink.sieve() {
        match sieve.judge(&event) {
            Interest::None => return,
            Interest::Usage if later.push_event(event.data, sink) => return,
            Interest::Usage | Interest::All => {}
        }
    }
    later.flush(sink);
    sink.read(event);
}
