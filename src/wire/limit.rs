//! How a limit says no, in the caller's protocol.
//!
//! A client that does not understand a refusal tries again, and an agent does so all night. What makes each one stop was measured with the
//! real programs, and for Gemini CLI read in its source:
//!
//! | client | money that is spent | a limit that ends soon |
//! |---|---|---|
//! | Claude Code, Anthropic's SDKs | 429 `rate_limit_error`, `x-should-retry: false` | `Retry-After` |
//! | Codex | `error.type` `usage_limit_reached` with `resets_in_seconds`; any other 429 with a long `Retry-After` hangs | `Retry-After` |
//! | OpenAI's SDKs | `insufficient_quota`, `x-should-retry: false` | `Retry-After` |
//! | Gemini CLI | a `RetryInfo` of more than five minutes, else it tries ten times | `RetryInfo` |
//!
//! So `Retry-After` is only ever sent where waiting is right. `limit` names the limit in every body; `code` too, where the client does not
//! need another one to stop.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::domain::limits::{Dimension, Refused, Subject};
use crate::domain::protocol::Protocol;
use crate::domain::refusal::{Reason, Refusal};

/// What Gemini CLI takes for a wait that is not worth it begins after this many seconds.
const GEMINI_STOPS_AFTER: i64 = 301;
/// What it is told where no time is known.
const A_DAY: i64 = 24 * 60 * 60;
const NANO: i64 = 1_000_000_000;

/// An answer: 429, its headers and its body, which is JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 429.
    pub status: StatusCode,
    /// Beside those every answer has.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Bytes,
}

/// The answer to a request that a limit keeps out.
#[must_use]
pub fn answer(
    protocol: Protocol,
    refused: &Refused,
    request_id: &str,
    now: DateTime<Utc>,
) -> Answer {
    let message = message(refused, now);
    let limit = refused.dimension.code();
    let body = match protocol {
        Protocol::Anthropic => json!({
            "type": "error",
            "error": {"type": "rate_limit_error", "message": message, "limit": limit},
            "request_id": request_id,
        }),
        Protocol::Responses if is_final(refused) => codex(refused, &message, now),
        Protocol::Responses | Protocol::Openai => {
            let (kind, code) = if is_final(refused) {
                ("insufficient_quota", "insufficient_quota")
            } else {
                ("rate_limit_error", limit)
            };
            json!({"error": {
                "message": message, "type": kind, "param": null, "code": code, "limit": limit,
            }})
        }
        Protocol::Gemini | Protocol::GeminiCli => gemini(refused, &message, now),
    };
    Answer {
        status: StatusCode::TOO_MANY_REQUESTS,
        headers: headers(refused),
        body: Bytes::from(body.to_string()),
    }
}

/// The refusal of a request that a limit keeps out.
#[must_use]
pub fn refusal(refused: Refused, now: DateTime<Utc>) -> Refusal {
    Refusal::new(Reason::Limit(refused), message(&refused, now))
}

/// What is wrong and when it ends, for the person at the client.
#[must_use]
pub fn message(refused: &Refused, now: DateTime<Utc>) -> String {
    let Refused {
        subject,
        dimension,
        current,
        limit,
        ..
    } = refused;
    let who = match subject {
        Subject::Key(_) => "This key",
        Subject::User(_) => "This user",
        // Whose provider it is, is nobody's business here.
        Subject::Provider(_) => "The upstream",
    };
    let what = match dimension {
        Dimension::Rpm => format!("{who} has made {current} of {limit} requests in this minute."),
        Dimension::ConcurrentSessions => {
            format!("{who} has {current} of {limit} sessions open.")
        }
        Dimension::ConcurrentRequests => {
            format!("{who} has {current} of {limit} requests running.")
        }
        money => {
            let span = span(*money);
            let (spent, limit) = (usd(*current), usd(*limit));
            if is_final(refused) {
                format!("{who} has spent ${spent} of ${limit} {span}.")
            } else {
                format!(
                    "{who} has spent ${spent} of ${limit} {span}, and the rest is reserved for requests that are running."
                )
            }
        }
    };
    let then = match (refused.retry_after, refused.resets_at) {
        (Some(wait), _) => {
            let seconds = seconds(wait);
            let plural = if seconds == 1 { "" } else { "s" };
            format!(" Try again in {seconds} second{plural}.")
        }
        (None, Some(at)) => {
            let at_minute = at.format("%Y-%m-%d %H:%M UTC");
            format!(
                " There is room again at {at_minute}, in {}.",
                span_of(at, now)
            )
        }
        (None, None) => " Ask your administrator.".to_owned(),
    };
    what + &then
}

