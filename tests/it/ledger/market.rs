//! Random traffic of all protocols: who asks what, how the upstream answers, and what it costs.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::{Books, Front, Random, Scene, Script, Tokens};

/// Providers, callers and an upstream that keeps its own books.
pub struct Market {
    pub books: Books,
    /// The ids of providers, by the number the upstream knows them by.
    pub providers: Vec<i64>,
    /// The ids of users.
    pub users: Vec<i64>,
    /// The ids of keys, their users and what is presented.
    pub keys: Vec<(i64, i64, String)>,
    seed: u64,
}

/// How much is asked.
pub struct Traffic {
    /// The numbers of the requests.
    pub requests: Range<u64>,
    /// How many at once.
    pub at_once: usize,
    /// What each client waits before it asks.
    pub pace: Duration,
}

/// What one client does.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    kind: usize,
    is_stream: bool,
    pub key: usize,
    leaves: Option<Leaves>,
    asks_for_usage: bool,
    is_sse: bool,
    session: u64,
}

/// When a client leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaves {
    /// When it has seen so many pieces of the answer.
    AfterPieces(u64),
    /// While the upstream has not begun to answer.
    BeforeAnything,
    /// Whenever it likes: after so many milliseconds.
    At(u64),
}

/// What a model costs, in pico-USD.
struct Fee {
    model: &'static str,
    kind: &'static str,
    input: i128,
    cache_read: i128,
    write_5m: i128,
    write_1h: i128,
    output: i128,
    request: i128,
}

/// One model for each protocol. Some figures are no whole nano-dollars, so that rounding shows.
const FEES: [Fee; 4] = [
    Fee {
        model: "books-opus",
        kind: "claude",
        input: 5_000_000,
        cache_read: 500_000,
        write_5m: 6_250_000,
        write_1h: 10_000_000,
        output: 25_000_000,
        request: 0,
    },
    Fee {
        model: "books-gpt",
        kind: "openai-compatible",
        input: 137_500,
        cache_read: 13_750,
        write_5m: 0,
        write_1h: 0,
        output: 1_100_300,
        request: 0,
    },
    Fee {
        model: "books-codex",
        kind: "codex",
        input: 1_250_000,
        cache_read: 125_000,
        write_5m: 0,
        write_1h: 0,
        output: 10_000_000,
        request: 100_000_000,
    },
    Fee {
        model: "books-gemini",
        kind: "gemini",
        input: 300_000,
        cache_read: 30_700,
        write_5m: 0,
        write_1h: 0,
        output: 2_500_100,
        request: 0,
    },
];

/// The factors of the two providers of each protocol, in millionths.
const FACTORS: [i128; 2] = [1_000_000, 1_250_100];
/// How many of a hundred clients leave.
const LEAVE: u64 = 20;
/// How many of a hundred answers are errors.
const FAIL: u64 = 10;
/// How many break off.
const BREAK: u64 = 5;
/// How many begin so late that a second attempt may begin beside them.
const LATE: u64 = 6;
const HEDGE_AFTER_MS: u64 = 60;

// === impl Market ===

impl Market {
    /// Sets a gateway up.
    pub async fn open(front: &Front, seed: u64) -> Self {
        let director = move |request, attempt| scene(seed, request, attempt);
        let books = Books::start(seed, Arc::new(director)).await;
        front
            .change("/settings", json!({"hedgeMaxPercent": 100}))
            .await;
        let mut providers = Vec::new();
        for (at, fee) in FEES.iter().enumerate() {
            front.price(fee.model, &fee.figures()).await;
            for (which, factor) in FACTORS.iter().enumerate() {
                let number = at * FACTORS.len() + which;
                let more = json!({
                    "costMultiplier": format!("{}.{:06}", factor / 1_000_000, factor % 1_000_000),
                    "breaker": {"failureThreshold": 0},
                    "maxAttempts": which + 1,
                    "hedgeAfterMs": if number == 0 { HEDGE_AFTER_MS } else { 0 },
                    "limitDailyUsd": 100_000,
                    "limitConcurrentRequests": 1_000,
                });
                let url = books.url(number);
                let name = format!("p{number}");
                providers.push(front.provider(&name, fee.kind, &url, more).await);
            }
        }
        let limits = json!({
            "limit5hUsd": 100_000, "limitDailyUsd": 100_000, "limitWeeklyUsd": 100_000,
            "limitMonthlyUsd": 100_000, "limitTotalUsd": 100_000,
            "rpm": 1_000_000, "limitConcurrentSessions": 100_000,
        });
        let (mut users, mut keys) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let user = front.user(limits.clone()).await;
            users.push(user);
            for _ in 0..2 {
                let (id, key) = front.key(user, limits.clone()).await;
                keys.push((id, user, key));
            }
        }
        Self {
            books,
            providers,
            users,
            keys,
            seed,
        }
    }

    /// Asks.
    pub async fn run(&self, front: &Front, traffic: &Traffic) {
        let numbers = futures_util::stream::iter(traffic.requests.clone());
        numbers
            .for_each_concurrent(traffic.at_once, |number| async move {
                tokio::time::sleep(traffic.pace).await;
                self.ask(front, number).await;
            })
            .await;
    }

    /// What request `number` does.
    pub fn plan(&self, number: u64) -> Plan {
        Plan::of(self.seed, number)
    }

    /// What an answer of a provider costs.
    pub fn cost(&self, provider: usize, tokens: &Tokens) -> i64 {
        let fee = &FEES[provider / FACTORS.len()];
        let cost = i128::from(tokens.input) * fee.input
            + i128::from(tokens.cache_read) * fee.cache_read
            + i128::from(tokens.cache_write_5m) * fee.write_5m
            + i128::from(tokens.cache_write_1h) * fee.write_1h
            + i128::from(tokens.output) * fee.output
            + fee.request;
        let exact = cost * FACTORS[provider % FACTORS.len()];
        // Pico to nano, millionths to ones; half to even.
        let unit = 1_000 * 1_000_000;
        let (whole, rest) = (exact / unit, exact % unit);
        let is_up = rest * 2 > unit || (rest * 2 == unit && whole % 2 == 1);
        i64::try_from(whole + i128::from(is_up)).unwrap()
    }

    /// One request. What the client sees of it is not looked at: other tests do.
    async fn ask(&self, front: &Front, number: u64) {
        let plan = self.plan(number);
        let request = front
            .post(&plan.path(), &self.keys[plan.key].2)
            .header("user-agent", format!("books/{number}"))
            .header("x-session-id", format!("s{}", plan.session))
            .header("x-claude-code-session-id", format!("s{}", plan.session))
            .json(&plan.body(number));
        let reading = async {
            let Ok(response) = request.send().await else {
                return;
            };
            let mut pieces = response.bytes_stream();
            let mut seen = 0;
            while let Some(Ok(_)) = pieces.next().await {
                seen += 1;
                if plan.leaves == Some(Leaves::AfterPieces(seen)) {
                    return;
                }
            }
        };
        let patience = match plan.leaves {
            Some(Leaves::BeforeAnything) => Duration::from_millis(150),
            Some(Leaves::At(ms)) => Duration::from_millis(ms),
            _ => Duration::from_secs(60),
        };
        let in_time = tokio::time::timeout(patience, reading).await;
        let is_impatient = patience < Duration::from_secs(1);
        assert!(in_time.is_ok() || is_impatient, "request {number} hangs");
    }
}

