//! What an answer is read as does not depend on where its reads end, whatever it is. Of a broken compressed one as much is read as
//! its decoder gives, which may depend on the reads: it only must not do harm.
//!
//! Half of the inputs in the clear come behind an event with content, because what follows the first content is passed over without being
//! read as far as it can be.

#![no_main]

use libfuzzer_sys::fuzz_target;
use switchyard::domain::protocol::{Operation, Protocol};
use switchyard::wire::meter::{Meter, Reading};

fn read(protocol: Protocol, encoding: Option<&str>, reads: &[&[u8]]) -> Reading {
    let mut meter = Meter::new(protocol, Operation::Generate, None, encoding);
    let mut phase = meter.phase();
    for read in reads {
        meter.feed(read);
        assert!(meter.phase() >= phase, "it only ever grows");
        phase = meter.phase();
    }
    meter.finish()
}

fn content(protocol: Protocol) -> &'static [u8] {
    match protocol {
        Protocol::Anthropic => {
            b"data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"a\"}}\n\n"
        }
        Protocol::Responses => {
            b"data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n"
        }
        Protocol::Openai => b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
        Protocol::Gemini | Protocol::GeminiCli => {
            b"data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\n\n"
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    let protocol = fuzz_support::protocol(*kind);
    let encoding = match kind / 5 % 8 {
        0 => Some("gzip"),
        1 => Some("br"),
        2 => Some("zstd"),
        _ => None,
    };
    let (text, mut reads) = fuzz_support::reads(rest);
    let first = if encoding.is_none() && kind / 40 % 2 == 1 {
        content(protocol)
    } else {
        b""
    };
    reads.insert(0, first);
    let in_pieces = read(protocol, encoding, &reads);
    if encoding.is_none() {
        assert_eq!(in_pieces, read(protocol, None, &[&[first, text].concat()]));
    }
});
