//! The events of a stream do not depend on where its reads end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use switchyard::wire::sse::{Event, Splitter};

/// Every event: its name and its data.
fn events(reads: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut seen = Vec::new();
    let mut splitter = Splitter::default();
    let on_event = &mut |event: Event<'_>| seen.push((event.event.to_vec(), event.data.to_vec()));
    for read in reads {
        splitter.feed(read, on_event);
    }
    splitter.finish(on_event);
    seen
}

fuzz_target!(|data: &[u8]| {
    let (text, reads) = fuzz_support::reads(data);
    assert_eq!(events(&reads), events(&[text]));
});
