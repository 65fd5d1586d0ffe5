//! A factor on a price.

use std::fmt;
use std::str::FromStr;

use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize, Serializer};

/// A factor on a price, kept exactly, in millionths. In JSON a decimal string such as `"0.85"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, DeriveValueType, Deserialize)]
#[serde(try_from = "String")]
pub struct Multiplier(i64);

/// Why a text is no [`Multiplier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a decimal number from 0 to 1000 with at most six decimals")]
pub struct BadMultiplier;

const ONE: i64 = 1_000_000;

// === impl Multiplier ===

impl Multiplier {
    /// The factor that changes nothing.
    pub const ONE: Self = Self(ONE);

    /// The factor in millionths, 0 to 1,000,000,000.
    #[must_use]
    pub fn millionths(self) -> i64 {
        self.0
    }

    /// Both factors together, cut to millionths.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let product = i128::from(self.0) * i128::from(other.0) / i128::from(ONE);
        Self(i64::try_from(product).unwrap_or(i64::MAX))
    }
}

impl Default for Multiplier {
    fn default() -> Self {
        Self::ONE
    }
}

impl FromStr for Multiplier {
    type Err = BadMultiplier;

    fn from_str(text: &str) -> Result<Self, BadMultiplier> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, max: usize| {
            (1..=max).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        if !digits(whole, 4) || !digits(fraction, 6) {
            return Err(BadMultiplier);
        }
        let whole: i64 = whole.parse().map_err(|_| BadMultiplier)?;
        let fraction: i64 = format!("{fraction:0<6}")
            .parse()
            .map_err(|_| BadMultiplier)?;
        let millionths = whole * ONE + fraction;
        if millionths > 1000 * ONE {
            return Err(BadMultiplier);
        }
        Ok(Self(millionths))
    }
}

impl fmt::Display for Multiplier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:06}", self.0 % ONE);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            write!(f, "{}", self.0 / ONE)
        } else {
            write!(f, "{}.{fraction}", self.0 / ONE)
        }
    }
}

impl TryFrom<String> for Multiplier {
    type Error = BadMultiplier;

    fn try_from(text: String) -> Result<Self, BadMultiplier> {
        text.parse()
    }
}

impl Serialize for Multiplier {
    /// Every attempt's record has two of them, nearly always one.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == Self::ONE {
            serializer.serialize_str("1")
        } else {
            serializer.collect_str(self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multiplier_is_read_and_written_exactly() {
        for text in ["0", "1", "0.85", "1000", "12.345678"] {
            assert_eq!(text.parse::<Multiplier>().unwrap().to_string(), text);
        }
        assert_eq!(
            "1.50".parse::<Multiplier>().unwrap().millionths(),
            1_500_000
        );
        for bad in [
            "",
            "-1",
            "1.",
            ".5",
            "1e3",
            "1000.1",
            "0.1234567",
            "99999",
            "1.2.3",
        ] {
            assert!(bad.parse::<Multiplier>().is_err(), "{bad}");
        }
    }
}
