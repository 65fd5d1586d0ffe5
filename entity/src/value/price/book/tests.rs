//! Tests of finding prices.

use chrono::TimeZone;

use super::*;

fn day(day: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, day, 0, 0, 0).unwrap()
}

fn row(id: i64, model: &str, source: Source, price: &str, from: u32) -> PriceRow {
    PriceRow {
        id,
        model: model.to_owned(),
        source,
        price: price.parse().ok(),
        aliases: Vec::new(),
        effective_at: day(from),
    }
}

fn found(book: &PriceBook, model: &str, at: u32) -> Option<String> {
    let priced = book.lookup(model, day(at))?;
    Some(format!("{} {}", priced.reference(), priced.price))
}

#[test]
fn the_row_that_holds_at_the_moment_counts() {
    let book = PriceBook::new([
        row(3, "m", Source::Manual, "input=3", 10),
        row(1, "m", Source::Synced, "input=1", 2),
        row(4, "m", Source::Manual, "", 12),
        row(2, "m", Source::Synced, "input=2", 5),
        row(5, "m", Source::Manual, "input=5", 20),
    ]);
    let at = |d| found(&book, "m", d);
    assert_eq!(at(1), None, "before the first");
    assert_eq!(at(2).unwrap(), "synced:1 input=1");
    assert_eq!(at(5).unwrap(), "synced:2 input=2");
    assert_eq!(at(10).unwrap(), "manual:3 input=3", "the hand wins");
    assert_eq!(at(12).unwrap(), "synced:2 input=2", "the hand let go");
    assert_eq!(at(25).unwrap(), "manual:5 input=5");
    let without = book.exact_without_manual("m", day(25)).unwrap();
    assert_eq!(without.reference(), "synced:2");
    assert_eq!(
        book.rows("m").map(|r| r.id).collect::<Vec<_>>(),
        [3, 4, 5, 1, 2]
    );
}

#[test]
fn stored_rows_win_over_the_built_in_table() {
    let book = PriceBook::default();
    let builtin = book.lookup("claude-opus-4-7", day(1)).unwrap();
    assert_eq!((builtin.source, builtin.row), (Source::Builtin, None));
    assert_eq!(builtin.cache_rule(), CacheRule::Anthropic);
    let book = PriceBook::new([row(1, "claude-opus-4-7", Source::Synced, "input=1", 5)]);
    assert_eq!(
        found(&book, "claude-opus-4-7", 5).unwrap(),
        "synced:1 input=1"
    );
    assert!(
        found(&book, "claude-opus-4-7", 4)
            .unwrap()
            .starts_with("builtin input=5")
    );
    assert!(book.models().contains(&"claude-opus-4-7"));
    assert!(book.models().is_sorted());
}

#[test]
fn an_alias_and_other_names_lead_to_the_model() {
    let mut aliased = row(1, "house-model", Source::Manual, "input=1", 1);
    aliased.aliases = vec!["team-fast".to_owned(), "claude-opus-4-7".to_owned()];
    let book = PriceBook::new([
        aliased,
        row(2, "x/with-prefix", Source::Manual, "input=2", 1),
    ]);
    assert_eq!(found(&book, "team-fast", 2).unwrap(), "manual:1 input=1");
    assert_eq!(
        found(&book, "team-fast-20250929", 2).unwrap(),
        "manual:1 input=1"
    );
    assert!(
        found(&book, "claude-opus-4-7", 2)
            .unwrap()
            .starts_with("builtin"),
        "its own name is nearer"
    );
    assert_eq!(
        found(&book, "x/with-prefix", 2).unwrap(),
        "manual:2 input=2"
    );
    assert_eq!(found(&book, "with-prefix", 2), None);
    let named = |model: &str| book.lookup(model, day(2)).unwrap().model.to_owned();
    assert_eq!(
        named("openrouter/x-ai/claude-opus-4-7-20991231"),
        "claude-opus-4-7"
    );
    assert_eq!(named("models/gemini-2.5-pro"), "gemini-2.5-pro");
    assert_eq!(
        named("us.anthropic.claude-opus-4-7"),
        "us.anthropic.claude-opus-4-7",
        "listed by itself"
    );
    assert_eq!(named("kimi-k2.5"), "moonshot/kimi-k2.5");
}

#[test]
fn a_newer_version_is_not_swallowed() {
    let book = PriceBook::default();
    for unknown in [
        "claude-opus-4-99",
        "claude-opus-4-99-20991231",
        "gpt-5.99",
        "gpt-5-2026-08-07x",
        "anthropic/claude-opus-99",
        "gemini-2.5-prox",
        "",
    ] {
        assert_eq!(found(&book, unknown, 1), None, "{unknown}");
    }
}

#[test]
fn what_is_remembered_has_an_end_and_stays_right() {
    let book = PriceBook::new([row(1, "m", Source::Manual, "input=1", 5)]);
    for at in [4, 5, 4, 6] {
        let wanted = (at >= 5).then(|| "manual:1 input=1".to_owned());
        assert_eq!(found(&book, "models/m", at), wanted);
    }
    for number in 0..MAX_REMEMBERED + 10 {
        assert_eq!(found(&book, &format!("unknown-{number}"), 6), None);
    }
    assert_eq!(book.remembered.read().unwrap().len(), MAX_REMEMBERED);
    assert_eq!(found(&book, "openai/m", 6).unwrap(), "manual:1 input=1");
}
