//! Anthropic Messages, as its API answers.

use bytes::Bytes;
use serde_json::{Value, json};

use super::fault::Fault;
use super::score::{Place, Score, Shape, named};
use super::turn::{Turn, Usage};

/// A streamed message.
pub(super) struct Message(pub(super) Turn);

const OPENING: usize = 3;
const CLOSING: usize = 3;

/// The whole message.
pub(super) fn whole(turn: &Turn) -> Value {
    let mut message = envelope(turn);
    if !turn.is_hollow {
        message["content"] = json!([{ "type": "text", "text": turn.text.whole() }]);
    }
    message["stop_reason"] = "end_turn".into();
    if let Some(usage) = &turn.usage {
        message["usage"] = input_usage(usage, usage.output);
    }
    message
}

/// The answer of `count_tokens`.
pub(super) fn count(usage: &Usage) -> Value {
    json!({ "input_tokens": usage.prompt() })
}

fn envelope(turn: &Turn) -> Value {
    json!({
        "id": format!("msg_{}", turn.id),
        "type": "message",
        "role": "assistant",
        "model": turn.model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
    })
}

fn input_usage(usage: &Usage, output: u64) -> Value {
    json!({
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write_5m.saturating_add(usage.cache_write_1h),
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": output,
        "service_tier": "standard",
    })
}

// === impl Message ===

impl Message {
    fn opening(&self, n: usize) -> Bytes {
        match n {
            0 => {
                let mut message = envelope(&self.0);
                if let Some(usage) = &self.0.usage {
                    message["usage"] = input_usage(usage, usage.output.min(1));
                }
                named("message_start", &json!({ "message": message }))
            }
            1 => named(
                "content_block_start",
                &json!({ "index": 0, "content_block": { "type": "text", "text": "" } }),
            ),
            _ => named("ping", &json!({})),
        }
    }

    fn closing(&self, n: usize) -> Bytes {
        match n {
            0 => named("content_block_stop", &json!({ "index": 0 })),
            1 => {
                let mut fields =
                    json!({ "delta": { "stop_reason": "end_turn", "stop_sequence": null } });
                if let Some(usage) = &self.0.usage {
                    fields["usage"] = json!({
                        "input_tokens": usage.input,
                        "cache_creation_input_tokens": usage.cache_write_5m.saturating_add(usage.cache_write_1h),
                        "cache_read_input_tokens": usage.cache_read,
                        "output_tokens": usage.output,
                    });
                }
                named("message_delta", &fields)
            }
            _ => named("message_stop", &json!({})),
        }
    }
}

impl Score for Message {
    fn shape(&self) -> Shape {
        Shape {
            opening: OPENING,
            deltas: self.0.text.count(),
            closing: CLOSING,
        }
    }

    fn event(&self, n: usize) -> Bytes {
        match self.shape().place(n) {
            Place::Opening(n) => self.opening(n),
            Place::Delta(n) => named(
                "content_block_delta",
                &json!({ "index": 0, "delta": { "type": "text_delta", "text": self.0.text.piece(n) } }),
            ),
            Place::Closing(n) => self.closing(n),
        }
    }

    fn ping(&self) -> Bytes {
        named("ping", &json!({}))
    }

    fn failure(&self, _: usize, fault: &Fault) -> Bytes {
        named("error", &json!({ "error": fault.anthropic() }))
    }
}
