//! Gemini and Code Assist, as their APIs answer.

use bytes::Bytes;
use serde_json::{Value, json};

use super::ask::Framing;
use super::fault::Fault;
use super::openai::unit_vector;
use super::score::{COMMENT, Place, Score, Shape};
use super::turn::{Turn, Usage};

/// A streamed content.
pub(super) struct Content {
    pub(super) turn: Turn,
    pub(super) framing: Framing,
    pub(super) internal: bool,
}

/// The whole content.
pub(super) fn whole(turn: &Turn, internal: bool) -> Value {
    let mut content = chunk(turn, &turn.text.whole(), true);
    if turn.is_hollow {
        content["candidates"] = json!([]);
    }
    wrapped(content, turn, internal)
}

/// The answer of `countTokens`.
pub(super) fn count(usage: &Usage) -> Value {
    let total = usage.prompt();
    json!({ "totalTokens": total, "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": total }] })
}

/// The answer of `embedContent`.
pub(super) fn embedding() -> Value {
    json!({ "embedding": { "values": unit_vector() } })
}

/// The answer of `batchEmbedContents`.
pub(super) fn embeddings(batch: usize) -> Value {
    let one = json!({ "values": unit_vector() });
    json!({ "embeddings": vec![one; batch] })
}

fn chunk(turn: &Turn, text: &str, is_last: bool) -> Value {
    let mut candidate = json!({
        "content": { "parts": [{ "text": text }], "role": "model" },
        "index": 0,
    });
    if is_last {
        candidate["finishReason"] = "STOP".into();
    }
    let mut chunk = json!({
        "candidates": [candidate],
        "modelVersion": turn.model,
        "responseId": turn.id,
    });
    if let Some(usage) = turn.usage.as_ref().filter(|_| is_last) {
        chunk["usageMetadata"] = usage_of(usage);
    }
    chunk
}

fn usage_of(usage: &Usage) -> Value {
    let prompt = usage.prompt();
    let mut metadata = json!({
        "promptTokenCount": prompt,
        "candidatesTokenCount": usage.output.saturating_sub(usage.reasoning),
        "totalTokenCount": usage.total(),
        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": prompt }],
    });
    if usage.cache_read > 0 {
        metadata["cachedContentTokenCount"] = usage.cache_read.into();
        metadata["cacheTokensDetails"] =
            json!([{ "modality": "TEXT", "tokenCount": usage.cache_read }]);
    }
    if usage.reasoning > 0 {
        metadata["thoughtsTokenCount"] = usage.reasoning.into();
    }
    metadata
}

fn wrapped(content: Value, turn: &Turn, internal: bool) -> Value {
    if internal {
        json!({ "response": content, "traceId": turn.id })
    } else {
        content
    }
}

// === impl Content ===

impl Score for Content {
    fn shape(&self) -> Shape {
        Shape {
            opening: 0,
            deltas: self.turn.text.count(),
            closing: 1,
        }
    }

    fn event(&self, n: usize) -> Bytes {
        let (text, is_last) = match self.shape().place(n) {
            Place::Delta(n) => (self.turn.text.piece(n), false),
            Place::Opening(_) | Place::Closing(_) => ("", true),
        };
        let content = wrapped(chunk(&self.turn, text, is_last), &self.turn, self.internal);
        self.framing.frame(n, is_last, &content)
    }

    fn ping(&self) -> Bytes {
        match self.framing {
            Framing::JsonArray => Bytes::from_static(b" "),
            Framing::Sse | Framing::SseCrlf => COMMENT,
        }
    }

    fn failure(&self, n: usize, fault: &Fault) -> Bytes {
        self.framing
            .frame(n, true, &json!({ "error": fault.gemini() }))
    }
}
