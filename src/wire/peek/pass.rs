//! Passes over containers and strings, a block at a time.
//!
//! A container's end is found by its brackets, and text has none that count. So its pass has two loops: one turns a block into
//! masks and visits the brackets in it; and once a block lies within a string as a whole, the other looks for nothing but that
//! string's end (`Carry::skip_text`). The block at which it stops is read once more, by the first.
//!
//! What costs most is a branch predicted wrongly, and how many brackets a block has cannot be predicted. Such a mistake costs
//! the more the later it is noticed, so nothing stands between the mask of brackets and the test of it: a backslash outside of
//! strings, which would cut the mask off, is an error, and is treated apart as one.
//!
//! Each pass is compiled for every level of instructions, and one is chosen as it begins. Short strings are not worth a choice.

use fearless_simd::{Level, Simd, dispatch};

use super::BadJson;
use super::nesting::Nesting;
use crate::wire::block::{self, Carry};

/// Is told of the containers in a value that is passed over, itself included.
pub(super) trait Watch {
    /// A container begins at `at`; `depth` is the number of those around it.
    fn opened(&mut self, body: &[u8], at: usize, depth: usize);
    /// A container has ended, its bracket before `end`.
    fn closed(&mut self, body: &[u8], end: usize, depth: usize);
}

impl Watch for () {
    fn opened(&mut self, _: &[u8], _: usize, _: usize) {}
    fn closed(&mut self, _: &[u8], _: usize, _: usize) {}
}

/// Where the container ends that begins at `start`.
pub(super) fn container(
    level: Level,
    body: &[u8],
    start: usize,
    watch: &mut impl Watch,
) -> Result<usize, BadJson> {
    dispatch!(level, simd => container_end(simd, body, start, watch))
}

/// Where the string ends whose text begins at `start`, if it does.
pub(super) fn string(level: Level, body: &[u8], start: usize) -> Option<usize> {
    match block::short_end(body.get(start..)?) {
        Some(length) => Some(start + length + 1),
        None => dispatch!(level, simd => string_end(simd, body, start)),
    }
}

#[inline(always)]
fn container_end<S: Simd>(
    simd: S,
    body: &[u8],
    start: usize,
    watch: &mut impl Watch,
) -> Result<usize, BadJson> {
    let bad = |at, what| Err(BadJson { at, what });
    let mut nesting = Nesting::default();
    let mut carry = Carry::default();
    let mut base = start;
    while base < body.len() {
        let masks = carry.masks(simd, &body[base..]);
        if masks.quotes == 0 && carry.is_inside() {
            base = carry.skip_text(simd, body, base + block::LEN);
            continue;
        }
        let mut brackets = masks.brackets;
        if masks.strays != 0 {
            brackets = before_first(brackets, masks.strays);
        }
        while brackets != 0 {
            let at = base + brackets.trailing_zeros() as usize;
            brackets &= brackets - 1;
            let byte = body[at];
            let is_brace = matches!(byte, b'{' | b'}');
            if matches!(byte, b'{' | b'[') {
                let depth = nesting.depth();
                if !nesting.open(is_brace) {
                    return bad(at, "nested too deeply");
                }
                watch.opened(body, at, depth);
            } else {
                if nesting.close() != is_brace {
                    return bad(at, "mismatched bracket");
                }
                let depth = nesting.depth();
                watch.closed(body, at + 1, depth);
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
        }
        if masks.strays != 0 {
            let at = base + masks.strays.trailing_zeros() as usize;
            return bad(at, "unexpected backslash");
        }
        base += block::LEN;
    }
    bad(body.len(), "unexpected end")
}

#[cold]
fn before_first(brackets: u64, strays: u64) -> u64 {
    brackets & !(strays | strays.wrapping_neg())
}

#[inline(always)]
fn string_end<S: Simd>(simd: S, body: &[u8], start: usize) -> Option<usize> {
    let mut carry = Carry::in_string();
    let base = carry.skip_text(simd, body, start);
    let quotes = carry.masks(simd, body.get(base..)?).quotes;
    (quotes != 0).then(|| base + quotes.trailing_zeros() as usize + 1)
}