fn headers(refused: &Refused) -> Vec<(&'static str, String)> {
    let number = |amount: i64| {
        if refused.dimension.is_money() {
            usd(amount)
        } else {
            amount.to_string()
        }
    };
    let left = refused.limit.saturating_sub(refused.current).max(0);
    let mut headers = vec![
        ("x-ratelimit-limit", number(refused.limit)),
        ("x-ratelimit-remaining", number(left)),
    ];
    if let Some(at) = refused.resets_at {
        // The next full second: before it there is no room.
        let at = (at.timestamp_millis() + 999).div_euclid(1_000);
        headers.push(("x-ratelimit-reset", at.to_string()));
    }
    if let Some(wait) = refused.retry_after {
        headers.push(("retry-after", seconds(wait).to_string()));
    }
    if is_final(refused) {
        headers.push(("x-should-retry", "false".to_owned()));
    }
    headers
}

/// Codex shows "You've hit your usage limit" and when it ends. Every part of it is optional to Codex.
fn codex(refused: &Refused, message: &str, now: DateTime<Utc>) -> Value {
    let mut error = Map::new();
    error.insert("type".into(), json!("usage_limit_reached"));
    error.insert("message".into(), json!(message));
    error.insert("plan_type".into(), json!("gateway"));
    if let Some(at) = refused.resets_at {
        error.insert("resets_at".into(), json!(at.timestamp()));
        error.insert("resets_in_seconds".into(), json!(until(at, now)));
    }
    error.insert("param".into(), Value::Null);
    error.insert("code".into(), json!(refused.dimension.code()));
    error.insert("limit".into(), json!(refused.dimension.code()));
    json!({"error": error})
}

fn gemini(refused: &Refused, message: &str, now: DateTime<Utc>) -> Value {
    let code = refused.dimension.code();
    // Its own message wins over ours where the id speaks of a day, so it is the plain code.
    let failure = json!({
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{
            "subject": refused.subject.kind(),
            "description": message,
            "quotaMetric": format!("switchyard/{code}"),
            "quotaId": code,
        }],
    });
    let delay = match (refused.retry_after, refused.resets_at) {
        (Some(wait), _) => Some(seconds(wait)),
        (None, Some(at)) => Some(until(at, now).max(GEMINI_STOPS_AFTER)),
        (None, None) => is_final(refused).then_some(A_DAY),
    };
    let retry = delay.map(|delay| {
        json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{delay}s"),
        })
    });
    let details: Vec<Value> = [failure].into_iter().chain(retry).collect();
    json!({"error": {
        "code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details,
    }})
}

/// Nothing but time or an administrator helps: trying again soon is of no use.
fn is_final(refused: &Refused) -> bool {
    refused.retry_after.is_none()
}

fn span(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Usd5h => "in five hours",
        Dimension::UsdDay => "in this day",
        Dimension::UsdWeek => "in this week",
        Dimension::UsdMonth => "in this month",
        _ => "in total",
    }
}

/// Dollars with two digits after the point, or as many as it takes to four; less than a cent is told exactly.
fn usd(nano: i64) -> String {
    let (whole, rest) = (nano.div_euclid(NANO), nano.rem_euclid(NANO));
    let digits = if whole == 0 && rest < NANO / 100 {
        format!("{rest:09}")
    } else {
        format!("{:04}", rest / 100_000)
    };
    let kept = digits.trim_end_matches('0').len().max(2);
    format!("{whole}.{}", &digits[..kept])
}

fn seconds(wait: Duration) -> i64 {
    let up = u64::from(wait.subsec_nanos() > 0);
    i64::try_from(wait.as_secs() + up).unwrap_or(i64::MAX)
}

fn until(at: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    ((at - now).num_milliseconds() + 999)
        .div_euclid(1_000)
        .max(0)
}

/// A length of time as people say it.
fn span_of(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let minutes = (until(at, now) + 59) / 60;
    let (days, hours, rest) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{rest} min"),
        (0, _) => format!("{hours} h {rest} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests;
