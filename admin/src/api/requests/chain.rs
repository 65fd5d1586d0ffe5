//! The decision chain, as the gateway stores it with a request. What an older or newer gateway wrote differently is null here,
//! never an error.

use poem_openapi::Object;
use serde::Deserialize;
use serde_json::Value;

/// One attempt at a provider.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(default, rename_all = "camelCase")]
#[oai(rename_all = "camelCase")]
pub struct Attempt {
    /// 1 for the first.
    #[oai(nullable)]
    pub attempt: Option<u32>,
    /// The provider tried; null when nobody was left to try.
    #[oai(nullable)]
    pub provider_id: Option<i64>,
    /// Its name at that time.
    #[oai(nullable)]
    pub provider_name: Option<String>,
    /// Which of its addresses: host, and port unless it is the scheme's own.
    #[oai(nullable)]
    pub endpoint: Option<String>,
    /// The model asked of it, after redirects.
    #[oai(nullable)]
    pub model: Option<String>,
    /// Why this provider.
    #[oai(nullable)]
    pub selection: Option<AttemptSelection>,
    /// Why there was nobody to try.
    #[oai(nullable)]
    pub nobody: Option<Nobody>,
    /// The provider's factor on prices.
    #[oai(nullable)]
    pub provider_multiplier: Option<String>,
    /// The factor of the group it was reached through.
    #[oai(nullable)]
    pub group_multiplier: Option<String>,
    /// The upstream's status, if it answered.
    #[oai(nullable)]
    pub status: Option<u16>,
    /// How it ended: `completed`, `failed`, `cut`, `client_left`, `lost` or `unserved`.
    #[oai(nullable)]
    pub outcome: Option<String>,
    /// Whose fault, if it failed: `client`, `poison`, `key`, `model`, `endpoint`, `provider`, `network` or `us`.
    #[oai(nullable)]
    pub fault: Option<String>,
    /// What went wrong, in words.
    #[oai(nullable)]
    pub error: Option<String>,
    /// The start of a failed attempt's body.
    #[oai(nullable)]
    pub error_body: Option<String>,
    /// Milliseconds the upstream asked to be left alone.
    #[oai(nullable)]
    pub retry_after_ms: Option<u64>,
    /// Microseconds from the request's arrival to the attempt's start.
    #[oai(nullable)]
    pub started_us: Option<u64>,
    /// Milliseconds the attempt took.
    #[oai(nullable)]
    pub duration_ms: Option<u64>,
    /// Milliseconds from the attempt's start to the first byte of the upstream's answer.
    #[oai(nullable)]
    pub ttfb_ms: Option<u64>,
    /// Milliseconds from the attempt's start to its first content.
    #[oai(nullable)]
    pub ttft_ms: Option<u64>,
    /// Edits made to the client's body for this attempt.
    pub edits: Vec<String>,
    /// What they cost, in USD; null when the model has no price.
    #[oai(nullable)]
    pub cost_usd: Option<String>,
    /// Tokens reported.
    #[oai(nullable)]
    pub usage: Option<AttemptUsage>,
    /// Where the tokens come from: `terminal`, `partial`, `estimate` or `none`.
    #[oai(nullable)]
    pub settled_from: Option<String>,
}

/// Why a provider was chosen.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(default, rename_all = "camelCase")]
#[oai(rename_all = "camelCase")]
pub struct AttemptSelection {
    /// What picked it: `weight`, `session`, `prefix`, `retry`, `last_resort` or `hedge`.
    #[oai(nullable)]
    pub by: Option<String>,
    /// The tier it was chosen from: lower goes first.
    #[oai(nullable)]
    pub tier: Option<i32>,
    /// Its weight.
    #[oai(nullable)]
    pub weight: Option<u32>,
    /// Its chance in that tier, 0 to 1.
    #[oai(nullable)]
    pub probability: Option<f64>,
    /// Providers considered at all.
    #[oai(nullable)]
    pub considered: Option<u64>,
    /// Those that passed every check, of every tier, by id.
    pub kept: Vec<i64>,
    /// Those that did not, by the first check that they failed.
    pub dropped: Vec<Dropped>,
}

/// Why there was nobody to try.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(default, rename_all = "camelCase")]
#[oai(rename_all = "camelCase")]
pub struct Nobody {
    /// Providers considered at all.
    #[oai(nullable)]
    pub considered: Option<u64>,
    /// All of them, by the first check that they failed.
    pub dropped: Vec<Dropped>,
}

/// Providers that failed the same check.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(default, rename_all = "camelCase")]
#[oai(rename_all = "camelCase")]
pub struct Dropped {
    /// The check: `disabled`, `no_weight`, `protocol`, `group`, `client`, `model`, `schedule`, `exhausted`, `breaker_open`, `resting`,
    /// `busy` or `over_budget`.
    pub reason: String,
    /// The providers, by id.
    pub providers: Vec<i64>,
}

/// Tokens of one attempt in disjoint buckets; `reasoningTokens` is a part of `outputTokens`.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(default, rename_all = "camelCase")]
#[oai(rename_all = "camelCase")]
pub struct AttemptUsage {
    /// Prompt tokens neither read from nor written to a cache.
    pub input_tokens: u64,
    /// Prompt tokens read from a cache.
    pub cache_read_tokens: u64,
    /// Prompt tokens written to a cache for five minutes.
    #[oai(rename = "cacheWrite5mTokens")]
    pub cache_write5m_tokens: u64,
    /// Prompt tokens written to a cache for an hour.
    #[oai(rename = "cacheWrite1hTokens")]
    pub cache_write1h_tokens: u64,
    /// Generated tokens.
    pub output_tokens: u64,
    /// The part of them spent on reasoning.
    pub reasoning_tokens: u64,
    /// Image tokens of the prompt.
    pub image_input_tokens: u64,
    /// Image tokens generated.
    pub image_output_tokens: u64,
}

/// Reads a stored chain.
pub fn read(stored: &Value) -> Vec<Attempt> {
    let attempts = stored.as_array().into_iter().flatten();
    attempts.map(attempt).collect()
}

/// Field by field, so that one that changed its type costs itself and no other.
fn attempt(stored: &Value) -> Attempt {
    if let Ok(attempt) = Attempt::deserialize(stored) {
        return attempt;
    }
    let fields = stored.as_object().into_iter().flatten();
    let good = fields.filter(|(name, value)| {
        let alone = serde_json::json!({ name.as_str(): value });
        Attempt::deserialize(alone).is_ok()
    });
    let good = good.map(|(name, value)| (name.clone(), value.clone()));
    Attempt::deserialize(Value::Object(good.collect())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn a_chain_is_read_as_far_as_it_can_be() {
        let chain = read(&json!([
            {"attempt": 1, "outcome": "failed", "selection": {"tier": 0, "weight": 3}, "later": {}},
            {"attempt": "two", "status": 200, "usage": {"inputTokens": 7, "cacheWrite5mTokens": 2}},
            "nonsense",
        ]));
        assert_eq!(chain.len(), 3);
        assert_eq!(chain[0].attempt, Some(1));
        assert_eq!(chain[0].selection.as_ref().unwrap().weight, Some(3));
        assert_eq!((chain[1].attempt, chain[1].status), (None, Some(200)));
        let usage = chain[1].usage.as_ref().unwrap();
        assert_eq!((usage.input_tokens, usage.cache_write5m_tokens), (7, 2));
        assert!(read(&json!(null)).is_empty());
    }
}
