//! One model's figures, and their text form, which is the same in the built-in table and in the database.
//!
//! `input=3 output=15 cache-read=0.3 input>200000=6 input:priority=6 per-request=0.005`: a bucket, the context length above which the figure
//! holds, the service tier it holds for, and USD for a million tokens, or for one image or request.

use std::fmt;
use std::str::FromStr;

use super::{Amount, BadAmount, ServiceTier};

/// What is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// Prompt tokens neither read from nor written to a cache.
    Input,
    /// Generated tokens.
    Output,
    /// Prompt tokens read from a cache.
    CacheRead,
    /// Prompt tokens written to a cache for five minutes, or for as long as the provider likes.
    CacheWrite5m,
    /// Prompt tokens written to a cache for an hour.
    CacheWrite1h,
    /// Generated tokens spent on reasoning.
    Reasoning,
    /// Image tokens of the prompt.
    ImageInput,
    /// Image tokens generated.
    ImageOutput,
    /// Images of the prompt, where they are counted rather than measured in tokens.
    PerInputImage,
    /// Images generated, likewise.
    PerImage,
    /// Requests.
    PerRequest,
}

/// Which figure of a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// Holds for prompts of more tokens than this; 0 for all.
    pub above: u32,
    /// Holds for this tier.
    pub service: ServiceTier,
    /// What is paid for.
    pub bucket: Bucket,
}

/// A model's figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Price(Box<[(Slot, Amount)]>);

/// Why a text is no [`Price`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPrice {
    /// Not `figure=amount`.
    #[error("{0:?} is not a figure of a price")]
    Figure(String),
    /// The amount is none.
    #[error("the amount of {0} {1}")]
    Amount(String, BadAmount),
    /// There is no figure at all.
    #[error("a price needs at least one figure")]
    Empty,
}

// === impl Bucket ===

impl Bucket {
    /// All of them, in the order of the text form.
    pub const ALL: [Self; 11] = [
        Self::Input,
        Self::Output,
        Self::CacheRead,
        Self::CacheWrite5m,
        Self::CacheWrite1h,
        Self::Reasoning,
        Self::ImageInput,
        Self::ImageOutput,
        Self::PerInputImage,
        Self::PerImage,
        Self::PerRequest,
    ];

    /// The stable name, as stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::CacheRead => "cache-read",
            Self::CacheWrite5m => "cache-write-5m",
            Self::CacheWrite1h => "cache-write-1h",
            Self::Reasoning => "reasoning",
            Self::ImageInput => "image-input",
            Self::ImageOutput => "image-output",
            Self::PerInputImage => "per-input-image",
            Self::PerImage => "per-image",
            Self::PerRequest => "per-request",
        }
    }

    /// Whether it counts tokens, which are priced by the million.
    #[must_use]
    pub fn is_tokens(self) -> bool {
        !matches!(
            self,
            Self::PerInputImage | Self::PerImage | Self::PerRequest
        )
    }
}

// === impl Slot ===

impl Slot {
    /// The figure that holds for any context and the list price.
    #[must_use]
    pub const fn base(bucket: Bucket) -> Self {
        Self {
            above: 0,
            service: ServiceTier::Standard,
            bucket,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.bucket.name())?;
        if self.above > 0 {
            write!(f, ">{}", self.above)?;
        }
        if self.service != ServiceTier::Standard {
            write!(f, ":{}", self.service)?;
        }
        Ok(())
    }
}

impl FromStr for Slot {
    type Err = BadPrice;

    fn from_str(text: &str) -> Result<Self, BadPrice> {
        let bad = || BadPrice::Figure(text.to_owned());
        let (rest, service) = match text.split_once(':') {
            Some((rest, tier)) => (rest, tier.parse().map_err(|_| bad())?),
            None => (text, ServiceTier::Standard),
        };
        let (name, above) = match rest.split_once('>') {
            Some((name, above)) => (name, above.parse().map_err(|_| bad())?),
            None => (rest, 0),
        };
        let bucket = Bucket::ALL.into_iter().find(|b| b.name() == name);
        Ok(Self {
            above,
            service,
            bucket: bucket.ok_or_else(bad)?,
        })
    }
}

