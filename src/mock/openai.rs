//! `OpenAI` chat completions, completions and embeddings, as its API answers.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::ask::Ask;
use super::fault::Fault;
use super::score::{Place, Score, Shape, data};
use super::turn::{Turn, Usage};

/// A streamed completion.
pub(super) struct Completion {
    turn: Turn,
    form: Form,
    include_usage: bool,
}

/// The two kinds of completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `/chat/completions`
    Chat,
    /// `/completions`
    Text,
}

const DIMENSIONS: usize = 8;

/// The whole completion.
pub(super) fn whole(turn: &Turn, form: Form) -> Value {
    let text = turn.text.whole();
    let choice = match form {
        Form::Chat => json!({
            "index": 0,
            "message": { "role": "assistant", "content": text, "refusal": null, "annotations": [] },
            "logprobs": null,
            "finish_reason": "stop",
        }),
        Form::Text => {
            json!({ "index": 0, "text": text, "logprobs": null, "finish_reason": "stop" })
        }
    };
    let object = match form {
        Form::Chat => "chat.completion",
        Form::Text => "text_completion",
    };
    let mut completion = envelope(turn, form, object);
    completion["choices"] = if turn.is_hollow {
        json!([])
    } else {
        json!([choice])
    };
    if let Some(usage) = &turn.usage {
        completion["usage"] = usage_of(usage);
    }
    completion
}

/// The answer of `/embeddings`: one vector of unit length for each input, in the encoding asked for.
pub(super) fn embeddings(turn: &Turn, ask: &Ask) -> Value {
    let vector = unit_vector();
    let encoded = if ask.hints.encoding_format.as_deref() == Some("base64") {
        let bytes: Vec<u8> = vector
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        Value::String(BASE64_STANDARD.encode(bytes))
    } else {
        json!(vector)
    };
    let data: Vec<Value> = (0..ask.hints.batch())
        .map(|index| json!({ "object": "embedding", "index": index, "embedding": encoded }))
        .collect();
    let mut answer = json!({ "object": "list", "data": data, "model": turn.model });
    if let Some(usage) = &turn.usage {
        answer["usage"] =
            json!({ "prompt_tokens": usage.prompt(), "total_tokens": usage.prompt() });
    }
    answer
}

/// The vector every text is embedded as.
pub(super) fn unit_vector() -> [f32; DIMENSIONS] {
    let mut vector = [0.0; DIMENSIONS];
    vector[0] = 1.0;
    vector
}

fn envelope(turn: &Turn, form: Form, object: &str) -> Value {
    let prefix = match form {
        Form::Chat => "chatcmpl",
        Form::Text => "cmpl",
    };
    json!({
        "id": format!("{prefix}-{}", turn.id),
        "object": object,
        "created": turn.created,
        "model": turn.model,
        "service_tier": "default",
        "system_fingerprint": "fp_mock",
    })
}

fn usage_of(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt(),
        "completion_tokens": usage.output,
        "total_tokens": usage.total(),
        "prompt_tokens_details": { "cached_tokens": usage.cache_read, "audio_tokens": 0 },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

// === impl Completion ===

impl Completion {
    pub(super) fn new(turn: Turn, form: Form, include_usage: bool) -> Self {
        Self {
            // A stream without usage cannot have a chunk for it.
            include_usage: include_usage && turn.usage.is_some(),
            turn,
            form,
        }
    }

    fn chunk(&self, choices: &Value) -> Value {
        let object = match self.form {
            Form::Chat => "chat.completion.chunk",
            Form::Text => "text_completion",
        };
        let mut chunk = envelope(&self.turn, self.form, object);
        chunk["choices"] = choices.clone();
        if self.include_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }

    fn choice(&self, delta: &Value, text: &str, finish: Option<&str>) -> Bytes {
        let choice = match self.form {
            Form::Chat => {
                json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }])
            }
            Form::Text => {
                json!([{ "index": 0, "text": text, "logprobs": null, "finish_reason": finish }])
            }
        };
        data(self.chunk(&choice))
    }

    fn closing(&self, n: usize) -> Bytes {
        match n {
            0 => self.choice(&json!({}), "", Some("stop")),
            1 if self.include_usage => {
                let mut chunk = self.chunk(&json!([]));
                if let Some(usage) = &self.turn.usage {
                    chunk["usage"] = usage_of(usage);
                }
                data(chunk)
            }
            _ => data("[DONE]"),
        }
    }
}

impl Score for Completion {
    fn shape(&self) -> Shape {
        Shape {
            opening: usize::from(self.form == Form::Chat),
            deltas: self.turn.text.count(),
            closing: 2 + usize::from(self.include_usage),
        }
    }

    fn event(&self, n: usize) -> Bytes {
        match self.shape().place(n) {
            Place::Opening(_) => {
                let role = json!({ "role": "assistant", "content": "", "refusal": null });
                self.choice(&role, "", None)
            }
            Place::Delta(n) => {
                let piece = self.turn.text.piece(n);
                self.choice(&json!({ "content": piece }), piece, None)
            }
            Place::Closing(n) => self.closing(n),
        }
    }

    fn failure(&self, _: usize, fault: &Fault) -> Bytes {
        data(json!({ "error": fault.openai() }))
    }
}
