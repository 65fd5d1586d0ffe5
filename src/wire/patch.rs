//! Edits of a body that leave every other byte as it was.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};

/// `body` with `span` replaced: one allocation, every byte outside the span kept.
///
/// # Panics
/// When `span` does not lie inside `body`.
#[must_use]
pub fn splice(body: &Bytes, span: Range<usize>, replacement: &str) -> Bytes {
    let (head, tail) = (&body[..span.start], &body[span.end..]);
    let mut out = BytesMut::with_capacity(head.len() + replacement.len() + tail.len());
    out.put_slice(head);
    out.put_slice(replacement.as_bytes());
    out.put_slice(tail);
    out.freeze()
}

/// `text` as a JSON string, quotes included.
#[must_use]
pub fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn only_the_span_changes() {
        let body = Bytes::from_static(br#"{"model":"a","x":1}"#);
        assert_eq!(
            splice(&body, 9..12, &json_string("b\"c")),
            r#"{"model":"b\"c","x":1}"#
        );
    }

    proptest! {
        #[test]
        fn splicing_keeps_both_sides(head: Vec<u8>, old: Vec<u8>, tail: Vec<u8>, new: String) {
            let body = Bytes::from([head.clone(), old.clone(), tail.clone()].concat());
            let out = splice(&body, head.len()..head.len() + old.len(), &new);
            assert_eq!(out, [head, new.into_bytes(), tail].concat());
        }

        #[test]
        fn a_json_string_reads_back(text in any::<String>()) {
            assert_eq!(serde_json::from_str::<String>(&json_string(&text)).unwrap(), text);
        }
    }
}
