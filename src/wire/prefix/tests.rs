//! Tests of the fingerprints, through the pass over a body that collects them.

use http::HeaderMap;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_oneof, proptest};
use proptest::strategy::{Just, Strategy};
use serde_json::{Value, json};

use super::*;
use crate::domain::protocol::Protocol;
use crate::wire::peek::tests::peek;

const PROTOCOLS: [Protocol; 5] = [
    Protocol::Anthropic,
    Protocol::Responses,
    Protocol::Openai,
    Protocol::Gemini,
    Protocol::GeminiCli,
];

fn found(protocol: Protocol, body: &str) -> Option<Prefix> {
    peek(protocol, &HeaderMap::new(), body.as_bytes())
        .unwrap()
        .prefix
}

fn prefix(protocol: Protocol, body: &str) -> Prefix {
    found(protocol, body).unwrap()
}

fn anthropic(messages: &str) -> Prefix {
    prefix(
        Protocol::Anthropic,
        &format!(r#"{{"messages":[{messages}]}}"#),
    )
}

/// The fingerprints of all boundaries kept, the shallowest first.
fn fingerprints(prefix: &Prefix) -> Vec<u64> {
    let mut found: Vec<u64> = prefix.boundaries().map(|b| b.fingerprint).collect();
    found.reverse();
    found
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": [{"type": "text", "text": text}]})
}

fn assistant(text: &str) -> Value {
    json!({"role": "assistant", "content": text})
}

/// A body of the protocol with a conversation of so many messages, user and model in turns.
fn conversation(protocol: Protocol, messages: usize) -> String {
    let message = |at: usize| {
        let is_user = at.is_multiple_of(2);
        let text = format!("message {at}");
        match protocol {
            Protocol::Gemini | Protocol::GeminiCli => {
                json!({"parts": [{"text": text}], "role": if is_user { "user" } else { "model" }})
            }
            _ => json!({"role": if is_user { "user" } else { "assistant" }, "content": text}),
        }
    };
    let messages: Vec<Value> = (0..messages).map(message).collect();
    let tools = json!([{"name": "Read"}]);
    let body = match protocol {
        Protocol::Anthropic => {
            json!({"messages": messages, "system": [{"type": "text", "text": "Help."}], "tools": tools})
        }
        Protocol::Openai => json!({"messages": messages, "tools": tools}),
        Protocol::Responses => json!({"input": messages, "instructions": "Help.", "tools": tools}),
        Protocol::Gemini => {
            json!({"contents": messages, "systemInstruction": {"parts": [{"text": "Help."}]}, "tools": tools})
        }
        Protocol::GeminiCli => {
            json!({"request": {"contents": messages, "systemInstruction": {"parts": []}, "tools": tools}})
        }
    };
    body.to_string()
}

#[test]
fn appending_messages_keeps_the_earlier_boundaries() {
    for protocol in PROTOCOLS {
        let turns: Vec<Prefix> = (1..30)
            .step_by(2)
            .map(|messages| prefix(protocol, &conversation(protocol, messages)))
            .collect();
        for (turn, pair) in turns.windows(2).enumerate() {
            let [before, after] = pair else {
                unreachable!()
            };
            let tip = before.tip();
            assert_eq!(tip.messages as usize, turn * 2 + 1);
            assert_eq!(
                after.boundaries().nth(2),
                Some(&tip),
                "{protocol:?}, turn {turn}"
            );
            assert!(after.tip().bytes > tip.bytes);
            assert_eq!(after.opening(), before.opening(), "{protocol:?}");
        }
        let last = turns.last().unwrap();
        assert_eq!(last.boundaries().count(), KEPT);
        let mut all = fingerprints(last);
        all.dedup();
        assert_eq!(all.len(), KEPT);
    }
}

#[test]
fn thousands_of_messages_keep_the_last_boundaries_only() {
    let long = prefix(
        Protocol::Anthropic,
        &conversation(Protocol::Anthropic, 5001),
    );
    let depths: Vec<u32> = long.boundaries().map(|b| b.messages).collect();
    let last: Vec<u32> = (4986..=5001).rev().collect();
    assert_eq!(depths, last);
}

#[test]
fn moving_cache_markers_change_nothing() {
    let plain = r#"{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"user","content":[{"type":"text","text":"b"},{}]}"#;
    let expected = anthropic(plain);
    for marked in [
        r#"{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":[{"type":"text","text":"b"},{}]}"#,
        r#"{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"user","content":[{"type":"text","cache_control":{"type":"ephemeral","ttl":"1h"},"text":"b"},{}]}"#,
        r#"{"role":"user","content":[{"cache_control":{},"type":"text","text":"a"}]},{"role":"user","content":[{"type":"text","text":"b"},{"cache_control":{"x":{"cache_control":{}}}}]}"#,
        r#"{"role":"user","content":[{"cache_control" : {} , "type":"text","text":"a"}]} , {"role":"user","content":[{"type":"text", "cache_control":
            {},"text":"b"},{}]}"#,
        r#"{"role":"user","cache_control":{},"content":[{"type":"text","text":"a"}]},{"cache_control":{},"role":"user","content":[{"type":"text","text":"b"},{}]}"#,
    ] {
        assert_eq!(anthropic(marked), expected, "{marked}");
    }
    for other in [
        r#"{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"user","content":[{"type":"text","text":"b,\"cache_control\":{}"},{}]}"#,
        r#"{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"user","content":[{"type":"text","text":"b","a\"cache_control":{}},{}]}"#,
        r#"{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"user","content":[{"type":"text","text":"b","cache_controls":{}},{}]}"#,
    ] {
        assert_ne!(anthropic(other).tip(), expected.tip(), "{other}");
    }
}

