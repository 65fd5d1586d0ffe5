//! One request of there as rows of here.

use chrono::{DateTime, Utc};
use entity::usage;
use entity::value::{ClientName, Multiplier};
use serde_json::Value;
use uuid::Uuid;

use super::super::row::{Row, nano};
use super::super::source::hash;
use super::super::totals::FREE;
use super::{History, UNDER_WAY, story};
use crate::domain::client_name::name_of;
use crate::store::ledger::{Entry, Request};

/// What is read of the log.
pub(super) const LOG: [&str; 33] = [
    "id",
    "provider_id",
    "user_id",
    "key",
    "model",
    "original_model",
    "duration_ms",
    "cost_usd",
    "cost_multiplier",
    "group_cost_multiplier",
    "session_id",
    "is_replay",
    "provider_chain",
    "status_code",
    "endpoint",
    "input_tokens",
    "output_tokens",
    "ttfb_ms",
    "first_byte_ms",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
    "cache_ttl_applied",
    "hedge_losers",
    "error_message",
    "blocked_by",
    "blocked_reason",
    "user_agent",
    "client_ip",
    "created_at",
    "updated_at",
    "deleted_at",
];

/// What is read of the ledger.
pub(super) const LEDGER: [&str; 27] = [
    "request_id",
    "user_id",
    "key",
    "provider_id",
    "final_provider_id",
    "model",
    "original_model",
    "endpoint",
    "session_id",
    "is_replay",
    "status_code",
    "blocked_by",
    "cost_usd",
    "cost_multiplier",
    "group_cost_multiplier",
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
    "cache_ttl_applied",
    "duration_ms",
    "ttfb_ms",
    "first_byte_ms",
    "client_ip",
    "created_at",
];

/// The status of a request that its client left, or whose end nobody wrote down.
const LEFT: i32 = 499;

/// A request as the log and the ledger have it: at least one of them does.
pub(super) struct Both<'r> {
    pub(super) id: i64,
    pub(super) log: Option<&'r Row>,
    pub(super) ledger: Option<&'r Row>,
}

/// What becomes of a request.
pub(super) enum Outcome {
    Entry(Box<Entry>),
    UnderWay,
    Skipped(&'static str),
}

/// What a request, or a losing attempt of it, used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) input: i64,
    pub(super) cache_read: i64,
    pub(super) cache_write5m: i64,
    pub(super) cache_write1h: i64,
    pub(super) output: i64,
}

// === impl Both ===

impl Both<'_> {
    fn get<T>(&self, read: impl Fn(&Row) -> Option<T>) -> Option<T> {
        let ledger = self.ledger.and_then(&read);
        ledger.or_else(|| self.log.and_then(&read))
    }

    fn text(&self, column: &str) -> Option<String> {
        let text = self.get(|row| row.text(column));
        text.filter(|text| !text.is_empty())
    }

    fn integer(&self, column: &str) -> Option<i64> {
        self.get(|row| row.integer(column))
    }

    fn tokens(&self, column: &str) -> i64 {
        self.integer(column).unwrap_or(0).max(0)
    }

    fn factor(&self, column: &str) -> Option<Multiplier> {
        self.get(|row| row.json(column)?.parse().ok())
    }

    fn created_at(&self) -> Option<DateTime<Utc>> {
        // A log row without one was written before it was last changed.
        self.get(|row| row.time("created_at"))
            .or_else(|| self.log?.time("updated_at"))
    }

    /// Nano-USD; none where there is no cost.
    fn cost(&self) -> Option<i64> {
        self.get(|row| nano(row.json("cost_usd")?))
    }

    fn used(&self) -> Used {
        let total = self.tokens("cache_creation_input_tokens");
        let split = |column: &str| self.integer(column).map(|tokens| tokens.max(0));
        let hour = split("cache_creation_1h_input_tokens");
        let (write5m, write1h) = match (split("cache_creation_5m_input_tokens"), hour) {
            (None, None) if self.text("cache_ttl_applied").as_deref() == Some("1h") => (0, total),
            (five, hour) => {
                let hour = hour.unwrap_or(0);
                (five.unwrap_or(0).max(total - hour), hour)
            }
        };
        Used {
            input: self.tokens("input_tokens"),
            cache_read: self.tokens("cache_read_input_tokens"),
            cache_write5m: write5m,
            cache_write1h: write1h,
            output: self.tokens("output_tokens"),
        }
    }

    /// Whether there it counts as billed.
    fn is_billed(&self) -> bool {
        let endpoint = self.text("endpoint").unwrap_or_default().to_lowercase();
        self.text("blocked_by").is_none()
            && !self
                .get(|row| Some(row.is_true("is_replay")))
                .unwrap_or(false)
            && !FREE.contains(&endpoint.trim_end_matches('/'))
    }
}

