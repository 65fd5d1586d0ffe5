//! Money as text: in a chain, in an import's report and in notices.

/// Nano-USD in one USD.
const NANO: u128 = 1_000_000_000;

/// Nano-USD as decimal USD, with all nine decimals.
#[must_use]
pub fn usd(nano: impl Into<i128>) -> String {
    let nano = nano.into();
    let (whole, part) = (nano.unsigned_abs() / NANO, nano.unsigned_abs() % NANO);
    // What most amounts take: as much as an `i64` can.
    let mut text = String::with_capacity(21);
    if nano < 0 {
        text.push('-');
    }
    let mut digits = itoa::Buffer::new();
    text.push_str(digits.format(whole));
    text.push('.');
    // The one before them keeps its zeros.
    text.push_str(&digits.format(NANO + part)[1..]);
    text
}

#[cfg(test)]
mod tests {
    use super::usd;

    #[test]
    fn money_has_nine_decimals() {
        for (nano, text) in [
            (0, "0.000000000"),
            (7, "0.000000007"),
            (-1_500_000_000, "-1.500000000"),
            (123_456_789_012, "123.456789012"),
            (i64::MAX, "9223372036.854775807"),
            (i64::MIN, "-9223372036.854775808"),
        ] {
            assert_eq!(usd(nano), text);
        }
        let most = "170141183460469231731687303715.884105727";
        assert_eq!(usd(i128::MAX), most);
        assert_eq!(usd(-i128::MAX), format!("-{most}"));
    }
}
