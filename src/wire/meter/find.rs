//! Finding things in an event without parsing all of it.

use std::borrow::Cow;

use memchr::{memchr, memmem};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::wire::sse::Event;

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
}

/// The event's name: of its `event:` line, else the `type` in its data, which nearly always is its first key.
pub(super) fn name_of<'e>(event: &Event<'e>) -> Cow<'e, str> {
    if !matches!(event.event, b"" | b"message") {
        return String::from_utf8_lossy(event.event);
    }
    let data = event.data;
    if let Some(rest) = data.strip_prefix(br#"{"type":""#)
        && let Some(end) = memchr(b'"', rest)
    {
        return String::from_utf8_lossy(&rest[..end]);
    }
    serde_json::from_slice::<Typed<'_>>(data).map_or(Cow::Borrowed(""), |typed| typed.kind)
}

/// Whether a key, given with its quotes, is there with a value other than null.
pub(super) fn has_value(data: &[u8], quoted_key: &[u8]) -> bool {
    memmem::find_iter(data, quoted_key).any(|at| {
        let rest = data[at + quoted_key.len()..].trim_ascii_start();
        rest.strip_prefix(b":")
            .is_some_and(|value| !value.trim_ascii_start().starts_with(b"null"))
    })
}

/// Offers the values of a key in the tail of an oversize event, the last one first, until one is accepted. Tool schemas may
/// have a property of the same name.
pub(super) fn offer_from_tail(
    tail: &[u8],
    quoted_key: &[u8],
    accept: &mut dyn FnMut(&[u8]) -> bool,
) {
    for at in memmem::rfind_iter(tail, quoted_key) {
        let rest = tail[at + quoted_key.len()..].trim_ascii_start();
        let Some(value) = rest.strip_prefix(b":") else {
            continue;
        };
        let first = serde_json::Deserializer::from_slice(value)
            .into_iter::<&RawValue>()
            .next();
        if let Some(Ok(value)) = first
            && accept(value.get().as_bytes())
        {
            return;
        }
    }
}

/// The typed view of a usage object; `None` for anything that is not an object.
pub(super) fn object<'a, T: Deserialize<'a>>(value: &'a [u8]) -> Option<T> {
    // Serde would also read a struct from an array.
    let is_object = value.trim_ascii_start().starts_with(b"{");
    is_object
        .then(|| serde_json::from_slice(value).ok())
        .flatten()
}

/// Whether a terminal event has come whole. The stream may end in the middle of it.
pub(super) fn is_whole(event: &Event<'_>) -> bool {
    if event.oversize {
        return event.tail.trim_ascii_end().ends_with(b"}");
    }
    serde_json::from_slice::<IgnoredAny>(event.data).is_ok()
}

/// Whether a value is there and not empty.
pub(super) fn says_something(value: Option<&RawValue>) -> bool {
    value.is_some_and(|value| !is_nothing(value.get().as_bytes()))
}

/// Whether a JSON value is null, false or empty. A number is something, even 0.
pub(super) fn is_nothing(value: &[u8]) -> bool {
    matches!(value, b"" | b"null" | b"\"\"" | b"[]" | b"{}" | b"false")
}

/// Whether an event is an object of no kind the protocol knows that has one of these keys of another protocol.
pub(super) fn is_of_another(data: &[u8], quoted_keys: &[&[u8]]) -> bool {
    quoted_keys.iter().any(|key| has_value(data, key))
}
