//! The weighted choice among providers of one tier.
//!
//! A random draw walks to a point on the line of all weights. A draw for a conversation is weighted rendezvous hashing: each
//! provider gets a number `u` in `0..1` from a hash of the conversation and its id, and the highest score `-weight / ln(u)` wins.
//! `-ln(u) / weight` is exponentially distributed with the weight as its rate, and of several such clocks each rings
//! first with the chance of its share of the rates: the conversations spread by weight as random draws do.
//!
//! What it is for: providers cache a prompt's prefix, and a turn that goes where the last one went costs a tenth. The score
//! of a pair depends on nothing else, neither on a table that nodes would have to share and could lose, nor
//! on the other providers. So every node picks the same provider at every turn while the candidates stay the same. When one goes, only
//! its own conversations move, and spread over the others by weight; when it returns, exactly those come back. When one comes, or its
//! weight grows, conversations move to it and between no others. A point on a line, or a hash modulo the sum, would
//! move nearly all of them each time, and with them everybody's cached prefixes.
//!
//! The hash is written out here because it must be the same on every node, in every version and on every processor, which the standard library's is
//! not. It needs no defence against chosen input: whoever picks their conversation's hash picks their own provider, no more.

use std::sync::Arc;

use super::wanted::Draw;
use crate::domain::provider::Provider;

/// Picks one; `weights` is the sum of the candidates'. None when there is no candidate.
pub fn draw<'p>(
    candidates: impl Iterator<Item = &'p Arc<Provider>>,
    weights: u64,
    draw: Draw,
) -> Option<&'p Arc<Provider>> {
    match draw {
        Draw::Random(point) => at_point(candidates, weights, point),
        Draw::Conversation(conversation) => rendezvous(candidates, conversation),
    }
}

fn at_point<'p>(
    candidates: impl Iterator<Item = &'p Arc<Provider>>,
    weights: u64,
    point: f64,
) -> Option<&'p Arc<Provider>> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "weights are small and the point is within 0..1"
    )]
    let mut left = (point * weights as f64) as u64;
    let mut last = None;
    for provider in candidates {
        last = Some(provider);
        let weight = u64::from(provider.weight);
        if left < weight {
            break;
        }
        left -= weight;
    }
    last
}

fn rendezvous<'p>(
    candidates: impl Iterator<Item = &'p Arc<Provider>>,
    conversation: u64,
) -> Option<&'p Arc<Provider>> {
    candidates
        .map(|provider| (score(conversation, provider), provider))
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, provider)| provider)
}

/// Above 0 and finite, as `u` is neither 0 nor 1.
fn score(conversation: u64, provider: &Provider) -> f64 {
    let hash = mix(conversation ^ mix(provider.id.cast_unsigned()));
    #[expect(clippy::cast_precision_loss, reason = "52 bits and a half fit exactly")]
    let u = ((hash >> 12) as f64 + 0.5) / (1u64 << 52) as f64;
    -f64::from(provider.weight) / u.ln()
}

/// A step of `SplitMix64` (Steele, Lea, Flood 2014): every bit of the input changes each bit of the output about half the time.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
