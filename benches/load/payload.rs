//! Requests as Claude Code makes them, of an exact length.

use serde_json::{Value, json};

/// The session all requests of one connection belong to.
fn session(connection: usize) -> String {
    format!("6f1c0c52-7a0e-4b53-9a3e-{connection:012}")
}

/// Where messages are asked for.
pub const MESSAGES: &str = "/v1/messages?beta=true";

/// A whole request, head and body, ready to be sent again and again. `length` is the body's, in bytes.
pub fn request(
    host: &str,
    credential: &str,
    length: usize,
    is_stream: bool,
    connection: usize,
) -> Vec<u8> {
    request_to(MESSAGES, host, credential, length, is_stream, connection)
}

/// The same to any path.
pub fn request_to(
    path: &str,
    host: &str,
    credential: &str,
    length: usize,
    is_stream: bool,
    connection: usize,
) -> Vec<u8> {
    let session = session(connection);
    let body = body(length, is_stream, &session);
    let mut request = format!(
        "POST {path} HTTP/1.1\r\n\
         Host: {host}\r\n\
         Accept: application/json\r\n\
         Authorization: Bearer {credential}\r\n\
         Content-Type: application/json\r\n\
         User-Agent: claude-cli/2.1.197 (external, sdk-cli)\r\n\
         X-Claude-Code-Session-Id: {session}\r\n\
         X-Stainless-Arch: x64\r\n\
         X-Stainless-Lang: js\r\n\
         X-Stainless-OS: Linux\r\n\
         X-Stainless-Package-Version: 0.70.0\r\n\
         X-Stainless-Retry-Count: 0\r\n\
         X-Stainless-Runtime: node\r\n\
         X-Stainless-Runtime-Version: v24.3.0\r\n\
         X-Stainless-Timeout: 600\r\n\
         anthropic-beta: claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27\r\n\
         anthropic-dangerous-direct-browser-access: true\r\n\
         anthropic-version: 2023-06-01\r\n\
         x-app: cli\r\n\
         Connection: keep-alive\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body.as_bytes());
    request
}

/// The body: a long conversation about code, a quarter of it tools. Members stand in the order in which Claude Code writes them.
fn body(length: usize, is_stream: bool, session: &str) -> String {
    let user = json!({
        "device_id": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "account_uuid": "",
        "session_id": session,
    });
    let members = [
        ("model", json!("claude-sonnet-4-5-20250929")),
        ("messages", Value::Array(messages(length * 65 / 100))),
        (
            "system",
            json!([
                {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.197.d1c; cc_entrypoint=sdk-cli;"},
                {"type": "text", "text": "You are Claude Code, Anthropic's official CLI for Claude.", "cache_control": {"type": "ephemeral"}},
            ]),
        ),
        ("tools", Value::Array(tools(length / 4))),
        ("metadata", json!({"user_id": user.to_string()})),
        ("max_tokens", json!(32_000)),
        ("thinking", json!({"type": "adaptive"})),
    ];
    let mut text = String::from("{");
    for (name, value) in members {
        text.push_str(&format!("\"{name}\":{value},"));
    }
    let end = format!("\"}},\"stream\":{is_stream}}}");
    // What is missing to the length goes into one more member, as text.
    text.push_str("\"output_config\":{\"note\":\"");
    let missing = length.saturating_sub(text.len() + end.len());
    text.extend(std::iter::repeat_n('.', missing));
    text + &end
}

fn messages(budget: usize) -> Vec<Value> {
    let mut messages = vec![json!({
        "role": "user",
        "content": [{"type": "text", "text": "Please make `sum` faster, it is \"slow\"."}],
    })];
    let mut used = messages[0].to_string().len();
    for turn in 0.. {
        let call = format!("toolu_{turn:024}");
        let pair = [
            json!({"role": "assistant", "content": [
                {"type": "text", "text": "Let me read the file first.\n"},
                {"type": "tool_use", "id": call, "name": "Read", "input": {"file_path": format!("/src/part_{turn}.rs")}},
            ]}),
            json!({"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": call, "content": source(turn, budget)},
            ]}),
        ];
        used += pair.iter().map(|m| m.to_string().len()).sum::<usize>();
        if used > budget {
            break;
        }
        messages.extend(pair);
    }
    messages
}

/// A file as a tool shows it: numbered lines with quotes, tabs and line ends to escape. A tenth of the conversation, 6 KB at most.
fn source(turn: usize, budget: usize) -> String {
    let lines = (budget / 10).min(6_000) / 75;
    (1..=lines)
        .map(|line| format!("{line:>6}\tlet part_{turn} = parse(\"field \\\"{line}\\\"\")?; // naïve, but right\n"))
        .collect()
}

fn tools(budget: usize) -> Vec<Value> {
    let mut tools = Vec::new();
    let mut used = 0;
    for number in 0.. {
        let tool = json!({
            "name": format!("Tool{number}"),
            "description": "Reads a file from the local filesystem.\n\nUsage:\n- The \"file_path\" must be absolute.\n".repeat(4),
            "input_schema": {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {
                    "file_path": {"description": "The absolute path", "type": "string"},
                    "limit": {"description": "How many lines", "type": "number"},
                },
                "required": ["file_path"],
                "additionalProperties": false,
            },
        });
        used += tool.to_string().len();
        if used > budget {
            break;
        }
        tools.push(tool);
    }
    tools
}
