//! JSON text, member by member.
//!
//! For the two texts that are written for every request, its chain and its line in the journal. A serialiser looks through every key for what
//! must be escaped, which is most of what it does there; these keys are our own and hold nothing of that kind.

use serde::Serialize;

/// An object at the end of a text.
pub struct Object<'t>(&'t mut Vec<u8>);

// === impl Object ===

impl<'t> Object<'t> {
    /// Begins one.
    pub fn begin(text: &'t mut Vec<u8>) -> Self {
        text.push(b'{');
        Self(text)
    }

    /// A member that is text.
    pub fn text(&mut self, key: &'static str, value: &str) {
        string(self.key(key), value);
    }

    /// A member that is text, if there is one.
    pub fn maybe_text(&mut self, key: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    /// A member that is a whole number.
    pub fn number(&mut self, key: &'static str, value: impl itoa::Integer) {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(value).as_bytes();
        self.key(key).extend_from_slice(digits);
    }

    /// A member that is a whole number, if there is one.
    pub fn maybe_number(&mut self, key: &'static str, value: Option<impl itoa::Integer>) {
        if let Some(value) = value {
            self.number(key, value);
        }
    }

    /// A member of any other kind.
    pub fn value(&mut self, key: &'static str, value: &(impl Serialize + ?Sized)) {
        // Memory takes every text, and no value of ours has keys that are not texts.
        let _ = serde_json::to_writer(self.key(key), value);
    }

    /// A member that is an object.
    pub fn object(&mut self, key: &'static str, write: impl FnOnce(&mut Object<'_>)) {
        let mut object = Object::begin(self.key(key));
        write(&mut object);
        object.end();
    }

    /// Ends it.
    pub fn end(self) {
        self.0.push(b'}');
    }

    /// A comma where there is a member before, and the key; the value is the caller's.
    fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        let text = &mut *self.0;
        // No value ends in this: it is the object's own.
        if text.last() != Some(&b'{') {
            text.push(b',');
        }
        text.push(b'"');
        text.extend_from_slice(key.as_bytes());
        text.extend_from_slice(b"\":");
        text
    }
}

/// Writes a text with its quotes.
fn string(text: &mut Vec<u8>, value: &str) {
    let must_escape = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    if value
        .bytes()
        .fold(false, |any, byte| any | must_escape(byte))
    {
        let _ = serde_json::to_writer(text, value);
        return;
    }
    text.push(b'"');
    text.extend_from_slice(value.as_bytes());
    text.push(b'"');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut text = b"before ".to_vec();
        let mut object = Object::begin(&mut text);
        object.text("plain", "ä{");
        object.text("escaped", "\"\\\n\u{7f}{");
        object.maybe_text("none", None);
        object.number("least", i64::MIN);
        object.maybe_number("most", Some(u64::MAX));
        object.maybe_number("nothing", None::<u8>);
        object.object("empty", |_| {});
        object.object("inner", |inner| inner.value("list", &[1.0, 0.5]));
        object.end();
        let read: Value = serde_json::from_slice(&text[7..]).unwrap();
        assert_eq!(
            read,
            json!({
                "plain": "ä{", "escaped": "\"\\\n\u{7f}{", "least": i64::MIN, "most": u64::MAX,
                "empty": {}, "inner": {"list": [1.0, 0.5]},
            })
        );
    }
}
