//! Reads LiteLLM's table of prices, `model_prices_and_context_window.json`: figures only.
//!
//! A figure is taken from its text as it stands in the file. What is not about tokens, images or requests (seconds of sound, pixels,
//! searches) cannot be metered here and is passed over, and said to be.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Amount, BadAmount, Bucket, Price, ServiceTier, Slot};

/// A table that was read.
#[derive(Debug, Default)]
pub struct Listing {
    /// What has a price, by name.
    pub models: BTreeMap<String, Listed>,
    /// What has none, and why, by name.
    pub ignored: BTreeMap<String, Ignored>,
}

/// A model with a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its figures.
    pub price: Price,
    /// Its figures for what is not metered here.
    pub unmetered: Vec<String>,
}

/// Why an entry is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// The entry is no object.
    #[error("is not an object")]
    NotObject,
    /// Nothing in it is priced by token, image or request.
    #[error("has no price for tokens, images or requests")]
    NoPrice,
    /// A figure is wrong, so the others are not trusted either.
    #[error("{0} {1}")]
    Figure(String, BadAmount),
    /// The name is none, or too long.
    #[error("has a name that is empty, too long or not printable")]
    Name,
}

/// Longest name of a model.
pub const MAX_NAME: usize = 256;
/// LiteLLM's example entry.
const SAMPLE: &str = "sample_spec";

/// Fields by the bucket they price.
const FIELDS: [(&str, Bucket); 11] = [
    ("input_cost_per_token", Bucket::Input),
    ("output_cost_per_token", Bucket::Output),
    ("cache_read_input_token_cost", Bucket::CacheRead),
    (
        "cache_creation_input_token_cost_above_1hr",
        Bucket::CacheWrite1h,
    ),
    ("cache_creation_input_token_cost", Bucket::CacheWrite5m),
    ("output_cost_per_reasoning_token", Bucket::Reasoning),
    ("input_cost_per_image_token", Bucket::ImageInput),
    ("output_cost_per_image_token", Bucket::ImageOutput),
    ("input_cost_per_image", Bucket::PerInputImage),
    ("output_cost_per_image", Bucket::PerImage),
    ("input_cost_per_request", Bucket::PerRequest),
];
/// An older name of `cache_read_input_token_cost`, which counts where that is missing.
const CACHE_HIT: &str = "input_cost_per_token_cache_hit";

/// Suffixes by the tier they price.
const TIERS: [(&str, ServiceTier); 6] = [
    ("_priority", ServiceTier::Priority),
    ("_flex", ServiceTier::Flex),
    ("_batches", ServiceTier::Batch),
    ("_ultrafast", ServiceTier::Ultrafast),
    ("_balanced", ServiceTier::Balanced),
    ("_decisions", ServiceTier::Decisions),
];

/// Figures by ranges of prompt lengths.
const TIERED: &str = "tiered_pricing";

/// What an entry says, as it is being read.
#[derive(Default)]
struct Found {
    /// A threshold is reached rather than exceeded.
    is_inclusive: bool,
    rates: Vec<(Slot, Amount)>,
    unmetered: Vec<String>,
    cache_hit: Option<Amount>,
}

#[derive(Deserialize)]
struct Entry<'a>(#[serde(borrow)] BTreeMap<std::borrow::Cow<'a, str>, &'a RawValue>);

/// Reads a table.
///
/// # Errors
/// When the text is no JSON object.
pub fn read(json: &str) -> Result<Listing, serde_json::Error> {
    let Entry(entries) = serde_json::from_str(json)?;
    let mut listing = Listing::default();
    for (model, value) in entries {
        if model == SAMPLE {
            continue;
        }
        let model = model.into_owned();
        match entry(&model, value) {
            Ok(listed) => {
                listing.models.insert(model, listed);
            }
            Err(why) => {
                listing.ignored.insert(model, why);
            }
        }
    }
    Ok(listing)
}

