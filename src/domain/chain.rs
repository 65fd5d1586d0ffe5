//! The decision chain: what was tried for a request, in order, and why. It is stored as JSON with the request's log row, written by
//! [`write()`](write()); as what is derived here says, which a test holds it to.

use entity::value::Multiplier;
use serde::Serialize;

use super::fault::Fault;
use super::json::Object;
use super::usage::{Provenance, Usage};

/// One attempt, as people read it afterwards. What there is none of is not written: every request has a chain.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptRecord {
    /// 1 for the first.
    pub attempt: u32,
    /// The provider tried; none when nobody was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<i64>,
    /// Its name at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_name: Option<String>,
    /// Which of its addresses: host, and port unless it is the scheme's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The model asked of it, after redirects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Why this provider and not another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
    /// Why there was nobody to try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nobody: Option<Nobody>,
    /// The provider's factor on prices.
    pub provider_multiplier: Multiplier,
    /// The factor of the group it was reached through.
    pub group_multiplier: Multiplier,
    /// The upstream's status, if it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whose fault, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// What went wrong, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The start of a failed attempt's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_body: Option<String>,
    /// Milliseconds the upstream asked to be left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Microseconds from the request's arrival to the attempt's start.
    pub started_us: u64,
    /// Milliseconds the attempt took.
    pub duration_ms: u64,
    /// Milliseconds from the attempt's start to the first byte of the upstream's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttfb_ms: Option<u64>,
    /// Milliseconds from the attempt's start to its first content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<u64>,
    /// Edits made to the client's body for this attempt.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<String>,
    /// What they cost, in USD; none when the model has no price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<String>,
    /// Tokens reported.
    pub usage: Usage,
    /// Where the tokens come from.
    pub settled_from: Provenance,
}

/// Why a provider was chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// What picked it among those that could have been.
    pub by: How,
    /// The tier it was chosen from: lower goes first.
    pub tier: i32,
    /// Its weight.
    pub weight: u32,
    /// Its chance, 0 to 1: its share of its tier's weights, 1 where nothing was drawn.
    pub probability: f64,
    /// Providers considered at all.
    pub considered: usize,
    /// Those that passed every check, of every tier, by id.
    pub kept: Vec<i64>,
    /// Those that did not. One taken as the last resort is among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<DroppedGroup>,
}

/// Why no provider was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Nobody {
    /// Providers considered at all.
    pub considered: usize,
    /// All of them, by what each failed.
    pub dropped: Vec<DroppedGroup>,
}

/// What picked a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Its weight, in the best tier.
    Weight,
    /// Its session was there before.
    Session,
    /// The prompt's prefix was there before.
    Prefix,
    /// It failed just now and has tries left.
    Retry,
    /// Every other had been dropped; its breaker was open or its key resting, and it was the least bad.
    LastResort,
    /// It was to start beside one that was late.
    Hedge,
}

/// The first check that a provider failed; they are made in this order, the cheapest and most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dropped {
    /// Switched off.
    Disabled,
    /// Its weight is 0.
    NoWeight,
    /// It does not speak the client's protocol.
    Protocol,
    /// It shares no group with the caller.
    Group,
    /// It is not for this client.
    Client,
    /// It may not be asked for the model.
    Model,
    /// Not at this hour.
    Schedule,
    /// No tries left in this request.
    Exhausted,
    /// Its breaker is open.
    BreakerOpen,
    /// It asked to be left alone for a while.
    Resting,
    /// It has as many requests as it may have at once.
    Busy,
    /// Its budget is spent.
    OverBudget,
}

/// Providers that failed the same check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DroppedGroup {
    /// The check.
    pub reason: Dropped,
    /// The providers, by id.
    pub providers: Vec<i64>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The client has the whole answer.
    Completed,
    /// It failed; the next attempt followed or the failure was passed on.
    Failed,
    /// The upstream broke off after the answer had begun.
    Cut,
    /// The client left before the end.
    ClientLeft,
    /// Another attempt of the same request was faster.
    Lost,
    /// There was nobody to try.
    Unserved,
}

/// Writes a chain to the end of a text.
pub fn write<'r>(records: impl IntoIterator<Item = &'r AttemptRecord>, text: &mut Vec<u8>) {
    text.push(b'[');
    for (index, record) in records.into_iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        record.write(text);
    }
    text.push(b']');
}

// === impl AttemptRecord ===