// === impl Used ===

impl Used {
    pub(super) fn is_any(self) -> bool {
        self != Self::default()
    }

    fn add(&mut self, other: Self) {
        self.input = self.input.saturating_add(other.input);
        self.cache_read = self.cache_read.saturating_add(other.cache_read);
        self.cache_write5m = self.cache_write5m.saturating_add(other.cache_write5m);
        self.cache_write1h = self.cache_write1h.saturating_add(other.cache_write1h);
        self.output = self.output.saturating_add(other.output);
    }
}

// === impl History ===

impl History<'_> {
    /// The rows of a request.
    pub(super) fn entry(&mut self, both: &Both<'_>) -> Outcome {
        let is_deleted = both.log.is_some_and(|row| row.json("deleted_at").is_some());
        if is_deleted && both.ledger.is_none() {
            return Outcome::Skipped("deleted there, and never billed");
        }
        let Some(created_at) = both.created_at() else {
            return Outcome::Skipped("has no time");
        };
        let (used, cost) = (both.used(), both.cost());
        let has_cost = cost.is_some_and(|cost| cost > 0);
        if cost.is_some_and(|cost| cost < 0) {
            return Outcome::Skipped("its cost is below zero");
        }
        let status = both.integer("status_code");
        let may_go_on = Utc::now() - created_at < UNDER_WAY;
        if status.is_none() && !has_cost && !used.is_any() && may_go_on {
            return Outcome::UnderWay;
        }
        let mut lines = Vec::new();
        let mut request = self.request(both, created_at);
        if both.is_billed() && (has_cost || used.is_any()) {
            lines = self.lines(both, &request, used, cost);
            if both.ledger.is_none() && has_cost && self.source.has("usage_ledger") {
                self.counts.unledgered += 1;
            }
        }
        if !lines.is_empty() {
            request.settled_from = "terminal";
            request.cost_nano_usd = cost;
            let mut all = Used::default();
            lines.iter().for_each(|line| all.add(used_of(line)));
            request.input_tokens = all.input;
            request.cache_read_tokens = all.cache_read;
            request.cache_write5m_tokens = all.cache_write5m;
            request.cache_write1h_tokens = all.cache_write1h;
            request.output_tokens = all.output;
        }
        Outcome::Entry(Box::new(Entry { request, lines }))
    }

    /// The request without what it used.
    fn request(&mut self, both: &Both<'_>, created_at: DateTime<Utc>) -> Request {
        let user = both.integer("user_id");
        let user_id = user.and_then(|id| self.ids.users.get(&id).copied());
        let key = both.text("key");
        let key_id = key.and_then(|key| self.ids.keys.get(&key).copied());
        if user_id.is_none() || key_id.is_none() {
            self.counts.orphans += 1;
        }
        let path = both.text("endpoint").unwrap_or_default();
        let steps = story::steps(both.log);
        let served = both.ledger.and_then(|row| row.integer("final_provider_id"));
        let served = served
            .or_else(|| steps.last().and_then(|step| step.id))
            .or_else(|| both.integer("provider_id"));
        let model = both.text("model");
        let duration = both.integer("duration_ms").unwrap_or(0).max(0);
        let waited = |column: &str| both.integer(column).filter(|ms| *ms >= 0);
        let ttft_ms = waited("ttfb_ms");
        let from_log = |column: &str| both.log.and_then(|row| row.text(column));
        let status = both.integer("status_code");
        Request {
            id: self.request_id(both.id, created_at),
            created_at,
            user_id: Some(user_id.unwrap_or(0)),
            key_id: Some(key_id.unwrap_or(0)),
            provider_id: served.and_then(|id| self.ids.providers.get(&id).copied()),
            session_id: both.text("session_id"),
            protocol: story::protocol(&path),
            endpoint: if path.is_empty() {
                path
            } else {
                format!("POST {path}")
            },
            requested_model: both.text("original_model").or_else(|| model.clone()),
            model,
            status: status.and_then(|s| i32::try_from(s).ok()).unwrap_or(LEFT),
            // Nothing says so there: content came before the end.
            is_stream: ttft_ms.is_some_and(|ttft| ttft < duration),
            error_code: None,
            error_message: from_log("error_message")
                .or_else(|| from_log("blocked_reason"))
                .or_else(|| both.text("blocked_by")),
            input_tokens: 0,
            cache_read_tokens: 0,
            cache_write5m_tokens: 0,
            cache_write1h_tokens: 0,
            output_tokens: 0,
            reasoning_tokens: 0,
            cost_nano_usd: Some(0),
            settled_from: "none",
            duration_ms: duration,
            // `ttfb_ms` is the time to the first content there, whatever it is called.
            ttfb_ms: waited("first_byte_ms"),
            ttft_ms,
            overhead_us: 0,
            request_bytes: 0,
            response_bytes: 0,
            client_ip: both.text("client_ip"),
            user_agent: from_log("user_agent"),
            chain: story::chain(&steps, &self.ids.providers),
        }
    }

    /// The line of the attempt that was answered with, and one for each losing attempt that was billed. The request's cost has theirs in
    /// it.
    fn lines(
        &self,
        both: &Both<'_>,
        request: &Request,
        used: Used,
        cost: Option<i64>,
    ) -> Vec<usage::Model> {
        let line =
            |attempt: i32, provider_id: Option<i64>, used: Used, cost: Option<i64>| usage::Model {
                id: self.line_id(both.id, attempt, request.created_at),
                request_id: request.id,
                attempt,
                created_at: request.created_at,
                user_id: request.user_id.unwrap_or(0),
                key_id: request.key_id.unwrap_or(0),
                provider_id: provider_id.unwrap_or(0),
                requested_model: request.requested_model.clone(),
                model: request.model.clone(),
                input_tokens: used.input,
                cache_read_tokens: used.cache_read,
                cache_write5m_tokens: used.cache_write5m,
                cache_write1h_tokens: used.cache_write1h,
                output_tokens: used.output,
                reasoning_tokens: 0,
                image_input_tokens: 0,
                image_output_tokens: 0,
                cost_nano_usd: cost,
                price_ref: cost.map(|_| self.price_ref.clone()),
                service_tier: None,
                provider_multiplier: both.factor("cost_multiplier"),
                group_multiplier: both.factor("group_cost_multiplier"),
                client: client(request),
                settled_from: "terminal".to_owned(),
                raw: None,
            };
        let losers = losers(both.log);
        let lost: i64 = losers.iter().map(|(.., cost)| cost).sum();
        let won = cost.map(|cost| cost - lost).filter(|won| *won >= 0);
        let (Some(won), false) = (won, losers.is_empty()) else {
            return vec![line(1, request.provider_id, used, cost)];
        };
        let mut lines = vec![line(1, request.provider_id, used, Some(won))];
        for ((provider, used, cost), attempt) in losers.into_iter().zip(2..) {
            let provider_id = self.ids.providers.get(&provider).copied();
            lines.push(line(attempt, provider_id, used, Some(cost)));
        }
        lines
    }

    fn request_id(&self, id: i64, created_at: DateTime<Utc>) -> Uuid {
        let hash = hash(&[self.fingerprint, "request", &id.to_string()]);
        uuid(created_at.timestamp_millis(), id, hash)
    }

    /// Of no millisecond before its moment's, so that who looks for lines from a moment on finds it.
    fn line_id(&self, id: i64, attempt: i32, created_at: DateTime<Utc>) -> Uuid {
        let hash = hash(&[
            self.fingerprint,
            "line",
            &id.to_string(),
            &attempt.to_string(),
        ]);
        let has_part = !created_at.timestamp_subsec_micros().is_multiple_of(1000);
        uuid(
            created_at.timestamp_millis() + i64::from(has_part),
            id,
            hash,
        )
    }
}

