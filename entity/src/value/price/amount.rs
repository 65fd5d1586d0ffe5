//! An exact amount of money for one token, image or request.
//!
//! The unit is the femto-USD, 10⁻¹⁵ USD. The finest figure of the public table is 10⁻¹² USD a token (a millionth of a dollar for a million
//! tokens); the thousand below it leaves room for prices that are derived, such as an eighth of one. Figures are read from their decimal
//! text and never pass through a binary fraction.

/// USD for one unit, in femto-USD, 0 to 1000 USD.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u64);

/// Why a text is no [`Amount`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAmount {
    /// Not a number at all, or a negative one.
    #[error("must be a decimal number that is not negative")]
    NotDecimal,
    /// More digits behind the point than the unit has.
    #[error("is finer than a billionth of a dollar for a million tokens")]
    TooFine,
    /// Above the limit.
    #[error("must be at most 1000 USD for one token, image or request")]
    TooLarge,
}

/// 10⁻¹⁵ USD.
const EXPONENT: i32 = -15;
/// 1000 USD. A sum of all buckets of `u64` counts at this price stays below 2^128.
const MAX: u64 = 1_000_000_000_000_000_000;
/// A per-million figure is this many powers of ten finer.
const MILLION: i32 = -6;
/// Digits a double keeps of any decimal.
const DOUBLE_DIGITS: usize = 15;
/// Longest text that is read.
const MAX_TEXT: usize = 64;

/// Digits without leading zeros, and the power of ten of the last one.
struct Decimal {
    digits: Vec<u8>,
    exponent: i32,
}

// === impl Amount ===

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount in femto-USD, at most 1000 USD.
    #[must_use]
    pub const fn from_femto(femto: u64) -> Self {
        Self(if femto > MAX { MAX } else { femto })
    }

    /// In femto-USD.
    #[must_use]
    pub const fn femto(self) -> u64 {
        self.0
    }

    /// Reads USD for one unit: `0.06`, `3e-06`.
    ///
    /// # Errors
    /// When it is no decimal, too fine or too large.
    pub fn per_unit(text: &str) -> Result<Self, BadAmount> {
        Decimal::read(text)?.amount(0)
    }

    /// Reads USD for a million units: `3`, `0.15`.
    ///
    /// # Errors
    /// When it is no decimal, too fine or too large.
    pub fn per_million(text: &str) -> Result<Self, BadAmount> {
        Decimal::read(text)?.amount(MILLION)
    }

    /// Reads USD for one unit where the text was written by a program that calculates with doubles, such as
    /// `8.900000000000001e-07`. Of such a number fifteen digits are meant and the rest is noise: no decimal of up to fifteen digits is
    /// changed by a double, so a sixteenth was never anybody's price.
    ///
    /// # Errors
    /// When it is no decimal, too fine or too large.
    pub fn from_double(text: &str) -> Result<Self, BadAmount> {
        let mut decimal = Decimal::read(text)?;
        decimal.round_to(DOUBLE_DIGITS);
        decimal.amount(0)
    }

    /// USD for one unit, as a decimal.
    #[must_use]
    pub fn to_per_unit(self) -> String {
        written(self.0, -EXPONENT)
    }

    /// USD for a million units, as a decimal.
    #[must_use]
    pub fn to_per_million(self) -> String {
        written(self.0, MILLION - EXPONENT)
    }

    /// `numerator / denominator` of it, rounded to the nearest femto-USD, half to even.
    #[must_use]
    pub(super) fn scaled(self, numerator: u64, denominator: u64) -> Self {
        let product = u128::from(self.0) * u128::from(numerator);
        let divisor = u128::from(denominator.max(1));
        let scaled = super::cost::divide_half_even(product, divisor);
        Self::from_femto(u64::try_from(scaled).unwrap_or(MAX))
    }
}

/// A whole number of `10^-places` as a decimal without idle zeros.
fn written(number: u64, places: i32) -> String {
    let one = 10u64.pow(places.unsigned_abs());
    let width = places.unsigned_abs() as usize;
    let fraction = format!("{:0width$}", number % one);
    match fraction.trim_end_matches('0') {
        "" => (number / one).to_string(),
        fraction => format!("{}.{fraction}", number / one),
    }
}

// === impl Decimal ===

