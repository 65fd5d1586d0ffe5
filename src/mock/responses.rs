//! `OpenAI` Responses, as its API answers.

use bytes::Bytes;
use serde_json::{Value, json};

use super::fault::Fault;
use super::score::{Place, Score, Shape, named};
use super::turn::{Turn, Usage};

/// A streamed response.
pub(super) struct Response(pub(super) Turn);

const OPENING: usize = 4;
const CLOSING: usize = 4;

/// The whole response object.
pub(super) fn whole(turn: &Turn) -> Value {
    let mut response = envelope(turn, "completed");
    if !turn.is_hollow {
        response["output"] = json!([item(turn)]);
    }
    response["completed_at"] = turn.created.into();
    if let Some(usage) = &turn.usage {
        response["usage"] = usage_of(usage);
    }
    response
}

/// The answer of `compact`: the conversation so far, as one item to carry on with.
pub(super) fn compacted(turn: &Turn) -> Value {
    let mut response = json!({
        "id": format!("resp_{}", turn.id),
        "object": "response.compaction",
        "created_at": turn.created,
        "output": [{
            "id": format!("cmp_{}", turn.id),
            "type": "compaction",
            "encrypted_content": turn.text.whole(),
        }],
    });
    if let Some(usage) = &turn.usage {
        response["usage"] = usage_of(usage);
    }
    response
}

fn envelope(turn: &Turn, status: &str) -> Value {
    json!({
        "id": format!("resp_{}", turn.id),
        "object": "response",
        "created_at": turn.created,
        "status": status,
        "background": false,
        "completed_at": null,
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "max_output_tokens": null,
        "metadata": {},
        "model": turn.model,
        "output": [],
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": { "effort": null, "summary": null },
        "service_tier": "default",
        "store": false,
        "temperature": 1.0,
        "text": { "format": { "type": "text" } },
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": null,
        "user": null,
    })
}

fn item_id(turn: &Turn) -> String {
    format!("msg_{}", turn.id)
}

fn part(text: &str) -> Value {
    json!({ "type": "output_text", "annotations": [], "logprobs": [], "text": text })
}

fn item(turn: &Turn) -> Value {
    json!({
        "id": item_id(turn),
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part(&turn.text.whole())],
    })
}

fn usage_of(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.prompt(),
        "input_tokens_details": { "cached_tokens": usage.cache_read },
        "output_tokens": usage.output,
        "output_tokens_details": { "reasoning_tokens": usage.reasoning },
        "total_tokens": usage.total(),
    })
}

// === impl Response ===

impl Response {
    fn opening(&self, n: usize) -> Bytes {
        match n {
            0 => self.state("response.created", n),
            1 => self.state("response.in_progress", n),
            2 => named(
                "response.output_item.added",
                &json!({
                    "sequence_number": n,
                    "output_index": 0,
                    "item": {
                        "id": item_id(&self.0),
                        "type": "message",
                        "status": "in_progress",
                        "role": "assistant",
                        "content": [],
                    },
                }),
            ),
            _ => self.in_part("response.content_part.added", n, "part", part("")),
        }
    }

    fn closing(&self, place: usize, n: usize) -> Bytes {
        let turn = &self.0;
        match place {
            0 => self.in_part(
                "response.output_text.done",
                n,
                "text",
                turn.text.whole().into(),
            ),
            1 => self.in_part(
                "response.content_part.done",
                n,
                "part",
                part(&turn.text.whole()),
            ),
            2 => named(
                "response.output_item.done",
                &json!({ "sequence_number": n, "output_index": 0, "item": item(turn) }),
            ),
            _ => named(
                "response.completed",
                &json!({ "sequence_number": n, "response": whole(turn) }),
            ),
        }
    }

    fn state(&self, name: &str, n: usize) -> Bytes {
        let response = envelope(&self.0, "in_progress");
        named(name, &json!({ "sequence_number": n, "response": response }))
    }

    /// An event about the one content part of the one output item.
    fn in_part(&self, name: &str, n: usize, key: &str, value: Value) -> Bytes {
        let mut fields = json!({
            "sequence_number": n,
            "item_id": item_id(&self.0),
            "output_index": 0,
            "content_index": 0,
        });
        fields[key] = value;
        if key != "part" {
            fields["logprobs"] = json!([]);
        }
        named(name, &fields)
    }
}

impl Score for Response {
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
            Place::Delta(piece) => {
                let piece = self.0.text.piece(piece);
                self.in_part("response.output_text.delta", n, "delta", piece.into())
            }
            Place::Closing(place) => self.closing(place, n),
        }
    }

    /// A stream that fails at once says `error`; one that had begun ends in `response.failed`.
    fn failure(&self, n: usize, fault: &Fault) -> Bytes {
        let (code, message) = (fault.responses_code(), fault.message());
        if n == 0 {
            return named(
                "error",
                &json!({ "sequence_number": n, "code": code, "message": message, "param": null }),
            );
        }
        let mut response = envelope(&self.0, "failed");
        response["error"] = json!({ "code": code, "message": message });
        named(
            "response.failed",
            &json!({ "sequence_number": n, "response": response }),
        )
    }
}
