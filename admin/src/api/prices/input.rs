//! What may be said of a price, and the rules for it.

use chrono::{DateTime, Utc};
use entity::value::price::{Amount, BadAmount, Bucket, Price, Slot, litellm};
use poem_openapi::Object;

use super::{amount::Usd, object::ServiceTier};
use crate::{api::body::Input, problem::Mistake, service::prices::Manual};

/// What is paid for what. Tokens by the million or by the piece, not both.
#[derive(Debug, Default, Object)]
#[oai(rename_all = "camelCase")]
pub struct FiguresInput {
    /// A million prompt tokens.
    pub input_per_million_usd: Option<Usd>,
    /// A prompt token.
    pub input_per_token_usd: Option<Usd>,
    /// A million generated tokens.
    pub output_per_million_usd: Option<Usd>,
    /// A generated token.
    pub output_per_token_usd: Option<Usd>,
    /// A million prompt tokens read from a cache.
    pub cache_read_per_million_usd: Option<Usd>,
    /// A prompt token read from a cache.
    pub cache_read_per_token_usd: Option<Usd>,
    /// A million prompt tokens written to a cache for five minutes.
    pub cache_write5m_per_million_usd: Option<Usd>,
    /// A prompt token written to a cache for five minutes.
    pub cache_write5m_per_token_usd: Option<Usd>,
    /// A million prompt tokens written to a cache for an hour.
    pub cache_write1h_per_million_usd: Option<Usd>,
    /// A prompt token written to a cache for an hour.
    pub cache_write1h_per_token_usd: Option<Usd>,
    /// A million generated tokens spent on reasoning. Default: as generated tokens.
    pub reasoning_per_million_usd: Option<Usd>,
    /// A generated token spent on reasoning.
    pub reasoning_per_token_usd: Option<Usd>,
    /// A million image tokens of the prompt. Default: as prompt tokens.
    pub image_input_per_million_usd: Option<Usd>,
    /// An image token of the prompt.
    pub image_input_per_token_usd: Option<Usd>,
    /// A million image tokens generated. Default: as generated tokens.
    pub image_output_per_million_usd: Option<Usd>,
    /// An image token generated.
    pub image_output_per_token_usd: Option<Usd>,
    /// An image of the prompt.
    pub per_input_image_usd: Option<Usd>,
    /// An image generated.
    pub per_image_usd: Option<Usd>,
    /// A request.
    pub per_request_usd: Option<Usd>,
}

/// Figures that hold for long prompts, or for a tier of service.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct TierInput {
    /// Holds for prompts of more tokens than this, for all of their tokens. Default 0: for all prompts.
    pub above_tokens: Option<u32>,
    /// Holds for this tier of service. Default `standard`.
    pub service_tier: Option<ServiceTier>,
    /// The figures.
    #[oai(flatten)]
    pub figures: FiguresInput,
}

/// A model's price. It replaces the one there is as a whole.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct PriceInput {
    /// The figures that hold unless a tier says otherwise.
    #[oai(flatten)]
    pub figures: FiguresInput,
    /// Figures for long prompts and tiers of service. Default none.
    #[oai(validator(max_items = 50))]
    pub tiers: Option<Vec<TierInput>>,
    /// Other names of the model. Default none.
    #[oai(validator(max_items = 50))]
    pub aliases: Option<Vec<String>>,
    /// From when on it holds. Default: from now on where there was a price, from the beginning of time where there was none.
    pub effective_at: Option<DateTime<Utc>>,
}

/// Where to fetch a public table from.
#[derive(Debug, Object)]
pub struct SyncInput {
    /// The address of LiteLLM's JSON. Default: the public one.
    #[oai(validator(min_length = 1, max_length = 2048))]
    pub url: Option<String>,
    /// Take it over; else only say what that would do. Default false.
    pub apply: Option<bool>,
}

/// Which history to price again.
#[derive(Debug, Object)]
pub struct RepriceInput {
    /// Attempts that ended from here on.
    pub from: DateTime<Utc>,
    /// And before this.
    pub to: DateTime<Utc>,
    /// Only of these models. Default all.
    #[oai(validator(min_items = 1, max_items = 100))]
    pub models: Option<Vec<String>>,
    /// Write it down; else only say what would change. Default false.
    pub apply: Option<bool>,
    /// The `nextCursor` of the call before.
    pub cursor: Option<String>,
}

/// [`RepriceInput`] with nothing required.
#[derive(Debug, Object)]
pub struct RepriceLoose {
    /// See [`RepriceInput`].
    pub from: Option<DateTime<Utc>>,
    /// See [`RepriceInput`].
    pub to: Option<DateTime<Utc>>,
}

/// A figure's names, bucket and amounts.
type Row<'a> = (&'static str, Bucket, &'a Option<Usd>, &'a Option<Usd>);

// === impl FiguresInput ===