impl Decimal {
    fn read(text: &str) -> Result<Self, BadAmount> {
        if text.len() > MAX_TEXT {
            return Err(BadAmount::NotDecimal);
        }
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i16>().ok()),
            None => (text, Some(0)),
        };
        let exponent = i32::from(exponent.ok_or(BadAmount::NotDecimal)?);
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(BadAmount::NotDecimal),
            None => (number, ""),
        };
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if whole.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(BadAmount::NotDecimal);
        }
        let mut decimal = Self {
            exponent: exponent - i32::try_from(fraction.len()).unwrap_or(0),
            digits: digits.into_iter().skip_while(|d| *d == b'0').collect(),
        };
        decimal.trim();
        Ok(decimal)
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
            self.exponent += 1;
        }
    }

    fn round_to(&mut self, places: usize) {
        if self.digits.len() <= places {
            return;
        }
        let is_up = self.digits[places] >= b'5';
        self.exponent += i32::try_from(self.digits.len() - places).unwrap_or(0);
        self.digits.truncate(places);
        self.trim();
        if !is_up {
            return;
        }
        // Adding one carries through nines, which then are trailing zeros.
        let carried = self.digits.len();
        let lost = i32::try_from(places - carried).unwrap_or(0);
        self.digits.resize(places, b'0');
        self.exponent -= lost;
        let mut at = places;
        loop {
            if at == 0 {
                self.digits.insert(0, b'1');
                break;
            }
            at -= 1;
            if self.digits[at] < b'9' {
                self.digits[at] += 1;
                break;
            }
            self.digits[at] = b'0';
        }
        self.trim();
    }

    fn amount(&self, unit: i32) -> Result<Amount, BadAmount> {
        if self.digits.is_empty() {
            return Ok(Amount::ZERO);
        }
        let shift = self.exponent + unit - EXPONENT;
        if shift < 0 {
            return Err(BadAmount::TooFine);
        }
        let mut femto: u64 = 0;
        let zeros = std::iter::repeat_n(&b'0', usize::try_from(shift).unwrap_or(0));
        for digit in self.digits.iter().chain(zeros) {
            femto = femto
                .checked_mul(10)
                .and_then(|f| f.checked_add(u64::from(digit - b'0')))
                .filter(|f| *f <= MAX)
                .ok_or(BadAmount::TooLarge)?;
        }
        Ok(Amount(femto))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_read_exactly_and_written_back() {
        for (text, femto) in [
            ("0", 0),
            ("0.0", 0),
            ("3e-06", 3_000_000_000),
            ("1.25E-5", 12_500_000_000),
            ("0.000000000000001", 1),
            ("1000", MAX),
            ("0.06", 60_000_000_000_000),
        ] {
            let amount = Amount::per_unit(text).unwrap();
            assert_eq!(amount.femto(), femto, "{text}");
            assert_eq!(Amount::per_unit(&amount.to_per_unit()), Ok(amount));
        }
        assert_eq!(Amount::per_million("3"), Amount::per_unit("3e-06"));
        assert_eq!(Amount::per_million("0.3").unwrap().to_per_million(), "0.3");
        assert_eq!(
            Amount::per_million("0.000000001").unwrap().femto(),
            1,
            "the finest"
        );
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for bad in [
            "", "-1", "+1", "1.", ".5", "1e", "NaN", "inf", "1_0", "0x1", " 1", "1e99999",
        ] {
            assert_eq!(Amount::per_unit(bad), Err(BadAmount::NotDecimal), "{bad}");
        }
        assert_eq!(Amount::per_unit("1e-16"), Err(BadAmount::TooFine));
        assert_eq!(Amount::per_unit("1000.1"), Err(BadAmount::TooLarge));
        assert_eq!(Amount::per_unit("1e30"), Err(BadAmount::TooLarge));
        assert_eq!(Amount::per_unit("0e9999"), Ok(Amount::ZERO));
    }

    #[test]
    fn the_noise_of_doubles_is_taken_away() {
        for (noisy, meant) in [
            ("8.900000000000001e-07", "0.89"),
            ("9.499999999999999e-07", "0.95"),
            ("3.0001999999999996e-07", "0.30002"),
            ("1.5000020000000002e-05", "15.00002"),
            ("9.999999999999999e-07", "1"),
            ("4.285999999999999e-06", "4.286"),
        ] {
            assert_eq!(
                Amount::from_double(noisy),
                Amount::per_million(meant),
                "{noisy}"
            );
        }
        assert_eq!(
            Amount::from_double("1.23456789012e-7"),
            Err(BadAmount::TooFine)
        );
    }

    #[test]
    fn a_part_is_rounded_half_to_even() {
        let part = |femto, n, d| Amount::from_femto(femto).scaled(n, d).femto();
        assert_eq!(
            [
                part(10, 5, 4),
                part(2, 5, 4),
                part(6, 5, 4),
                part(15, 1, 10),
                part(MAX, 2, 1)
            ],
            [12, 2, 8, 2, MAX]
        );
    }
}
