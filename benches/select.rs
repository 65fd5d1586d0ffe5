//! How long it takes to select a provider for an attempt among 1, 20 and 200 that have every kind of rule, with live state behind a
//! hash map, as it is on the request path. The goal is 20 µs for 200.

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use entity::value::{ActiveTime, MatchKind, ProviderType, Secret, TimeOfDay};
use switchyard::domain::client::ClientRule;
use switchyard::domain::pattern::Pattern;
use switchyard::domain::protocol::Protocol;
use switchyard::domain::provider::{BaseUrl, Provider, Redirect};
use switchyard::policy::select::{Draw, Hindrance, Standing, Wanted, select};

struct Live(HashMap<i64, Option<Hindrance>>);

impl Standing for Live {
    fn hindrance(&self, provider: &Provider, _: Option<&str>) -> Option<Hindrance> {
        self.0.get(&provider.id).copied().flatten()
    }

    fn badness(&self, provider: &Provider, _: Option<&str>) -> Option<u64> {
        Some(provider.id.unsigned_abs())
    }
}

fn pattern(kind: MatchKind, text: &str) -> Pattern {
    Pattern::new(kind, text).expect("a constant")
}

/// One provider of many: three tiers, two groups, client rules, model rules and hours. Every tenth has a regular expression, another
/// tenth is not for this client.
fn provider(id: i64) -> Arc<Provider> {
    let base = BaseUrl::parse("http://127.0.0.1:1").expect("a constant");
    let mut provider = Provider::new(id, ProviderType::Claude, base, Secret::new("key"));
    let clients = if id % 10 == 3 {
        "gemini-cli"
    } else {
        "claude-code"
    };
    let model = if id % 10 == 5 {
        pattern(MatchKind::Regex, "^claude-(opus|sonnet)-4")
    } else {
        pattern(MatchKind::Prefix, "claude-sonnet-4")
    };
    provider.weight = 1 + u32::try_from(id % 5).expect("small");
    provider.priority = i32::try_from(id % 3).expect("small");
    provider.groups = vec!["default".into(), "team".into()];
    provider.group_priorities = BTreeMap::from([("team".into(), provider.priority + 1)]);
    provider.allowed_clients = vec![ClientRule::new("opencode"), ClientRule::new(clients)];
    provider.blocked_clients = vec![ClientRule::new("*bot*")];
    provider.allowed_models = vec![pattern(MatchKind::Exact, "claude-haiku-4-5"), model];
    provider.model_redirects = vec![Redirect {
        source: pattern(MatchKind::Contains, "opus"),
        target: "claude-opus-4-1".into(),
    }];
    provider.active_time = Some(ActiveTime {
        start: TimeOfDay::from_minutes(8 * 60),
        end: TimeOfDay::from_minutes(20 * 60),
    });
    Arc::new(provider)
}

fn bench(c: &mut Criterion) {
    let groups = ["team".to_owned()];
    for count in [1, 20, 200] {
        let providers: Vec<Arc<Provider>> = (1..=count).map(provider).collect();
        let hindrance = |id: i64| (id % 10 == 7).then_some(Hindrance::BreakerOpen);
        let live = Live((1..=count).map(|id| (id, hindrance(id))).collect());
        let wanted = |draw| Wanted {
            protocol: Protocol::Anthropic,
            model: Some("claude-sonnet-4-5-20250929"),
            groups: &groups,
            client: Some("claude-cli/2.1.197 (external, sdk-cli)"),
            minute: TimeOfDay::from_minutes(12 * 60),
            exhausted: &[],
            tried: &[],
            nominee: None,
            draw,
            allows_last_resort: true,
        };
        let mut group = c.benchmark_group(format!("select among {count}"));
        for (name, draw) in [
            ("random", Draw::Random(0.7)),
            ("conversation", Draw::Conversation(0x5eed)),
        ] {
            let wanted = wanted(draw);
            let chosen = select(&providers, &wanted, &live).expect("most of them pass");
            let considered = usize::try_from(count).expect("small");
            assert_eq!(chosen.selection.considered, considered);
            assert!(chosen.selection.kept.len() * 10 >= considered * 8);
            group.bench_function(name, |b| {
                b.iter(|| select(black_box(&providers), black_box(&wanted), &live));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
