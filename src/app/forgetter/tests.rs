//! Tests of what is forgotten, and what is not.

use std::time::Instant;

use chrono_tz::Tz;
use entity::value::{ProviderType, Secret};

use super::*;
use crate::domain::fault::Fault;
use crate::domain::protocol::Protocol;
use crate::domain::provider::{BaseUrl, Provider};
use crate::policy::affinity::Ask;
use crate::policy::breaker::{Failure, Target};
use crate::policy::quota::Quota;
use crate::store::counters::{Counters, Tuning};
use crate::store::snapshot::LeftOut;

fn provider(id: i64, urls: &[&str]) -> Arc<Provider> {
    let mut bases = urls.iter().map(|url| BaseUrl::parse(url).unwrap());
    let first = bases.next().unwrap();
    let mut provider = Provider::new(id, ProviderType::Claude, first, Secret::new("key"));
    provider.endpoints.extend(bases);
    Arc::new(provider)
}

fn snapshot(providers: &[Arc<Provider>]) -> Arc<Snapshot> {
    Arc::new(Snapshot {
        providers: providers.to_vec(),
        ..Snapshot::default()
    })
}

/// One failure of a provider, and a conversation with it.
fn remember(routing: &Routing, id: i64) {
    let now = Instant::now();
    let target = Target {
        provider: id,
        endpoint: None,
        model: None,
    };
    let settings = entity::value::BreakerSettings::default();
    let permit = routing.breakers.admit(target, &settings, now, false);
    let failure = Failure {
        fault: Fault::Provider,
        status: Some(500),
        message: String::new(),
        retry_after: None,
    };
    permit.unwrap().failure(failure, now);
    let session = id.to_string();
    routing.affinity.commit(&ask(&session), id, now);
}

fn ask(session: &str) -> Ask<'_> {
    Ask {
        key_id: 1,
        protocol: Protocol::Anthropic,
        model: None,
        session_id: Some(session),
        prefix: None,
        keep: Duration::from_secs(300),
    }
}

/// Who has a conversation.
fn homes(routing: &Routing) -> Vec<i64> {
    let is_home = |id: &i64| {
        let session = id.to_string();
        let ask = ask(&session);
        let flight = routing.affinity.begin(&ask);
        let nominee = routing.affinity.nominate(&ask, &flight, Instant::now());
        nominee.is_some()
    };
    (1..=5).filter(is_home).collect()
}

#[test]
fn only_what_is_gone_or_moved_is_forgotten() {
    let counters = Counters::in_process(&Tuning::default());
    let quota = Quota::new(Arc::new(counters), Tz::UTC, true);
    let routing = Routing::new(Instant::now(), quota);
    (1..=5).for_each(|id| remember(&routing, id));
    let stays = provider(1, &["http://a.test"]);
    let grows = |urls: &[&str]| provider(4, urls);
    let before = snapshot(&[
        stays.clone(),
        provider(2, &["http://b.test"]),
        provider(3, &["http://c.test"]),
        grows(&["http://d.test"]),
    ]);
    // The fifth is known from an earlier process and in no snapshot.
    forget(&routing, &before, &before);
    assert_eq!(routing.breakers.providers(), [1, 2, 3, 4]);

    let mut now = snapshot(&[stays.clone(), grows(&["http://d.test", "http://e.test"])]);
    Arc::get_mut(&mut now).unwrap().left_out = vec![LeftOut {
        kind: "provider",
        id: 3,
        name: String::new(),
        why: String::new(),
    }];
    forget(&routing, &before, &now);
    assert_eq!(routing.breakers.providers(), [1, 3]);
    assert_eq!(homes(&routing), [1, 3, 4, 5]);

    // Its last request ends when it is long gone; another change is none of the others' addresses.
    remember(&routing, 2);
    remember(&routing, 4);
    let later = snapshot(&[
        stays,
        provider(3, &["http://c.test"]),
        grows(&["http://d.test", "http://e.test"]),
    ]);
    forget(&routing, &now, &later);
    assert_eq!(routing.breakers.providers(), [1, 3, 4]);
}
