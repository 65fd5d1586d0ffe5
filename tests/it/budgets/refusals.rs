//! What a client is told, in each of the five protocols.

use chrono::{DateTime, Days, NaiveTime, Utc};
use reqwest::Response;
use serde_json::{Value, json};

use super::{a_dollar_each, buyer};
use crate::support::{Front, TestApp, Upstream, eventually};

/// Type of provider, path and body.
fn protocols() -> [(&'static str, &'static str, Value); 5] {
    let message = json!([{"role": "user", "content": "hi"}]);
    let contents = json!([{"role": "user", "parts": [{"text": "hi"}]}]);
    [
        (
            "claude",
            "/v1/messages",
            json!({"model": "m", "messages": message}),
        ),
        (
            "codex",
            "/v1/responses",
            json!({"model": "m", "input": message}),
        ),
        (
            "openai-compatible",
            "/v1/chat/completions",
            json!({"model": "m", "messages": message}),
        ),
        (
            "gemini",
            "/v1beta/models/m:generateContent",
            json!({"contents": contents}),
        ),
        (
            "gemini-cli",
            "/v1internal:generateContent",
            json!({"model": "m", "request": {"contents": contents}}),
        ),
    ]
}

async fn every_protocol() -> (TestApp, Upstream, Front) {
    let upstream = Upstream::start().await;
    let app = TestApp::start().await;
    let front = app.front();
    a_dollar_each(&front).await;
    for (kind, ..) in protocols() {
        front
            .provider(kind, kind, &upstream.url(""), json!({}))
            .await;
    }
    (app, upstream, front)
}

/// The second of two requests, which must be refused.
async fn refused(front: &Front, limits: Value, path: &str, body: &Value) -> Response {
    let (_, id, key) = buyer(front, json!({}), limits).await;
    let first = front.post(path, &key).json(body).send().await.unwrap();
    assert_eq!(first.status(), 200, "{path}");
    first.bytes().await.unwrap();
    super::spends(front, &format!("keys/{id}"), 1).await;
    let response = front.post(path, &key).json(body).send().await.unwrap();
    assert_eq!(response.status(), 429, "{path}");
    response
}

fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

