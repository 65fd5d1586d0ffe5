//! Exact numbers: a decimal string or a number in, a decimal string out.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::Value;

/// A number as it was written. What it may be is the field's own matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal(pub String);

impl Type for Decimal {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "decimal".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let choice = |name| MetaSchemaRef::Inline(Box::new(MetaSchema::new(name)));
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            any_of: vec![choice("string"), choice("number")],
            ..MetaSchema::ANY
        }))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl ParseFromJSON for Decimal {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => Ok(Self(text)),
            // The shortest text that means the same number, which is what was written where that had up to 15 digits.
            Value::Number(number) => Ok(Self(number.to_string())),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ToJSON for Decimal {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.0.clone()))
    }
}

/// Nano-USD in one USD.
const NANO: u64 = 1_000_000_000;
/// Most USD a limit may be.
const MOST_USD: u64 = 1_000_000_000;

/// USD as nano-USD, exactly.
///
/// # Errors
/// What is wrong with it, in words.
pub fn to_nano(usd: &Decimal) -> Result<i64, &'static str> {
    const WRONG: &str = "must be an amount of USD from 0 to 1000000000 with at most nine decimals";
    let (whole, fraction) = usd.0.split_once('.').unwrap_or((&usd.0, "0"));
    let digits = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    if !digits(whole, 10) || !digits(fraction, 9) {
        return Err(WRONG);
    }
    let whole: u64 = whole.parse().map_err(|_| WRONG)?;
    let fraction: u64 = format!("{fraction:0<9}").parse().map_err(|_| WRONG)?;
    let nano = whole * NANO + fraction;
    if nano > MOST_USD * NANO {
        return Err(WRONG);
    }
    i64::try_from(nano).map_err(|_| WRONG)
}

/// Nano-USD as a decimal of USD, without trailing zeros.
pub fn usd(nano: i64) -> String {
    let sign = if nano < 0 { "-" } else { "" };
    let (whole, rest) = (nano.unsigned_abs() / NANO, nano.unsigned_abs() % NANO);
    let fraction = format!("{rest:09}");
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_an_exact_decimal() {
        assert_eq!(usd(0), "0");
        assert_eq!(usd(1), "0.000000001");
        assert_eq!(usd(12_300_000), "0.0123");
        assert_eq!(usd(5_000_000_000), "5");
        assert_eq!(usd(-1_500_000_000), "-1.5");
        assert_eq!(usd(i64::MIN), "-9223372036.854775808");
    }

    #[test]
    fn money_is_read_exactly_or_not_at_all() {
        let nano = |text: &str| to_nano(&Decimal(text.into()));
        for (text, amount) in [
            ("0", 0),
            ("0.000000001", 1),
            ("12.30", 12_300_000_000),
            ("1000000000", 1_000_000_000_000_000_000),
        ] {
            assert_eq!(nano(text), Ok(amount), "{text}");
        }
        for bad in [
            "",
            "-1",
            "+1",
            "1.",
            ".5",
            "1e3",
            "NaN",
            "0.0000000001",
            "1000000000.1",
            "99999999999",
            "1.2.3",
            " 1",
        ] {
            assert!(nano(bad).is_err(), "{bad}");
        }
    }
}
