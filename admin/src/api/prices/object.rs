//! Prices as they are answered.

use chrono::{DateTime, Utc};
use entity::value::price as value;
use poem_openapi::{Enum, Object};

use crate::{query::prices, service::prices::Import};

/// Where a price comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "PriceSource", rename_all = "lowercase")]
pub enum PriceSource {
    /// Set by hand; wins over the others.
    Manual,
    /// Imported from a public table; wins over what is built in.
    Synced,
    /// Built into this program.
    Builtin,
}

/// A tier of service that a provider sells at prices of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum ServiceTier {
    /// The list price.
    Standard,
    /// Faster, dearer.
    Priority,
    /// Slower, cheaper.
    Flex,
    /// Within a day.
    Batch,
    /// Faster still.
    Ultrafast,
    /// Between flex and standard.
    Balanced,
    /// Short structured answers.
    Decisions,
}

/// What is paid for what, in USD. What is absent is not listed.
#[derive(Debug, Default, Object)]
#[oai(rename = "PriceFigures", rename_all = "camelCase")]
pub struct Figures {
    /// A million prompt tokens.
    #[oai(skip_serializing_if_is_none)]
    pub input_per_million_usd: Option<String>,
    /// A million generated tokens.
    #[oai(skip_serializing_if_is_none)]
    pub output_per_million_usd: Option<String>,
    /// A million prompt tokens read from a cache.
    #[oai(skip_serializing_if_is_none)]
    pub cache_read_per_million_usd: Option<String>,
    /// A million prompt tokens written to a cache for five minutes.
    #[oai(skip_serializing_if_is_none)]
    pub cache_write5m_per_million_usd: Option<String>,
    /// A million prompt tokens written to a cache for an hour.
    #[oai(skip_serializing_if_is_none)]
    pub cache_write1h_per_million_usd: Option<String>,
    /// A million generated tokens spent on reasoning, where they have a price of their own.
    #[oai(skip_serializing_if_is_none)]
    pub reasoning_per_million_usd: Option<String>,
    /// A million image tokens of the prompt.
    #[oai(skip_serializing_if_is_none)]
    pub image_input_per_million_usd: Option<String>,
    /// A million image tokens generated.
    #[oai(skip_serializing_if_is_none)]
    pub image_output_per_million_usd: Option<String>,
    /// An image of the prompt.
    #[oai(skip_serializing_if_is_none)]
    pub per_input_image_usd: Option<String>,
    /// An image generated.
    #[oai(skip_serializing_if_is_none)]
    pub per_image_usd: Option<String>,
    /// A request.
    #[oai(skip_serializing_if_is_none)]
    pub per_request_usd: Option<String>,
}

/// Figures that hold for long prompts, or for a tier of service.
#[derive(Debug, Object)]
#[oai(rename = "PriceTier", rename_all = "camelCase")]
pub struct Tier {
    /// Holds for prompts of more tokens than this; 0 for all.
    pub above_tokens: u32,
    /// Holds for this tier of service.
    pub service_tier: ServiceTier,
    /// The figures.
    #[oai(flatten)]
    pub figures: Figures,
}

/// What a model costs now.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Price {
    /// The model.
    pub model: String,
    /// The name the price stands under: the model's own, or what is left of it without who passes it on or the day of its release.
    pub priced_as: String,
    /// Where the price comes from.
    pub source: PriceSource,
    /// How usage lines name it.
    pub reference: String,
    /// From when on it holds; null for a price that is built in.
    #[oai(nullable)]
    pub effective_at: Option<DateTime<Utc>>,
    /// Other names of the model.
    pub aliases: Vec<String>,
    /// The figures that hold unless a tier says otherwise.
    #[oai(flatten)]
    pub figures: Figures,
    /// Figures for long prompts and tiers of service.
    pub tiers: Vec<Tier>,
}

/// A page of prices.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct PriceList {
    /// The prices, by name.
    pub items: Vec<Price>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

/// What a model's price was from a moment on.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct PriceChange {
    /// Who said so.
    pub source: PriceSource,
    /// How usage lines name it.
    pub reference: String,
    /// From when on; null for a price that is built in.
    #[oai(nullable)]
    pub effective_at: Option<DateTime<Utc>>,
    /// From then on this source said nothing of the model any more.
    pub is_end: bool,
    /// Other names of the model.
    pub aliases: Vec<String>,
    /// The figures that hold unless a tier says otherwise.
    #[oai(flatten)]
    pub figures: Figures,
    /// Figures for long prompts and tiers of service.
    pub tiers: Vec<Tier>,
}