fn entry(model: &str, value: &RawValue) -> Result<Listed, Ignored> {
    if model.is_empty() || model.len() > MAX_NAME || model.chars().any(char::is_control) {
        return Err(Ignored::Name);
    }
    let Ok(Entry(fields)) = serde_json::from_str(value.get()) else {
        return Err(Ignored::NotObject);
    };
    let mut found = Found {
        is_inclusive: fields
            .get("litellm_provider")
            .is_some_and(|p| p.get() == "\"xai\""),
        ..Found::default()
    };
    for (name, figure) in &fields {
        found.take(name, figure.get(), 0)?;
    }
    if let Some(tiers) = fields.get(TIERED) {
        found.take_tiers(tiers)?;
    }
    let Found {
        mut rates,
        unmetered,
        cache_hit,
        ..
    } = found;
    let cache_read = Slot::base(Bucket::CacheRead);
    if let Some(amount) = cache_hit
        && !rates.iter().any(|(slot, _)| *slot == cache_read)
    {
        rates.push((cache_read, amount));
    }
    if rates.is_empty() {
        return Err(Ignored::NoPrice);
    }
    // A token price of nothing beside a figure for something else is a place left empty, not a gift.
    let is_left_empty = !unmetered.is_empty() && rates.iter().all(|(_, a)| *a == Amount::ZERO);
    if is_left_empty {
        return Err(Ignored::NoPrice);
    }
    Ok(Listed {
        price: Price::new(rates),
        unmetered,
    })
}

// === impl Found ===

impl Found {
    /// Takes a field that is a figure, for prompts of more than `above` tokens.
    fn take(&mut self, name: &str, figure: &str, above: u32) -> Result<(), Ignored> {
        if !name.contains("cost") || !is_number(figure) {
            return Ok(());
        }
        let slot = slot(name, self.is_inclusive);
        if slot.is_none() && name != CACHE_HIT {
            self.unmetered.push(name.to_owned());
            return Ok(());
        }
        let amount =
            Amount::from_double(figure).map_err(|e| Ignored::Figure(name.to_owned(), e))?;
        match slot {
            Some(slot) if above > 0 => self.rates.push((Slot { above, ..slot }, amount)),
            Some(slot) => self.rates.push((slot, amount)),
            None => self.cache_hit = Some(amount),
        }
        Ok(())
    }

    /// Takes the figures of ranges of prompt lengths, as Alibaba has them: `[{"range": [0, 256000], …}, …]`. The range a prompt is in holds
    /// for the request as a whole, and a prompt of exactly its end is still in it. Entries without a range are about something else.
    fn take_tiers(&mut self, tiers: &RawValue) -> Result<(), Ignored> {
        let Ok(tiers) = serde_json::from_str::<Vec<Entry>>(tiers.get()) else {
            return Ok(());
        };
        for Entry(tier) in tiers {
            let range = tier.get("range").map(|range| range.get());
            let range = range.and_then(|range| serde_json::from_str::<[f64; 2]>(range).ok());
            let Some(above) = range.and_then(|[start, _]| whole(start)) else {
                continue;
            };
            for (name, figure) in &tier {
                self.take(name, figure.get(), above)?;
            }
        }
        Ok(())
    }
}

/// A number of tokens that is written as a double.
fn whole(number: f64) -> Option<u32> {
    format!("{number}").parse().ok()
}

/// A number; not null and not an object.
fn is_number(figure: &str) -> bool {
    figure.starts_with(|c: char| c.is_ascii_digit() || c == '-')
}

/// The slot of a field such as `input_cost_per_token_above_200k_tokens_priority`. xAI's thresholds are reached rather than exceeded, which
/// in whole tokens is to exceed one less.
fn slot(field: &str, is_inclusive: bool) -> Option<Slot> {
    let (field, service) = TIERS
        .iter()
        .find_map(|(suffix, tier)| Some((field.strip_suffix(suffix)?, *tier)))
        .unwrap_or((field, ServiceTier::Standard));
    let (_, bucket, rest) = FIELDS
        .iter()
        .filter_map(|(name, bucket)| Some((name.len(), *bucket, field.strip_prefix(name)?)))
        .max_by_key(|(length, ..)| *length)?;
    let above = match rest {
        "" => 0,
        _ => threshold(rest)?.checked_sub(u32::from(is_inclusive))?,
    };
    Some(Slot {
        above,
        service,
        bucket,
    })
}

/// `_above_200k_tokens`, `_above_200000_tokens`.
fn threshold(text: &str) -> Option<u32> {
    let number = text.strip_prefix("_above_")?.strip_suffix("_tokens")?;
    match number.strip_suffix('k') {
        Some(thousands) => thousands.parse::<u32>().ok()?.checked_mul(1000),
        None => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
