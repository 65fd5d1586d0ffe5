//! The usage of a streamed chat completion, for a client that did not ask for it.
//!
//! OpenAI's chat completions report usage at the end of a stream only where `stream_options.include_usage` asks for it. Where the
//! client leaves it out it is put into the body ([`demand`]), as an edit of the few bytes it takes; and since a client may
//! stumble over a chunk that it did not ask for (`choices` is empty in it), that chunk is taken out of the answer again ([`UsageChunk`]).

mod chunk;

use std::borrow::Cow;
use std::ops::Range;

pub use self::chunk::UsageChunk;

use super::endpoint::Endpoint;
use super::patch::Edit;
use super::peek::Peek;
use crate::domain::protocol::{Operation, Protocol};

/// What has to change of a body so that the stream reports its usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The edit.
    pub edit: Edit,
    /// It in words, for the chain.
    pub note: &'static str,
}

const ADDED: &str = "stream_options.include_usage: added";
const CHANGED: &str = "stream_options.include_usage: false -> true";

/// What has to change of `body`, which `peek` was found in; `None` where the client asks for usage itself, or no stream is asked for,
/// or one that always reports it.
///
/// A value that the API does not know is left alone: refusing it is the provider's affair, and a lenient one may take it for a yes.
#[must_use]
pub fn demand(endpoint: &Endpoint, peek: &Peek, body: &[u8]) -> Option<Demand> {
    let is_completion = endpoint.protocol == Protocol::Openai
        && matches!(
            endpoint.operation,
            Operation::Generate | Operation::GenerateStream
        );
    if !is_completion || peek.stream != Some(true) {
        return None;
    }
    let edit = |span: Range<usize>, text: &'static str, note| {
        let text = Cow::Borrowed(text);
        Some(Demand {
            edit: Edit { span, text },
            note,
        })
    };
    let Some(options) = &peek.stream_options else {
        // It streams, so there is a member that this one goes before.
        let start = body.iter().position(|byte| *byte == b'{')? + 1;
        let member = r#""stream_options":{"include_usage":true},"#;
        return edit(start..start, member, ADDED);
    };
    if let Some(span) = &options.include_usage {
        return match body.get(span.clone())? {
            b"false" => edit(span.clone(), "true", CHANGED),
            b"null" => edit(span.clone(), "true", ADDED),
            _ => None,
        };
    }
    match body.get(options.span.clone())? {
        b"null" => edit(options.span.clone(), r#"{"include_usage":true}"#, ADDED),
        [b'{', rest @ ..] => {
            let start = options.span.start + 1;
            let text = match rest.trim_ascii_start() {
                b"}" => r#""include_usage":true"#,
                _ => r#""include_usage":true,"#,
            };
            edit(start..start, text, ADDED)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
