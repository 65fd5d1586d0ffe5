//! Tests of how a limit says no: every protocol word by word.

use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn spent() -> Refused {
    Refused {
        subject: Subject::Key(7),
        dimension: Dimension::UsdDay,
        current: 10_012_300_000,
        limit: 10 * NANO,
        resets_at: Some("2026-11-22T00:00:00Z".parse().unwrap()),
        retry_after: None,
    }
}

fn crowded() -> Refused {
    Refused {
        subject: Subject::User(7),
        dimension: Dimension::Rpm,
        current: 10,
        limit: 10,
        resets_at: Some("2026-11-21T10:00:11.2Z".parse().unwrap()),
        retry_after: Some(Duration::from_millis(11_200)),
    }
}

fn total() -> Refused {
    Refused {
        dimension: Dimension::UsdTotal,
        current: 0,
        limit: 0,
        resets_at: None,
        ..spent()
    }
}

fn body(protocol: Protocol, refused: &Refused) -> Value {
    let answer = answer(protocol, refused, "req-1", now());
    assert_eq!(answer.status, 429);
    serde_json::from_slice(&answer.body).unwrap()
}

const SPENT: &str = "This key has spent $10.0123 of $10.00 in this day. There is room again at 2026-11-22 00:00 UTC, in 14 h 0 min.";
const CROWDED: &str =
    "This user has made 10 of 10 requests in this minute. Try again in 12 seconds.";

#[test]
fn headers_say_how_much_and_when() {
    let headers = |refused: &Refused| answer(Protocol::Anthropic, refused, "r", now()).headers;
    let owned = |headers: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        headers.iter().map(|(n, v)| (*n, (*v).to_owned())).collect()
    };
    assert_eq!(
        headers(&spent()),
        owned(&[
            ("x-ratelimit-limit", "10.00"),
            ("x-ratelimit-remaining", "0.00"),
            ("x-ratelimit-reset", "1795305600"),
            ("x-should-retry", "false"),
        ])
    );
    assert_eq!(
        headers(&crowded()),
        owned(&[
            ("x-ratelimit-limit", "10"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1795255212"),
            ("retry-after", "12"),
        ])
    );
    assert_eq!(
        headers(&total()),
        owned(&[
            ("x-ratelimit-limit", "0.00"),
            ("x-ratelimit-remaining", "0.00"),
            ("x-should-retry", "false"),
        ])
    );
}

#[test]
fn claude_code_is_told_by_type() {
    assert_eq!(
        body(Protocol::Anthropic, &spent()),
        json!({"type": "error", "error": {"type": "rate_limit_error", "message": SPENT, "limit": "usd_day"}, "request_id": "req-1"})
    );
    assert_eq!(
        body(Protocol::Anthropic, &crowded()),
        json!({"type": "error", "error": {"type": "rate_limit_error", "message": CROWDED, "limit": "rpm"}, "request_id": "req-1"})
    );
}

#[test]
fn codex_is_told_that_the_usage_limit_is_reached() {
    assert_eq!(
        body(Protocol::Responses, &spent()),
        json!({"error": {
            "type": "usage_limit_reached", "message": SPENT, "plan_type": "gateway",
            "resets_at": 1_795_305_600, "resets_in_seconds": 50_400,
            "param": null, "code": "usd_day", "limit": "usd_day",
        }})
    );
    let error = &body(Protocol::Responses, &total())["error"];
    assert_eq!(error["type"], "usage_limit_reached");
    assert_eq!(error.get("resets_in_seconds"), None);
    assert_eq!(
        body(Protocol::Responses, &crowded()),
        json!({"error": {
            "message": CROWDED, "type": "rate_limit_error", "param": null, "code": "rpm", "limit": "rpm",
        }})
    );
}

#[test]
fn chat_is_told_that_the_quota_is_not_enough() {
    assert_eq!(
        body(Protocol::Openai, &spent()),
        json!({"error": {
            "message": SPENT, "type": "insufficient_quota", "param": null,
            "code": "insufficient_quota", "limit": "usd_day",
        }})
    );
    assert_eq!(
        body(Protocol::Openai, &crowded()),
        body(Protocol::Responses, &crowded())
    );
}

#[test]
fn gemini_is_told_in_details() {
    for protocol in [Protocol::Gemini, Protocol::GeminiCli] {
        assert_eq!(
            body(protocol, &spent()),
            json!({"error": {
                "code": 429, "message": SPENT, "status": "RESOURCE_EXHAUSTED",
                "details": [
                    {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{
                        "subject": "key", "description": SPENT, "quotaMetric": "switchyard/usd_day", "quotaId": "usd_day",
                    }]},
                    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "50400s"},
                ],
            }})
        );
        let delay = |refused: &Refused| {
            let body = body(protocol, refused);
            body["error"]["details"][1]["retryDelay"].clone()
        };
        assert_eq!(delay(&crowded()), "12s");
        assert_eq!(delay(&total()), "86400s");
        let soon = Refused {
            resets_at: Some(now() + Duration::from_secs(30)),
            ..spent()
        };
        assert_eq!(delay(&soon), "301s", "or it would wait, and try again");
    }
}

#[test]
fn a_message_says_what_to_do() {
    let is = |refused: Refused, expected: &str| assert_eq!(message(&refused, now()), expected);
    is(
        total(),
        "This key has spent $0.00 of $0.00 in total. Ask your administrator.",
    );
    is(
        Refused {
            current: 2 * NANO + 500_000_000,
            retry_after: Some(Duration::from_secs(5)),
            resets_at: None,
            ..spent()
        },
        "This key has spent $2.50 of $10.00 in this day, and the rest is reserved for requests that are running. Try again in 5 seconds.",
    );
    is(
        Refused {
            dimension: Dimension::ConcurrentSessions,
            current: 3,
            limit: 3,
            retry_after: Some(Duration::from_secs(1)),
            ..crowded()
        },
        "This user has 3 of 3 sessions open. Try again in 1 second.",
    );
    is(
        Refused {
            subject: Subject::Provider(3),
            dimension: Dimension::UsdMonth,
            resets_at: Some("2026-12-01T00:00:00Z".parse().unwrap()),
            ..spent()
        },
        "The upstream has spent $10.0123 of $10.00 in this month. There is room again at 2026-12-01 00:00 UTC, in 9 d 14 h.",
    );
}
