//! Bytes as hexadecimal digits.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Lower-case digits, two a byte.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    text.extend(digits(bytes).map(char::from));
    text
}

/// The same one by one, for a place that is there already.
pub fn digits(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().flat_map(|byte| {
        let [high, low] = [byte >> 4, byte & 0xf].map(usize::from);
        [DIGITS[high], DIGITS[low]]
    })
}

/// The `N` bytes that a text of twice as many digits stands for; none where it is not one.
#[must_use]
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let bytes = [0x00, 0x9f, 0xff];
        assert_eq!(encode(&bytes), "009fff");
        assert_eq!(decode("009fff"), Some(bytes));
        assert_eq!(decode("009FFF"), Some(bytes));
        for bad in ["", "009ff", "009fff0", "009fg0", "+09fff", "ä9fff"] {
            assert_eq!(decode::<3>(bad), None, "{bad}");
        }
    }
}