/// A `UUIDv7` that follows from what it is for: the time, the order within it, and a hash where others have chance.
fn uuid(millis: i64, order: i64, hash: [u8; 32]) -> Uuid {
    const LAST: i64 = (1 << 48) - 1;
    let millis = u128::from(millis.clamp(0, LAST).unsigned_abs());
    let order = u128::from(order.unsigned_abs() & 0xfff);
    let mut tail = [0; 8];
    tail.copy_from_slice(&hash[..8]);
    let tail = u128::from(u64::from_be_bytes(tail) >> 2);
    Uuid::from_u128(millis << 80 | 7 << 76 | order << 64 | 2 << 62 | tail)
}

fn client(request: &Request) -> ClientName {
    name_of(request.user_agent.as_deref())
}

fn used_of(line: &usage::Model) -> Used {
    Used {
        input: line.input_tokens,
        cache_read: line.cache_read_tokens,
        cache_write5m: line.cache_write5m_tokens,
        cache_write1h: line.cache_write1h_tokens,
        output: line.output_tokens,
    }
}

/// Losing attempts that were billed: the provider there, what they used, and nano-USD. None at all where one of them cannot be read.
fn losers(log: Option<&Row>) -> Vec<(i64, Used, i64)> {
    let json = log.and_then(|row| row.json("hedge_losers"));
    let items: Vec<Value> = json
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    let loser = |item: &Value| {
        let tokens = |name: &str| item.get(name).and_then(Value::as_i64).unwrap_or(0).max(0);
        let cost = match item.get("costUsd")? {
            Value::String(text) => nano(text)?,
            Value::Number(number) => {
                nano(&number.to_string()).or_else(|| nano(&format!("{:.15}", number.as_f64()?)))?
            }
            _ => return None,
        };
        let used = Used {
            input: tokens("inputTokens"),
            cache_read: tokens("cacheReadInputTokens"),
            cache_write5m: tokens("cacheCreationInputTokens"),
            cache_write1h: 0,
            output: tokens("outputTokens"),
        };
        let provider = item.get("providerId").and_then(Value::as_i64).unwrap_or(0);
        (cost >= 0).then_some((provider, used, cost))
    };
    let read: Option<Vec<_>> = items.iter().map(loser).collect();
    read.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_by_time_and_the_same_every_time() {
        let id = |millis, order| uuid(millis, order, hash(&["s", &order.to_string()]));
        assert_eq!(id(1_700_000_000_000, 5), id(1_700_000_000_000, 5));
        assert!(id(1_700_000_000_000, 5) < id(1_700_000_000_000, 6));
        assert!(id(1_700_000_000_000, 6) < id(1_700_000_000_001, 5));
        let one = id(1_700_000_000_000, 5);
        assert_eq!(one.get_version_num(), 7);
        assert_eq!(one.get_variant(), uuid::Variant::RFC4122);
    }

    #[test]
    fn cache_writes_are_split_as_far_as_they_are_told_apart() {
        let split = |more: &str| {
            let row = Row::parse(&format!(r#"{{"id": 1{more}}}"#)).unwrap();
            let both = Both {
                id: 1,
                log: Some(&row),
                ledger: None,
            };
            let used = both.used();
            (used.cache_write5m, used.cache_write1h)
        };
        let total = r#", "cache_creation_input_tokens": 100"#;
        assert_eq!(split(""), (0, 0));
        assert_eq!(split(total), (100, 0));
        assert_eq!(
            split(&format!(r#"{total}, "cache_ttl_applied": "1h""#)),
            (0, 100)
        );
        let hour = r#", "cache_creation_1h_input_tokens": 30"#;
        assert_eq!(split(&format!("{total}{hour}")), (70, 30));
        assert_eq!(split(hour), (0, 30));
    }
}
