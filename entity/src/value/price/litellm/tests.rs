//! Tests of reading the public table, and of what follows from it: costs against an independent computation from the same text.

use serde_json::Value;

use super::super::{CacheRule, Quantities, Terms, cost};
use super::*;
use crate::value::Multiplier;

/// Figures of models that between them have every feature, as the public table has them.
const SAMPLE_JSON: &str = include_str!("sample.json");

#[test]
fn fields_become_figures() {
    let listing = read(
        r#"{
        "sample_spec": {"input_cost_per_token": 0},
        "m": {"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05, "mode": "chat", "litellm_provider": "x",
              "cache_creation_input_token_cost_above_1hr": 6e-06, "cache_creation_input_token_cost": 0.00000375,
              "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.2e-05, "input_cost_per_token_above_128_tokens": 4e-06,
              "input_cost_per_token_batches": 1.5e-6, "output_cost_per_token_above_272k_tokens_priority": 3e-05,
              "input_cost_per_token_cache_hit": 3e-07, "input_cost_per_second": 0.1, "input_cost_per_request": 0.005,
              "search_context_cost_per_query": {"a": 1}, "cache_read_input_token_cost_flex": null}
        }"#,
    )
    .unwrap();
    let listed = &listing.models["m"];
    assert_eq!(
        listed.price.to_string(),
        "input=3 output=15 cache-read=0.3 cache-write-5m=3.75 cache-write-1h=6 per-request=0.005 input:batch=1.5 input>128=4 \
         cache-write-1h>200000=12 output>272000:priority=30"
    );
    assert_eq!(listed.unmetered, ["input_cost_per_second"]);
    assert_eq!((listing.models.len(), listing.ignored.len()), (1, 0));
}

#[test]
fn what_is_no_price_is_passed_over_with_its_reason() {
    let listing = read(
        r#"{"seconds": {"input_cost_per_second": 0.1}, "empty": {"input_cost_per_token": 0, "input_cost_per_second": 0.1},
            "free": {"input_cost_per_token": 0.0, "output_cost_per_token": 0}, "list": [1], "minus": {"input_cost_per_token": -1e-6},
            "dear": {"input_cost_per_token": 1001}, "": {"input_cost_per_token": 1e-6}, "a\u0000b": {"input_cost_per_token": 1e-6}}"#,
    )
    .unwrap();
    assert_eq!(listing.models.keys().collect::<Vec<_>>(), ["free"]);
    let why = |name: &str| listing.ignored[name].to_string();
    assert!(why("seconds").contains("no price") && why("empty").contains("no price"));
    assert!(
        why("list").contains("object") && why("").contains("name") && why("a\0b").contains("name")
    );
    assert!(why("minus").contains("input_cost_per_token must be"));
    assert!(why("dear").contains("at most 1000"));
    assert!(read("[]").is_err() && read("{").is_err());
}

#[test]
fn ranges_are_thresholds() {
    let listing = read(
        r#"{"m": {"tiered_pricing": [
            {"input_cost_per_token": 5e-08, "output_cost_per_token": 4e-07, "range": [0, 256000.0]},
            {"input_cost_per_token": 2.5e-07, "output_cost_per_reasoning_token": 2e-06, "range": [256000.0, 1000000.0]},
            {"input_cost_per_query": 0.1, "max_results_range": [0, 25]}]},
            "odd": {"tiered_pricing": {"range": 1}}, "bad": {"tiered_pricing": [{"range": [0, 1], "input_cost_per_token": -1}]}}"#,
    )
    .unwrap();
    assert_eq!(
        listing.models["m"].price.to_string(),
        "input=0.05 output=0.4 input>256000=0.25 reasoning>256000=2"
    );
    assert_eq!(listing.ignored.len(), 2);
}

