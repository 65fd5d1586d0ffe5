//! What an attempt's tokens cost.
//!
//! Every bucket is its count times its price, all in whole femto-USD, so their sum is exact. Two factors in millionths and the unit of the
//! result then make one fraction, which is rounded once, half to even, to nano-USD. A sum of eleven `u64` counts at the highest price
//! that there may be is below 2^128, so nothing on the way can overflow; only the result may be too large for its type, and then it is
//! the largest of that type and says so.
//!
//! Which price a bucket has is decided for the request as a whole: a prompt above a threshold pays the threshold's prices for all of its
//! tokens and for the answer's, as the providers that have thresholds do it. Where the figure for this threshold and tier is missing, the
//! next best is, in this order: the threshold's list price, the tier's price, the list price. Where a bucket has no figure at all:
//!
//! - reasoning is output, image tokens are input or output tokens;
//! - Anthropic publishes what caching costs as parts of the input price (reading a tenth, writing for five minutes five quarters, for an
//!   hour twice), so Claude models get those;
//! - elsewhere a cached token is an input token: no provider is known to charge more for reading, and free would be an invention. Writing
//!   for an hour costs what writing costs.

use super::{Amount, Bucket, Price, ServiceTier, Slot};
use crate::value::Multiplier;

/// What was used, in disjoint buckets; only `reasoning` is a part of `output`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quantities {
    /// Prompt tokens neither read from nor written to a cache.
    pub input: u64,
    /// Prompt tokens read from a cache.
    pub cache_read: u64,
    /// Prompt tokens written to a cache for five minutes.
    pub cache_write_5m: u64,
    /// Prompt tokens written to a cache for an hour.
    pub cache_write_1h: u64,
    /// Generated tokens, reasoning included, image tokens not.
    pub output: u64,
    /// The part of them spent on reasoning.
    pub reasoning: u64,
    /// Image tokens of the prompt.
    pub image_input: u64,
    /// Image tokens generated.
    pub image_output: u64,
    /// Images of the prompt, where they are counted.
    pub input_images: u64,
    /// Images generated, where they are counted.
    pub images: u64,
    /// Requests the provider charges for: 1, or 0 for one that failed before it was served.
    pub requests: u64,
}

/// How a model's cache prices follow from its input price when they are not listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CacheRule {
    /// As Anthropic publishes them.
    Anthropic,
    /// A cached token is an input token.
    #[default]
    Input,
}

/// The conditions a price is applied under.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// The tier the request was served in; none is the list price.
    pub service: Option<ServiceTier>,
    /// The factors of the provider and of the group.
    pub multipliers: [Multiplier; 2],
}

/// What something cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Nano-USD, after both factors.
    pub nano_usd: i64,
    /// Femto-USD before the factors and before rounding.
    pub base_femto_usd: u128,
    /// The tier asked for, whether or not the price has figures for it.
    pub service: ServiceTier,
    /// The threshold the prompt was above; 0 for none.
    pub above: u32,
    /// A cache price was derived from the input price.
    pub is_derived: bool,
    /// Tokens were used that the price has no figure for; they are not in the cost.
    pub is_incomplete: bool,
    /// The cost is larger than its type, and is cut.
    pub is_cut: bool,
}

/// One for both factors, in millionths squared, and from femto- to nano-USD.
const DIVISOR: u128 = 1_000_000_000_000 * 1_000_000;

/// Finds a bucket's price and keeps note of how.
struct Finder<'a> {
    price: &'a Price,
    rule: CacheRule,
    service: ServiceTier,
    above: u32,
    is_derived: bool,
}

/// What `used` costs at `price`.
#[must_use]
pub fn cost(price: &Price, rule: CacheRule, used: &Quantities, terms: Terms) -> Cost {
    let service = terms.service.unwrap_or_default();
    let mut finder = Finder {
        price,
        rule,
        service,
        above: price.threshold(used.context(), service),
        is_derived: false,
    };
    let mut sum = 0u128;
    let mut is_incomplete = false;
    for (bucket, count) in used.charged(price) {
        if count == 0 {
            continue;
        }
        match finder.amount(bucket) {
            Some(amount) => sum += u128::from(count) * u128::from(amount.femto()),
            None => is_incomplete |= bucket.is_tokens(),
        }
    }
    let [provider, group] = terms.multipliers.map(|m| m.millionths().unsigned_abs());
    let nano = apply(sum, u128::from(provider) * u128::from(group));
    Cost {
        nano_usd: i64::try_from(nano).unwrap_or(i64::MAX),
        base_femto_usd: sum,
        service,
        above: finder.above,
        is_derived: finder.is_derived,
        is_incomplete,
        is_cut: i64::try_from(nano).is_err(),
    }
}

