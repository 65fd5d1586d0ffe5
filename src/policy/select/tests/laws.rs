//! What holds for any providers and any draw.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop, prop_oneof, proptest};
use proptest::strategy::{Just, Strategy};

use super::*;

/// Draws in a share of `n` may be off by this much: six standard deviations and a little.
fn tolerance(n: u32, share: f64) -> f64 {
    6.0 * (f64::from(n) * share * (1.0 - share)).sqrt() + 1.0
}

fn with_weights(weights: &[u32]) -> Vec<Arc<Provider>> {
    (1i64..)
        .zip(weights)
        .map(|(id, &weight)| provider(id * 7, |p| p.weight = weight))
        .collect()
}

fn of_conversation(providers: &[Arc<Provider>], conversation: u64) -> i64 {
    let wanted = Wanted {
        draw: Draw::Conversation(conversation),
        ..wanted()
    };
    let choice = select(providers, &wanted, &Live::default()).unwrap();
    choice.provider.id
}

fn hindrance() -> impl Strategy<Value = Option<(Hindrance, Option<u64>)>> {
    let what = prop_oneof![
        Just(Hindrance::BreakerOpen),
        Just(Hindrance::Resting),
        Just(Hindrance::Busy),
        Just(Hindrance::OverBudget),
    ];
    let badness = proptest::option::of(0..4u64);
    proptest::option::weighted(0.6, (what, badness))
}

/// A provider that fails some of the checks, perhaps.
fn any_provider() -> impl Strategy<Value = Provider> {
    let switches = vec(proptest::bool::weighted(0.15), 5);
    (switches, 0..4u32, -2..3i32, any::<bool>()).prop_map(|(fails, weight, tier, has_group)| {
        let base = BaseUrl::parse("http://127.0.0.1:1").unwrap();
        let mut p = Provider::new(0, ProviderType::Claude, base, Secret::new("k"));
        p.is_enabled = !fails[0];
        p.weight = weight;
        p.priority = tier;
        if fails[1] {
            p.kind = ProviderType::Gemini;
        }
        if has_group {
            p.groups = texts(&["default", "team"]);
            p.group_priorities = BTreeMap::from([("team".into(), 1 - tier)]);
        }
        if fails[2] {
            p.groups = texts(&["other"]);
        }
        if fails[3] {
            p.blocked_clients = clients(&["claude*"]);
        }
        if fails[4] {
            p.allowed_models = vec![exact("other")];
        }
        p
    })
}

