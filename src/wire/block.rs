//! Sixty-four bytes of JSON text as bit masks.
//!
//! Looking at one quote at a time costs a mispredicted branch for each, and text that quotes code has one every 30 bytes.
//! So blocks of 64 bytes are turned into masks, one bit a byte, on which the questions are answered without a branch: which
//! quotes are real (an odd run of backslashes escapes what follows it), what lies inside a string (the running parity of
//! real quotes), which brackets lie outside. The method is that of Langdale and Lemire, "Parsing Gigabytes of JSON per
//! Second".

use wide::u8x16;

/// Bytes in a block.
pub(super) const LEN: usize = 64;

/// What a block takes over from the one before it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Carry {
    /// 1 when the first byte is escaped.
    escaped: u64,
    /// All ones inside a string.
    inside: u64,
}

/// What is structure in a block.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Masks {
    /// Quotes that begin or end a string.
    pub(super) quotes: u64,
    /// Brackets outside of strings.
    pub(super) brackets: u64,
    /// Backslashes outside of strings, where none may be.
    pub(super) strays: u64,
}

// === impl Carry ===

impl Carry {
    /// The state behind an opening quote.
    pub(super) fn in_string() -> Self {
        Self {
            escaped: 0,
            inside: !0,
        }
    }

    /// The state within a string at a place, by the backslashes before it.
    pub(super) fn within_string(body: &[u8], at: usize) -> Self {
        let before = body.get(..at).unwrap_or(body);
        let backslashes = before.iter().rev().take_while(|b| **b == b'\\').count();
        Self {
            escaped: backslashes as u64 & 1,
            inside: !0,
        }
    }

    /// Whether the next block begins within a string.
    pub(super) fn is_inside(self) -> bool {
        self.inside != 0
    }

    /// Whether a backslash at the end of this block escapes the first byte of the next.
    pub(super) fn is_escaped(self) -> bool {
        self.escaped != 0
    }

    /// Reads the block at the start of `text`; what is missing of a last one counts as white space.
    pub(super) fn masks(&mut self, text: &[u8]) -> Masks {
        match text.first_chunk::<LEN>() {
            Some(block) => self.masks_of(block),
            None => {
                let mut block = [b' '; LEN];
                block[..text.len()].copy_from_slice(text);
                self.masks_of(&block)
            }
        }
    }

    #[inline]
    fn masks_of(&mut self, block: &[u8; LEN]) -> Masks {
        let backslashes = equal::<b'\\'>(block);
        let quotes = equal::<b'"'>(block) & !self.escaped(backslashes);
        if quotes == 0 && self.inside != 0 {
            return Masks::default();
        }
        let inside = parity(quotes) ^ self.inside;
        self.inside = if inside >> 63 == 1 { !0 } else { 0 };
        Masks {
            quotes,
            brackets: brackets(block) & !inside,
            strays: backslashes & !inside,
        }
    }

    /// Which bytes are escaped. Within a run of backslashes every second one is; adding the start of a run to it carries
    /// over its end, and whether that is an odd or an even place tells whether what follows is escaped.
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
        if backslashes == 0 {
            return std::mem::take(&mut self.escaped);
        }
        let escaping = backslashes & !self.escaped;
        let ends = ((escaping << 1) | ODD).wrapping_sub(escaping) ^ ODD;
        let escaped = ends ^ (backslashes | self.escaped);
        self.escaped = (ends & backslashes) >> 63;
        escaped
    }
}

/// Where the string ends whose text begins here, if that is within sixteen bytes and no escape comes before: so are nearly all keys.
#[inline]
pub(super) fn short_end(text: &[u8]) -> Option<usize> {
    let lane = u8x16::new(*text.first_chunk()?);
    let end = lane
        .simd_eq(u8x16::splat(b'"'))
        .to_bitmask()
        .trailing_zeros();
    let escape = lane
        .simd_eq(u8x16::splat(b'\\'))
        .to_bitmask()
        .trailing_zeros();
    (end < 16 && end < escape).then_some(end as usize)
}

/// From a place within a string, moves on by whole blocks as long as the string does not end in them. Needs two bytes
/// before.
pub(super) fn skip_text(body: &[u8], mut at: usize) -> usize {
    while let Some(window) = at
        .checked_sub(2)
        .and_then(|start| body.get(start..)?.first_chunk())
    {
        if may_end(window) {
            break;
        }
        at += LEN;
    }
    at
}

/// Whether a string may end in the block behind the first two bytes.
#[inline]
fn may_end(window: &[u8; LEN + 2]) -> bool {
    let lanes = |offset: usize| window[offset..offset + LEN].as_chunks::<16>().0;
    let (twice_before, before, block) = (lanes(0), lanes(1), lanes(2));
    let mut found = u8x16::splat(0);
    for lane in 0..LEN / 16 {
        let is = |lanes: &[[u8; 16]], byte: u8| u8x16::new(lanes[lane]).simd_eq(u8x16::splat(byte));
        let is_escaped = is(before, b'\\') & !is(twice_before, b'\\');
        found |= is(block, b'"') & !is_escaped;
    }
    found.to_bitmask() != 0
}