#[test]
fn a_marker_in_a_long_message_or_among_tools_does_not_move_the_samples() {
    let text = |len: usize| {
        (0..len)
            .map(|at| char::from(b'a' + (at % 23) as u8))
            .collect::<String>()
    };
    for len in [900, 1100, 5000, 70_000] {
        let body = |marker: &str, tools_marker: &str| {
            format!(
                r#"{{"tools":[{{"name":"x"{tools_marker}}},{{"description":"{0}"}}],"messages":[{{"role":"user","content":[{{"text":"{0}"{marker}}},{{"text":"{0}"}}]}}]}}"#,
                text(len),
            )
        };
        let marker = r#","cache_control":{"type":"ephemeral"}"#;
        let expected = prefix(Protocol::Anthropic, &body("", ""));
        for marked in [body(marker, ""), body("", marker), body(marker, marker)] {
            assert_eq!(prefix(Protocol::Anthropic, &marked), expected, "{len}");
        }
    }
}

#[test]
fn more_markers_than_anybody_sends_count_as_text_and_harm_nothing() {
    let blocks = vec![r#"{"text":"a","cache_control":{}}"#; 100].join(",");
    let many = anthropic(&format!(r#"{{"role":"user","content":[{blocks}]}}"#));
    assert_eq!(many.boundaries().count(), 1);
}

#[test]
fn claude_codes_billing_header_does_not_count() {
    let body = |blocks: &[&str]| {
        let blocks: Vec<Value> = blocks
            .iter()
            .map(|text| json!({"type": "text", "text": text}))
            .collect();
        let body = json!({"system": blocks, "messages": [user("hello")]});
        prefix(Protocol::Anthropic, &body.to_string())
    };
    let one = body(&[
        "x-anthropic-billing-header: cc_version=2.1.197; cch=aaaaa;",
        "You are",
    ]);
    let other = body(&[
        "x-anthropic-billing-header: cc_version=2.1.197; cch=bbb;",
        "You are",
    ]);
    assert_eq!(one, other);
    assert_eq!(one, body(&["You are"]));
    assert_ne!(one, body(&["You were"]));
}

#[test]
fn what_comes_before_the_messages_counts_wherever_the_body_has_it() {
    let (system, tools, messages) = (
        r#""system":"s""#,
        r#""tools":[{"name":"t"}]"#,
        r#""messages":[{"role":"user","content":"m"}]"#,
    );
    let body =
        |members: [&str; 3]| prefix(Protocol::Anthropic, &format!("{{{}}}", members.join(",")));
    let expected = body([system, tools, messages]);
    assert_eq!(expected, body([messages, tools, system]));
    assert_eq!(expected, body([tools, messages, system]));
    assert_eq!(expected.tip().bytes, 3 + 14 + 29);
    let others = [
        body([r#""system":"S""#, tools, messages]),
        body([system, r#""tools":[]"#, messages]),
        body([tools, r#""x":1"#, messages]),
    ];
    for other in others {
        assert_ne!(expected.tip().fingerprint, other.tip().fingerprint);
        assert_ne!(expected.opening(), other.opening());
    }
    let twice =
        format!(r#"{{"messages":[{{}},{{}}],{system},{tools},"tools":7,{tools},{messages}}}"#);
    assert_eq!(prefix(Protocol::Anthropic, &twice), expected);
}

#[test]
fn a_string_is_one_message_and_nothing_is_none() {
    let plain = prefix(Protocol::Responses, r#"{"input":"hello"}"#);
    assert_eq!((plain.tip().messages, plain.tip().bytes), (1, 7));
    let other = prefix(Protocol::Responses, r#"{"input":"hullo"}"#);
    assert_ne!(plain.tip().fingerprint, other.tip().fingerprint);
    for body in [
        "{}",
        r#"{"input":[]}"#,
        r#"{"input":7}"#,
        r#"{"input":null}"#,
        r#"{"instructions":"x","tools":[{}]}"#,
        r#"{"messages":[{"role":"user"}]}"#,
        r#"{"input":[{"role":"developer","content":"x"},{"role":"system","content":"x"}]}"#,
    ] {
        assert_eq!(found(Protocol::Responses, body), None, "{body}");
    }
    let inner = r#"{"contents":[{"parts":[]}]}"#;
    assert_eq!(found(Protocol::GeminiCli, inner), None);
    let outer = format!(r#"{{"request":{inner}}}"#);
    assert_eq!(
        prefix(Protocol::GeminiCli, &outer),
        prefix(Protocol::Gemini, inner)
    );
    let again = format!(r#"{{"request":{inner},"request":{{}}}}"#);
    assert_eq!(found(Protocol::GeminiCli, &again), None);
}

#[test]
fn the_opening_ends_where_the_model_first_speaks() {
    let body = |items: &[Value]| prefix(Protocol::Responses, &json!({"input": items}).to_string());
    let developer = json!({"type": "message", "role": "developer", "content": "rules"});
    let call = json!({"type": "function_call", "name": "x"});
    let begin = [developer.clone(), user("where I am"), user("do this")];
    let first = body(&begin);
    assert_eq!(first.boundaries().count(), 2, "system messages end no turn");
    let mut later = begin.to_vec();
    later.extend([call.clone(), user("and then"), assistant("done")]);
    assert_eq!(body(&later).opening(), first.opening());
    let other = [developer, user("where I am"), user("do that")];
    assert_ne!(body(&other).opening(), first.opening());
    // A conversation that the model begins is told apart by its first message.
    let begun = body(&[call.clone(), user("a")]);
    assert_eq!(begun.opening(), body(&[call, user("b")]).opening());
    assert_ne!(
        begun.opening(),
        body(&[assistant("x"), user("a")]).opening()
    );
}

#[test]
fn of_a_long_message_ends_length_and_samples_count() {
    let tip = |text: &str| anthropic(&user(text).to_string()).tip().fingerprint;
    let text = "x".repeat(10_000);
    let expected = tip(&text);
    let frame = user("").to_string().len() - 4;
    // Offsets in the message's own text: in the first and last 256 bytes, and behind whole KiB.
    for at in [60, 255, 1024, 1055, 9 * 1024, frame + 10_000 - 200] {
        let mut other = text.clone();
        let place = at - user("").to_string().find(r#""text":""#).unwrap() - 8;
        other.replace_range(place..=place, "y");
        assert_ne!(tip(&other), expected, "byte {at}");
    }
    assert_ne!(tip(&text[1..]), expected);
}

/// The tree without cache markers.
fn unmarked(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(unmarked).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(key, value)| *key != "cache_control" || !value.is_object())
            .map(|(key, value)| (key.clone(), unmarked(value)))
            .collect(),
        other => other.clone(),
    }
}

/// What every boundary stands for, as text.
fn naive(body: &Value) -> Vec<String> {
    let messages = body["messages"].as_array().unwrap();
    let texts: Vec<String> = (1..=messages.len())
        .map(|end| {
            let system = body.get("system").map(unmarked);
            let tools = body.get("tools").map(unmarked);
            let messages: Vec<Value> = messages[..end].iter().map(unmarked).collect();
            json!([system, tools, messages]).to_string()
        })
        .collect();
    texts[texts.len().saturating_sub(KEPT)..].to_vec()
}

fn block() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("a"),
        Just("b"),
        Just("\"cache_control\":{}"),
        Just("\\")
    ];
    (text, any::<bool>()).prop_map(|(text, is_marked)| {
        if is_marked {
            json!({"a": 1, "cache_control": {"type": "ephemeral"}, "text": text})
        } else {
            json!({"a": 1, "text": text})
        }
    })
}

fn any_conversation() -> impl Strategy<Value = Value> {
    let message = (vec(block(), 0..3), any::<bool>()).prop_map(|(content, is_user)| {
        json!({"role": if is_user { "user" } else { "assistant" }, "content": content})
    });
    let base = (vec(block(), 0..2), vec(block(), 0..2));
    (base, vec(message, 1..12)).prop_map(
        |((system, tools), messages)| json!({"system": system, "tools": tools, "messages": messages}),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn it_agrees_with_a_comparison_of_trees(one in any_conversation(), other in any_conversation(), cut in 1usize..12, is_pretty: bool) {
        // A third one that certainly shares something with the first.
        let mut shared = other.clone();
        let (messages, rest) = (one["messages"].as_array().unwrap(), other["messages"].as_array().unwrap());
        shared["messages"] = messages.iter().take(cut).chain(rest).cloned().collect();
        (shared["system"], shared["tools"]) = (one["system"].clone(), one["tools"].clone());
        let bodies = [one, other, shared];
        let all: Vec<(String, u64)> = bodies
            .iter()
            .flat_map(|body| naive(body).into_iter().zip(fingerprints(&prefix(Protocol::Anthropic, &body.to_string()))))
            .collect();
        for (text, fingerprint) in &all {
            for (other_text, other_fingerprint) in &all {
                assert_eq!(text == other_text, fingerprint == other_fingerprint, "{text} and {other_text}");
            }
        }
        // Pretty text has its own fingerprints, by the same rule.
        if is_pretty {
            let pretty = |body: &Value| fingerprints(&prefix(Protocol::Anthropic, &serde_json::to_string_pretty(body).unwrap()));
            let unmarked = unmarked(&bodies[0]);
            let texts = (naive(&bodies[0]), naive(&unmarked));
            assert_eq!(texts.0, texts.1);
            assert_eq!(pretty(&bodies[0]), pretty(&unmarked));
        }
    }

    #[test]
    fn any_changed_byte_of_a_short_message_changes_it_and_what_follows(
        texts in vec("[a-z ]{1,900}", 1..7), which in any::<proptest::sample::Index>(), at in any::<proptest::sample::Index>(),
    ) {
        let body = |texts: &[String]| {
            let messages: Vec<Value> = texts.iter().map(|text| user(text)).collect();
            fingerprints(&anthropic(&messages.iter().map(Value::to_string).collect::<Vec<_>>().join(",")))
        };
        let before = body(&texts);
        let which = which.index(texts.len());
        let mut changed = texts.clone();
        let at = at.index(changed[which].len());
        changed[which].replace_range(at..=at, "#");
        let after = body(&changed);
        for boundary in 0..texts.len() {
            assert_eq!(before[boundary] == after[boundary], boundary < which, "boundary {boundary}");
        }
    }

    #[test]
    fn no_bytes_panic(
        bytes in vec(any::<u8>(), 0..300),
        text in r#"\{"(messages|system|tools)":(\[|\{|"|"cache_control" ?:|"role":|"a"|,|\]|\}|[ \n]){0,60}"#,
    ) {
        for protocol in PROTOCOLS {
            let _ = peek(protocol, &HeaderMap::new(), &bytes);
            let _ = peek(protocol, &HeaderMap::new(), text.as_bytes());
        }
    }

    #[test]
    fn cuts_of_any_kind_panic_nowhere(len in 0usize..3000, cuts in vec((0usize..3000, 0usize..200), 0..5)) {
        let body = vec![b'x'; 3000];
        let mut cuts: Vec<Range<usize>> = cuts.into_iter().map(|(at, len)| at..at + len).collect();
        cuts.sort_by_key(|cut| cut.start);
        let mut builder = Builder::default();
        builder.message(&Text::new(&body, 0..len, &cuts), || Speaker::User);
        let kept = (0..len).filter(|at| !cuts.iter().any(|cut| cut.contains(at))).count();
        let whole = vec![b'x'; kept];
        let mut plain = Builder::default();
        plain.message(&Text::new(&whole, 0..kept, &[]), || Speaker::User);
        assert_eq!(builder.finish(), plain.finish());
    }
}
