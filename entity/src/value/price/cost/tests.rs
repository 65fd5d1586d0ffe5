//! Tests of the arithmetic.

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::*;

fn priced(text: &str, rule: CacheRule, used: Quantities, service: Option<ServiceTier>) -> Cost {
    let price: Price = text.parse().unwrap();
    let terms = Terms {
        service,
        ..Terms::default()
    };
    cost(&price, rule, &used, terms)
}

/// Nano-USD at the list price.
fn nano(text: &str, used: Quantities) -> i64 {
    priced(text, CacheRule::Input, used, None).nano_usd
}

fn factor(text: &str) -> Multiplier {
    text.parse().unwrap()
}

const USED: Quantities = Quantities {
    input: 1000,
    cache_read: 20_000,
    cache_write_5m: 300,
    cache_write_1h: 40,
    output: 500,
    reasoning: 200,
    image_input: 60,
    image_output: 7,
    input_images: 0,
    images: 0,
    requests: 1,
};

#[test]
fn each_bucket_has_its_price() {
    let text = "input=1 output=10 cache-read=0.1 cache-write-5m=1.25 cache-write-1h=2 reasoning=20 image-input=3 image-output=30 per-request=0.5";
    let expected = 1_000_000
        + 2_000_000
        + 375_000
        + 80_000
        + 3_000_000
        + 4_000_000
        + 180_000
        + 210_000
        + 500_000_000;
    assert_eq!(nano(text, USED), expected);
}

#[test]
fn what_is_not_listed_follows_published_rules_or_the_input_price() {
    let claude = priced("input=10 output=50", CacheRule::Anthropic, USED, None);
    let caches = 20_000_000 + 3_750_000 + 800_000;
    assert_eq!(
        claude.nano_usd,
        10_000_000 + caches + 25_000_000 + 600_000 + 350_000
    );
    assert!(claude.is_derived && !claude.is_incomplete);
    let other = priced("input=10 output=50", CacheRule::Input, USED, None);
    assert_eq!(other.nano_usd, 214_000_000 + 25_350_000);
    assert!(other.is_derived);
    let writes = Quantities {
        cache_write_1h: 10,
        ..Quantities::default()
    };
    assert_eq!(
        nano("input=1 cache-write-5m=3", writes),
        30_000,
        "an hour costs what writing costs"
    );
    let listed = priced(
        "input=1 cache-read=0 output=1",
        CacheRule::Anthropic,
        Quantities {
            cache_write_5m: 0,
            cache_write_1h: 0,
            ..USED
        },
        None,
    );
    assert!(
        !listed.is_derived && listed.nano_usd < 2_000_000,
        "nothing is a price too"
    );
}

#[test]
fn tokens_without_a_price_are_told() {
    let cost = priced("per-image=0.04", CacheRule::Input, USED, None);
    assert!(cost.is_incomplete);
    assert_eq!(cost.nano_usd, 0);
    let images = Quantities {
        images: 3,
        ..Quantities::default()
    };
    assert_eq!(nano("per-image=0.04", images), 120_000_000);
    assert_eq!(
        nano(
            "per-input-image=0.01",
            Quantities {
                input_images: 2,
                ..images
            }
        ),
        20_000_000
    );
    let measured = Quantities {
        image_output: 10,
        ..images
    };
    assert_eq!(
        nano("image-output=40 per-image=0.04", measured),
        400_000,
        "never both"
    );
}

#[test]
fn a_long_prompt_pays_the_long_price_for_everything() {
    let text =
        "input=3 output=15 cache-read=0.3 input>200000=6 output>200000=22.5 cache-read>200000=0.6";
    let used = |cache_read| Quantities {
        input: 100_000,
        cache_read,
        output: 1000,
        ..Quantities::default()
    };
    assert_eq!(
        nano(text, used(100_000)),
        300_000_000 + 30_000_000 + 15_000_000
    );
    let long = priced(text, CacheRule::Input, used(100_001), None);
    assert_eq!(long.nano_usd, 600_000_000 + 60_000_600 + 22_500_000);
    assert_eq!(long.above, 200_000);
}

#[test]
fn a_tier_pays_its_price_and_else_the_next_best() {
    let text = "input=1 output=2 input:priority=10 input>100=3 output>100=4 output>100:priority=40";
    let used = |input| Quantities {
        input,
        output: 1,
        ..Quantities::default()
    };
    let at = |input, service| priced(text, CacheRule::Input, used(input), service).nano_usd;
    assert_eq!(at(100, None), 100_000 + 2000);
    assert_eq!(at(100, Some(ServiceTier::Priority)), 1_000_000 + 2000);
    assert_eq!(at(101, Some(ServiceTier::Priority)), 303_000 + 40_000);
    assert_eq!(at(101, Some(ServiceTier::Flex)), 303_000 + 4000);
    assert_eq!(ServiceTier::from_provider("default"), ServiceTier::Standard);
    assert_eq!(
        ServiceTier::from_provider("priority"),
        ServiceTier::Priority
    );
}

#[test]
fn thinking_is_never_dearer_than_its_tier() {
    let thought = Quantities {
        output: 10,
        reasoning: 10,
        ..Quantities::default()
    };
    let text = "output=2 reasoning=3 output:flex=1 output:batch=1 reasoning:batch=1.5";
    let at = |service| priced(text, CacheRule::Input, thought, Some(service)).nano_usd;
    assert_eq!(at(ServiceTier::Standard), 30_000);
    assert_eq!(
        at(ServiceTier::Flex),
        10_000,
        "its output price, not the list price"
    );
    assert_eq!(at(ServiceTier::Batch), 15_000);
    assert_eq!(at(ServiceTier::Priority), 30_000);
}