/// A model's prices through time.
#[derive(Debug, Object)]
pub struct PriceHistory {
    /// Set by hand first, then imported, then built in; each newest first.
    pub items: Vec<PriceChange>,
}

/// A model that was used and has no cost.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct UnpricedModel {
    /// The model.
    pub model: String,
    /// Attempts without a cost.
    pub attempts: i64,
    /// The first of them.
    pub first_seen_at: DateTime<Utc>,
    /// The last of them.
    pub last_seen_at: DateTime<Utc>,
    /// There is a price meanwhile: pricing history again gives these attempts a cost.
    pub has_price_now: bool,
}

/// Models that were used and have no cost.
#[derive(Debug, Object)]
pub struct UnpricedList {
    /// The models, those with the most attempts first; at most 200.
    pub items: Vec<UnpricedModel>,
}

/// A model whose price a table changes.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct PriceDifference {
    /// The model.
    pub model: String,
    /// Its figures before, in USD for a million tokens: `input=3 output=15 cache-read=0.3`; null when it had none.
    #[oai(nullable)]
    pub before: Option<String>,
    /// Its figures in the table.
    pub after: String,
    /// A price set by hand goes on to win over it.
    pub is_overruled: bool,
}

/// An entry of a table that is no price.
#[derive(Debug, Object)]
pub struct IgnoredEntry {
    /// Its name.
    pub model: String,
    /// Why.
    pub reason: String,
}

/// What taking over a table did, or would do.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ImportReport {
    /// Whether it was done.
    pub applied: bool,
    /// How many models had no price.
    pub added_count: u64,
    /// How many had another.
    pub changed_count: u64,
    /// How many had this one.
    pub unchanged_count: u64,
    /// How many entries are no price.
    pub ignored_count: u64,
    /// Models that had no price, the first 500.
    pub added: Vec<PriceDifference>,
    /// Models that had another, the first 500.
    pub changed: Vec<PriceDifference>,
    /// Entries that are no price, the first 500.
    pub ignored: Vec<IgnoredEntry>,
}

/// Entries of a list in a report.
const MAX_LISTED: usize = 500;

// === impl Price, PriceChange ===

impl Price {
    /// What `model` costs.
    pub fn new(model: &str, priced: &value::Priced<'_>) -> Self {
        let (figures, tiers) = figures(priced.price);
        Self {
            model: model.to_owned(),
            priced_as: priced.model.to_owned(),
            source: priced.source.into(),
            reference: priced.reference(),
            effective_at: priced.row.map(|row| row.effective_at),
            aliases: priced
                .row
                .map(|row| row.aliases.clone())
                .unwrap_or_default(),
            figures,
            tiers,
        }
    }
}

impl PriceChange {
    /// A stored row.
    pub fn stored(row: &value::PriceRow) -> Self {
        let (figures, tiers) = row.price.as_ref().map(figures).unwrap_or_default();
        Self {
            source: row.source.into(),
            reference: format!("{}:{}", row.source, row.id),
            effective_at: Some(row.effective_at),
            is_end: row.price.is_none(),
            aliases: row.aliases.clone(),
            figures,
            tiers,
        }
    }

    /// The price that is built in.
    pub fn built_in(price: &value::Price) -> Self {
        let (figures, tiers) = figures(price);
        Self {
            source: PriceSource::Builtin,
            reference: value::Source::Builtin.to_string(),
            effective_at: None,
            is_end: false,
            aliases: Vec::new(),
            figures,
            tiers,
        }
    }
}

/// The figures that hold for all, and the others by what they hold for.
fn figures(price: &value::Price) -> (Figures, Vec<Tier>) {
    let mut base = Figures::default();
    let mut tiers: Vec<Tier> = Vec::new();
    for (slot, amount) in price.rates() {
        let service_tier = ServiceTier::from(slot.service);
        let figures = if slot.above == 0 && slot.service == value::ServiceTier::Standard {
            &mut base
        } else {
            let is_new = tiers
                .last()
                .is_none_or(|t| (t.above_tokens, t.service_tier) != (slot.above, service_tier));
            if is_new {
                tiers.push(Tier {
                    above_tokens: slot.above,
                    service_tier,
                    figures: Figures::default(),
                });
            }
            match tiers.last_mut() {
                Some(tier) => &mut tier.figures,
                None => continue,
            }
        };
        figures.set(slot.bucket, *amount);
    }
    (base, tiers)
}

