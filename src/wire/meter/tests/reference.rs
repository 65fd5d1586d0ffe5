//! What is passed over unread, and what is put off, against a plain reading of every event: random streams of frames, nasty ones among
//! them, in any style, cut anywhere, in any pieces.

use serde_json::Value;

use super::*;

/// Frames of each protocol. `@` and `%` are numbers, `$` is a text.
const KITS: [(Protocol, &[&str]); 5] = [
    (Protocol::Anthropic, ANTHROPIC),
    (Protocol::Openai, CHAT),
    (Protocol::Responses, RESPONSES),
    (Protocol::Gemini, GEMINI),
    (Protocol::GeminiCli, GEMINI_CLI),
];

/// The first frame of each kit is content, and drawn most often.
const ANTHROPIC: &[&str] = &[
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"$"}}"#,
    r#"{"type":"message_start","message":{"model":"m@","usage":{"input_tokens":@,"cache_read_input_tokens":%,"output_tokens":1,"service_tier":"priority"}}}"#,
    r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"usage\":{\"output_tokens\":7},\"type\":\"message_delta\"}"}}"#,
    r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","input":{"usage":{"output_tokens":5},"error":"message_stop"}}}"#,
    r#"{"index":0,"type":"content_block_stop"}"#,
    r#"{"type":"ping"}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":@}}"#,
    r#"{"usage":{"output_tokens":@,"input_tokens":%,"service_tier":"batch"},"delta":{"stop_reason":null},"type":"message_delta"}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","usage":{"output_tokens":@}}}"#,
    r#"{"type":"message_delta","delta":{},"usage":null}"#,
    r#"{"type":"message_stop"}"#,
    r#"{"type":"error","error":{"type":"overloaded_error","message":"no @"}}"#,
    r#"{"error":{"message":"nameless @"}}"#,
];
const CHAT: &[&str] = &[
    r#"{"id":"c","choices":[{"index":0,"delta":{"content":"$"},"finish_reason":null}],"usage":null,"obfuscation":"x"}"#,
    r#"{"model":"m@","choices":[{"index":0,"delta":{"content":"$"}}]}"#,
    r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{\"usage\":{\"prompt_tokens\":1}}"}}]},"finish_reason":null}],"error":null}"#,
    r#"{"choices":[{"delta":{"content":"$"},"finish_reason":null}],"usage":{"prompt_tokens":@,"completion_tokens":%}}"#,
    r#"{"choices":[{"delta":{"content":"$"}}],"service_tier":"flex","usage":{"completion_tokens":%,"prompt_tokens":@}}"#,
    r#"{"choices":[],"service_tier":null,"usage":{"prompt_tokens":@,"completion_tokens":%,"prompt_tokens_details":{"cached_tokens":1}}}"#,
    r#"{"choices":[],"usage":{"total_tokens":@}}"#,
    r#"{"choices":[{"delta":{},"x":{"usage":{"prompt_tokens":@}}}]}"#,
    r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":null}"#,
    r#"{"choices":[{"delta":{},"finish_reason":""}]}"#,
    r#"{"error":{"message":"no @"}}"#,
    "[DONE]",
];
const RESPONSES: &[&str] = &[
    r#"{"type":"response.output_text.delta","delta":"$","sequence_number":@}"#,
    r#"{"type":"response.created","response":{"model":"m@","usage":null,"error":null}}"#,
    r#"{"type":"response.output_text.done","text":"$"}"#,
    r#"{"sequence_number":1,"type":"response.output_item.done","item":{"usage":{"input_tokens":@},"error":"$"}}"#,
    r#"{"type":"response.completed","response":{"model":"m%","service_tier":"flex","usage":{"input_tokens":@,"output_tokens":%}}}"#,
    r#"{"response":{"usage":{"input_tokens":@,"output_tokens":%},"model":"n"},"type":"response.incomplete"}"#,
    r#"{"type":"response.done"}"#,
    r#"{"type":"response.failed","response":{"usage":null,"error":{"message":"no @"}}}"#,
    r#"{"type":"error","message":"flat @"}"#,
];
const GEMINI: &[&str] = &[
    r#"{"candidates":[{"content":{"parts":[{"text":"$"}]},"index":0}],"usageMetadata":{"promptTokenCount":@,"candidatesTokenCount":%},"modelVersion":"m@"}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":"$"}]}}]}"#,
    r#"{"usageMetadata":{"candidatesTokenCount":%,"promptTokenCount":@,"serviceTier":"SERVICE_TIER_FLEX"},"candidates":[{"content":{"parts":[{"text":"$"}]}}]}"#,
    r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"usageMetadata":{"promptTokenCount":9},"finishReason":"STOP","error":"e","modelVersion":"no"}}}]}}]}"#,
    r#"{"usageMetadata":{"promptTokenCount":@,"serviceTier":"priority"},"candidates":[{"content":{"parts":[{"functionCall":{"args":{"usageMetadata":{"promptTokenCount":9}}}}]}}]}"#,
    r#"{"usageMetadata":{"totalTokenCount":@}}"#,
    r#"{"usageMetadata":null,"serviceTier":"flex"}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":@,"candidatesTokenCount":%}}"#,
    r#"{"candidates":[{"finishReason":"MAX_TOKENS"}]}"#,
    r#"{"error":{"code":503,"message":"no @"}}"#,
];
const GEMINI_CLI: &[&str] = &[
    r#"{"response":{"candidates":[{"content":{"parts":[{"text":"$"}]},"index":0}],"usageMetadata":{"promptTokenCount":@,"candidatesTokenCount":%},"modelVersion":"m@"},"traceId":"t"}"#,
    r#"{"response":{"candidates":[{"content":{"parts":[{"text":"$"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":@,"serviceTier":"batch"}}}"#,
    r#"{"traceId":"$","x":{"usageMetadata":{"promptTokenCount":@}},"response":{}}"#,
    r#"{"error":{"message":"no @"}}"#,
];