#[test]
fn xais_thresholds_are_reached_not_exceeded() {
    let of = |provider: &str| {
        let json = format!(
            r#"{{"m": {{"litellm_provider": "{provider}", "input_cost_per_token": 1e-6, "input_cost_per_token_above_200k_tokens": 2e-6}}}}"#
        );
        read(&json).unwrap().models["m"].price.to_string()
    };
    assert_eq!(of("xai"), "input=1 input>199999=2");
    assert_eq!(of("openai"), "input=1 input>200000=2");
}

// --- an independent computation ---

/// 10^-24 USD: fine enough for every literal, coarse enough for 128 bits.
const SCALE: i32 = 24;

/// A figure straight from its literal.
fn figure(text: &str) -> i128 {
    let (number, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().unwrap();
    let power = SCALE + exponent.parse::<i32>().unwrap() - i32::try_from(fraction.len()).unwrap();
    digits * 10i128.pow(u32::try_from(power).unwrap())
}

struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    fn get(&self, name: &str) -> Option<i128> {
        let text = self.0.get(name)?.get();
        (text.as_bytes()[0].is_ascii_digit()).then(|| figure(text))
    }

    /// The best field for a token kind, by the names the file has.
    fn best(&self, name: &str, above: &str, tier: &str) -> Option<i128> {
        self.get(&format!("{name}{above}{tier}"))
            .or_else(|| self.get(&format!("{name}{above}")))
            .or_else(|| self.get(&format!("{name}{tier}")))
            .or_else(|| self.get(name))
    }

    /// The suffix of the highest threshold the prompt is above.
    fn above(&self, context: u64, tier: &str) -> String {
        let is_xai = self.0["litellm_provider"].get() == "\"xai\"";
        let mut best = (0, String::new());
        for name in self.0.keys() {
            let Some((_, rest)) = name.rsplit_once("_above_") else {
                continue;
            };
            let Some((number, suffix)) = rest.split_once("k_tokens") else {
                continue;
            };
            let limit = number.parse::<u64>().unwrap() * 1000;
            let is_over = context > limit || (is_xai && context == limit);
            let counts = suffix.is_empty() || suffix == tier;
            if is_over && counts && limit > best.0 {
                best = (limit, format!("_above_{number}k_tokens"));
            }
        }
        best.1
    }
}

/// What the model's tokens cost, in nano-USD, from the fields alone.
fn expected(
    model: &str,
    fields: &Fields,
    used: &Quantities,
    tier: &str,
    factors: [i128; 2],
) -> i64 {
    let context =
        used.input + used.cache_read + used.cache_write_5m + used.cache_write_1h + used.image_input;
    let above = fields.above(context, tier);
    let best = |name| fields.best(name, &above, tier);
    let is_claude = model.contains("claude");
    let input = best("input_cost_per_token").unwrap_or(0);
    let output = best("output_cost_per_token").unwrap_or(0);
    let read = best("cache_read_input_token_cost")
        .or_else(|| fields.get("input_cost_per_token_cache_hit"))
        .unwrap_or(if is_claude { input / 10 } else { input });
    let write = best("cache_creation_input_token_cost").unwrap_or(if is_claude {
        input * 5 / 4
    } else {
        input
    });
    let long = best("cache_creation_input_token_cost_above_1hr").unwrap_or(if is_claude {
        input * 2
    } else {
        write
    });
    let long_prompt = above.as_str();
    let nearest_first = [(long_prompt, tier), (long_prompt, ""), ("", tier), ("", "")];
    let thinking = |(above, tier): &(&str, &str)| {
        let own = fields.get(&format!("output_cost_per_reasoning_token{above}{tier}"));
        own.or_else(|| fields.get(&format!("output_cost_per_token{above}{tier}")))
    };
    let reasoning = nearest_first.iter().find_map(thinking).unwrap_or(0);
    let of = |tokens: u64, price: i128| i128::from(tokens) * price;
    let sum = of(used.input, input)
        + of(used.cache_read, read)
        + of(used.cache_write_5m, write)
        + of(used.cache_write_1h, long)
        + of(used.output - used.reasoning, output)
        + of(used.reasoning, reasoning)
        + of(
            used.image_input,
            best("input_cost_per_image_token").unwrap_or(input),
        )
        + of(
            used.image_output,
            best("output_cost_per_image_token").unwrap_or(output),
        )
        + of(used.requests, best("input_cost_per_request").unwrap_or(0));
    // 10^-24 USD to 10^-9 USD, and factors in hundredths.
    let scaled = sum * factors[0] * factors[1];
    let unit = 10i128.pow(15) * 10_000;
    let (nano, rest) = (scaled / unit, scaled % unit);
    let is_up = rest * 2 > unit || (rest * 2 == unit && nano % 2 == 1);
    i64::try_from(nano + i128::from(is_up)).unwrap()
}

