//! No answer upsets the judge, and one that is cut short is never called empty of content.

#![no_main]

use libfuzzer_sys::fuzz_target;
use switchyard::domain::protocol::Operation;
use switchyard::wire::judge::complaint::Complaint;
use switchyard::wire::judge::{Flaw, judge};

fuzz_target!(|data: &[u8]| {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    let protocol = fuzz_support::protocol(*kind);
    let content_type = match kind / 5 % 3 {
        0 => Some("application/json"),
        1 => Some("text/html"),
        _ => None,
    };
    for operation in [Operation::Generate, Operation::Embed] {
        let _ = judge(protocol, operation, content_type, body, true);
        let cut = judge(protocol, operation, content_type, body, false);
        assert_ne!(cut, Some(Flaw::NoContent));
    }
    let complaint = Complaint::read(body);
    assert!(complaint.status().is_none_or(|status| status >= 400));
});