/// How attempt `attempt` at request `request` is answered.
fn scene(seed: u64, request: u64, attempt: u64) -> Scene {
    let plan = Plan::of(seed, request);
    if plan.leaves == Some(Leaves::BeforeAnything) {
        return Scene {
            script: Script::Hang,
            pause: 0,
        };
    }
    let mut random = Random::of(&[seed, 2, request, attempt]);
    let failures = [
        Script::Status(500),
        Script::Status(503),
        Script::Status(529),
        Script::Close,
        Script::ErrorInside,
    ];
    let script = match random.below(100) {
        roll if roll < FAIL => random.one_of(&failures),
        roll if roll < FAIL + BREAK => Script::Cut(random.below(100)),
        roll if roll < FAIL + BREAK + LATE => Script::Slow(2 * HEDGE_AFTER_MS),
        _ => Script::Whole,
    };
    let pause = if plan.leaves.is_some() {
        4
    } else {
        random.below(2)
    };
    Scene { script, pause }
}

// === impl Plan ===

impl Plan {
    fn of(seed: u64, number: u64) -> Self {
        let mut random = Random::of(&[seed, 1, number]);
        let is_stream = random.percent(75);
        let leaves = random
            .percent(LEAVE)
            .then(|| match (is_stream, random.below(10)) {
                (_, 0) => Leaves::BeforeAnything,
                (true, 1..8) => Leaves::AfterPieces(1 + random.below(3)),
                _ => Leaves::At(random.below(40)),
            });
        Self {
            kind: usize::try_from(random.below(4)).unwrap(),
            is_stream,
            key: usize::try_from(random.below(4)).unwrap(),
            leaves,
            asks_for_usage: random.percent(50),
            is_sse: random.percent(70),
            session: random.below(40),
        }
    }

    /// Whether the client may leave at a moment that nobody can foresee.
    pub fn is_unforeseeable(&self) -> bool {
        matches!(self.leaves, Some(Leaves::At(_)))
    }

    /// Whether the client leaves.
    pub fn leaves(&self) -> bool {
        self.leaves.is_some()
    }

    fn path(&self) -> String {
        let model = FEES[self.kind].model;
        match (self.kind, self.is_stream, self.is_sse) {
            (0, _, _) => "/v1/messages".to_owned(),
            (1, _, _) => "/v1/chat/completions".to_owned(),
            (2, _, _) => "/v1/responses".to_owned(),
            (_, false, _) => format!("/v1beta/models/{model}:generateContent"),
            (_, true, true) => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
            (_, true, false) => format!("/v1beta/models/{model}:streamGenerateContent"),
        }
    }

    fn body(&self, number: u64) -> Value {
        let text = format!("#{number}#");
        let message = json!([{"role": "user", "content": text}]);
        let mut body = match self.kind {
            0 | 1 => json!({"messages": message}),
            2 => json!({"input": message}),
            _ => return json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
        };
        body["model"] = json!(FEES[self.kind].model);
        body["stream"] = json!(self.is_stream);
        if self.kind == 1 && self.is_stream && self.asks_for_usage {
            body["stream_options"] = json!({"include_usage": true});
        }
        body
    }
}

// === impl Fee ===

impl Fee {
    fn figures(&self) -> Value {
        let million = |pico: i128| format!("{}.{:06}", pico / 1_000_000, pico % 1_000_000);
        json!({
            "inputPerMillionUsd": million(self.input),
            "cacheReadPerMillionUsd": million(self.cache_read),
            "cacheWrite5mPerMillionUsd": million(self.write_5m),
            "cacheWrite1hPerMillionUsd": million(self.write_1h),
            "outputPerMillionUsd": million(self.output),
            "perRequestUsd": format!("0.{:012}", self.request),
        })
    }
}
