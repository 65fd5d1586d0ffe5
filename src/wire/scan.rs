//! Picks the values of a few keys out of a JSON answer as it streams past.
//!
//! An answer may be 20 MB of text with its usage at the very end, so neither the whole nor a fixed head or tail of it is kept.
//! The scanner follows the nesting depth and looks only at the keys of *objects of interest*: the root object; the elements
//! of a root array (Gemini without `alt=sse`); several roots one after another (the same as lines); and the object under one
//! envelope key of those (`{"response": {…}}` of Code Assist). When such a key is wanted, the value's text is captured, up to
//! [`MAX_VALUE`] bytes; a longer one is given up. Everything else is skipped, a block of bytes at a time. The state is a few words
//! and the capture buffer, whatever the size of the answer, and does not depend on where chunks end.
//!
//! It is lenient: brackets are counted, not matched. What a client makes of broken JSON is the client's affair; the text of a
//! captured value is parsed properly by whoever asked for it.

use fearless_simd::{Level, Simd, dispatch};
use memchr::memchr2;

use crate::wire::block::{self, Carry};

/// Bytes of a value that are captured at most.
pub const MAX_VALUE: usize = 32 * 1024;
/// Room made for a value at once: a usage object is about as long.
const USUAL_VALUE: usize = 256;
/// The longest key anybody asks for, and one.
const MAX_KEY: usize = 24;

/// The scanner for one answer.
#[derive(Debug)]
pub struct Scanner {
    /// The instructions that blocks are passed with.
    instructions: Level,
    keys: &'static [&'static str],
    envelope: Option<&'static str>,
    /// Containers that are open.
    depth: usize,
    /// The depth inside an object of interest, without and with an envelope around it.
    base: usize,
    level: usize,
    /// The container at `level` is an object.
    is_keyed: bool,
    began: bool,
    string: Text,
    /// The next string at `level` is a key.
    awaits_key: bool,
    key: Key,
    capture: Capture,
    value: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    /// After a backslash.
    Escaped,
}

/// The last key seen at `level`.
#[derive(Debug, Default)]
struct Key {
    bytes: [u8; MAX_KEY],
    len: usize,
    is_open: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Capture {
    Off,
    /// Capturing the value of this key.
    On(&'static str),
}

// === impl Scanner ===

impl Scanner {
    /// A scanner for the values of `keys`, which may also lie in the object under `envelope`.
    #[must_use]
    pub fn new(keys: &'static [&'static str], envelope: Option<&'static str>) -> Self {
        Self {
            instructions: Level::new(),
            keys,
            envelope,
            depth: 0,
            base: 1,
            level: 1,
            is_keyed: false,
            began: false,
            string: Text::Outside,
            awaits_key: false,
            key: Key::default(),
            capture: Capture::Off,
            value: Vec::new(),
        }
    }

    /// Whether the text so far is complete: everything that was opened is closed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.began && self.depth == 0
    }

    /// Takes the next bytes and hands on every wanted value they complete, with its key.
    pub fn feed(&mut self, chunk: &[u8], on_value: &mut impl FnMut(&'static str, &[u8])) {
        let mut rest = chunk;
        while !rest.is_empty() {
            rest = match self.string {
                Text::Outside if self.depth > self.level => self.pass(rest, on_value),
                Text::Outside => {
                    self.structure(rest[0], on_value);
                    &rest[1..]
                }
                Text::Inside => self.in_string(rest),
                Text::Escaped => {
                    self.take(&rest[..1]);
                    self.string = Text::Inside;
                    &rest[1..]
                }
            };
        }
    }

    /// Passes over what is deep inside a value, where only strings and brackets count: a block at a time.
    fn pass<'c>(
        &mut self,
        rest: &'c [u8],
        on_value: &mut impl FnMut(&'static str, &[u8]),
    ) -> &'c [u8] {
        if rest.len() < block::LEN {
            return self.pass_rest(rest, on_value);
        }
        dispatch!(self.instructions, simd => self.pass_blocks(simd, rest, on_value))
    }

