//! Edits of a body that leave every other byte as it was.

use std::borrow::Cow;
use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};

/// An edit of a body: what stands in `span` gives way to `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Byte span in the body as it was; an empty one only puts something in.
    pub span: Range<usize>,
    /// What comes in its place.
    pub text: Cow<'static, str>,
}

/// `body` with all edits made, in whatever order they are given: one allocation, every byte outside of them kept. Without edits it is
/// `body` itself.
///
/// # Panics
/// When a span does not lie inside `body`, or two overlap.
#[must_use]
pub fn apply(body: &Bytes, mut edits: Vec<Edit>) -> Bytes {
    if edits.is_empty() {
        return body.clone();
    }
    edits.sort_by_key(|edit| edit.span.start);
    let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut out = BytesMut::with_capacity(body.len() + added);
    let mut at = 0;
    for Edit { span, text } in &edits {
        out.put_slice(&body[at..span.start]);
        out.put_slice(text.as_bytes());
        at = span.end;
    }
    out.put_slice(&body[at..]);
    out.freeze()
}

/// `text` as a JSON string, quotes included.
#[must_use]
pub fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, proptest};

    use super::*;

    fn edit(span: Range<usize>, text: &str) -> Edit {
        Edit {
            span,
            text: text.to_owned().into(),
        }
    }

    #[test]
    fn only_the_spans_change() {
        let body = Bytes::from_static(br#"{"model":"a","x":1}"#);
        let renamed = edit(9..12, &json_string("b\"c"));
        assert_eq!(
            apply(&body, vec![renamed.clone()]),
            r#"{"model":"b\"c","x":1}"#
        );
        let first = edit(1..1, r#""y":2,"#);
        assert_eq!(
            apply(&body, vec![renamed, first]),
            r#"{"y":2,"model":"b\"c","x":1}"#
        );
        let same = apply(&body, Vec::new());
        assert_eq!(same.as_ptr(), body.as_ptr());
    }

    proptest! {
        #[test]
        fn edits_keep_what_is_between_them(parts in vec((any::<Vec<u8>>(), any::<Vec<u8>>(), any::<String>()), 0..5), tail: Vec<u8>, turn: usize) {
            let (mut body, mut expected, mut edits) = (Vec::new(), Vec::new(), Vec::new());
            for (kept, old, new) in &parts {
                body.extend_from_slice(kept);
                expected.extend_from_slice(kept);
                edits.push(edit(body.len()..body.len() + old.len(), new));
                body.extend_from_slice(old);
                expected.extend_from_slice(new.as_bytes());
            }
            body.extend_from_slice(&tail);
            expected.extend_from_slice(&tail);
            let has_ties = edits.windows(2).any(|pair| pair[0].span.start == pair[1].span.start);
            if !edits.is_empty() && !has_ties {
                let middle = turn % edits.len();
                edits.rotate_left(middle);
            }
            assert_eq!(apply(&Bytes::from(body), edits), expected);
        }

        #[test]
        fn a_json_string_reads_back(text in any::<String>()) {
            assert_eq!(serde_json::from_str::<String>(&json_string(&text)).unwrap(), text);
        }
    }
}
