//! Selection as a specification.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use entity::value::{ActiveTime, MatchKind, ProviderType, Secret, TimeOfDay};

use super::*;
use crate::domain::chain::DroppedGroup;
use crate::domain::client::ClientRule;
use crate::domain::pattern::Pattern;
use crate::domain::provider::{BaseUrl, Redirect};

mod laws;

fn provider(id: i64, change: impl FnOnce(&mut Provider)) -> Arc<Provider> {
    let base = BaseUrl::parse("http://127.0.0.1:1").unwrap();
    let mut provider = Provider::new(id, ProviderType::Claude, base, Secret::new("k"));
    change(&mut provider);
    Arc::new(provider)
}

fn exact(name: &str) -> Pattern {
    Pattern::new(MatchKind::Exact, name).unwrap()
}

fn clients(rules: &[&str]) -> Vec<ClientRule> {
    rules.iter().map(|rule| ClientRule::new(rule)).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn wanted() -> Wanted<'static> {
    Wanted {
        protocol: Protocol::Anthropic,
        model: Some("m"),
        groups: &[],
        client: Some("claude-cli/2.1.197 (external, cli)"),
        minute: TimeOfDay::from_minutes(12 * 60),
        exhausted: &[],
        tried: &[],
        nominee: None,
        draw: Draw::Random(0.0),
        allows_last_resort: true,
    }
}

/// What is against each, and how bad it would be to ask it all the same.
#[derive(Debug, Default)]
struct Live {
    hindrances: HashMap<i64, (Hindrance, Option<u64>)>,
    asked: Cell<usize>,
}

impl Live {
    fn new(hindrances: &[(i64, Hindrance, Option<u64>)]) -> Self {
        let each = hindrances
            .iter()
            .map(|(id, what, bad)| (*id, (*what, *bad)));
        Self {
            hindrances: each.collect(),
            asked: Cell::new(0),
        }
    }
}

impl Standing for Live {
    fn hindrance(&self, provider: &Provider, _: Option<&str>) -> Option<Hindrance> {
        self.asked.set(self.asked.get() + 1);
        self.hindrances.get(&provider.id).map(|(what, _)| *what)
    }

    fn badness(&self, provider: &Provider, _: Option<&str>) -> Option<u64> {
        self.hindrances.get(&provider.id).and_then(|(_, bad)| *bad)
    }
}

