//! What a request used is known to the token, in whatever form the answer comes, and asking for it changes nothing for the client.

use entity::usage;
use entity::value::Secret;
use sea_orm::{Database, EntityTrait};
use serde_json::{Value, json};

use crate::support::{TestApp, Upstream, eventually, http};

/// What the fake upstream is to have used.
const USED: &str = "input=1200;cacheRead=34;output=56;reasoning=7;chunks=3";

fn chat(more: &Value) -> Value {
    let mut body =
        json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    body
}

/// The events of a stream, without those that no client can know beforehand.
fn events(text: &str) -> Vec<Value> {
    let datas = text.split("\n\n").filter(|event| !event.is_empty());
    datas
        .map(|event| {
            let data = event.strip_prefix("data: ").unwrap();
            let mut event: Value = serde_json::from_str(data).unwrap_or_else(|_| json!(data));
            if let Some(chunk) = event.as_object_mut() {
                chunk.remove("id");
                chunk.remove("created");
                assert_eq!(chunk.remove("usage").unwrap_or_default(), Value::Null);
            }
            event
        })
        .collect()
}

fn assert_used(row: &Value) {
    assert_eq!(row["settledFrom"], "terminal", "{row:#}");
    let used = &row["usage"];
    for (bucket, count) in [
        ("inputTokens", 1200),
        ("cacheReadTokens", 34),
        ("outputTokens", 56),
        ("reasoningTokens", 7),
    ] {
        assert_eq!(used[bucket], count, "{bucket}: {row:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_did_not_ask_sees_no_usage_and_no_other_difference() {
    for path in ["/v1/chat/completions", "/v1/completions"] {
        let upstream = Upstream::start().await;
        let url = upstream.url(USED);
        for (options, note) in [
            (json!({}), "added"),
            (json!({"stream_options": null}), "added"),
            (
                json!({"stream_options": {"include_usage": false}}),
                "false -> true",
            ),
        ] {
            let app = TestApp::start().await;
            app.provider("o", "openai-compatible", &url, json!({}))
                .await;
            let body = chat(&options);
            let direct = http().build().unwrap().post(format!("{url}{path}"));
            let direct = direct.json(&body).send().await.unwrap();
            let direct = direct.text().await.unwrap();
            upstream.recorder().clear();
            let answer = app.post(path, &body).await;
            assert_eq!(answer.status(), 200);
            let answer = answer.text().await.unwrap();
            assert_eq!(events(&answer), events(&direct), "{path} {options}");
            assert!(answer.ends_with("data: [DONE]\n\n"), "{answer}");

            let sent: Value = serde_json::from_slice(&upstream.only_seen().await.body).unwrap();
            let mut expected = body.clone();
            expected["stream_options"] = json!({"include_usage": true});
            assert_eq!(sent, expected);
            let row = app.row().await;
            assert_used(&row);
            assert_eq!(
                row["chain"][0]["edits"],
                json!([format!("stream_options.include_usage: {note}")])
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_asked_sees_its_usage_and_its_body_is_not_touched() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider("o", "openai-compatible", &upstream.url(USED), json!({}))
        .await;
    let body = chat(&json!({"stream_options": {"include_usage": true}})).to_string();
    let answer = app
        .ask(reqwest::Method::POST, "/v1/chat/completions")
        .body(body.clone())
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let chunks: Vec<&str> = answer
        .split("\n\n")
        .filter(|event| event.contains("\"completion_tokens\":56"))
        .collect();
    assert_eq!(chunks.len(), 1, "{answer}");
    assert!(chunks[0].contains("\"choices\":[]"), "{answer}");
    assert_eq!(upstream.only_seen().await.body, body.as_bytes());
    let row = app.row().await;
    assert_used(&row);
    assert_eq!(row["chain"][0]["edits"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirected_model_and_the_asked_usage_go_together_on_every_attempt() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    for (name, script, target, priority) in [
        ("bad", "status=500".to_owned(), "vendor/fast-2", 0),
        ("good", USED.to_owned(), "f", 1),
    ] {
        let more = json!({
            "priority": priority,
            "modelRedirects": [{"source": "fast", "target": target}],
        });
        app.provider(name, "openai-compatible", &upstream.url(&script), more)
            .await;
    }
    let mut asked = 0;
    for (body, options) in [
        (
            r#"{ "model" : "fast", "stream":true,"messages":[] }"#,
            r#"{"stream_options":{"include_usage":true}, "model" : "MODEL", "stream":true,"messages":[] }"#,
        ),
        (
            r#"{"stream_options":{"include_usage": false},"model":"fast","stream":true}"#,
            r#"{"stream_options":{"include_usage": true},"model":"MODEL","stream":true}"#,
        ),
        (
            r#"{"model":"fast","stream":true,"stream_options":{}}"#,
            r#"{"model":"MODEL","stream":true,"stream_options":{"include_usage":true}}"#,
        ),
    ] {
        upstream.recorder().clear();
        let answer = app
            .ask(reqwest::Method::POST, "/v1/chat/completions")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let answer = answer.text().await.unwrap();
        assert!(!answer.contains("prompt_tokens"), "{answer}");
        let seen = upstream.recorder().seen();
        let last = seen.last().unwrap();
        asked += seen.len();
        for one in &seen[..seen.len() - 1] {
            assert_eq!(
                String::from_utf8_lossy(&one.body),
                options.replace("MODEL", "vendor/fast-2")
            );
        }
        assert_eq!(
            String::from_utf8_lossy(&last.body),
            options.replace("MODEL", "f")
        );
    }
    assert!(asked > 3, "the first provider was never asked");
    for row in app.rows(3).await {
        assert_used(&row);
        for attempt in row["chain"].as_array().unwrap() {
            assert_eq!(attempt["edits"].as_array().unwrap().len(), 2, "{row:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_no_stream_or_compressed_or_of_a_known_length_is_no_exception() {
    for (script, is_stream) in [
        (format!("{USED};noStream"), false),
        (format!("{USED};gzip"), true),
        (format!("{USED};wrongContentType"), true),
        // A relay that answers in one piece.
        (whole_stream(), true),
    ] {
        let upstream = Upstream::start().await;
        let app = TestApp::start().await;
        app.provider("o", "openai-compatible", &upstream.url(&script), json!({}))
            .await;
        let answer = app.post("/v1/chat/completions", &chat(&json!({}))).await;
        assert_eq!(answer.status(), 200, "{script}");
        let answer = answer.text().await.unwrap();
        if is_stream {
            assert!(answer.ends_with("data: [DONE]\n\n"), "{script}: {answer}");
            assert!(!answer.contains("prompt_tokens"), "{script}: {answer}");
        } else {
            let whole: Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(whole["usage"]["completion_tokens"], 56);
        }
        let row = app.row().await;
        assert_eq!(row["settledFrom"], "terminal", "{script} {row:#}");
        assert_eq!(row["usage"]["outputTokens"], 56, "{script} {row:#}");
    }
}

fn whole_stream() -> String {
    let content = json!({"model": "m", "choices": [{"index": 0, "delta": {"content": "PONG"}, "finish_reason": "stop"}]});
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 1234, "completion_tokens": 56}});
    literal(
        "text/event-stream",
        &format!("data: {content}\n\ndata: {usage}\n\ndata: [DONE]\n\n"),
    )
}

/// A script of the fake upstream that answers this.
fn literal(content_type: &str, body: &str) -> String {
    let escape = |text: &str| -> String { text.bytes().map(|b| format!("%{b:02X}")).collect() };
    format!(
        "header.content-type={};body={}",
        escape(content_type),
        escape(body)
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compactions_embeddings_and_gemini_arrays_are_metered() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let url = upstream.url(USED);
    let redirects = json!({"modelRedirects": [{"source": "m", "target": "n"}]});
    app.provider("c", "codex", &url, redirects).await;
    app.provider("o", "openai-compatible", &url, json!({}))
        .await;
    app.provider("g", "gemini", &url, json!({})).await;
    let body = json!({"model": "m", "input": "hi", "contents": []});
    for path in [
        "/v1/responses/compact",
        "/v1/embeddings",
        "/v1beta/models/m:streamGenerateContent",
    ] {
        let answer = app.post(path, &body).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.unwrap();
    }
    let rows = app.rows(3).await;
    let row = |path: &str| {
        let of_path = |row: &&Value| row["endpoint"].as_str().unwrap().contains(path);
        rows.iter().find(of_path).unwrap()
    };
    assert_used(row("/v1/responses/compact"));
    assert_eq!(row("/v1/responses/compact")["model"], "n");
    assert_used(row("/v1beta"));
    let embedded = row("/v1/embeddings");
    assert_eq!(embedded["settledFrom"], "terminal", "{embedded:#}");
    assert_eq!(embedded["usage"]["inputTokens"], 1234, "{embedded:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tier_of_service_is_on_the_usage_line() {
    let data = tempfile::tempdir().unwrap();
    let dsn = format!("sqlite://{}?mode=rwc", data.path().join("it.db").display());
    let secret = Secret::new(dsn.clone());
    let app = TestApp::builder()
        .settings(|settings| settings.database.dsn = Some(secret))
        .start()
        .await;
    let upstream = Upstream::start().await;
    let content = json!({"service_tier": "auto", "choices": [{"index": 0, "delta": {"content": "PONG"}, "finish_reason": "stop"}]});
    let last = json!({"service_tier": "flex", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}});
    let streamed = format!("data: {content}\n\ndata: {last}\n\ndata: [DONE]\n\n");
    let message = json!({
        "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "PONG"}],
        "usage": {"input_tokens": 3, "output_tokens": 2, "service_tier": "priority"},
    });
    let url = upstream.url(&literal("text/event-stream", &streamed));
    app.provider("o", "openai-compatible", &url, json!({}))
        .await;
    let url = upstream.url(&literal("application/json", &message.to_string()));
    app.provider("a", "claude", &url, json!({})).await;
    app.provider("c", "codex", &upstream.url(""), json!({}))
        .await;
    for (path, body) in [
        ("/v1/chat/completions", chat(&json!({}))),
        ("/v1/messages", chat(&json!({"stream": false}))),
        (
            "/v1/responses",
            json!({"model": "m", "stream": true, "input": "hi"}),
        ),
    ] {
        let answer = app.post(path, &body).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.unwrap();
    }
    let db = Database::connect(dsn).await.unwrap();
    let mut lines = eventually("the usage lines", || async {
        let lines = usage::Entity::find().all(&db).await.unwrap();
        (lines.len() == 3).then_some(lines)
    })
    .await;
    lines.sort_by_key(|line| line.id);
    let tiers: Vec<_> = lines.iter().map(|l| l.service_tier.as_deref()).collect();
    assert_eq!(tiers, [Some("flex"), Some("priority"), Some("standard")]);
}