impl AttemptRecord {
    fn write(&self, text: &mut Vec<u8>) {
        let mut object = Object::begin(text);
        object.number("attempt", self.attempt);
        object.maybe_number("providerId", self.provider_id);
        object.maybe_text("providerName", self.provider_name.as_deref());
        object.maybe_text("endpoint", self.endpoint.as_deref());
        object.maybe_text("model", self.model.as_deref());
        if let Some(selection) = &self.selection {
            object.object("selection", |object| selection.write(object));
        }
        if let Some(nobody) = &self.nobody {
            object.value("nobody", nobody);
        }
        object.value("providerMultiplier", &self.provider_multiplier);
        object.value("groupMultiplier", &self.group_multiplier);
        object.maybe_number("status", self.status);
        object.value("outcome", &self.outcome);
        if let Some(fault) = &self.fault {
            object.value("fault", fault);
        }
        object.maybe_text("error", self.error.as_deref());
        object.maybe_text("errorBody", self.error_body.as_deref());
        object.maybe_number("retryAfterMs", self.retry_after_ms);
        object.number("startedUs", self.started_us);
        object.number("durationMs", self.duration_ms);
        object.maybe_number("ttfbMs", self.ttfb_ms);
        object.maybe_number("ttftMs", self.ttft_ms);
        if !self.edits.is_empty() {
            object.value("edits", &self.edits);
        }
        object.maybe_text("costUsd", self.cost_usd.as_deref());
        object.object("usage", |object| self.usage.write(object));
        object.text("settledFrom", self.settled_from.name());
        object.end();
    }
}

// === impl Selection ===

impl Selection {
    fn write(&self, object: &mut Object<'_>) {
        object.value("by", &self.by);
        object.number("tier", self.tier);
        object.number("weight", self.weight);
        object.value("probability", &self.probability);
        object.number("considered", self.considered);
        object.value("kept", &self.kept);
        if !self.dropped.is_empty() {
            object.value("dropped", &self.dropped);
        }
    }
}

// === impl Dropped ===

impl Dropped {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::Disabled,
        Self::NoWeight,
        Self::Protocol,
        Self::Group,
        Self::Client,
        Self::Model,
        Self::Schedule,
        Self::Exhausted,
        Self::BreakerOpen,
        Self::Resting,
        Self::Busy,
        Self::OverBudget,
    ];
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selection_is_stored_under_these_names() {
        let selection = Selection {
            by: How::LastResort,
            tier: 1,
            weight: 3,
            probability: 1.0,
            considered: 2,
            kept: Vec::new(),
            dropped: vec![DroppedGroup {
                reason: Dropped::BreakerOpen,
                providers: vec![4, 7],
            }],
        };
        assert_eq!(
            serde_json::to_value(&selection).unwrap(),
            json!({
                "by": "last_resort", "tier": 1, "weight": 3, "probability": 1.0, "considered": 2, "kept": [],
                "dropped": [{"reason": "breaker_open", "providers": [4, 7]}],
            })
        );
    }

    fn record() -> AttemptRecord {
        AttemptRecord {
            attempt: 1,
            provider_id: Some(7),
            provider_name: Some("a \"name\"".into()),
            endpoint: Some("127.0.0.1:80".into()),
            model: Some("m".into()),
            selection: Some(Selection {
                by: How::Weight,
                tier: -1,
                weight: 3,
                probability: 1.0,
                considered: 2,
                kept: vec![7],
                dropped: vec![DroppedGroup {
                    reason: Dropped::Busy,
                    providers: vec![4],
                }],
            }),
            nobody: Some(Nobody {
                considered: 1,
                dropped: Vec::new(),
            }),
            provider_multiplier: "0.85".parse().unwrap(),
            group_multiplier: Multiplier::ONE,
            status: Some(529),
            outcome: Outcome::Failed,
            fault: Some(Fault::Provider),
            error: Some("line\nbreak".into()),
            error_body: Some("{\"a\":1}".into()),
            retry_after_ms: Some(1),
            started_us: 2,
            duration_ms: 3,
            ttfb_ms: Some(4),
            ttft_ms: Some(5),
            edits: vec!["model: a -> b".into()],
            cost_usd: Some("0.000000001".into()),
            usage: Usage {
                input_tokens: 1,
                cache_read_tokens: 2,
                cache_write5m_tokens: 3,
                cache_write1h_tokens: 4,
                output_tokens: 5,
                reasoning_tokens: 6,
                image_input_tokens: 7,
                image_output_tokens: 8,
            },
            settled_from: Provenance::Terminal,
        }
    }

    #[test]
    fn a_chain_is_written_as_it_is_derived() {
        let full = record();
        let mut least = record();
        (least.provider_id, least.provider_name) = (None, None);
        (least.endpoint, least.model, least.selection) = (None, None, None);
        (least.nobody, least.status, least.fault) = (None, None, None);
        (least.error, least.error_body) = (None, None);
        (least.retry_after_ms, least.ttfb_ms, least.ttft_ms) = (None, None, None);
        (least.edits, least.cost_usd) = (Vec::new(), None);
        (least.usage, least.settled_from) = (Usage::default(), Provenance::None);
        let mut usual = record();
        usual.selection.as_mut().unwrap().dropped.clear();
        for records in [vec![], vec![full.clone()], vec![least, usual, full]] {
            let mut text = Vec::new();
            write(&records, &mut text);
            let derived = serde_json::to_string(&records).unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), derived);
        }
    }

    #[test]
    fn the_checks_stand_in_their_order() {
        for (index, reason) in Dropped::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, index, "{reason:?}");
        }
    }
}
