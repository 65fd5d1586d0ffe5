//! What routing needs to know of a request's body, without building a tree.
//!
//! Bodies of coding clients are 50 KB to 40 MB, nearly all of it text in strings. One forward pass looks at the keys of the
//! top-level object (and of the few objects within it that matter) and skips every other value:
//!
//! - Text is read in blocks of 64 bytes turned into bit masks (`wire::block`): which quotes are real, what lies inside a string,
//!   which brackets lie outside. A string's end is the next real quote.
//! - Containers are skipped by their brackets (`peek::pass`), which are kept on a bit stack of fixed size. No recursion, no
//!   allocation.
//! - Both with the widest vectors that the processor has, chosen as it runs.
//!
//! The structure is checked (brackets, ends, the grammar of every object on the way and of its literals), the inside of
//! skipped values is not: a body that a provider would refuse may pass, but nothing is ever cut at the wrong place.
//!
//! System prompt, tools and messages are fingerprinted as they pass (`peek::elements`, [`wire::prefix`](super::prefix)).

mod cursor;
mod elements;
mod nesting;
mod pass;
mod session;

use std::borrow::Cow;
use std::ops::Range;

use fearless_simd::Level;
use http::HeaderMap;

use self::cursor::Cursor;
use crate::domain::protocol::Protocol;
use crate::wire::prefix::{Builder, Prefix};

/// Where a body's `stream_options` stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamOptions {
    /// Byte span of the value, which need not be an object.
    pub span: Range<usize>,
    /// Byte span of the value of `include_usage` within it, where it has one.
    pub include_usage: Option<Range<usize>>,
}

/// What a body says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peek {
    /// The model asked for, without Gemini's `models/`.
    pub model: Option<String>,
    /// Byte span of the model's JSON string in the body, quotes included.
    pub model_span: Option<Range<usize>>,
    /// The `stream` flag.
    pub stream: Option<bool>,
    /// The client's own id of its session, from headers or body: visible ASCII, 256 characters at most.
    pub session_id: Option<String>,
    /// `stream_options.include_usage`.
    pub include_usage: Option<bool>,
    /// Where `stream_options` stand.
    pub stream_options: Option<StreamOptions>,
    /// Fingerprints of the conversation, if there is one.
    pub prefix: Option<Prefix>,
}

/// The body is not JSON, or not an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct BadJson {
    /// Byte offset in the body.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// Looks a body over in one pass. Where a key occurs twice, the last one counts.
///
/// # Errors
/// [`BadJson`] when the body is truncated, unbalanced, not an object, or followed by something else.
pub fn peek(protocol: Protocol, headers: &HeaderMap, body: &[u8]) -> Result<Peek, BadJson> {
    peek_with(Level::new(), protocol, headers, body)
}

/// The same at a certain level of instructions.
fn peek_with(
    level: Level,
    protocol: Protocol,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Peek, BadJson> {
    let mut found = Found {
        session_in_head: session::from_headers(protocol, headers),
        ..Found::default()
    };
    let mut cursor = Cursor::new(level, body);
    cursor.document(&mut |key, cursor| found.top_level(protocol, key, cursor))?;
    let model = found.model.or(found.inner_model);
    let (model, model_span) = model.map_or((None, None), |(m, span)| (Some(m), Some(span)));
    Ok(Peek {
        model,
        model_span,
        stream: found.stream,
        session_id: found
            .session_in_head
            .or_else(|| session::from_body(protocol, found.session.as_deref()?)),
        include_usage: found.include_usage,
        stream_options: found.stream_options,
        prefix: found.prefix.finish(),
    })
}

type Model = (String, Range<usize>);

#[derive(Default)]
struct Found<'b> {
    model: Option<Model>,
    /// `request.model` of Code Assist's token counting.
    inner_model: Option<Model>,
    stream: Option<bool>,
    include_usage: Option<bool>,
    stream_options: Option<StreamOptions>,
    /// The session id of the headers. What the body says of it is not looked for then.
    session_in_head: Option<String>,
    /// The text that holds the session id.
    session: Option<Cow<'b, str>>,
    prefix: Builder,
}

// === impl Found ===

impl<'b> Found<'b> {
    fn top_level(
        &mut self,
        protocol: Protocol,
        key: &[u8],
        cursor: &mut Cursor<'b>,
    ) -> Result<(), BadJson> {
        if protocol != Protocol::GeminiCli
            && let Some(part) = elements::part(protocol, key)
        {
            return elements::collect(part, protocol, cursor, &mut self.prefix);
        }
        match (protocol, key) {
            (_, b"model") => self.model = model(cursor)?,
            (_, b"stream") => self.stream = cursor.boolean()?,
            (_, b"stream_options") => self.stream_options(cursor)?,
            (Protocol::Responses | Protocol::Openai, b"prompt_cache_key")
                if self.session_in_head.is_none() =>
            {
                self.session = cursor.short_string()?;
            }
            (Protocol::Anthropic, b"metadata") if self.session_in_head.is_none() => {
                self.session = None;
                cursor.object_or_skip(&mut |key, cursor| {
                    if key == b"user_id" {
                        self.session = cursor.short_string()?;
                        return Ok(());
                    }
                    cursor.skip()
                })?;
            }
            (Protocol::GeminiCli, b"request") => self.code_assist(cursor)?,
            _ => cursor.skip()?,
        }
        Ok(())
    }

    fn stream_options(&mut self, cursor: &mut Cursor<'b>) -> Result<(), BadJson> {
        self.include_usage = None;
        let mut include_usage = None;
        let ((), span) = cursor.spanned(|cursor| {
            cursor.object_or_skip(&mut |key, cursor| {
                if key == b"include_usage" {
                    let (asked, span) = cursor.spanned(Cursor::boolean)?;
                    (self.include_usage, include_usage) = (asked, Some(span));
                    return Ok(());
                }
                cursor.skip()
            })
        })?;
        self.stream_options = Some(StreamOptions {
            span,
            include_usage,
        });
        Ok(())
    }

    /// Code Assist's envelope.
    fn code_assist(&mut self, cursor: &mut Cursor<'b>) -> Result<(), BadJson> {
        (self.session, self.inner_model, self.prefix) = (None, None, Builder::default());
        let protocol = Protocol::GeminiCli;
        cursor.object_or_skip(&mut |key, cursor| {
            match (key, elements::part(protocol, key)) {
                (b"session_id", _) => self.session = cursor.short_string()?,
                (b"model", _) => self.inner_model = model(cursor)?,
                (_, Some(part)) => elements::collect(part, protocol, cursor, &mut self.prefix)?,
                _ => cursor.skip()?,
            }
            Ok(())
        })
    }
}

fn model(cursor: &mut Cursor<'_>) -> Result<Option<Model>, BadJson> {
    Ok(cursor.string()?.map(|(text, span)| {
        let name = text.strip_prefix("models/").unwrap_or(&text);
        (name.to_owned(), span)
    }))
}

#[cfg(test)]
pub(super) mod tests;
