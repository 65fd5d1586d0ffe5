//! How long it takes to look a request's body over: 400 KB as a coding client sends it late in a session, and 75 KB as on its
//! first turn, where tool schemas weigh more. What the fingerprints of the conversation's prefix cost of it shows beside a pass that takes
//! the same body for one of another protocol, which keeps its messages elsewhere.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::HeaderMap;
use switchyard::domain::protocol::Protocol;
use switchyard::wire::peek::peek;
use switchyard::wire::prefix;

/// A tool with a schema of about 1.6 KB.
fn tool(number: usize) -> String {
    let mut properties = String::new();
    for field in 0..6 {
        let comma = if field == 0 { "" } else { "," };
        write!(
            properties,
            r#"{comma}"field_{field}":{{"type":"string","description":"What the field is for, in a sentence or two of \"plain\" text.","enum":["one","two","three"]}}"#
        )
        .expect("writing to a string cannot fail");
    }
    format!(
        r#"{{"name":"Tool{number}","description":"{}","input_schema":{{"type":"object","properties":{{{properties}}},"required":["field_0"],"additionalProperties":false}}}}"#,
        "Runs a command and returns what it prints.\\nUse it with care.\\n".repeat(8),
    )
}

/// A turn of about 4 KB: a tool's call and its result, source text with a line break every 60 bytes and many quotes.
fn turn(number: usize) -> String {
    let code = r#"    let value = map.get(\"key\").unwrap_or(&default_value);\n        // a comment of a usual length goes here, without quotes\n"#;
    format!(
        r#"{{"role":"assistant","content":[{{"type":"tool_use","id":"toolu_{number}","name":"Read","input":{{"file_path":"/src/main.rs","limit":{number}}}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"toolu_{number}","content":"{}"}}]}}"#,
        code.repeat(28),
    )
}

fn body(size: usize) -> String {
    let tools: Vec<String> = (0..25).map(tool).collect();
    let mut turns = Vec::new();
    let mut length = tools.iter().map(String::len).sum::<usize>();
    while length < size {
        turns.push(turn(turns.len()));
        length += turns[turns.len() - 1].len() + 1;
    }
    format!(
        r#"{{"model":"claude-sonnet-4-5","messages":[{}],"system":[{{"type":"text","text":"You are a helper."}}],"tools":[{}],"metadata":{{"user_id":"{{\"device_id\":\"d\",\"account_uuid\":\"\",\"session_id\":\"4f5a\"}}"}},"max_tokens":32000,"stream":true}}"#,
        turns.join(","),
        tools.join(","),
    )
}

fn bench(c: &mut Criterion) {
    let headers = HeaderMap::new();
    let mut group = c.benchmark_group("peek");
    for (name, size) in [("75 KB", 75_000), ("400 KB", 400_000)] {
        let body = body(size);
        let found = peek(Protocol::Anthropic, &headers, body.as_bytes()).expect("the body is JSON");
        assert_eq!(found.session_id.as_deref(), Some("4f5a"));
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| peek(Protocol::Anthropic, &headers, black_box(body.as_bytes())));
        });
        let prefix = found.prefix.expect("the body has messages");
        assert_eq!(prefix.boundaries().count(), prefix::KEPT);
        group.bench_function(format!("{name}, no prefix"), |b| {
            b.iter(|| peek(Protocol::Gemini, &headers, black_box(body.as_bytes())));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
