//! What is left of a stream without its usage chunk does not depend on where its reads end.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use switchyard::wire::include_usage::UsageChunk;

fn pass(reads: &[&[u8]]) -> Vec<u8> {
    let mut chunk = UsageChunk::default();
    let mut out = Vec::new();
    for read in reads {
        out.extend(chunk.pass(Bytes::copy_from_slice(read), false));
    }
    out.extend(chunk.pass(Bytes::new(), true));
    out
}

fuzz_target!(|data: &[u8]| {
    let (text, reads) = fuzz_support::reads(data);
    assert_eq!(pass(&reads), pass(&[text]));
});