impl FiguresInput {
    fn tokens(&self) -> [Row<'_>; 8] {
        [
            (
                "input",
                Bucket::Input,
                &self.input_per_million_usd,
                &self.input_per_token_usd,
            ),
            (
                "output",
                Bucket::Output,
                &self.output_per_million_usd,
                &self.output_per_token_usd,
            ),
            (
                "cacheRead",
                Bucket::CacheRead,
                &self.cache_read_per_million_usd,
                &self.cache_read_per_token_usd,
            ),
            (
                "cacheWrite5m",
                Bucket::CacheWrite5m,
                &self.cache_write5m_per_million_usd,
                &self.cache_write5m_per_token_usd,
            ),
            (
                "cacheWrite1h",
                Bucket::CacheWrite1h,
                &self.cache_write1h_per_million_usd,
                &self.cache_write1h_per_token_usd,
            ),
            (
                "reasoning",
                Bucket::Reasoning,
                &self.reasoning_per_million_usd,
                &self.reasoning_per_token_usd,
            ),
            (
                "imageInput",
                Bucket::ImageInput,
                &self.image_input_per_million_usd,
                &self.image_input_per_token_usd,
            ),
            (
                "imageOutput",
                Bucket::ImageOutput,
                &self.image_output_per_million_usd,
                &self.image_output_per_token_usd,
            ),
        ]
    }

    fn pieces(&self) -> [(&'static str, Bucket, &Option<Usd>); 3] {
        [
            (
                "perInputImageUsd",
                Bucket::PerInputImage,
                &self.per_input_image_usd,
            ),
            ("perImageUsd", Bucket::PerImage, &self.per_image_usd),
            ("perRequestUsd", Bucket::PerRequest, &self.per_request_usd),
        ]
    }

    /// The amounts by bucket; mistakes are named below `at`.
    fn read(&self, at: &str, out: &mut Vec<Mistake>) -> Vec<(Bucket, Amount)> {
        let mut amounts = Vec::new();
        let mut take = |name: String, bucket, amount: Result<Amount, BadAmount>| match amount {
            Ok(amount) => amounts.push((bucket, amount)),
            Err(why) => out.push(Mistake::new(
                format!("{at}{name}"),
                "invalid",
                why.to_string(),
            )),
        };
        let mut twice = Vec::new();
        for (name, bucket, per_million, per_token) in self.tokens() {
            if let Some(Usd(text)) = per_million {
                let name = format!("{name}PerMillionUsd");
                take(name, bucket, Amount::per_million(text));
            }
            if let Some(Usd(text)) = per_token {
                let name = format!("{name}PerTokenUsd");
                take(name.clone(), bucket, Amount::per_unit(text));
                twice.extend(per_million.is_some().then_some(name));
            }
        }
        for (name, bucket, amount) in self.pieces() {
            if let Some(Usd(text)) = amount {
                take(name.to_owned(), bucket, Amount::per_unit(text));
            }
        }
        let twice = twice.into_iter();
        out.extend(
            twice.map(|name| Mistake::new(format!("{at}{name}"), "repeated", "is given twice")),
        );
        amounts
    }
}

// === impl PriceInput ===

impl PriceInput {
    /// The price it says; mistakes are told.
    fn read(&self, out: &mut Vec<Mistake>) -> Price {
        let base = self.figures.read("", out).into_iter();
        let mut rates: Vec<_> = base.map(|(b, amount)| (Slot::base(b), amount)).collect();
        let tiers = self.tiers.as_deref().unwrap_or_default();
        let mut seen = Vec::new();
        for (i, tier) in tiers.iter().enumerate() {
            let holds_for = (
                tier.above_tokens.unwrap_or(0),
                tier.service_tier.unwrap_or(ServiceTier::Standard),
            );
            if holds_for == (0, ServiceTier::Standard) || seen.contains(&holds_for) {
                let message = "needs aboveTokens or a serviceTier of its own";
                out.push(Mistake::new(format!("tiers[{i}]"), "invalid", message));
            }
            seen.push(holds_for);
            let figures = tier.figures.read(&format!("tiers[{i}]."), out);
            rates.extend(figures.into_iter().map(|(bucket, amount)| {
                let slot = Slot {
                    above: holds_for.0,
                    service: holds_for.1.into(),
                    bucket,
                };
                (slot, amount)
            }));
        }
        if rates.is_empty() && out.is_empty() {
            out.push(Mistake::new(
                "body",
                "required",
                "needs at least one figure",
            ));
        }
        Price::new(rates)
    }
}

impl Input for PriceInput {
    type Loose = Self;

    fn rules(loose: &Self, out: &mut Vec<Mistake>) {
        loose.read(out);
        for (i, alias) in loose.aliases.iter().flatten().enumerate() {
            if alias.trim().is_empty() || alias.len() > litellm::MAX_NAME {
                let message = "must be a name of at most 256 bytes";
                out.push(Mistake::new(format!("aliases[{i}]"), "invalid", message));
            }
        }
    }
}

impl From<PriceInput> for Manual {
    fn from(input: PriceInput) -> Self {
        Self {
            price: input.read(&mut Vec::new()),
            aliases: input.aliases.unwrap_or_default(),
            effective_at: input.effective_at,
        }
    }
}

impl Input for SyncInput {
    type Loose = Self;

    fn rules(_loose: &Self, _out: &mut Vec<Mistake>) {}
}

impl Input for RepriceInput {
    type Loose = RepriceLoose;

    fn rules(loose: &RepriceLoose, out: &mut Vec<Mistake>) {
        if let (Some(from), Some(to)) = (loose.from, loose.to)
            && from >= to
        {
            out.push(Mistake::new("to", "out_of_range", "must be after from"));
        }
    }
}
