//! Sixty-four bytes of JSON text as bit masks.
//!
//! Looking at one quote at a time costs a mispredicted branch for each, and text that quotes code has one every 30 bytes.
//! So blocks of 64 bytes are turned into masks, one bit a byte, on which the questions are answered without a branch: which
//! quotes are real (an odd run of backslashes escapes what follows it), what lies inside a string (the running parity of
//! real quotes), which brackets lie outside. The method is that of Langdale and Lemire, "Parsing Gigabytes of JSON per
//! Second".
//!
//! A block is one vector of 64 bytes: one register with AVX-512, two with AVX2, four with SSE2 or NEON, which every processor
//! has that this runs on. Whoever passes over a text chooses by the processor it runs on, once for the whole pass
//! (`dispatch!`), and all of the pass down to here is inlined into each of its versions: a function that were called instead
//! would be compiled for any processor.

use fearless_simd::{Level, Simd, SimdBase, SimdMask, dispatch, u8x16, u8x64};

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

    /// Whether the next block begins within a string.
    pub(super) fn is_inside(self) -> bool {
        self.inside != 0
    }

    /// Whether a backslash at the end of this block escapes the first byte of the next.
    pub(super) fn is_escaped(self) -> bool {
        self.escaped != 0
    }

    /// Reads the block at the start of `text`; what is missing of a last one counts as white space.
    #[inline(always)]
    pub(super) fn masks<S: Simd>(&mut self, simd: S, text: &[u8]) -> Masks {
        match text.first_chunk::<LEN>() {
            Some(block) => self.masks_of(simd, block),
            None => {
                let mut block = [b' '; LEN];
                block[..text.len()].copy_from_slice(text);
                self.masks_of(simd, &block)
            }
        }
    }

    #[inline(always)]
    fn masks_of<S: Simd>(&mut self, simd: S, block: &[u8; LEN]) -> Masks {
        let block = u8x64::load_array_ref(simd, block);
        let (quotes, backslashes) = self.quotes(block);
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

    /// From a place within a string, moves on by whole blocks as long as the string does not end in them.
    ///
    /// Nearly all of a body passes here, so nothing is looked for but quotes, and backslashes because of them. It would take
    /// less to go on wherever one backslash stands before a quote, and to look closely only where there are more; but there are
    /// three wherever text quotes code that quotes, and such text would be read twice.
    #[inline(always)]
    pub(super) fn skip_text<S: Simd>(&mut self, simd: S, body: &[u8], mut at: usize) -> usize {
        for block in body.get(at..).unwrap_or_default().as_chunks().0 {
            let mut next = *self;
            if next.quotes(u8x64::load_array_ref(simd, block)).0 != 0 {
                break;
            }
            *self = next;
            at += LEN;
        }
        at
    }

    /// The quotes of a block that are real, and its backslashes.
    #[inline(always)]
    fn quotes<S: Simd>(&mut self, block: u8x64<S>) -> (u64, u64) {
        let backslashes = block.simd_eq(b'\\').to_bitmask();
        let quotes = block.simd_eq(b'"').to_bitmask();
        (quotes & !self.escaped(backslashes), backslashes)
    }

    /// Which bytes are escaped. Within a run of backslashes every second one is; adding the start of a run to it carries
    /// over its end, and whether that is an odd or an even place tells whether what follows is escaped.
    #[inline(always)]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
        let escaping = backslashes & !self.escaped;
        let ends = ((escaping << 1) | ODD).wrapping_sub(escaping) ^ ODD;
        let escaped = ends ^ (backslashes | self.escaped);
        self.escaped = (ends & backslashes) >> 63;
        escaped
    }
}

/// Where the string ends whose text begins here, if that is within sixteen bytes and no escape comes before: so are nearly
/// all keys. Takes what every processor has, because a choice would cost as much as the look.
#[inline]
pub(super) fn short_end(text: &[u8]) -> Option<usize> {
    let text = text.first_chunk()?;
    let (end, escape) = dispatch!(Level::baseline(), simd => short_masks(simd, text));
    let (end, escape) = (end.trailing_zeros(), escape.trailing_zeros());
    (end < 16 && end < escape).then_some(end as usize)
}