#[test]
fn it_is_rounded_once_half_to_even() {
    let price: Price = "input=0.0005 output=0.001".parse().unwrap();
    let at = |input, output, factors: [&str; 2]| {
        let used = Quantities {
            input,
            output,
            ..Quantities::default()
        };
        let terms = Terms {
            service: None,
            multipliers: factors.map(factor),
        };
        cost(&price, CacheRule::Input, &used, terms).nano_usd
    };
    let one = ["1", "1"];
    assert_eq!([at(1, 0, one), at(3, 0, one), at(5, 0, one)], [0, 2, 2]);
    assert_eq!(at(1, 1, one), 2, "1.5, not 0 and 1");
    assert_eq!(at(1000, 0, ["0.5", "0.5"]), 125 - 1 + 1);
    assert_eq!(at(1, 0, ["1.000001", "1"]), 1);
    assert_eq!(
        at(1_000_000, 0, ["0", "1"]),
        0,
        "a factor of nothing is free"
    );
}

#[test]
fn the_largest_there_is_is_cut_and_says_so() {
    let figures = Bucket::ALL.map(|b| {
        format!(
            "{}={}",
            b.name(),
            if b.is_tokens() { "1000000000" } else { "1000" }
        )
    });
    let price: Price = figures.join(" ").parse().unwrap();
    let used = Quantities {
        input: u64::MAX,
        cache_read: u64::MAX,
        cache_write_5m: u64::MAX,
        cache_write_1h: u64::MAX,
        output: u64::MAX,
        reasoning: u64::MAX,
        image_input: u64::MAX,
        image_output: u64::MAX,
        input_images: u64::MAX,
        images: u64::MAX,
        requests: u64::MAX,
    };
    let terms = Terms {
        service: None,
        multipliers: [factor("1000"); 2],
    };
    let cost = cost(&price, CacheRule::Input, &used, terms);
    assert_eq!((cost.nano_usd, cost.is_cut), (i64::MAX, true));
}

fn figures() -> impl Strategy<Value = String> {
    (
        [0u32..100_000, 0u32..100_000, 0u32..100_000, 0u32..100_000],
        any::<bool>(),
    )
        .prop_map(|([i, o, r, w], is_tiered)| {
            let tiers = format!(" input>60000={} output>60000={}", i + 1, o + 1);
            format!(
                "input={i} output={o} cache-read=0.{r} cache-write-5m={w}{}",
                if is_tiered { tiers.as_str() } else { "" }
            )
        })
}

fn quantities(most: u64) -> impl Strategy<Value = Quantities> {
    [0..most, 0..most, 0..most, 0..most, 0..most, 0..most].prop_map(
        |[input, cache_read, write, output, reasoning, image]| Quantities {
            input,
            cache_read,
            cache_write_5m: write,
            output,
            reasoning,
            image_output: image,
            ..Quantities::default()
        },
    )
}

proptest! {
    #[test]
    fn costs_add_up_before_rounding(text in figures(), a in quantities(10_000), b in quantities(10_000)) {
        let price: Price = text.parse().unwrap();
        let of = |used: &Quantities| cost(&price, CacheRule::Input, used, Terms::default());
        let sum = Quantities {
            input: a.input + b.input,
            cache_read: a.cache_read + b.cache_read,
            cache_write_5m: a.cache_write_5m + b.cache_write_5m,
            output: a.output + b.output,
            reasoning: a.reasoning + b.reasoning,
            image_output: a.image_output + b.image_output,
            ..Quantities::default()
        };
        // Together they stay below the threshold, whose prices hold for a request as a whole.
        prop_assert_eq!(of(&a).base_femto_usd + of(&b).base_femto_usd, of(&sum).base_femto_usd);
    }

    #[test]
    fn more_tokens_never_cost_less(text in figures(), used in quantities(i64::MAX.unsigned_abs()), more in quantities(1 << 40), by in 0u32..1_000_000_000) {
        let price: Price = text.parse().unwrap();
        let millionths = format!("{}.{:06}", by / 1_000_000, by % 1_000_000);
        let terms = Terms { service: None, multipliers: [factor(&millionths), Multiplier::ONE] };
        let of = |used: &Quantities| cost(&price, CacheRule::Input, used, terms).nano_usd;
        let larger = Quantities {
            input: used.input.saturating_add(more.input),
            cache_read: used.cache_read.saturating_add(more.cache_read),
            cache_write_5m: used.cache_write_5m.saturating_add(more.cache_write_5m),
            output: used.output.saturating_add(more.output),
            ..used
        };
        prop_assert!(of(&used) >= 0);
        prop_assert!(of(&larger) >= of(&used));
    }

    #[test]
    fn rounding_is_exact(sum in any::<u64>(), factor in 0u64..=1_000_000_000_000) {
        let (sum, factor) = (u128::from(sum), u128::from(factor));
        let exact = sum * factor;
        let got = apply(sum, factor);
        let off = exact.abs_diff(got * DIVISOR);
        prop_assert!(off * 2 <= DIVISOR);
        prop_assert!(off * 2 < DIVISOR || got.is_multiple_of(2));
    }
}
