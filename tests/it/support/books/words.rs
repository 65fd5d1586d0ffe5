//! What an answer says in each protocol: its events, or the whole, and what it has used.

use serde_json::{Value, json};

use super::{Ask, Event, Tokens};

// === impl Ask ===

impl Ask {
    pub(super) fn is_stream(&self) -> bool {
        self.path.contains(":stream") || self.body["stream"] == true
    }

    fn is_array(&self) -> bool {
        self.path.contains(":stream") && !self.path.contains("alt=sse")
    }

    pub(super) fn content_type(&self) -> &'static str {
        if self.is_stream() && !self.is_array() {
            "text/event-stream"
        } else {
            "application/json"
        }
    }

    /// The answer that is no stream.
    pub(super) fn whole(&self, tokens: &Tokens) -> String {
        let answer = match self.path.as_str() {
            "/v1/messages" => json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
                "content": [{"type": "text", "text": "PONG"}], "stop_reason": "end_turn",
                "usage": tokens.anthropic(tokens.output),
            }),
            "/v1/chat/completions" => json!({
                "id": "c", "object": "chat.completion", "model": "m", "usage": tokens.chat(),
                "choices": [{"index": 0, "message": {"role": "assistant", "content": "PONG"}, "finish_reason": "stop"}],
            }),
            "/v1/responses" => tokens.response("completed"),
            _ => tokens.gemini("PONG", tokens.output, true),
        };
        answer.to_string()
    }

    pub(super) fn error(&self) -> String {
        let event = match self.path.as_str() {
            "/v1/messages" => {
                json!({"type": "error", "error": {"type": "overloaded_error", "message": "told to fail"}})
            }
            "/v1/responses" if self.is_stream() => {
                json!({"type": "error", "code": "server_error", "message": "told to fail", "param": null, "sequence_number": 0})
            }
            _ => {
                json!({"error": {"message": "told to fail", "type": "server_error", "code": 503, "status": "UNAVAILABLE"}})
            }
        };
        if !self.is_stream() || self.is_array() {
            return event.to_string();
        }
        match event["type"].as_str() {
            Some(name) => format!("event: {name}\ndata: {event}\n\n"),
            None => format!("data: {event}\n\n"),
        }
    }

    pub(super) fn events(&self, tokens: &Tokens) -> Vec<Event> {
        match self.path.as_str() {
            "/v1/messages" => messages(tokens),
            "/v1/chat/completions" => {
                let asks = self.body["stream_options"]["include_usage"] == true;
                chat(tokens, asks)
            }
            "/v1/responses" => responses(tokens),
            _ => self.gemini(tokens),
        }
    }

    /// As Google does it, every chunk says what was used so far.
    fn gemini(&self, tokens: &Tokens) -> Vec<Event> {
        let count = 4;
        (1..=count)
            .map(|n| {
                let is_last = n == count;
                let output = if is_last { tokens.output } else { n };
                let chunk = tokens.gemini("PO", output, is_last);
                let text = match (self.is_array(), n) {
                    (false, _) => format!("data: {chunk}\r\n\r\n"),
                    (true, 1) => format!("[{chunk}"),
                    (true, _) if is_last => format!(",\r\n{chunk}]"),
                    (true, _) => format!(",\r\n{chunk}"),
                };
                let said = Tokens {
                    output,
                    reasoning: if is_last { tokens.reasoning } else { 0 },
                    ..*tokens
                };
                Event {
                    text,
                    said: Some(said),
                    is_terminal: is_last,
                }
            })
            .collect()
    }
}

fn event(text: String) -> Event {
    Event {
        text,
        said: None,
        is_terminal: false,
    }
}

fn named(fields: &Value) -> Event {
    let name = fields["type"].as_str().unwrap();
    event(format!("event: {name}\ndata: {fields}\n\n"))
}

fn messages(tokens: &Tokens) -> Vec<Event> {
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": null, "usage": tokens.anthropic(1)});
    let mut start = named(&json!({"type": "message_start", "message": message}));
    start.said = Some(Tokens {
        output: 1,
        ..*tokens
    });
    let block = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
    let delta = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "PO"}});
    let mut end = named(
        &json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": tokens.output}}),
    );
    end.said = Some(*tokens);
    end.is_terminal = true;
    vec![
        start,
        named(&block),
        named(&delta),
        named(&delta),
        named(&delta),
        named(&json!({"type": "content_block_stop", "index": 0})),
        end,
        named(&json!({"type": "message_stop"})),
    ]
}

fn chat(tokens: &Tokens, asks: bool) -> Vec<Event> {
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]});
        event(format!("data: {chunk}\n\n"))
    };
    let mut events = vec![
        chunk(json!({"role": "assistant", "content": ""}), Value::Null),
        chunk(json!({"content": "PO"}), Value::Null),
        chunk(json!({"content": "NG"}), Value::Null),
        chunk(json!({}), json!("stop")),
    ];
    if asks {
        let usage = json!({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [], "usage": tokens.chat()});
        events.push(Event {
            text: format!("data: {usage}\n\n"),
            said: Some(*tokens),
            is_terminal: true,
        });
    }
    events.push(event("data: [DONE]\n\n".to_owned()));
    events
}

fn responses(tokens: &Tokens) -> Vec<Event> {
    let mut created = Tokens::default().response("in_progress");
    created["usage"] = Value::Null;
    let delta = json!({"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "content_index": 0, "delta": "PO"});
    let mut end =
        named(&json!({"type": "response.completed", "response": tokens.response("completed")}));
    end.said = Some(*tokens);
    end.is_terminal = true;
    vec![
        named(&json!({"type": "response.created", "response": created})),
        named(&delta),
        named(&delta),
        named(&delta),
        end,
    ]
}

// === impl Tokens ===

impl Tokens {
    fn anthropic(&self, output: i64) -> Value {
        json!({
            "input_tokens": self.input,
            "cache_read_input_tokens": self.cache_read,
            "cache_creation_input_tokens": self.cache_write_5m + self.cache_write_1h,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.cache_write_5m,
                "ephemeral_1h_input_tokens": self.cache_write_1h,
            },
            "output_tokens": output,
        })
    }

    fn chat(&self) -> Value {
        json!({
            "prompt_tokens": self.input + self.cache_read,
            "completion_tokens": self.output,
            "total_tokens": self.input + self.cache_read + self.output,
            "prompt_tokens_details": {"cached_tokens": self.cache_read},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning},
        })
    }

    fn response(&self, status: &str) -> Value {
        json!({
            "id": "resp_1", "object": "response", "status": status, "model": "m",
            "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "PONG"}]}],
            "usage": {
                "input_tokens": self.input + self.cache_read,
                "input_tokens_details": {"cached_tokens": self.cache_read},
                "output_tokens": self.output,
                "output_tokens_details": {"reasoning_tokens": self.reasoning},
                "total_tokens": self.input + self.cache_read + self.output,
            },
        })
    }

    fn gemini(&self, text: &str, output: i64, is_last: bool) -> Value {
        let reasoning = if is_last { self.reasoning } else { 0 };
        let mut chunk = json!({
            "candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}],
            "usageMetadata": {
                "promptTokenCount": self.input + self.cache_read,
                "cachedContentTokenCount": self.cache_read,
                "candidatesTokenCount": output - reasoning,
                "thoughtsTokenCount": reasoning,
            },
        });
        if is_last {
            chunk["candidates"][0]["finishReason"] = json!("STOP");
        }
        chunk
    }
}