/// Texts as JSON writes them.
const TEXTS: [&str; 9] = [
    "a",
    r#"\"usage\": {\"prompt_tokens\": 9}, \"finish_reason\":\"stop\""#,
    "[DONE] : error :error event: error data: message_stop response.completed",
    r#"\"usageMetadata\":{\"promptTokenCount\":9},\"serviceTier\":\"flex\""#,
    r#"\\\"usage\\\":{\\\"input_tokens\\\":1}\\"#,
    r#"\u0022usage\u0022:{\u0022prompt_tokens\u0022:1} \u0075sage"#,
    "message_delta _tokens usageMetadata hReason serviceTier service_tier",
    "na\u{ef}ve \u{65e5}\u{672c}",
    r#"\n\ndata: x\r\n\t"#,
];

/// One frame: which of its kit, its numbers and text, and how it is written.
type Draw = (usize, u8, u8, usize, u8);

fn stream(kit: &[&str], draws: &[Draw]) -> String {
    draws.iter().map(|draw| frame(kit, *draw)).collect()
}

fn frame(kit: &[&str], (pick, first, second, text, style): Draw) -> String {
    let template = kit.get(pick).unwrap_or(&kit[0]);
    let data = template
        .replace('@', &first.to_string())
        .replace('%', &second.to_string())
        .replace('$', TEXTS[text % TEXTS.len()]);
    let newline = if style & 1 == 0 { "\n" } else { "\r\n" };
    let data = match style >> 1 & 7 {
        0 => spaced(&data, "", " "),
        1 => spaced(&data, " ", "\t"),
        2 => spaced(&data, "", &format!("{newline}data:  ")),
        _ => data,
    };
    let name = template
        .split_once(r#""type":""#)
        .and_then(|(before, after)| {
            let is_own = !before.contains('[') && before.matches('{').count() < 2;
            is_own.then(|| after.split('"').next().unwrap())
        });
    let mut frame = String::new();
    if style & 0x30 == 0 {
        frame += &format!(": ping{newline}id: 7{newline}");
    }
    if let Some(name) = name
        && style & 0x40 == 0
    {
        frame += &format!("event: {name}{newline}");
    }
    let blank = if style & 0x80 == 0 { " " } else { "" };
    frame + &format!("data:{blank}{data}{newline}{newline}")
}

/// The same JSON with blanks around its colons and behind its commas.
fn spaced(data: &str, before: &str, after: &str) -> String {
    let (mut out, mut is_inside, mut is_escaped) = (String::new(), false, false);
    for letter in data.chars() {
        is_inside ^= letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        if letter == ':' && !is_inside {
            out += before;
        }
        out.push(letter);
        if matches!(letter, ':' | ',') && !is_inside {
            out += after;
        }
    }
    out
}

/// The events of a stream, by the book: names and data.
fn events(text: &str) -> Vec<(String, String)> {
    let mut events = Vec::new();
    let (mut name, mut data) = (String::new(), Vec::new());
    let text = text.replace("\r\n", "\n");
    for line in text.split('\n') {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => data.push(value),
            "event" => name = value.to_owned(),
            "" if line.is_empty() && !data.is_empty() => {
                events.push((std::mem::take(&mut name), data.join("\n")));
                data.clear();
            }
            "" if line.is_empty() => name.clear(),
            _ => {}
        }
    }
    if !data.is_empty() {
        events.push((name, data.join("\n")));
    }
    events
}