fn any_draw() -> impl Strategy<Value = Draw> {
    prop_oneof![
        (0.0..1.0f64).prop_map(Draw::Random),
        any::<u64>().prop_map(Draw::Conversation),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn shares_follow_the_weights(weights in vec(1..10u32, 1..6), seed in any::<u64>()) {
        const DRAWS: u32 = 4000;
        let providers = with_weights(&weights);
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut counts = HashMap::<(i64, bool), u32>::new();
        for _ in 0..DRAWS {
            // Conversations in a row, as a poor hash would number them.
            let conversation = Draw::Conversation(seed.wrapping_add(counts.values().sum::<u32>().into()));
            for (draw, is_random) in [(Draw::Random(rng.f64()), true), (conversation, false)] {
                let wanted = Wanted { draw, ..wanted() };
                let choice = select(&providers, &wanted, &Live::default()).unwrap();
                *counts.entry((choice.provider.id, is_random)).or_default() += 1;
            }
        }
        let sum = f64::from(weights.iter().sum::<u32>());
        for provider in &providers {
            let share = f64::from(provider.weight) / sum;
            for is_random in [true, false] {
                let count = counts.get(&(provider.id, is_random)).copied().unwrap_or(0);
                let off = (f64::from(count) - share * f64::from(DRAWS)).abs();
                assert!(off <= tolerance(DRAWS, share), "{count} of {DRAWS} at {share}, random: {is_random}");
            }
        }
    }

    #[test]
    fn who_leaves_moves_its_own_conversations_and_no_others(
        weights in vec(1..10u32, 2..8),
        leaver in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let all = with_weights(&weights);
        let leaver = leaver.index(all.len());
        let mut others = all.clone();
        let gone = others.remove(leaver).id;
        let mut moved = 0;
        for conversation in (0..300).map(|i| seed.wrapping_add(i)) {
            let (before, after) = (of_conversation(&all, conversation), of_conversation(&others, conversation));
            // Read backwards: who comes takes conversations, and none moves between the others.
            assert!(before == gone || before == after);
            moved += u32::from(before == gone);
        }
        let share = f64::from(weights[leaver]) / f64::from(weights.iter().sum::<u32>());
        assert!((f64::from(moved) - share * 300.0).abs() <= tolerance(300, share) + 6.0);
    }

    #[test]
    fn a_growing_weight_only_gains(weights in vec(1..10u32, 2..8), more in 1..10u32, seed in any::<u64>()) {
        let before = with_weights(&weights);
        let mut weights = weights;
        weights[0] += more;
        let after = with_weights(&weights);
        for conversation in (0..300).map(|i| seed.wrapping_add(i)) {
            let now = of_conversation(&after, conversation);
            assert!(now == before[0].id || now == of_conversation(&before, conversation));
        }
    }

    #[test]
    fn the_order_of_the_list_is_nothing_to_a_conversation(weights in vec(1..10u32, 1..8), conversation in any::<u64>()) {
        let mut providers = with_weights(&weights);
        let one = of_conversation(&providers, conversation);
        providers.reverse();
        assert_eq!(of_conversation(&providers, conversation), one);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn the_dropped_are_not_chosen_and_a_survey_says_what_select_does(
        some in vec((any_provider(), hindrance()), 0..12),
        draw in any_draw(),
        nominee in proptest::option::of(1..12i64),
        exhausted in vec(1..12i64, 0..4),
        is_in_team in any::<bool>(),
    ) {
        let mut providers = Vec::new();
        let mut live = Live::default();
        for (id, (mut provider, hindrance)) in (1..).zip(some) {
            provider.id = id;
            providers.push(Arc::new(provider));
            live.hindrances.extend(hindrance.map(|it| (id, it)));
        }
        let groups = texts(if is_in_team { &["team", "default"] } else { &[] });
        let wanted = Wanted {
            groups: &groups,
            exhausted: &exhausted,
            tried: &exhausted,
            draw,
            nominee: nominee.map(|provider| Nominee { provider, by: Nomination::Session }),
            ..wanted()
        };
        let outcome = select(&providers, &wanted, &live);
        check_choice(&outcome, &providers, &wanted, &live);
        let survey = survey(&providers, &wanted, &live);
        check_survey(&survey, &outcome, providers.len());
    }
}

fn check_choice(
    outcome: &Result<Choice, Nobody>,
    providers: &[Arc<Provider>],
    wanted: &Wanted<'_>,
    live: &Live,
) {
    let (considered, kept, dropped) = match outcome {
        Ok(choice) => {
            let selection = &choice.selection;
            (
                selection.considered,
                &selection.kept[..],
                &selection.dropped,
            )
        }
        Err(nobody) => (nobody.considered, &[][..], &nobody.dropped),
    };
    // Everybody is told of, once.
    let lists = dropped.iter().flat_map(|group| &group.providers);
    let mut told: Vec<i64> = kept.iter().chain(lists).copied().collect();
    told.sort_unstable();
    let all: Vec<i64> = providers.iter().map(|provider| provider.id).collect();
    assert_eq!(told, all);
    assert_eq!(considered, all.len());
    assert!(dropped.is_sorted_by(|one, next| one.reason < next.reason));
    let Ok(choice) = outcome else {
        return;
    };
    let id = choice.provider.id;
    let nominee = wanted.nominee.filter(|it| kept.contains(&it.provider));
    match choice.selection.by {
        How::Weight => {
            assert!(kept.contains(&id) && nominee.is_none());
            let passing = providers.iter().filter(|it| kept.contains(&it.id));
            let tiers = passing.map(|it| group::tier(it, wanted.groups));
            assert_eq!(Some(choice.selection.tier), tiers.min().flatten());
        }
        How::Session => assert_eq!(nominee.map(|it| it.provider), Some(id)),
        How::LastResort => {
            assert!(kept.is_empty() && !wanted.tried.contains(&id));
            let (hindrance, badness) = live.hindrances[&id];
            assert!(badness.is_some());
            let group = dropped.iter().find(|it| it.providers.contains(&id));
            assert_eq!(group.map(|it| it.reason), Some(hindrance.into()));
            assert!(matches!(
                hindrance,
                Hindrance::BreakerOpen | Hindrance::Resting
            ));
        }
        other => panic!("nothing asked for {other:?}"),
    }
}

fn check_survey(survey: &Survey, outcome: &Result<Choice, Nobody>, count: usize) {
    assert_eq!(survey.candidates.len(), count);
    let sum: f64 = survey.candidates.iter().map(|it| it.probability).sum();
    match (outcome, &survey.outcome) {
        (Ok(choice), Ok(surveyed)) => {
            assert_eq!(choice.selection, surveyed.selection);
            assert_eq!(choice.provider.id, surveyed.provider.id);
            assert!((sum - 1.0).abs() < 1e-9, "{sum}");
            for candidate in &survey.candidates {
                let id = candidate.provider.id;
                assert_eq!(
                    candidate.reason.is_none(),
                    choice.selection.kept.contains(&id)
                );
                let is_in_tier = candidate.tier == Some(choice.selection.tier);
                assert!(candidate.probability == 0.0 || is_in_tier);
                assert!(id != choice.provider.id || candidate.probability > 0.0);
            }
        }
        (Err(nobody), Err(surveyed)) => {
            assert_eq!(nobody, surveyed);
            assert!(sum == 0.0 && survey.candidates.iter().all(|it| it.reason.is_some()));
        }
        other => panic!("they differ: {other:?}"),
    }
}