// === impl Price ===

impl Price {
    /// A price of these figures; of two for the same slot the later one counts.
    #[must_use]
    pub fn new(rates: impl IntoIterator<Item = (Slot, Amount)>) -> Self {
        let mut rates: Vec<_> = rates.into_iter().collect();
        rates.reverse();
        rates.sort_by_key(|(slot, _)| *slot);
        rates.dedup_by_key(|(slot, _)| *slot);
        Self(rates.into())
    }

    /// The figures, those for any context first.
    #[must_use]
    pub fn rates(&self) -> &[(Slot, Amount)] {
        &self.0
    }

    /// One figure, if it is there.
    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<Amount> {
        let at = self.0.binary_search_by_key(&slot, |(s, _)| *s).ok()?;
        Some(self.0[at].1)
    }

    /// The threshold that a prompt of `context` tokens is above: the highest one; 0 when it is above none.
    pub(super) fn threshold(&self, context: u64, service: ServiceTier) -> u32 {
        self.0
            .iter()
            .filter(|(s, _)| s.service == ServiceTier::Standard || s.service == service)
            .map(|(slot, _)| slot.above)
            .filter(|above| context > u64::from(*above))
            .max()
            .unwrap_or(0)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (slot, amount)) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { " " };
            let figure = if slot.bucket.is_tokens() {
                amount.to_per_million()
            } else {
                amount.to_per_unit()
            };
            write!(f, "{separator}{slot}={figure}")?;
        }
        Ok(())
    }
}

impl FromStr for Price {
    type Err = BadPrice;

    fn from_str(text: &str) -> Result<Self, BadPrice> {
        let mut rates = Vec::new();
        for figure in text.split_ascii_whitespace() {
            let (slot, amount) = figure
                .split_once('=')
                .ok_or_else(|| BadPrice::Figure(figure.to_owned()))?;
            let slot: Slot = slot.parse()?;
            let amount = if slot.bucket.is_tokens() {
                Amount::per_million(amount)
            } else {
                Amount::per_unit(amount)
            };
            let amount = amount.map_err(|e| BadPrice::Amount(slot.to_string(), e))?;
            rates.push((slot, amount));
        }
        if rates.is_empty() {
            return Err(BadPrice::Empty);
        }
        Ok(Self::new(rates))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_and_written() {
        let text = "input=3 output=15 cache-read=0.3 per-request=0.005 input:priority=6 input>200000=6 input>200000:flex=2.5";
        let price: Price = text.parse().unwrap();
        assert_eq!(price.to_string(), text);
        let slot = Slot {
            above: 200_000,
            service: ServiceTier::Flex,
            bucket: Bucket::Input,
        };
        assert_eq!(price.get(slot), Amount::per_million("2.5").ok());
        assert_eq!(price.get(Slot::base(Bucket::Reasoning)), None);
        assert_eq!(
            "input=1 input=2".parse::<Price>().unwrap().to_string(),
            "input=2"
        );
        for bad in [
            "",
            "input",
            "input=x",
            "inputs=1",
            "input>x=1",
            "input:gold=1",
            "input=-1",
        ] {
            assert!(bad.parse::<Price>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_threshold_must_be_exceeded() {
        let price: Price = "input=1 input>100=2 input>200=3 input>300:flex=1"
            .parse()
            .unwrap();
        let above = |context| price.threshold(context, ServiceTier::Standard);
        assert_eq!(
            [above(100), above(101), above(200), above(500)],
            [0, 100, 100, 200]
        );
        assert_eq!(price.threshold(500, ServiceTier::Flex), 300);
    }
}