/// `sum * factor / DIVISOR`, half to even. `factor` is at most [`DIVISOR`], as a multiplier is at most a thousand; a product that is
/// still too large is cut, far above what the result's type takes.
fn apply(sum: u128, factor: u128) -> u128 {
    let factor = factor.min(DIVISOR);
    let whole = (sum / DIVISOR).saturating_mul(factor);
    let part = sum % DIVISOR * factor;
    // The last bit of the first part decides a tie of the second, which a number of the same parity in its place does as well.
    let parity = whole % 2;
    let rounded = divide_half_even(part + parity * DIVISOR, DIVISOR) - parity;
    whole.saturating_add(rounded)
}

/// `dividend / divisor`, half to even; the divisor is below 2^127.
pub(super) fn divide_half_even(dividend: u128, divisor: u128) -> u128 {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    quotient + u128::from(rest * 2 > divisor || (rest * 2 == divisor && quotient % 2 == 1))
}

// === impl Quantities ===

impl Quantities {
    /// Tokens of the prompt, which is what thresholds are about.
    fn context(&self) -> u64 {
        [
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.image_input,
        ]
        .into_iter()
        .fold(self.input, u64::saturating_add)
    }

    /// Counts by bucket. Reasoning is split off only where it has a price, and an image that was measured in tokens is not charged by the
    /// piece as well.
    fn charged(&self, price: &Price) -> [(Bucket, u64); 11] {
        let has_reasoning = price
            .rates()
            .iter()
            .any(|(slot, _)| slot.bucket == Bucket::Reasoning);
        let reasoning = if has_reasoning {
            self.reasoning.min(self.output)
        } else {
            0
        };
        let by_the_piece = |images, tokens: u64| if tokens == 0 { images } else { 0 };
        [
            (Bucket::Input, self.input),
            (Bucket::CacheRead, self.cache_read),
            (Bucket::CacheWrite5m, self.cache_write_5m),
            (Bucket::CacheWrite1h, self.cache_write_1h),
            (Bucket::Output, self.output - reasoning),
            (Bucket::Reasoning, reasoning),
            (Bucket::ImageInput, self.image_input),
            (Bucket::ImageOutput, self.image_output),
            (
                Bucket::PerInputImage,
                by_the_piece(self.input_images, self.image_input),
            ),
            (
                Bucket::PerImage,
                by_the_piece(self.images, self.image_output),
            ),
            (Bucket::PerRequest, self.requests),
        ]
    }
}

// === impl CacheRule ===

impl CacheRule {
    /// The rule of a model, by its name.
    #[must_use]
    pub fn of_model(model: &str) -> Self {
        if model.contains("claude") {
            Self::Anthropic
        } else {
            Self::Input
        }
    }
}

// === impl Finder ===

impl Finder<'_> {
    /// A bucket's price, listed or derived.
    fn amount(&mut self, bucket: Bucket) -> Option<Amount> {
        if let Some(listed) = self.listed(bucket) {
            return Some(listed);
        }
        let part = match (self.rule, bucket) {
            (CacheRule::Anthropic, Bucket::CacheRead) => Some((1, 10)),
            (CacheRule::Anthropic, Bucket::CacheWrite5m) => Some((5, 4)),
            (CacheRule::Anthropic, Bucket::CacheWrite1h) => Some((2, 1)),
            _ => None,
        };
        if let Some((numerator, denominator)) = part {
            self.is_derived = true;
            return Some(self.listed(Bucket::Input)?.scaled(numerator, denominator));
        }
        match bucket {
            Bucket::CacheWrite1h => self.amount(Bucket::CacheWrite5m),
            Bucket::CacheRead | Bucket::CacheWrite5m => {
                self.is_derived = true;
                self.listed(Bucket::Input)
            }
            Bucket::ImageInput => self.listed(Bucket::Input),
            Bucket::Reasoning | Bucket::ImageOutput => self.listed(Bucket::Output),
            _ => None,
        }
    }

    /// The best listed figure of a bucket. Reasoning is output: a figure for output that is nearer to this threshold and tier is better than
    /// one for reasoning that is not, or a tier at half the price would charge all of it for thinking.
    fn listed(&self, bucket: Bucket) -> Option<Amount> {
        let found = self.nearest(bucket);
        if bucket != Bucket::Reasoning {
            return found.map(|(_, amount)| amount);
        }
        let candidates = [found, self.nearest(Bucket::Output)].into_iter().flatten();
        let nearest = candidates.min_by_key(|(distance, _)| *distance);
        nearest.map(|(_, amount)| amount)
    }

    /// The figure of a bucket that is nearest to this threshold and tier, and how many nearer ones are missing.
    fn nearest(&self, bucket: Bucket) -> Option<(usize, Amount)> {
        let standard = ServiceTier::Standard;
        let places = [
            (self.above, self.service),
            (self.above, standard),
            (0, self.service),
            (0, standard),
        ];
        let mut figures = places.into_iter().map(|(above, service)| {
            self.price.get(Slot {
                above,
                service,
                bucket,
            })
        });
        let distance = figures.clone().position(|figure| figure.is_some())?;
        Some((distance, figures.nth(distance)??))
    }
}

#[cfg(test)]
mod tests;