/// Its row, which every refusal leaves.
async fn is_logged(front: &Front, response: &Response, code: &str) {
    let id = header(response, "x-request-id").unwrap().to_owned();
    let row = eventually("the row", || async {
        let list = front.get("/requests?limit=20").await;
        let items = list["items"].as_array()?.clone();
        items.into_iter().find(|row| row["id"] == id.as_str())
    })
    .await;
    assert_eq!(
        (&row["status"], &row["errorCode"]),
        (&json!(429), &json!(code)),
        "{row:#}"
    );
    assert!(
        row["userId"].is_number() && row["keyId"].is_number(),
        "{row:#}"
    );
    assert_eq!(row["settledFrom"], "none", "{row:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_is_spent_makes_each_client_stop() {
    let (_app, _upstream, front) = every_protocol().await;
    for (kind, path, body) in protocols() {
        let response = refused(&front, json!({"limitDailyUsd": 1}), path, &body).await;
        let tomorrow = Utc::now().date_naive() + Days::new(1);
        let reset = tomorrow.and_time(NaiveTime::MIN).and_utc().timestamp();
        assert_eq!(
            header(&response, "x-ratelimit-limit"),
            Some("1.00"),
            "{kind}"
        );
        assert_eq!(
            header(&response, "x-ratelimit-remaining"),
            Some("0.00"),
            "{kind}"
        );
        assert_eq!(
            header(&response, "x-ratelimit-reset"),
            Some(reset.to_string().as_str()),
            "{kind}"
        );
        assert_eq!(header(&response, "x-should-retry"), Some("false"), "{kind}");
        assert_eq!(
            header(&response, "retry-after"),
            None,
            "{kind}: nobody should wait for it"
        );
        is_logged(&front, &response, "usd_day").await;
        let answer: Value = response.json().await.unwrap();
        let error = &answer["error"];
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with(
                "This key has spent $1.00 of $1.00 in this day. There is room again at "
            ),
            "{answer:#}"
        );
        match kind {
            "claude" => {
                assert_eq!(
                    (&answer["type"], &error["type"]),
                    (&json!("error"), &json!("rate_limit_error"))
                );
                assert_eq!(error["limit"], "usd_day");
            }
            "codex" => {
                assert_eq!(
                    (&error["type"], &error["code"]),
                    (&json!("usage_limit_reached"), &json!("usd_day"))
                );
                assert_eq!(error["resets_at"], reset);
                assert!(error["resets_in_seconds"].as_i64().unwrap() <= 24 * 3600);
            }
            "openai-compatible" => {
                assert_eq!(
                    (&error["type"], &error["code"]),
                    (&json!("insufficient_quota"), &json!("insufficient_quota"))
                );
                assert_eq!(error["limit"], "usd_day");
            }
            _ => {
                assert_eq!(
                    (&error["code"], &error["status"]),
                    (&json!(429), &json!("RESOURCE_EXHAUSTED"))
                );
                assert_eq!(error["details"][0]["violations"][0]["quotaId"], "usd_day");
                let delay = error["details"][1]["retryDelay"].as_str().unwrap();
                let seconds: i64 = delay.trim_end_matches('s').parse().unwrap();
                assert!(
                    seconds > 300,
                    "Gemini CLI tries again below five minutes: {delay}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowded_minute_says_when_to_come_back() {
    let (_app, _upstream, front) = every_protocol().await;
    for (kind, path, body) in protocols() {
        let response = refused(&front, json!({"rpm": 1}), path, &body).await;
        let now = Utc::now();
        assert_eq!(header(&response, "x-ratelimit-limit"), Some("1"), "{kind}");
        assert_eq!(
            header(&response, "x-ratelimit-remaining"),
            Some("0"),
            "{kind}"
        );
        let reset = header(&response, "x-ratelimit-reset").unwrap();
        let reset = DateTime::from_timestamp(reset.parse().unwrap(), 0).unwrap();
        let wait = header(&response, "retry-after").unwrap();
        let wait: i64 = wait.parse().unwrap();
        assert!((1..=62).contains(&wait), "{kind}: {wait}");
        let told = (reset - now).num_seconds();
        assert!((told - wait).abs() <= 2, "{kind}: {told} s and {wait} s");
        assert_eq!(header(&response, "x-should-retry"), None, "{kind}");
        is_logged(&front, &response, "rpm").await;
        let answer: Value = response.json().await.unwrap();
        let error = &answer["error"];
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with("This key has made 1 of 1 requests in this minute. Try again in "),
            "{answer:#}"
        );
        match kind {
            "claude" => assert_eq!(error["type"], "rate_limit_error"),
            "codex" | "openai-compatible" => {
                assert_eq!(
                    (&error["type"], &error["code"]),
                    (&json!("rate_limit_error"), &json!("rpm"))
                );
            }
            _ => {
                let delay = &error["details"][1]["retryDelay"];
                assert_eq!(delay, &json!(format!("{wait}s")), "{answer:#}");
            }
        }
    }
}

/// A provider's budget is nobody's business: there is just nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_spent_is_not_named() {
    let (app, upstream) = (TestApp::start().await, Upstream::start().await);
    let front = app.front();
    a_dollar_each(&front).await;
    let url = upstream.url("");
    let secret = "secret-provider-name";
    front
        .provider(secret, "claude", &url, json!({"limitTotalUsd": 0}))
        .await;
    let (_, _, key) = buyer(&front, json!({}), json!({})).await;
    let request = front.post("/v1/messages", &key).json(&super::body());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(header(&response, "retry-after"), Some("5"));
    let text = response.text().await.unwrap();
    assert!(!text.contains(secret) && !text.contains("budget"), "{text}");
}
