//! When a conversation returns to a better tier.

use std::time::Duration;

use entity::value::{GatewaySettings, Multiplier};

/// What a cached input token costs, in hundredths of an uncached one.
const CACHE_READ: i128 = 10;
/// What an input token costs that is read and cached, in the same unit.
const CACHE_WRITE: i128 = 125;

/// A conversation at home in one tier while a better one is available.
#[derive(Debug, Clone, Copy)]
pub struct Stay<'a> {
    /// Time since its last success where it is.
    pub idle: Duration,
    /// Bytes of its prompt that are cached there.
    pub cached_bytes: usize,
    /// What the provider it is bound to charges, its group's factor included.
    pub bound: Multiplier,
    /// What the best provider that is available now in a better tier charges, its group's factor included.
    pub better: Multiplier,
    /// The operator's settings.
    pub settings: &'a GatewaySettings,
}

/// Whether a conversation stays where it is although a provider of a better tier is available again.
///
/// After a failover a conversation sits with a provider that the operator prefers less, as a rule because it is dearer.
/// Sending it back at once throws away the cache it has built there; never sending it back pays the dearer price for as
/// long as it lasts. So the two are weighed, in units of the model's input price for one token:
///
/// - Moving costs once: the better provider reads the whole prefix at the price of a cache write, where it would have been
///   a cache read had the conversation been there all along. `prefix × (1.25 − 0.1) × better`.
/// - Staying costs at every turn: the prefix is read from the cache at the dearer price.
///   `turns × prefix × 0.1 × (bound − better)`. The turns a conversation still has are not known; the operator reckons with
///   `sticky_horizon_turns`.
///
/// It stays while staying is cheaper or equal, hence always where the better tier is not cheaper: then the tier says what
/// to prefer for new conversations, and old ones end where they are. The prefix is on both sides and falls out, so that
/// long and short conversations go back by the same price gap; new text of a turn is paid in full either way and is left
/// out. With the default of 10 turns the gap is a factor of 2.15: what is bound at 1.0 goes back to 0.46, and stays beside
/// 0.47.
///
/// Nothing of this holds when there is no cache to lose: after `sticky_cache_seconds` of rest, or when nothing was cached
/// at all. Then it returns, whatever the prices: the tier is the operator's word.
///
/// The factors are those that Anthropic publishes for its prompt cache: a read is 0.1 of the input price and a write for
/// five minutes 1.25. Other vendors have other factors, which moves the gap and not the rule.
#[must_use]
pub fn stays(stay: Stay<'_>) -> bool {
    let cache_life = Duration::from_secs(stay.settings.sticky_cache_seconds.into());
    if stay.idle > cache_life || stay.cached_bytes == 0 {
        return false;
    }
    let (bound, better) = (stay.bound.millionths(), stay.better.millionths());
    let (bound, better) = (i128::from(bound), i128::from(better));
    let turns = i128::from(stay.settings.sticky_horizon_turns);
    let staying = turns * CACHE_READ * (bound - better);
    let moving = (CACHE_WRITE - CACHE_READ) * better;
    staying <= moving
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, proptest};

    use super::*;

    fn times(millionths: u32) -> Multiplier {
        format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
            .parse()
            .unwrap()
    }

    fn settings(turns: u32) -> GatewaySettings {
        GatewaySettings {
            sticky_horizon_turns: turns,
            ..GatewaySettings::default()
        }
    }

    fn at(bound: &str, better: &str) -> bool {
        stays(Stay {
            idle: Duration::from_secs(60),
            cached_bytes: 100_000,
            bound: bound.parse().unwrap(),
            better: better.parse().unwrap(),
            settings: &settings(10),
        })
    }

    #[test]
    fn a_warm_conversation_goes_back_only_over_a_wide_gap() {
        assert!(at("1", "1"), "nothing to gain");
        assert!(at("1", "1.5"), "dearer");
        assert!(at("1", "0.8"), "ten turns save less than a write costs");
        // 10 × 0.1 × (2.15 − 1) = 1.15 × 1: equal.
        assert!(at("2.15", "1"));
        assert!(!at("2.150001", "1"));
        assert!(!at("1", "0.465116"));
        assert!(at("1", "0.465117"));
        assert!(!at("0.000001", "0"), "free");
        assert!(at("0", "0"));
    }

    #[test]
    fn a_cold_one_goes_back_at_once() {
        let settings = settings(10);
        let cold = |idle: Duration, cached_bytes| {
            stays(Stay {
                idle,
                cached_bytes,
                bound: Multiplier::ONE,
                better: Multiplier::ONE,
                settings: &settings,
            })
        };
        assert!(cold(Duration::from_secs(300), 1));
        assert!(!cold(Duration::from_millis(300_001), 1));
        assert!(!cold(Duration::ZERO, 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// Whatever makes moving more attractive never turns a move into a stay.
        #[test]
        fn it_is_monotone(
            idle in 0u64..600, more_idle in 0u64..600,
            bound in 0u32..1_000_000_000, dearer in 0u32..1_000_000_000,
            better in 0u32..1_000_000_000, cheaper in 0u32..1_000_000_000,
            turns: u32, more_turns: u32, cached_bytes in 1usize..1_000_000,
        ) {
            let of = |idle, bound: u32, better, turns| {
                let settings = settings(turns);
                stays(Stay {
                    idle: Duration::from_secs(idle),
                    cached_bytes,
                    bound: times(bound),
                    better: times(better),
                    settings: &settings,
                })
            };
            if !of(idle, bound, better, turns) {
                assert!(!of(idle + more_idle, bound, better, turns));
                assert!(!of(idle, bound.max(dearer), better, turns));
                assert!(!of(idle, bound, better.min(cheaper), turns));
                assert!(idle > 300 || !of(idle, bound, better, turns.max(more_turns)));
            } else {
                assert!(of(idle / 2, bound, better, turns));
            }
            // Warm, and not cheaper elsewhere.
            if idle <= 300 && better >= bound {
                assert!(of(idle, bound, better, turns));
            }
        }
    }
}
