//! Selection as a specification.

use std::collections::BTreeMap;

use entity::value::{MatchKind, ProviderType, Secret};

use super::*;
use crate::domain::pattern::Pattern;
use crate::domain::provider::{BaseUrl, Redirect};

fn provider(id: i64, change: impl FnOnce(&mut Provider)) -> Arc<Provider> {
    let base = BaseUrl::parse("http://127.0.0.1:1").unwrap();
    let mut provider = Provider::new(id, ProviderType::Claude, base, Secret::new("k"));
    change(&mut provider);
    Arc::new(provider)
}

fn exact(name: &str) -> Pattern {
    Pattern::new(MatchKind::Exact, name).unwrap()
}

fn wanted() -> Wanted<'static> {
    Wanted {
        protocol: Protocol::Anthropic,
        model: Some("m"),
        groups: &[],
        exhausted: &[],
        nominee: None,
    }
}

fn chosen(providers: &[Arc<Provider>], wanted: &Wanted<'_>) -> Vec<i64> {
    let mut ids: Vec<i64> = (0..100)
        .filter_map(|i| select(providers, wanted, f64::from(i) / 100.0))
        .map(|choice| choice.provider.id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn only_providers_that_pass_every_condition_are_chosen() {
    let providers = [
        provider(1, |_| ()),
        provider(2, |p| p.is_enabled = false),
        provider(3, |p| p.weight = 0),
        provider(4, |p| p.kind = ProviderType::Codex),
        provider(5, |p| p.groups = vec!["team".into()]),
        provider(6, |p| p.allowed_models = vec![exact("other")]),
        provider(7, |p| {
            p.allowed_models = vec![exact("other")];
            p.model_redirects = vec![Redirect {
                source: exact("m"),
                target: "other".into(),
            }];
        }),
        provider(8, |p| p.kind = ProviderType::ClaudeAuth),
    ];
    assert_eq!(chosen(&providers, &wanted()), [1, 7, 8]);
    let exhausted = Wanted {
        exhausted: &[1, 8],
        ..wanted()
    };
    assert_eq!(chosen(&providers, &exhausted), [7]);
    assert_eq!(chosen(&[], &wanted()), [0i64; 0]);
}

#[test]
fn the_lowest_tier_goes_first_and_a_groups_own_tier_wins() {
    let providers = [
        provider(1, |p| p.priority = 1),
        provider(2, |p| p.priority = 2),
        provider(3, |p| {
            p.priority = 3;
            p.groups = vec!["team".into(), "default".into()];
            p.group_priorities = BTreeMap::from([("team".into(), 0)]);
        }),
    ];
    assert_eq!(chosen(&providers, &wanted()), [1]);
    let team = ["team".to_owned(), "default".to_owned()];
    let in_team = Wanted {
        groups: &team,
        ..wanted()
    };
    assert_eq!(chosen(&providers, &in_team), [3]);
    let any = ["*".to_owned()];
    let everywhere = Wanted {
        groups: &any,
        exhausted: &[1, 2],
        ..wanted()
    };
    assert_eq!(chosen(&providers, &everywhere), [3]);
}

#[test]
fn the_draw_follows_the_weights() {
    let providers = [
        provider(1, |p| p.weight = 1),
        provider(2, |p| p.weight = 3),
        provider(3, |p| p.priority = 9),
    ];
    let mut counts = [0; 4];
    for i in 0..1000 {
        let choice = select(&providers, &wanted(), f64::from(i) / 1000.0).unwrap();
        counts[usize::try_from(choice.provider.id).unwrap()] += 1;
    }
    assert_eq!(counts, [0, 250, 750, 0]);
    let choice = select(&providers, &wanted(), 0.9).unwrap();
    assert!((choice.selection.probability - 0.75).abs() < 1e-9);
}

#[test]
fn a_nominee_is_taken_only_if_it_passes() {
    let providers = [provider(1, |_| ()), provider(2, |p| p.priority = 5)];
    let nominated = Wanted {
        nominee: Some(2),
        ..wanted()
    };
    assert_eq!(chosen(&providers, &nominated), [2]);
    let exhausted = Wanted {
        exhausted: &[2],
        ..nominated
    };
    assert_eq!(chosen(&providers, &exhausted), [1]);
}
