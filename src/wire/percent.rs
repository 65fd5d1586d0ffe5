//! Percent-encoding, as far as paths and queries need it.

use std::borrow::Cow;
use std::fmt::Write;

/// Decodes `%XX`; anything else, `+` and broken escapes included, stays as it is. Bytes that are no UTF-8 become U+FFFD.
#[must_use]
pub fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if let Some(byte) = escape(rest) {
            bytes.push(byte);
            rest = &rest[3..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    Cow::Owned(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
    })
}

/// Encodes `text` as one path segment: everything but unreserved characters, `:` and `@` is escaped.
#[must_use]
pub fn encode_segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) || matches!(byte, b':' | b'@') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    out
}

/// The byte an escape at the start of `bytes` stands for.
pub(super) fn escape(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else {
        return None;
    };
    let digit = |b: u8| char::from(b).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

/// Whether RFC 3986 calls the byte unreserved: it never needs an escape.
pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_the_rest_is_left_alone() {
        assert!(matches!(decode("a+b"), Cow::Borrowed("a+b")));
        assert_eq!(decode("a%2Fb%3a%"), "a/b:%");
        assert_eq!(decode("%zz%4"), "%zz%4");
        assert_eq!(decode("%E2%82%AC%ff"), "€\u{fffd}");
    }

    #[test]
    fn a_segment_survives_the_round_trip() {
        for text in ["gemini-2.5-pro", "a/b c", "ü?#%", "ft:gpt@x"] {
            let encoded = encode_segment(text);
            assert!(!encoded.contains(['/', '?', '#', ' ']), "{encoded}");
            assert_eq!(decode(&encoded), text);
        }
    }
}