    #[inline(always)]
    fn pass_blocks<'c, S: Simd>(
        &mut self,
        simd: S,
        rest: &'c [u8],
        on_value: &mut impl FnMut(&'static str, &[u8]),
    ) -> &'c [u8] {
        let (mut carry, mut start) = (Carry::default(), 0);
        for block in rest.as_chunks::<{ block::LEN }>().0 {
            let mut next = carry;
            let masks = next.masks(simd, block);
            // A backslash outside of strings escapes nothing here.
            if masks.strays != 0 {
                break;
            }
            let mut brackets = masks.brackets;
            while brackets != 0 {
                let at = brackets.trailing_zeros() as usize;
                brackets &= brackets - 1;
                if self.is_end(block[at]) {
                    return self.end_deep(rest, start + at, on_value);
                }
            }
            carry = next;
            start += block::LEN;
        }
        let (passed, rest) = rest.split_at(start);
        self.take(passed);
        self.string = match (carry.is_inside(), carry.is_escaped()) {
            (false, _) => return self.pass_rest(rest, on_value),
            (true, false) => Text::Inside,
            (true, true) => Text::Escaped,
        };
        rest
    }

    /// The same a byte at a time, up to the next string.
    fn pass_rest<'c>(
        &mut self,
        rest: &'c [u8],
        on_value: &mut impl FnMut(&'static str, &[u8]),
    ) -> &'c [u8] {
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                b'"' => {
                    self.take(&rest[..=at]);
                    self.string = Text::Inside;
                    return &rest[at + 1..];
                }
                b'{' | b'[' | b'}' | b']' if self.is_end(*byte) => {
                    return self.end_deep(rest, at, on_value);
                }
                _ => {}
            }
        }
        self.take(rest);
        &[]
    }

    /// Counts a bracket; whether it ends the value at `level`.
    fn is_end(&mut self, bracket: u8) -> bool {
        if matches!(bracket, b'{' | b'[') {
            self.depth += 1;
            return false;
        }
        self.depth -= 1;
        self.depth == self.level
    }

    fn end_deep<'c>(
        &mut self,
        rest: &'c [u8],
        at: usize,
        on_value: &mut impl FnMut(&'static str, &[u8]),
    ) -> &'c [u8] {
        self.take(&rest[..=at]);
        self.end_value(on_value);
        &rest[at + 1..]
    }

    fn in_string<'c>(&mut self, rest: &'c [u8]) -> &'c [u8] {
        let Some(at) = memchr2(b'"', b'\\', rest) else {
            self.take(rest);
            return &[];
        };
        if rest[at] == b'\\' {
            self.take(&rest[..=at]);
            self.string = Text::Escaped;
        } else {
            self.take(&rest[..at]);
            self.key.is_open = false;
            self.take(b"\"");
            self.string = Text::Outside;
        }
        &rest[at + 1..]
    }

    /// Keeps bytes that belong to a key or to a captured value.
    fn take(&mut self, bytes: &[u8]) {
        if self.key.is_open {
            self.key.push(bytes);
        } else if self.capture != Capture::Off {
            // One byte over the limit marks a value that is too long.
            let room = MAX_VALUE + 1 - self.value.len();
            self.value
                .extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// One byte outside of strings.
    fn structure(&mut self, byte: u8, on_value: &mut impl FnMut(&'static str, &[u8])) {
        let is_level = self.depth == self.level && self.is_keyed;
        match byte {
            b'"' => {
                self.string = Text::Inside;
                self.key.is_open = is_level && self.awaits_key;
                if self.key.is_open {
                    self.key.len = 0;
                } else {
                    self.take(b"\"");
                }
            }
            b'{' | b'[' => {
                self.take(&[byte]);
                self.open(byte, is_level);
            }
            b'}' | b']' => {
                if is_level {
                    self.end_value(on_value);
                }
                self.take(&[byte]);
                self.close();
                // A captured container ends here, even should nothing follow it any more.
                if self.depth == self.level {
                    self.end_value(on_value);
                }
            }
            b':' if is_level && self.awaits_key => {
                self.awaits_key = false;
                if let Some(key) = self.keys.iter().find(|key| self.key.is(key)) {
                    self.capture = Capture::On(key);
                    self.value.clear();
                    self.value.reserve(USUAL_VALUE);
                }
            }
            b',' if is_level => {
                self.end_value(on_value);
                self.awaits_key = true;
            }
            _ => self.take(&[byte]),
        }
    }

    fn open(&mut self, byte: u8, is_level: bool) {
        self.depth += 1;
        if self.depth == 1 {
            self.began = true;
            self.base = if byte == b'[' { 2 } else { 1 };
            self.level = self.base;
        }
        let is_envelope = is_level
            && byte == b'{'
            && self.level == self.base
            && self.envelope.is_some_and(|envelope| self.key.is(envelope));
        if is_envelope {
            self.level += 1;
        }
        if self.depth == self.level {
            self.is_keyed = byte == b'{';
            self.awaits_key = self.is_keyed;
        }
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth < self.level && self.level > self.base {
            self.level = self.base;
            self.is_keyed = true;
            self.awaits_key = false;
        }
    }

    fn end_value(&mut self, on_value: &mut impl FnMut(&'static str, &[u8])) {
        if let Capture::On(key) = self.capture
            && self.value.len() <= MAX_VALUE
        {
            on_value(key, self.value.trim_ascii());
        }
        self.capture = Capture::Off;
    }
}

// === impl Key ===

impl Key {
    fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.len < MAX_KEY {
                self.bytes[self.len] = *byte;
                self.len += 1;
            }
        }
    }

    fn is(&self, key: &str) -> bool {
        &self.bytes[..self.len] == key.as_bytes()
    }
}

#[cfg(test)]
mod tests;