/// Quotes and backslashes.
#[inline(always)]
fn short_masks<S: Simd>(simd: S, text: &[u8; 16]) -> (u64, u64) {
    let text = u8x16::load_array_ref(simd, text);
    let is = |byte: u8| text.simd_eq(byte).to_bitmask();
    (is(b'"'), is(b'\\'))
}

/// For every bit the parity of itself and all below.
#[inline(always)]
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Brackets of both kinds differ in one bit.
#[inline(always)]
fn brackets<S: Simd>(block: u8x64<S>) -> u64 {
    let block = block | 0x20;
    (block.simd_eq(b'{') | block.simd_eq(b'}')).to_bitmask()
}

/// The levels of instructions that this machine has, from what every processor has to the best.
#[cfg(test)]
pub(super) fn levels() -> Vec<Level> {
    let best = Level::new();
    let mut levels = vec![Level::baseline()];
    #[cfg(target_arch = "x86_64")]
    {
        levels.extend(best.as_sse4_2().map(Simd::level));
        levels.extend(best.as_avx2().map(Simd::level));
    }
    levels.push(best);
    levels
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

    /// Where the skipping stops of a string's text, and the state it leaves.
    fn skipped(level: Level, text: &[u8]) -> (usize, Carry) {
        let mut carry = Carry::in_string();
        let at = dispatch!(level, simd => carry.skip_text(simd, text, 0));
        (at, carry)
    }

    #[test]
    fn skipping_stops_before_the_block_with_the_end() {
        for (text, stops_at) in [
            ("a".repeat(200), 192),
            (format!("{}\"{}", "a".repeat(70), "a".repeat(200)), 64),
            (format!("{}\\\"{}", "a".repeat(62), "a".repeat(200)), 256),
            (format!("{}\\\"{}", "a".repeat(63), "a".repeat(200)), 256),
            (format!("{}\\\\\"{}", "a".repeat(62), "a".repeat(200)), 64),
            ("\\".repeat(128) + "\"", 128),
            ("\\".repeat(129) + "\"" + &"a".repeat(62), 192),
        ] {
            for level in levels() {
                assert_eq!(skipped(level, text.as_bytes()).0, stops_at, "{text}");
            }
        }
        for level in levels() {
            let beyond = dispatch!(level, simd => Carry::in_string().skip_text(simd, b"a", 7));
            assert_eq!(beyond, 7);
        }
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
            let expected = plain(text.as_bytes());
            for level in levels() {
                let mut carry = Carry::default();
                for (block, expected) in text.as_bytes().chunks(LEN).zip(expected.chunks(LEN)) {
                    let masks = dispatch!(level, simd => carry.masks(simd, block));
                    for (at, (is_quote, is_bracket)) in expected.iter().enumerate() {
                        assert_eq!(masks.quotes >> at & 1 == 1, *is_quote, "quote at {at} of {text}, {level:?}");
                        assert_eq!(masks.brackets >> at & 1 == 1, *is_bracket, "bracket at {at} of {text}, {level:?}");
                    }
                }
            }
        }

        #[test]
        fn skipped_text_holds_no_end(text in r#"(\\"|\\\\|\\n|\\{62,66}|a{0,50}){0,60}("|\\\\"|\\\\\\")"#) {
            let body = format!("\"{text}{}", "b".repeat(130));
            let plain = plain(body.as_bytes());
            let end = (1..plain.len()).find(|at| plain[*at].0).map(|at| at - 1);
            let text = &body.as_bytes()[1..];
            for level in levels() {
                let (at, mut carry) = skipped(level, text);
                assert_eq!(at, end.unwrap_or(text.len()) / LEN * LEN, "{level:?}");
                let quotes = dispatch!(level, simd => carry.masks(simd, &text[at..])).quotes;
                let found = (quotes != 0).then(|| at + quotes.trailing_zeros() as usize);
                assert_eq!(found, end, "{level:?}");
            }
        }
    }
}