impl Figures {
    fn set(&mut self, bucket: value::Bucket, amount: value::Amount) {
        use value::Bucket;
        let figure = match bucket {
            Bucket::Input => &mut self.input_per_million_usd,
            Bucket::Output => &mut self.output_per_million_usd,
            Bucket::CacheRead => &mut self.cache_read_per_million_usd,
            Bucket::CacheWrite5m => &mut self.cache_write5m_per_million_usd,
            Bucket::CacheWrite1h => &mut self.cache_write1h_per_million_usd,
            Bucket::Reasoning => &mut self.reasoning_per_million_usd,
            Bucket::ImageInput => &mut self.image_input_per_million_usd,
            Bucket::ImageOutput => &mut self.image_output_per_million_usd,
            Bucket::PerInputImage => &mut self.per_input_image_usd,
            Bucket::PerImage => &mut self.per_image_usd,
            Bucket::PerRequest => &mut self.per_request_usd,
        };
        *figure = Some(if bucket.is_tokens() {
            amount.to_per_million()
        } else {
            amount.to_per_unit()
        });
    }
}

// === conversions ===

impl UnpricedModel {
    /// What is told of it.
    pub fn new(unpriced: prices::Unpriced, book: &value::PriceBook) -> Self {
        let priced = book.lookup(&unpriced.name, unpriced.last_seen_at);
        Self {
            has_price_now: priced.is_some(),
            model: unpriced.name,
            attempts: unpriced.attempts,
            first_seen_at: unpriced.first_seen_at,
            last_seen_at: unpriced.last_seen_at,
        }
    }
}

impl ImportReport {
    /// What is told of it.
    pub fn new(import: Import, applied: bool) -> Self {
        let difference = |d: crate::service::prices::Difference| PriceDifference {
            model: d.model,
            before: d.before.map(|price| price.to_string()),
            after: d.after.to_string(),
            is_overruled: d.is_overruled,
        };
        let ignored = import.ignored.len();
        let entry = |(model, reason)| IgnoredEntry { model, reason };
        Self {
            applied,
            added_count: import.added.len() as u64,
            changed_count: import.changed.len() as u64,
            unchanged_count: import.unchanged as u64,
            ignored_count: ignored as u64,
            added: listed(import.added, difference),
            changed: listed(import.changed, difference),
            ignored: listed(import.ignored, entry),
        }
    }
}

fn listed<T, U>(all: Vec<T>, told: impl FnMut(T) -> U) -> Vec<U> {
    all.into_iter().take(MAX_LISTED).map(told).collect()
}

impl From<value::Source> for PriceSource {
    fn from(source: value::Source) -> Self {
        match source {
            value::Source::Manual => Self::Manual,
            value::Source::Synced => Self::Synced,
            value::Source::Builtin => Self::Builtin,
        }
    }
}

impl From<PriceSource> for value::Source {
    fn from(source: PriceSource) -> Self {
        match source {
            PriceSource::Manual => Self::Manual,
            PriceSource::Synced => Self::Synced,
            PriceSource::Builtin => Self::Builtin,
        }
    }
}

impl From<value::ServiceTier> for ServiceTier {
    fn from(tier: value::ServiceTier) -> Self {
        match tier {
            value::ServiceTier::Standard => Self::Standard,
            value::ServiceTier::Priority => Self::Priority,
            value::ServiceTier::Flex => Self::Flex,
            value::ServiceTier::Batch => Self::Batch,
            value::ServiceTier::Ultrafast => Self::Ultrafast,
            value::ServiceTier::Balanced => Self::Balanced,
            value::ServiceTier::Decisions => Self::Decisions,
        }
    }
}

impl From<ServiceTier> for value::ServiceTier {
    fn from(tier: ServiceTier) -> Self {
        match tier {
            ServiceTier::Standard => Self::Standard,
            ServiceTier::Priority => Self::Priority,
            ServiceTier::Flex => Self::Flex,
            ServiceTier::Batch => Self::Batch,
            ServiceTier::Ultrafast => Self::Ultrafast,
            ServiceTier::Balanced => Self::Balanced,
            ServiceTier::Decisions => Self::Decisions,
        }
    }
}
