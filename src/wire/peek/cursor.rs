//! A cursor over JSON text that skips fast and checks structure.

use std::borrow::Cow;
use std::ops::Range;

use fearless_simd::Level;
use memchr::memchr;

use super::BadJson;
use super::pass::{self, Watch};

/// An escaped key or a value that matters is never longer than this.
const MAX_SHORT: usize = 4096;

/// A position in a body.
pub(super) struct Cursor<'b> {
    /// The instructions that long values are passed with.
    level: Level,
    body: &'b [u8],
    at: usize,
}

/// A string's text and its span, quotes included.
pub(super) type Spanned<'b> = (Cow<'b, str>, Range<usize>);

/// Called for each entry of an object with the key; must move past the value.
type OnEntry<'f, 'b> = dyn FnMut(&[u8], &mut Cursor<'b>) -> Result<(), BadJson> + 'f;

// === impl Cursor ===

impl<'b> Cursor<'b> {
    pub(super) fn new(level: Level, body: &'b [u8]) -> Self {
        Self { level, body, at: 0 }
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }

    pub(super) fn body(&self) -> &'b [u8] {
        self.body
    }

    /// One object and nothing else.
    pub(super) fn document(&mut self, on_entry: &mut OnEntry<'_, 'b>) -> Result<(), BadJson> {
        if self.next_byte() != Some(b'{') {
            return self.bad("expected an object");
        }
        self.object(on_entry)?;
        match self.next_byte() {
            None => Ok(()),
            Some(_) => self.bad("unexpected text after the end"),
        }
    }

    /// What `read` makes of the next value, and the value's span.
    pub(super) fn spanned<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, BadJson>,
    ) -> Result<(T, Range<usize>), BadJson> {
        self.next_byte();
        let start = self.at;
        let value = read(self)?;
        Ok((value, start..self.at))
    }

    /// Walks through an object; any other value is skipped.
    pub(super) fn object_or_skip(&mut self, on_entry: &mut OnEntry<'_, 'b>) -> Result<(), BadJson> {
        if self.next_byte() == Some(b'{') {
            self.object(on_entry)
        } else {
            self.skip()
        }
    }

    fn object(&mut self, on_entry: &mut OnEntry<'_, 'b>) -> Result<(), BadJson> {
        self.at += 1;
        if self.next_byte() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.next_byte() != Some(b'"') {
                return self.bad("expected a key");
            }
            let span = self.string_span()?;
            let key = self.key(&span)?;
            if self.next_byte() != Some(b':') {
                return self.bad("expected a colon");
            }
            self.at += 1;
            on_entry(&key, self)?;
            match self.next_byte() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.bad("expected a comma or the end of the object"),
            }
        }
    }

    /// A string and its span with quotes; any other value is skipped.
    pub(super) fn string(&mut self) -> Result<Option<Spanned<'b>>, BadJson> {
        if self.next_byte() != Some(b'"') {
            return self.skip().map(|()| None);
        }
        let span = self.string_span()?;
        let text = unescaped(&self.body[span.clone()]).ok_or(BadJson {
            at: span.start,
            what: "malformed string",
        })?;
        Ok(Some((text, span)))
    }

    /// As `string`, but one that is too long to matter is skipped, and so is a malformed one.
    pub(super) fn short_string(&mut self) -> Result<Option<Cow<'b, str>>, BadJson> {
        if self.next_byte() != Some(b'"') {
            return self.skip().map(|()| None);
        }
        let span = self.string_span()?;
        let text = &self.body[span];
        Ok((text.len() <= MAX_SHORT).then(|| unescaped(text)).flatten())
    }

    /// A boolean; any other value is skipped.
    pub(super) fn boolean(&mut self) -> Result<Option<bool>, BadJson> {
        self.next_byte();
        let start = self.at;
        self.skip()?;
        Ok(match &self.body[start..self.at] {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        })
    }

    /// Moves past any value.
    pub(super) fn skip(&mut self) -> Result<(), BadJson> {
        self.watched(&mut ()).map(drop)
    }

    /// Moves past any value, which is watched, and returns its span.
    pub(super) fn watched(&mut self, watch: &mut impl Watch) -> Result<Range<usize>, BadJson> {
        let first = self.next_byte();
        let start = self.at;
        match first {
            Some(b'"') => self.string_span().map(drop),
            Some(b'{' | b'[') => {
                pass::container(self.level, self.body, start, watch).map(|end| self.at = end)
            }
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.bad("expected a value"),
            None => self.bad("unexpected end"),
        }?;
        Ok(start..self.at)
    }

    /// Moves past the string that begins here and returns its span, quotes included.
    fn string_span(&mut self) -> Result<Range<usize>, BadJson> {
        let start = self.at;
        match pass::string(self.level, self.body, start + 1) {
            Some(end) => {
                self.at = end;
                Ok(start..end)
            }
            None => {
                self.at = self.body.len();
                self.bad("unexpected end")
            }
        }
    }

    fn literal(&mut self, literal: &'static [u8]) -> Result<(), BadJson> {
        if !self.body[self.at..].starts_with(literal) {
            return self.bad("malformed literal");
        }
        self.at += literal.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), BadJson> {
        let rest = &self.body[self.at..];
        let is_part = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let len = rest.iter().take_while(|b| is_part(b)).count();
        if !is_number(&rest[..len]) {
            return self.bad("malformed number");
        }
        self.at += len;
        Ok(())
    }

    /// The key in a span, its escapes decoded; one too long to matter is left as it is.
    fn key(&self, span: &Range<usize>) -> Result<Cow<'b, [u8]>, BadJson> {
        let inner = &self.body[span.start + 1..span.end - 1];
        if inner.len() > MAX_SHORT || memchr(b'\\', inner).is_none() {
            return Ok(Cow::Borrowed(inner));
        }
        match unescaped(&self.body[span.clone()]) {
            Some(Cow::Owned(key)) => Ok(Cow::Owned(key.into_bytes())),
            Some(Cow::Borrowed(key)) => Ok(Cow::Borrowed(key.as_bytes())),
            None => Err(BadJson {
                at: span.start,
                what: "malformed key",
            }),
        }
    }

    /// Skips white space and returns the byte it ends at.
    pub(super) fn next_byte(&mut self) -> Option<u8> {
        while let Some(&byte) = self.body.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    fn bad<T>(&self, what: &'static str) -> Result<T, BadJson> {
        let what = if self.at >= self.body.len() {
            "unexpected end"
        } else {
            what
        };
        Err(BadJson { at: self.at, what })
    }
}

/// The text of a JSON string given with its quotes.
fn unescaped(quoted: &[u8]) -> Option<Cow<'_, str>> {
    let inner = &quoted[1..quoted.len() - 1];
    if memchr(b'\\', inner).is_none() && !inner.iter().any(u8::is_ascii_control) {
        return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
    }
    serde_json::from_slice(quoted).ok().map(Cow::Owned)
}

/// JSON's grammar of numbers.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text[0] == b'0') {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = digits(fraction);
        if len == 0 {
            return false;
        }
        rest = &fraction[len..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', exponent @ ..] => exponent,
            exponent => exponent,
        };
        let len = digits(exponent);
        return len > 0 && len == exponent.len();
    }
    rest.is_empty()
}