/// What a stream says, told from the full text of every event of it.
#[derive(Debug, Default, PartialEq)]
struct Plain {
    usage: Option<Usage>,
    raw: Option<Value>,
    is_final: bool,
    model: Option<String>,
    tier: Option<ServiceTier>,
    complete: bool,
    error: Option<String>,
    merged: [Option<u64>; 3],
    parts: [Option<Value>; 2],
}

// === impl Plain ===

impl Plain {
    fn read(protocol: Protocol, text: &str) -> Self {
        let mut plain = Self::default();
        for (name, data) in events(text) {
            if protocol == Protocol::Openai && data.trim() == "[DONE]" {
                plain.complete = true;
            }
            let Ok(value) = serde_json::from_str::<Value>(&data) else {
                // An event of that name is an error though it is cut off, except where names mean nothing.
                let has_names = matches!(protocol, Protocol::Anthropic | Protocol::Responses);
                let is_error = name == "error" || data.starts_with(r#"{"type":"error""#);
                if has_names && is_error && plain.error.is_none() {
                    plain.error = Some(data.trim().to_owned()).filter(|data| !data.is_empty());
                }
                continue;
            };
            let name = if name.is_empty() {
                value["type"].as_str().unwrap_or_default().to_owned()
            } else {
                name
            };
            match protocol {
                Protocol::Anthropic => plain.anthropic(&name, &value),
                Protocol::Openai => plain.chat(&value),
                Protocol::Responses => plain.responses(&name, &value),
                Protocol::Gemini | Protocol::GeminiCli => plain.gemini(&value),
            }
        }
        plain
    }

    fn anthropic(&mut self, name: &str, value: &Value) {
        match name {
            "message_start" => {
                self.model_is(&value["message"]["model"]);
                self.merge(0, &value["message"]["usage"]);
            }
            "message_delta" => {
                let usage = &value["usage"];
                let inner = &value["delta"]["usage"];
                self.merge(1, if usage.is_null() { inner } else { usage });
            }
            "message_stop" => self.complete = true,
            "error" | "" => self.failed(&value["error"]),
            _ => {}
        }
    }

    fn merge(&mut self, part: usize, usage: &Value) {
        if !usage.is_object() {
            return;
        }
        let keys = ["input_tokens", "cache_read_input_tokens", "output_tokens"];
        for (old, key) in self.merged.iter_mut().zip(keys) {
            match usage[key].as_u64() {
                Some(0) | None => *old = old.or(usage[key].as_u64()),
                new => *old = new,
            }
        }
        self.is_final |= part == 1;
        self.parts[part] = Some(usage.clone());
        self.tier_is(&usage["service_tier"]);
        let [input, read, output] = self.merged.map(Option::unwrap_or_default);
        self.usage = Some(super::usage(input, read, 0, 0, output, 0));
        self.raw = match &self.parts {
            [Some(start), Some(delta)] => Some(Value::from(vec![start.clone(), delta.clone()])),
            [start, delta] => start.clone().or(delta.clone()),
        };
    }

    fn chat(&mut self, value: &Value) {
        self.model_is(&value["model"]);
        self.tier_is(&value["service_tier"]);
        self.openai(&value["usage"], ["prompt_tokens", "completion_tokens"]);
        self.failed(&value["error"]);
        for choice in value["choices"].as_array().into_iter().flatten() {
            self.complete |= choice["finish_reason"]
                .as_str()
                .is_some_and(|r| !r.is_empty());
        }
    }

    fn responses(&mut self, name: &str, value: &Value) {
        let response = &value["response"];
        let is_last = ["completed", "incomplete", "failed", "done"]
            .iter()
            .any(|last| name.strip_prefix("response.") == Some(last));
        if is_last || name == "response.created" {
            self.model_is(&response["model"]);
            self.tier_is(&response["service_tier"]);
            self.openai(&response["usage"], ["input_tokens", "output_tokens"]);
            self.failed(&response["error"]);
        }
        if name == "error" {
            self.failed(value);
        }
        self.complete |= is_last;
    }

    fn openai(&mut self, usage: &Value, [prompt, output]: [&str; 2]) {
        let counts = [&usage[prompt], &usage[output]].map(Value::as_u64);
        if counts == [None, None] {
            return;
        }
        let [prompt, output] = counts.map(Option::unwrap_or_default);
        let details = &usage["prompt_tokens_details"];
        let cached = details["cached_tokens"].as_u64().unwrap_or_default();
        let input = prompt.saturating_sub(cached);
        self.usage = Some(super::usage(input, cached, 0, 0, output, 0));
        self.raw = Some(usage.clone());
    }

    fn gemini(&mut self, value: &Value) {
        self.failed(&value["error"]);
        let value = value.get("response").unwrap_or(value);
        self.model_is(&value["modelVersion"]);
        let usage = &value["usageMetadata"];
        let counts = ["promptTokenCount", "candidatesTokenCount"].map(|key| usage[key].as_u64());
        if counts != [None, None] {
            let [prompt, output] = counts.map(Option::unwrap_or_default);
            self.usage = Some(super::usage(prompt, 0, 0, 0, output, 0));
            self.raw = Some(usage.clone());
            self.tier_is(&usage["serviceTier"]);
        }
        for candidate in value["candidates"].as_array().into_iter().flatten() {
            self.complete |= candidate["finishReason"].is_string();
        }
    }

    fn model_is(&mut self, model: &Value) {
        if self.model.is_none() {
            self.model = model.as_str().map(str::to_owned);
        }
    }

    fn tier_is(&mut self, tier: &Value) {
        if let Some(tier) = tier.as_str() {
            let name = tier.to_ascii_lowercase();
            let name = name.strip_prefix("service_tier_").unwrap_or(&name);
            self.tier = Some(ServiceTier::from_provider(name));
        }
    }

    fn failed(&mut self, error: &Value) {
        if self.error.is_none() {
            self.error = error["message"].as_str().map(str::to_owned);
        }
    }

    fn reading(&self) -> Reading {
        Reading {
            usage: self.usage.unwrap_or_default(),
            provenance: match self.usage {
                None => Provenance::None,
                Some(_) if self.is_final || self.complete => Provenance::Terminal,
                Some(_) => Provenance::Partial,
            },
            raw: None,
            model: self.model.clone(),
            service_tier: self.tier,
            complete: self.complete,
            error: self.error.clone(),
        }
    }
}

fn is_the_same(protocol: Protocol, text: &str, sizes: &[usize]) {
    let mut rest = text.as_bytes();
    let pieces = sizes.iter().cycle().map_while(|size| {
        let (piece, after) = rest.split_at(rest.len().min(*size));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    });
    let mut reading = read_chunks(protocol, pieces);
    let raw = reading
        .raw
        .take()
        .map(|raw| serde_json::from_str(&raw).unwrap());
    let plain = Plain::read(protocol, text);
    assert_eq!(reading, plain.reading(), "{protocol:?} {sizes:?}\n{text}");
    assert_eq!(raw, plain.raw, "{protocol:?} {sizes:?}\n{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_reading_is_that_of_every_event(
        kit in 0usize..KITS.len(),
        draws in vec((0usize..26, 0u8.., 0u8.., 0usize..9, 0u8..), 1..40),
        sizes in vec(1usize..600, 1..6),
        cut in 0usize..8_000,
    ) {
        let (protocol, kit) = KITS[kit];
        let text = stream(kit, &draws);
        is_the_same(protocol, &text, &sizes);
        is_the_same(protocol, &text, &[text.len()]);
        let cut = text.floor_char_boundary(cut);
        is_the_same(protocol, &text[..cut], &sizes);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Long enough that what is put off is more than may be, in reads of one event and of many.
    #[test]
    fn a_long_reading_is_too(
        kit in 0usize..KITS.len(),
        draws in vec((0usize..60, 0u8.., 0u8.., 0usize..9, 0u8..), 1..20),
        size in 1usize..40_000,
        cut in 0usize..40_000,
    ) {
        let (protocol, kit) = KITS[kit];
        let text = stream(kit, &draws.repeat(12));
        is_the_same(protocol, &text, &[size]);
        let cut = text.floor_char_boundary(cut);
        is_the_same(protocol, &text[..cut], &[size, 150, 150]);
    }
}

#[test]
fn it_may_be_cut_at_any_byte() {
    for (protocol, kit) in KITS {
        let draws: Vec<Draw> = (0..kit.len())
            .map(|n| (n, 3, 4, n, (n * 37) as u8))
            .collect();
        let text = stream(kit, &draws);
        for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            is_the_same(protocol, &text[..cut], &[97]);
        }
    }
}

/// JSON may escape any letter; no provider escapes those of a key. Such a key is read as long as every event is.
#[test]
fn an_escaped_key_is_not_looked_for_after_the_first_content() {
    let content = r#"{"choices":[{"delta":{"content":"a"}}],"model":"m"}"#;
    let escaped =
        r#"{"choices":[],"\u0075sage":{"prompt_tokens":1,"\u0063ompletion\u005ftokens":2}}"#;
    let hidden = r#"{"choices":[],"usage":{"prompt\u005ftokens":1}}"#;
    for (frames, expected) in [
        ([escaped, content], usage(1, 0, 0, 0, 2, 0)),
        ([content, hidden], Usage::default()),
    ] {
        let text = frames.map(|frame| format!("data: {frame}\n\n")).concat();
        for size in [1, 40, text.len()] {
            let pieces = text.as_bytes().chunks(size);
            assert_eq!(
                read_chunks(Protocol::Openai, pieces).usage,
                expected,
                "{size} {text}"
            );
        }
    }
}