/// Everybody that some draw takes.
fn chosen_by(providers: &[Arc<Provider>], wanted: &Wanted<'_>, live: &Live) -> Vec<i64> {
    let draws = (0..100u32).flat_map(|i| {
        [
            Draw::Random(f64::from(i) / 100.0),
            Draw::Conversation(i.into()),
        ]
    });
    let mut ids: Vec<i64> = draws
        .filter_map(|draw| select(providers, &Wanted { draw, ..*wanted }, live).ok())
        .map(|choice| choice.provider.id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn chosen(providers: &[Arc<Provider>], wanted: &Wanted<'_>) -> Vec<i64> {
    chosen_by(providers, wanted, &Live::default())
}

/// One provider for each reason, in the order of the checks, each failing all later checks too; the last passes.
fn one_of_each() -> (Vec<Arc<Provider>>, Live) {
    let mut providers = Vec::new();
    for fails in 1..=9 {
        providers.push(provider(fails, |p| {
            p.is_enabled = fails > 1;
            p.weight = u32::from(fails > 2);
            if fails <= 3 {
                p.kind = ProviderType::Codex;
            }
            if fails <= 4 {
                p.groups = texts(&["other"]);
            }
            if fails <= 5 {
                p.allowed_clients = clients(&["codex-cli"]);
            }
            if fails <= 6 {
                p.allowed_models = vec![exact("other")];
            }
            if fails <= 7 {
                let minute = TimeOfDay::from_minutes;
                p.active_time = Some(ActiveTime {
                    start: minute(13 * 60),
                    end: minute(12 * 60),
                });
            }
        }));
    }
    providers.extend((10..=13).map(|id| provider(id, |_| ())));
    let live = Live::new(&[
        (8, Hindrance::BreakerOpen, Some(0)),
        (9, Hindrance::BreakerOpen, Some(1)),
        (10, Hindrance::Resting, Some(1)),
        (11, Hindrance::Busy, Some(0)),
        (12, Hindrance::OverBudget, Some(0)),
    ]);
    (providers, live)
}

#[test]
fn each_is_dropped_by_the_first_check_that_it_fails() {
    let (providers, live) = one_of_each();
    let exhausted = [1, 2, 3, 4, 5, 6, 7, 8];
    let wanted = Wanted {
        exhausted: &exhausted,
        ..wanted()
    };
    let choice = select(&providers, &wanted, &live).unwrap();
    assert_eq!(
        live.asked.get(),
        5,
        "live state is asked last, and once each"
    );
    let selection = choice.selection;
    assert_eq!(choice.provider.id, 13);
    assert_eq!((selection.by, selection.kept), (How::Weight, vec![13]));
    assert_eq!(selection.considered, 13);
    let expected: Vec<DroppedGroup> = (1..)
        .zip(Dropped::ALL)
        .map(|(id, reason)| DroppedGroup {
            reason,
            providers: vec![id],
        })
        .collect();
    assert_eq!(selection.dropped, expected);
}

#[test]
fn when_nobody_is_left_the_reasons_are() {
    let providers = [
        provider(1, |p| p.is_enabled = false),
        provider(2, |p| p.kind = ProviderType::Codex),
        provider(3, |p| p.is_enabled = false),
    ];
    let group = |reason, providers: &[i64]| DroppedGroup {
        reason,
        providers: providers.to_vec(),
    };
    let nobody = select(&providers, &wanted(), &Live::default()).unwrap_err();
    assert_eq!(nobody.considered, 3);
    assert_eq!(
        nobody.dropped,
        [
            group(Dropped::Disabled, &[1, 3]),
            group(Dropped::Protocol, &[2])
        ]
    );
    let nobody = select(&[], &wanted(), &Live::default()).unwrap_err();
    assert_eq!((nobody.considered, nobody.dropped), (0, Vec::new()));
}

#[test]
fn a_model_is_served_by_a_rule_or_a_redirect() {
    let providers = [
        provider(1, |_| ()),
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
    let no_model = Wanted {
        model: None,
        ..wanted()
    };
    assert_eq!(chosen(&providers, &no_model), [1, 6, 7, 8]);
}

#[test]
fn the_hour_and_the_client_decide() {
    let minute = TimeOfDay::from_minutes;
    let night = |p: &mut Provider| {
        p.active_time = Some(ActiveTime {
            start: minute(22 * 60),
            end: minute(6 * 60),
        });
    };
    let providers = [
        provider(1, night),
        provider(2, |p| p.blocked_clients = clients(&["claude-code"])),
        provider(3, |p| p.allowed_clients = clients(&["claude-code"])),
    ];
    assert_eq!(chosen(&providers, &wanted()), [3]);
    let late = Wanted {
        minute: minute(23 * 60),
        client: Some("opencode/1.0"),
        ..wanted()
    };
    assert_eq!(chosen(&providers, &late), [1, 2]);
    let unnamed = Wanted {
        client: Some(" "),
        ..late
    };
    assert_eq!(chosen(&providers, &unnamed), [1, 2]);
}

#[test]
fn the_lowest_tier_goes_first_and_a_groups_own_tier_wins() {
    let providers = [
        provider(1, |p| p.priority = 1),
        provider(2, |p| p.priority = 2),
        provider(3, |p| {
            p.priority = 3;
            p.groups = texts(&["team", "default"]);
            p.group_priorities = BTreeMap::from([("team".into(), 0)]);
        }),
    ];
    assert_eq!(chosen(&providers, &wanted()), [1]);
    for groups in [&["team", "default"][..], &["*", "team"], &["team", "*"]] {
        let groups = texts(groups);
        let in_team = Wanted {
            groups: &groups,
            ..wanted()
        };
        assert_eq!(chosen(&providers, &in_team), [3], "{groups:?}");
    }
    let any = texts(&["*"]);
    let everywhere = Wanted {
        groups: &any,
        exhausted: &[1, 2],
        ..wanted()
    };
    assert_eq!(chosen(&providers, &everywhere), [3]);
}

#[test]
fn the_group_is_the_callers_first_that_the_provider_shares() {
    let table = [
        (&["a", "b"][..], &["b", "a"][..], "b"),
        (&["a", "b"], &["x", "a"], "a"),
        (&["a", "b"], &["*"], "a"),
        (&["a", "b"], &["*", "b"], "b"),
        (&["a", "default"], &[], "default"),
        (&[], &["a", "default"], "default"),
        (&[], &["*"], "default"),
        (&[], &[], "default"),
    ];
    for (own, callers, expected) in table {
        let providers = [provider(1, |p| p.groups = texts(own))];
        let groups = texts(callers);
        let wanted = Wanted {
            groups: &groups,
            ..wanted()
        };
        let choice = select(&providers, &wanted, &Live::default()).unwrap();
        assert_eq!(choice.group(), expected, "{own:?} for {callers:?}");
    }
}

#[test]
fn a_point_walks_the_line_of_weights() {
    let providers = [
        provider(1, |p| p.weight = 1),
        provider(2, |p| p.weight = 3),
        provider(3, |p| p.priority = 9),
    ];
    let at = |point| {
        let wanted = Wanted {
            draw: Draw::Random(point),
            ..wanted()
        };
        select(&providers, &wanted, &Live::default()).unwrap()
    };
    let ids: Vec<i64> = [0.0, 0.249, 0.25, 0.999].map(|p| at(p).provider.id).into();
    assert_eq!(ids, [1, 1, 2, 2]);
    let selection = at(0.9).selection;
    assert!((selection.probability - 0.75).abs() < 1e-9);
    assert_eq!((selection.tier, selection.weight), (0, 3));
    assert_eq!(selection.kept, [1, 2, 3], "of every tier");
}

#[test]
fn a_nominee_is_taken_whatever_its_tier_but_only_if_it_passes() {
    let providers = [provider(1, |_| ()), provider(2, |p| p.priority = 5)];
    for (by, how) in [
        (Nomination::Retry, How::Retry),
        (Nomination::Session, How::Session),
        (Nomination::Prefix, How::Prefix),
    ] {
        let nominated = Wanted {
            nominee: Some(Nominee { provider: 2, by }),
            ..wanted()
        };
        assert_eq!(chosen(&providers, &nominated), [2]);
        let selection = select(&providers, &nominated, &Live::default()).unwrap();
        let selection = selection.selection;
        assert_eq!((selection.by, selection.tier), (how, 5));
        let exhausted = Wanted {
            exhausted: &[2],
            ..nominated
        };
        assert_eq!(chosen(&providers, &exhausted), [1]);
        let open = Live::new(&[(2, Hindrance::BreakerOpen, Some(0))]);
        let choice = select(&providers, &nominated, &open).unwrap();
        assert_eq!((choice.provider.id, choice.selection.by), (1, How::Weight));
    }
}

#[test]
fn when_all_breakers_are_open_the_least_bad_is_taken_once() {
    let providers = [
        provider(1, |_| ()),
        provider(2, |p| p.priority = 7),
        provider(3, |p| p.is_enabled = false),
        provider(4, |p| p.priority = 3),
    ];
    let live = Live::new(&[
        (1, Hindrance::BreakerOpen, Some(9)),
        (2, Hindrance::Resting, Some(4)),
        (3, Hindrance::BreakerOpen, Some(0)),
        (4, Hindrance::BreakerOpen, Some(4)),
    ]);
    let choice = select(&providers, &wanted(), &live).unwrap();
    let selection = choice.selection;
    assert_eq!((choice.provider.id, selection.tier), (4, 3));
    assert_eq!((selection.by, selection.kept), (How::LastResort, vec![]));
    assert!(
        selection
            .dropped
            .iter()
            .any(|group| group.providers == [1, 4])
    );
    for (tried, then) in [(&[4][..], Some(2)), (&[4, 2], Some(1)), (&[4, 2, 1], None)] {
        let wanted = Wanted { tried, ..wanted() };
        let choice = select(&providers, &wanted, &live).ok();
        assert_eq!(choice.map(|choice| choice.provider.id), then);
    }
    let not_again = Wanted {
        allows_last_resort: false,
        ..wanted()
    };
    assert!(select(&providers, &not_again, &live).is_err());
}

#[test]
fn nobody_who_is_busy_or_over_budget_is_a_last_resort() {
    let providers = [
        provider(1, |_| ()),
        provider(2, |_| ()),
        provider(3, |_| ()),
    ];
    let mut hindrances = vec![
        (1, Hindrance::Busy, Some(0)),
        (2, Hindrance::OverBudget, Some(0)),
        (3, Hindrance::BreakerOpen, None),
    ];
    let live = Live::new(&hindrances);
    assert!(select(&providers, &wanted(), &live).is_err());
    hindrances[2].2 = Some(u64::MAX);
    assert_eq!(
        chosen_by(&providers, &wanted(), &Live::new(&hindrances)),
        [3]
    );
    hindrances.remove(1);
    assert_eq!(
        chosen_by(&providers, &wanted(), &Live::new(&hindrances)),
        [2]
    );
}

#[test]
fn eligible_asks_neither_the_hour_nor_the_client() {
    let (providers, _) = one_of_each();
    let ids: Vec<i64> = eligible(&providers, Protocol::Anthropic, &[])
        .map(|provider| provider.id)
        .collect();
    assert_eq!(ids, (5..=13).collect::<Vec<i64>>());
}

#[test]
fn a_survey_tells_each_ones_reason_tier_and_chance() {
    let providers = [
        provider(1, |p| p.weight = 1),
        provider(2, |p| p.weight = 3),
        provider(3, |p| p.priority = 2),
        provider(4, |p| p.groups = texts(&["other"])),
        provider(5, |_| ()),
    ];
    let live = Live::new(&[(5, Hindrance::Busy, None)]);
    let rows = |wanted: &Wanted<'_>| -> Vec<(Option<Dropped>, Option<i32>, f64)> {
        let candidates = survey(&providers, wanted, &live).candidates.into_iter();
        candidates
            .map(|it| (it.reason, it.tier, it.probability))
            .collect()
    };
    let expected = |chances: [f64; 3]| {
        vec![
            (None, Some(0), chances[0]),
            (None, Some(0), chances[1]),
            (None, Some(2), chances[2]),
            (Some(Dropped::Group), None, 0.0),
            (Some(Dropped::Busy), Some(0), 0.0),
        ]
    };
    assert_eq!(rows(&wanted()), expected([0.25, 0.75, 0.0]));
    let nominee = Some(Nominee {
        provider: 3,
        by: Nomination::Prefix,
    });
    let nominated = Wanted {
        nominee,
        ..wanted()
    };
    assert_eq!(rows(&nominated), expected([0.0, 0.0, 1.0]));
}
