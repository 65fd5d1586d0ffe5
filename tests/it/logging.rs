//! Every request leaves a row, with its usage, in both databases.

use serde_json::json;

use crate::support::{TestApp, Upstream};

/// Path, provider type, and whether the protocol reports a cache of each lifetime.
const METERED: [(&str, &str); 5] = [
    ("/v1/messages", "claude"),
    ("/v1/responses", "codex"),
    ("/v1/chat/completions", "openai-compatible"),
    ("/v1beta/models/m:generateContent", "gemini"),
    ("/v1internal:generateContent", "gemini-cli"),
];

async fn usage_is_logged(app: TestApp) {
    let upstream = Upstream::start().await;
    let script = "input=100;output=40;cacheRead=30;reasoning=10";
    for (i, (path, kind)) in METERED.into_iter().enumerate() {
        app.provider(kind, kind, &upstream.url(script), json!({}))
            .await;
        let body = json!({
            "model": "m", "messages": [], "input": [], "contents": [],
            "metadata": {"user_id": "{\"session_id\":\"session-1\"}"},
            "prompt_cache_key": "session-1",
            "request": {"session_id": "session-1", "contents": []},
        });
        let response = app.post(path, &body).await;
        assert_eq!(response.status(), 200, "{path}");
        let id = response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let row = app.rows(i + 1).await.remove(0);
        assert_eq!(row["id"], id, "{path}");
        assert_eq!(row["endpoint"], format!("POST {path}"));
        assert_eq!(row["status"], 200);
        assert_eq!(row["isStream"], false);
        assert_eq!(row["requestedModel"], "m");
        assert_eq!(row["settledFrom"], "terminal", "{path}: {row:#}");
        let usage = &row["usage"];
        assert_eq!(usage["inputTokens"], 100, "{path}: {row:#}");
        assert_eq!(usage["cacheReadTokens"], 30, "{path}: {row:#}");
        assert_eq!(usage["outputTokens"], 40, "{path}: {row:#}");
        if kind != "claude" {
            assert_eq!(usage["reasoningTokens"], 10, "{path}: {row:#}");
        }
        if !kind.starts_with("gemini") || kind == "gemini-cli" {
            assert_eq!(row["sessionId"], "session-1", "{path}: {row:#}");
        }
        let attempt = &row["chain"][0];
        assert_eq!(attempt["providerName"], kind);
        assert_eq!(attempt["outcome"], "completed");
        assert_eq!(attempt["usage"]["inputTokens"], 100);
        for time in ["durationMs", "ttfbMs", "ttftMs", "overheadMs"] {
            assert!(row[time].is_number(), "{time}: {row:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_logged_on_sqlite() {
    usage_is_logged(TestApp::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_is_logged_on_postgresql() {
    if let Some(builder) = TestApp::on_postgres().await {
        usage_is_logged(builder.start().await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_reports_nothing_is_not_charged_for() {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    app.provider("a", "claude", &upstream.url("omitUsage"), json!({}))
        .await;
    app.post("/v1/messages", &json!({"model": "m"})).await;
    let row = app.row().await;
    assert_eq!(row["settledFrom"], "none", "{row:#}");
    assert_eq!(row["usage"]["inputTokens"], 0);
    assert_eq!(row["costUsd"], "0", "{row:#}");
}