/// Small numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    /// A bucket: often empty, mostly small, at times beyond every threshold.
    fn tokens(&mut self) -> u64 {
        match self.roll(8) {
            0 | 1 => 0,
            7 => self.roll(600_000),
            _ => self.roll(60_000),
        }
    }

    fn usage(&mut self) -> Quantities {
        let output = self.tokens() / 4;
        Quantities {
            input: self.tokens(),
            cache_read: self.tokens(),
            cache_write_5m: self.tokens(),
            cache_write_1h: self.tokens(),
            output,
            reasoning: self.roll(output + 1),
            image_input: self.tokens() / 8,
            image_output: self.tokens() / 8,
            requests: self.roll(2),
            ..Quantities::default()
        }
    }
}

#[test]
fn a_thousand_costs_equal_an_independent_computation() {
    let listing = read(SAMPLE_JSON).unwrap();
    let entries: BTreeMap<String, BTreeMap<String, Box<RawValue>>> =
        serde_json::from_str(SAMPLE_JSON).unwrap();
    assert!(listing.models.len() >= 50);
    let tiers = [
        (None, ""),
        (Some(ServiceTier::Priority), "_priority"),
        (Some(ServiceTier::Flex), "_flex"),
        (Some(ServiceTier::Batch), "_batches"),
        (Some(ServiceTier::Ultrafast), "_ultrafast"),
    ];
    let mut dice = Dice(42);
    let (mut compared, mut above, mut total) = (0, 0, 0i128);
    for (model, fields) in entries {
        let Some(listed) = listing.models.get(&model) else {
            continue;
        };
        let fields = Fields(fields);
        for round in 0..25 {
            let used = dice.usage();
            let (service, tier) = tiers[round % tiers.len()];
            let hundredths = [
                dice.roll(300),
                if round % 3 == 0 { 100 } else { dice.roll(200) },
            ];
            let text = |n: u64| {
                format!("{}.{:02}", n / 100, n % 100)
                    .parse::<Multiplier>()
                    .unwrap()
            };
            let terms = Terms {
                service,
                multipliers: hundredths.map(text),
            };
            let got = cost(&listed.price, CacheRule::of_model(&model), &used, terms);
            let want = expected(&model, &fields, &used, tier, hundredths.map(i128::from));
            assert_eq!(
                got.nano_usd, want,
                "{model} {used:?} {terms:?} {}",
                listed.price
            );
            compared += 1;
            above += u32::from(got.above > 0);
            total += i128::from(want);
        }
    }
    assert!(
        compared >= 1000 && above > 50 && total > 0,
        "{compared} {above} {total}"
    );
}

#[test]
fn the_sample_has_what_it_is_for() {
    let value: Value = serde_json::from_str(SAMPLE_JSON).unwrap();
    for part in [
        "_above_272k_tokens_priority",
        "_flex",
        "_batches",
        "above_1hr_above_200k",
        "reasoning",
        "image_token",
        "per_request",
    ] {
        let found = value.as_object().unwrap().values();
        let mut names = found.flat_map(|e| e.as_object().unwrap().keys());
        assert!(names.any(|name| name.contains(part)), "{part}");
    }
}
