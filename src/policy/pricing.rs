//! What an attempt is billed.
//!
//! The model a provider was asked for decides, not the one the client named: that is what the provider charges for. The price is the one
//! that held when the attempt ended. A model without a price is not billed and not free: its line has no cost, stands in the list of what is
//! unpriced, and gets one when history is priced again.

use chrono::{DateTime, Utc};
use entity::value::Multiplier;

use crate::domain::price::{Cost, PriceBook, Quantities, ServiceTier, Terms};
use crate::domain::usage::{Provenance, Usage};

/// What is known of an attempt that decides its cost.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The model the provider was asked for.
    pub model: Option<&'a str>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// What it used.
    pub usage: &'a Usage,
    /// Where that is known from.
    pub provenance: Provenance,
    /// The tier it was served in, as the provider said; none is the list price.
    pub service: Option<ServiceTier>,
    /// The provider's factor.
    pub provider: Multiplier,
    /// The group's factor.
    pub group: Multiplier,
}

/// What a usage line says of its price.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bill {
    /// Nano-USD; none when the model has no price.
    pub cost_nano_usd: Option<i64>,
    /// The price, for the line; none where there was nothing to price or no price.
    pub price_ref: Option<String>,
    /// How the cost came about, where something was priced.
    pub cost: Option<Cost>,
}

/// Prices an attempt. One that reported nothing costs nothing: never an invented charge.
#[must_use]
pub fn bill(book: &PriceBook, attempt: &Attempt<'_>) -> Bill {
    if attempt.provenance == Provenance::None {
        return Bill {
            cost_nano_usd: Some(0),
            ..Bill::default()
        };
    }
    let priced = attempt
        .model
        .and_then(|model| book.lookup(model, attempt.ended_at));
    let Some(priced) = priced else {
        return Bill::default();
    };
    let terms = Terms {
        service: attempt.service,
        multipliers: [attempt.provider, attempt.group],
    };
    let cost = priced.cost(&quantities(attempt.usage), terms);
    Bill {
        cost_nano_usd: Some(cost.nano_usd),
        price_ref: Some(priced.reference()),
        cost: Some(cost),
    }
}

/// The buckets as prices have them. Images are metered by their tokens only.
fn quantities(usage: &Usage) -> Quantities {
    Quantities {
        input: usage.input_tokens,
        cache_read: usage.cache_read_tokens,
        cache_write_5m: usage.cache_write5m_tokens,
        cache_write_1h: usage.cache_write1h_tokens,
        output: usage.output_tokens,
        reasoning: usage.reasoning_tokens,
        image_input: usage.image_input_tokens,
        image_output: usage.image_output_tokens,
        input_images: 0,
        images: 0,
        requests: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::price::{PriceRow, Source};

    const USAGE: Usage = Usage {
        input_tokens: 1000,
        cache_read_tokens: 100,
        cache_write5m_tokens: 10,
        cache_write1h_tokens: 1,
        output_tokens: 500,
        reasoning_tokens: 400,
        image_input_tokens: 20,
        image_output_tokens: 2,
    };

    fn book() -> PriceBook {
        PriceBook::new([PriceRow {
            id: 7,
            model: "m".to_owned(),
            source: Source::Manual,
            price: "input=1 output=2 cache-read=3 cache-write-5m=4 cache-write-1h=5 image-input=6 image-output=7 input:flex=0 per-request=0.001"
                .parse()
                .ok(),
            aliases: Vec::new(),
            effective_at: DateTime::UNIX_EPOCH,
        }])
    }

    fn attempt(model: &str) -> Attempt<'_> {
        Attempt {
            model: Some(model),
            ended_at: Utc::now(),
            usage: &USAGE,
            provenance: Provenance::Terminal,
            service: None,
            provider: "0.5".parse().unwrap(),
            group: "3".parse().unwrap(),
        }
    }

    #[test]
    fn an_attempt_is_priced_by_the_model_it_was_asked_for() {
        let billed = bill(&book(), &attempt("m"));
        let base = 1_000_000 + 1_000_000 + 300_000 + 40_000 + 5000 + 120_000 + 14_000 + 1_000_000;
        assert_eq!(billed.cost_nano_usd, Some(base * 3 / 2));
        assert_eq!(billed.price_ref.as_deref(), Some("manual:7"));
        let flex = Attempt {
            service: Some(ServiceTier::Flex),
            ..attempt("m")
        };
        let flex = bill(&book(), &flex);
        assert_eq!(flex.cost_nano_usd, Some((base - 1_000_000) * 3 / 2));
    }

    #[test]
    fn no_price_is_no_cost_and_no_usage_is_nothing() {
        assert_eq!(bill(&book(), &attempt("unheard-of")), Bill::default());
        let nameless = Attempt {
            model: None,
            ..attempt("m")
        };
        assert_eq!(bill(&book(), &nameless), Bill::default());
        let failed = Attempt {
            provenance: Provenance::None,
            ..attempt("m")
        };
        let failed = bill(&book(), &failed);
        assert_eq!((failed.cost_nano_usd, failed.price_ref), (Some(0), None));
    }
}