/// For every bit the parity of itself and all below.
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[inline]
fn equal<const BYTE: u8>(block: &[u8; LEN]) -> u64 {
    mask(block, |lane| lane.simd_eq(u8x16::splat(BYTE)))
}

/// Brackets of both kinds differ in one bit.
#[inline]
fn brackets(block: &[u8; LEN]) -> u64 {
    mask(block, |lane| {
        let lane = lane | u8x16::splat(0x20);
        lane.simd_eq(u8x16::splat(b'{')) | lane.simd_eq(u8x16::splat(b'}'))
    })
}

#[inline]
fn mask(block: &[u8; LEN], test: impl Fn(u8x16) -> u8x16) -> u64 {
    let (lanes, _) = block.as_chunks::<16>();
    let bits = |lane: usize| u64::from(test(u8x16::new(lanes[lane])).to_bitmask());
    bits(0) | bits(1) << 16 | bits(2) << 32 | bits(3) << 48
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, proptest};

    use super::*;

    /// The same questions, answered a byte at a time.
    fn plain(text: &[u8]) -> Vec<(bool, bool)> {
        let (mut escaped, mut inside) = (false, false);
        text.iter()
            .map(|byte| {
                let is_quote = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                inside ^= is_quote;
                (is_quote, b"[]{}".contains(byte) && !inside)
            })
            .collect()
    }

    #[test]
    fn skipping_stops_before_the_block_with_the_end() {
        for (text, stops_at) in [
            ("a".repeat(200), 192),
            (format!("{}\"{}", "a".repeat(70), "a".repeat(200)), 64),
            (format!("{}\\\"{}", "a".repeat(62), "a".repeat(200)), 256),
            (format!("{}\\\"{}", "a".repeat(63), "a".repeat(200)), 256),
            (format!("{}\\\\\"{}", "a".repeat(62), "a".repeat(200)), 64),
        ] {
            let body = format!("{{\"{text}");
            assert_eq!(skip_text(body.as_bytes(), 2), 2 + stops_at, "{text}");
        }
        assert_eq!(skip_text(&[b'a'; 200], 1), 1);
        assert_eq!(skip_text(b"", 7), 7);
    }

    #[test]
    fn a_short_string_ends_at_its_first_quote() {
        for (text, end) in [
            ("\"", Some(0)),
            ("role\": ", Some(4)),
            ("fifteen bytes..\"", Some(15)),
            ("sixteen bytes...\"", None),
            ("a\"\\", Some(1)),
            ("a\\\"b\"", None),
        ] {
            let text = format!("{text:<16}");
            assert_eq!(short_end(text.as_bytes()), end, "{text}");
        }
        assert_eq!(short_end(b"short\""), None, "too near the end to look");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn masks_agree_with_a_plain_walk(text in r#"(\\|"|\\"|\\\\|[\[\]{}]|[;=\x00\x7f{}]|a{0,30}){0,120}"#) {
            let mut carry = Carry::default();
            let expected = plain(text.as_bytes());
            for (block, expected) in text.as_bytes().chunks(LEN).zip(expected.chunks(LEN)) {
                let masks = carry.masks(block);
                for (at, (is_quote, is_bracket)) in expected.iter().enumerate() {
                    assert_eq!(masks.quotes >> at & 1 == 1, *is_quote, "quote at {at} of {text}");
                    assert_eq!(masks.brackets >> at & 1 == 1, *is_bracket, "bracket at {at} of {text}");
                }
            }
        }

        #[test]
        fn skipped_text_holds_no_end(text in r#"(\\"|\\\\|\\n|a{0,50}){0,60}("|\\\\"|\\\\\\")"#, at in 0usize..80) {
            let body = format!("{{\"{text}{}", "b".repeat(130));
            let body = body.as_bytes();
            let quotes: Vec<usize> = {
                let plain = plain(&body[1..]);
                (1..plain.len()).filter(|at| plain[*at].0).map(|at| at + 1).collect()
            };
            let end = quotes.first().copied().unwrap_or(body.len());
            let at = at + 2;
            let stopped = skip_text(body, at);
            if at <= end {
                assert!(stopped <= end, "{stopped} is behind {end}");
                let carry = Carry::within_string(body, stopped);
                let mut masks = Masks::default();
                let (mut carry, mut base) = (carry, stopped);
                while masks.quotes == 0 && base < body.len() {
                    masks = carry.masks(&body[base..]);
                    base += LEN;
                }
                if masks.quotes != 0 {
                    assert_eq!(base - LEN + masks.quotes.trailing_zeros() as usize, end);
                }
            }
        }
    }
}
