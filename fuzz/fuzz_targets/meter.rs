//! What an answer is read as does not depend on where its reads end, whatever it is. Of a broken compressed one as much is read as
//! its decoder gives, which may depend on the reads: it only must not do harm.

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
    let (text, reads) = fuzz_support::reads(rest);
    let in_pieces = read(protocol, encoding, &reads);
    if encoding.is_none() {
        assert_eq!(in_pieces, read(protocol, None, &[text]));
    }
});
