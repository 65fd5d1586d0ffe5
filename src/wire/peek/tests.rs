//! Tests of the peek.

use http::{HeaderName, HeaderValue};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_oneof, proptest};
use proptest::strategy::{Just, Strategy};
use serde_json::{Map, Value, json};

use super::*;
use crate::wire::block::levels;

/// What the peek finds, which is the same at every level of instructions.
pub(in crate::wire) fn peek(
    protocol: Protocol,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Peek, BadJson> {
    let found = super::peek(protocol, headers, body);
    for level in levels() {
        assert_eq!(
            peek_with(level, protocol, headers, body),
            found,
            "{level:?}"
        );
    }
    found
}

fn look(protocol: Protocol, body: &str) -> Peek {
    peek(protocol, &HeaderMap::new(), body.as_bytes()).unwrap()
}

fn bad(body: &str) -> BadJson {
    peek(Protocol::Openai, &HeaderMap::new(), body.as_bytes()).unwrap_err()
}

fn with_header(protocol: Protocol, name: &'static str, value: &str, body: &str) -> Option<String> {
    let value = HeaderValue::from_str(value).unwrap();
    let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
    peek(protocol, &headers, body.as_bytes())
        .unwrap()
        .session_id
}

#[test]
fn the_body_of_a_coding_client() {
    let body = json!({
        "messages": [{"role": "user", "content": "say \"model\": \"x\",\n\\\"stream\": true \\"}],
        "metadata": {"x": [1, {}], "user_id": json!({"device_id": "d", "session_id": "4f5a-1"}).to_string()},
        "model": "claude-sonnet-4-5",
        "tools": [{"input_schema": {"properties": {"model": {"type": "string"}}}}],
        "stream": true,
    })
    .to_string();
    let found = look(Protocol::Anthropic, &body);
    assert_eq!(found.model.as_deref(), Some("claude-sonnet-4-5"));
    assert_eq!(
        &body[found.model_span.clone().unwrap()],
        "\"claude-sonnet-4-5\""
    );
    assert_eq!(found.stream, Some(true));
    assert_eq!(found.session_id.as_deref(), Some("4f5a-1"));
    assert_eq!(found.include_usage, None);
}

#[test]
fn what_each_protocol_keeps_its_session_in() {
    let key = r#"{"prompt_cache_key":"pck","metadata":{"user_id":"user_d_account__session_s1"},"request":{"session_id":"g1"}}"#;
    let session = |protocol| look(protocol, key).session_id;
    assert_eq!(session(Protocol::Anthropic).as_deref(), Some("s1"));
    assert_eq!(session(Protocol::Responses).as_deref(), Some("pck"));
    assert_eq!(session(Protocol::Openai).as_deref(), Some("pck"));
    assert_eq!(session(Protocol::GeminiCli).as_deref(), Some("g1"));
    assert_eq!(session(Protocol::Gemini), None);
    for (protocol, name) in [
        (Protocol::Anthropic, "x-claude-code-session-id"),
        (Protocol::Responses, "session-id"),
        (Protocol::Responses, "session_id"),
        (Protocol::Responses, "x-session-id"),
        (Protocol::Openai, "x-session-id"),
    ] {
        let found = with_header(protocol, name, "from-header", key);
        assert_eq!(found.as_deref(), Some("from-header"), "{name}");
        let unfit = with_header(protocol, name, "two words", key);
        assert_eq!(unfit, session(protocol), "{name}");
    }
}

#[test]
fn an_unfit_session_id_is_ignored() {
    let long = "x".repeat(257);
    for id in [&long[..], "", "  ", "a b", "ü", "a\u{7}"] {
        let body = json!({"prompt_cache_key": id}).to_string();
        assert_eq!(look(Protocol::Responses, &body).session_id, None, "{id:?}");
    }
    for user_id in [
        json!(7),
        json!("user_x"),
        json!("{}"),
        json!("{\"session_id\":5}"),
        json!(null),
    ] {
        let body = json!({"metadata": {"user_id": user_id}}).to_string();
        assert_eq!(look(Protocol::Anthropic, &body).session_id, None, "{body}");
    }
    let exact = json!({"prompt_cache_key": &long[1..]}).to_string();
    assert_eq!(
        look(Protocol::Responses, &exact).session_id.unwrap().len(),
        256
    );
}

#[test]
fn code_assist_names_its_model_outside_or_inside() {
    let both = r#"{"request":{"model":"models/inner"},"model":"outer"}"#;
    let found = look(Protocol::GeminiCli, both);
    assert_eq!(found.model.as_deref(), Some("outer"));
    let inner = r#"{"request":{"contents":[],"model":"models/inner"}}"#;
    let found = look(Protocol::GeminiCli, inner);
    assert_eq!(found.model.as_deref(), Some("inner"));
    assert_eq!(&inner[found.model_span.unwrap()], "\"models/inner\"");
}

#[test]
fn the_last_of_equal_keys_counts_and_other_types_are_none() {
    let found = look(
        Protocol::Openai,
        r#"{"model":"a","stream":true,"model":"b","stream":null}"#,
    );
    assert_eq!((found.model.as_deref(), found.stream), (Some("b"), None));
    let found = look(Protocol::Openai, r#"{"model":"a","model":{"x":1}}"#);
    assert_eq!((found.model, found.model_span), (None, None));
    let found = look(
        Protocol::Openai,
        r#"{"stream_options":{"include_usage":true},"stream_options":7}"#,
    );
    assert_eq!(found.include_usage, None);
    let found = look(
        Protocol::Openai,
        r#" { "stream_options" : { "a" : [ ] , "include_usage" : true } } "#,
    );
    assert_eq!(found.include_usage, Some(true));
    assert_eq!(look(Protocol::Openai, "{}"), Peek::default());
}

#[test]
fn the_place_of_the_stream_options_is_told() {
    let places = |body: &str| {
        let options = look(Protocol::Openai, body).stream_options?;
        let inner = options.include_usage.map(|span| body[span].to_owned());
        Some((body[options.span].to_owned(), inner))
    };
    assert_eq!(places(r#"{"a":{"stream_options":{}}}"#), None);
    for (body, options, include_usage) in [
        (r#"{"stream_options" : null }"#, "null", None),
        (
            r#"{"stream_options": { "a" : [1] } }"#,
            r#"{ "a" : [1] }"#,
            None,
        ),
        (
            r#"{"stream_options":{"include_usage" : false ,"x":1}}"#,
            r#"{"include_usage" : false ,"x":1}"#,
            Some("false"),
        ),
        (
            r#"{"stream_options":{"include_usage":true},"\u0073tream_options":{"include_usage":"x"}}"#,
            r#"{"include_usage":"x"}"#,
            Some("\"x\""),
        ),
    ] {
        let expected = (options.to_owned(), include_usage.map(str::to_owned));
        assert_eq!(places(body), Some(expected), "{body}");
    }
}

#[test]
fn escapes_in_keys_and_in_the_model_are_decoded() {
    let body = r#"{"mod\u0065l":"a\"\u00fc\\","other\n":1}"#;
    let found = look(Protocol::Openai, body);
    assert_eq!(found.model.as_deref(), Some("a\"ü\\"));
    assert_eq!(&body[found.model_span.unwrap()], r#""a\"\u00fc\\""#);
}

#[test]
fn broken_json_is_refused_with_its_place() {
    for (body, at) in [
        ("", 0),
        ("  ", 2),
        ("[]", 0),
        ("\"x\"", 0),
        ("nul", 0),
        ("{", 1),
        ("{\"a\"", 4),
        ("{\"a\":", 5),
        ("{\"a\":1", 6),
        ("{\"a\":1,", 7),
        ("{\"a\":1,}", 7),
        ("{\"a\" 1}", 5),
        ("{a:1}", 1),
        ("{\"a\":1 \"b\":2}", 7),
        ("{}x", 2),
        ("{}{}", 2),
        ("{\"a\":tru}", 5),
        ("{\"a\":01}", 5),
        ("{\"a\":1.}", 5),
        ("{\"a\":-}", 5),
        ("{\"a\":1e}", 5),
        ("{\"a\":+1}", 5),
        ("{\"a\":\"x}", 8),
        ("{\"a\":\"x\\\"}", 10),
        ("{\"a\":[}", 6),
        ("{\"a\":{]}", 6),
        ("{\"a\":[{\"b\":1]}", 12),
        ("{\"a\":[1,{}}", 10),
        ("{\"a\":]}", 5),
        ("{\"model\":\"\\x\"}", 9),
        ("{\"a\":truex}", 9),
        ("{\"a\":[\\\"],\"b\":1}", 6),
        ("{\"a\":[}  \\", 6),
        ("{\"a\":[\\  }", 6),
    ] {
        let error = bad(body);
        assert_eq!(error.at, at, "{body}: {error}");
        assert!(error.to_string().ends_with(&format!(" at byte {at}")));
    }
    assert!(peek(Protocol::Openai, &HeaderMap::new(), b"{\"model\":\"\xff\"}").is_err());
}

#[test]
fn depth_costs_no_stack_and_has_an_end() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(look(Protocol::Openai, &nested(1024)), Peek::default());
    assert_eq!(bad(&nested(1025)).what, "nested too deeply");
    assert_eq!(
        bad(&format!("{{\"a\":{}", "[".repeat(1_000_000))).what,
        "nested too deeply"
    );
}

#[test]
fn backslashes_before_a_quote_cost_linear_time() {
    let body = format!(
        "{{\"a\":\"{}\",\"model\":\"m\"}}",
        "\\\\\\\"".repeat(500_000)
    );
    assert_eq!(look(Protocol::Openai, &body).model.as_deref(), Some("m"));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        r#"["\\{}\[\]:,a]{0,12}"#,
        // Long enough for whole blocks within a string.
        r#"([a-z]{0,90}|\\|"|[\[{]){0,10}"#,
        Just("model".to_owned()),
        Just("stream".to_owned())
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f32>().prop_map(|x| json!(x)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((text(), inner), 0..5).prop_map(|e| Value::from(Map::from_iter(e))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn it_agrees_with_a_full_parser(entries in vec((text(), value()), 0..8), is_pretty: bool, cut in 0usize..400) {
        let tree = Value::from(Map::from_iter(entries));
        let body = if is_pretty { serde_json::to_string_pretty(&tree).unwrap() } else { tree.to_string() };
        let found = look(Protocol::Openai, &body);
        let model = tree["model"].as_str().map(|m| m.strip_prefix("models/").unwrap_or(m).to_owned());
        assert_eq!(&found.model, &model);
        assert_eq!(found.stream, tree["stream"].as_bool());
        if let Some(span) = found.model_span {
            assert_eq!(serde_json::from_str::<Value>(&body[span]).unwrap(), tree["model"]);
        }
        if cut < body.len() && body.is_char_boundary(cut) {
            bad(&body[..cut]);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..200), text in r#"\{("model"|[{}\[\]:,"\\ ]|true|1|a){0,40}"#) {
        for protocol in [Protocol::Anthropic, Protocol::Responses, Protocol::Openai, Protocol::Gemini, Protocol::GeminiCli] {
            let _ = peek(protocol, &HeaderMap::new(), &bytes);
            let accepted = peek(protocol, &HeaderMap::new(), text.as_bytes()).is_ok();
            if serde_json::from_str::<Map<String, Value>>(&text).is_ok() {
                assert!(accepted, "{text}");
            }
        }
    }
}
