//! What stickiness promises, as a specification.

use http::HeaderMap;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_oneof, proptest};
use proptest::strategy::Strategy;
use serde_json::{Value, json};

use super::*;
use crate::wire::peek::peek;

const KEEP: Duration = Duration::from_secs(3600);
const A: i64 = 1;
const B: i64 = 2;
const C: i64 = 3;

/// A conversation as Claude Code has it: every turn repeats all and marks its last message for the cache.
#[derive(Clone)]
struct Talk {
    session: Option<&'static str>,
    messages: Vec<String>,
}

/// One request: what it shows of its conversation.
struct Request {
    session: Option<&'static str>,
    prefix: Option<Prefix>,
}

impl Talk {
    fn begun(session: Option<&'static str>, task: &str) -> Self {
        Self {
            session,
            messages: vec![task.to_owned()],
        }
    }

    fn go_on(&mut self) {
        for what in ["answer", "result"] {
            self.messages
                .push(format!("{what} {}", self.messages.len()));
        }
    }

    fn request(&self) -> Request {
        let last = self.messages.len() - 1;
        let messages: Vec<Value> = self
            .messages
            .iter()
            .enumerate()
            .map(|(at, text)| {
                let mut block = json!({"type": "text", "text": text});
                if at == last || at + 2 == last {
                    block["cache_control"] = json!({"type": "ephemeral"});
                }
                let role = ["user", "assistant"][at % 2];
                json!({"role": role, "content": [block]})
            })
            .collect();
        let billing = format!("x-anthropic-billing-header: cch={last};");
        let body = json!({
            "messages": messages,
            "system": [{"type": "text", "text": billing}, {"type": "text", "text": "You help."}],
            "tools": [{"name": "Read"}],
        });
        let found = peek(
            Protocol::Anthropic,
            &HeaderMap::new(),
            body.to_string().as_bytes(),
        );
        Request {
            session: self.session,
            prefix: found.unwrap().prefix,
        }
    }
}

impl Request {
    fn ask(&self) -> Ask<'_> {
        Ask {
            key_id: 7,
            protocol: Protocol::Anthropic,
            model: Some("claude-sonnet-4-5"),
            session_id: self.session,
            prefix: self.prefix.as_ref(),
            keep: KEEP,
        }
    }
}

fn only_session(session: &str) -> Ask<'_> {
    Ask {
        key_id: 7,
        protocol: Protocol::Responses,
        model: Some("gpt-5"),
        session_id: Some(session),
        prefix: None,
        keep: KEEP,
    }
}

/// Nominates as a request does that begins now and ends at once.
fn nominated(affinity: &Affinity, ask: &Ask<'_>, now: Instant) -> Option<Nominee> {
    let flight = affinity.begin(ask);
    affinity.nominate(ask, &flight, now)
}

fn home(affinity: &Affinity, talk: &Talk, now: Instant) -> Option<i64> {
    nominated(affinity, &talk.request().ask(), now).map(|nominee| nominee.provider)
}

#[test]
fn a_conversation_stays_for_all_of_its_turns() {
    let (affinity, start) = (Affinity::default(), Instant::now());
    let mut talk = Talk::begun(None, "mend the tests");
    assert_eq!(home(&affinity, &talk, start), None, "nothing is known yet");
    let identity = conversation(&talk.request().ask());
    affinity.commit(&talk.request().ask(), A, start);
    for turn in 1..=50 {
        let now = start + Duration::from_secs(turn * 60);
        let before = talk.request().prefix.unwrap().tip();
        talk.go_on();
        let request = talk.request();
        let nominee = nominated(&affinity, &request.ask(), now).unwrap();
        let expected = Nominee {
            provider: A,
            by: Signal::Prefix,
            idle: Duration::from_secs(60),
            cached_bytes: before.bytes,
        };
        assert_eq!(nominee, expected, "turn {turn}");
        assert_eq!(conversation(&request.ask()), identity, "turn {turn}");
        affinity.commit(&request.ask(), A, now);
    }
}

#[test]
fn a_session_that_ended_is_at_home_nowhere() {
    let (affinity, now) = (Affinity::default(), Instant::now());
    let ended = Talk::begun(Some("one"), "find the bug");
    let other = Talk::begun(Some("other"), "write the docs");
    affinity.commit(&ended.request().ask(), A, now);
    affinity.commit(&other.request().ask(), B, now);
    let key_id = ended.request().ask().key_id;
    affinity.end_session(key_id + 1, "one");
    assert_eq!(home(&affinity, &ended, now), Some(A));
    affinity.end_session(key_id, "one");
    assert_eq!(home(&affinity, &ended, now), None);
    assert_eq!(home(&affinity, &other, now), Some(B));
}

#[test]
fn two_conversations_of_one_session_spread() {
    let (affinity, now) = (Affinity::default(), Instant::now());
    let session = Some("one session");
    let mut one = Talk::begun(session, "find the bug");
    let mut other = Talk::begun(session, "write the docs");
    assert_ne!(
        conversation(&one.request().ask()),
        conversation(&other.request().ask())
    );
    // Both are under way when the second has its first turn: the session's binding must not pull it along.
    let request = one.request();
    let flight = affinity.begin(&request.ask());
    affinity.commit(&request.ask(), A, now);
    assert_eq!(home(&affinity, &other, now), None);
    affinity.commit(&other.request().ask(), B, now);
    drop(flight);
    // From then on each is known by its prefix, under way at the same time or not.
    for _ in 0..5 {
        one.go_on();
        other.go_on();
        let (first, second) = (one.request(), other.request());
        let flights = [affinity.begin(&first.ask()), affinity.begin(&second.ask())];
        let nominees = [
            affinity.nominate(&first.ask(), &flights[0], now),
            affinity.nominate(&second.ask(), &flights[1], now),
        ];
        assert_eq!(nominees.map(|nominee| nominee.unwrap().provider), [A, B]);
        affinity.commit(&first.ask(), A, now);
        affinity.commit(&second.ask(), B, now);
    }
}

#[test]
fn the_session_id_speaks_for_a_request_alone_in_its_session() {
    let (affinity, now) = (Affinity::default(), Instant::now());
    let ask = only_session("s");
    affinity.commit(&ask, A, now);
    let first = affinity.begin(&ask);
    let second = affinity.begin(&ask);
    let nominee = affinity.nominate(&ask, &first, now).unwrap();
    assert_eq!((nominee.provider, nominee.by), (A, Signal::Session));
    assert_eq!(affinity.nominate(&ask, &second, now), None);
    let other = only_session("t");
    assert!(affinity.begin(&other).is_alone());
    drop(first);
    assert_eq!(
        nominated(&affinity, &ask, now),
        None,
        "the second is still under way"
    );
    drop(second);
    assert_eq!(nominated(&affinity, &ask, now).unwrap().provider, A);
    assert_eq!(affinity.flights.sessions(), 0);
}

#[test]
fn a_session_id_finds_a_conversation_whose_history_was_rewritten() {
    let (affinity, now) = (Affinity::default(), Instant::now());
    let mut talk = Talk::begun(Some("s"), "a long story");
    talk.go_on();
    affinity.commit(&talk.request().ask(), A, now);
    let compacted = Talk::begun(Some("s"), "in short");
    let nominee = nominated(&affinity, &compacted.request().ask(), now).unwrap();
    assert_eq!((nominee.provider, nominee.by), (A, Signal::Session));
    let own = compacted.request().prefix.unwrap().tip().bytes;
    assert_eq!(nominee.cached_bytes, own, "no more than there is of it");
}

#[test]
fn the_prefix_is_the_stronger_signal() {
    let (affinity, now) = (Affinity::default(), Instant::now());
    let mut talk = Talk::begun(Some("s"), "x");
    affinity.commit(&talk.request().ask(), A, now);
    affinity.commit(&Talk::begun(Some("s"), "y").request().ask(), B, now);
    talk.go_on();
    let nominee = nominated(&affinity, &talk.request().ask(), now).unwrap();
    assert_eq!((nominee.provider, nominee.by), (A, Signal::Prefix));
}

#[test]
fn the_deepest_boundary_wins() {
    let (affinity, now) = (Affinity::default(), Instant::now());
    let mut talk = Talk::begun(None, "x");
    affinity.commit(&talk.request().ask(), A, now);
    let early = talk.clone();
    talk.go_on();
    affinity.commit(&talk.request().ask(), B, now);
    let branch = talk.clone();
    talk.go_on();
    assert_eq!(home(&affinity, &talk, now), Some(B));
    let mut rewound = early;
    rewound.messages.push("another answer".to_owned());
    rewound.messages.push("another result".to_owned());
    assert_eq!(home(&affinity, &rewound, now), Some(A));
    assert_eq!(home(&affinity, &branch, now), Some(B));
}

#[test]
fn keys_protocols_and_models_share_nothing() {
    let (affinity, now) = (Affinity::default(), Instant::now());
    let request = Talk::begun(Some("s"), "x").request();
    let ask = request.ask();
    affinity.commit(&ask, A, now);
    for other in [
        Ask { key_id: 8, ..ask },
        Ask {
            protocol: Protocol::Openai,
            ..ask
        },
        Ask {
            model: Some("claude-opus-4-5"),
            ..ask
        },
        Ask { model: None, ..ask },
    ] {
        assert_eq!(nominated(&affinity, &other, now), None, "{other:?}");
        assert_ne!(conversation(&other), conversation(&ask), "{other:?}");
    }
    assert!(nominated(&affinity, &ask, now).is_some());
}

#[test]
fn a_failure_moves_a_conversation_once() {
    let (affinity, now) = (Affinity::default(), Instant::now());
    let mut talk = Talk::begun(Some("s"), "x");
    for _ in 0..5 {
        affinity.commit(&talk.request().ask(), A, now);
        talk.go_on();
    }
    assert_eq!(home(&affinity, &talk, now), Some(A));
    // A fails; the next attempt of the same request asks again, then B succeeds.
    affinity.forget(&talk.request().ask(), A);
    assert_eq!(home(&affinity, &talk, now), None);
    affinity.commit(&talk.request().ask(), B, now);
    // A is well again, which changes nothing: not for the next turns, and not for a turn taken back.
    for _ in 0..5 {
        let again = talk.clone();
        talk.go_on();
        assert_eq!(home(&affinity, &talk, now), Some(B));
        assert_eq!(home(&affinity, &again, now), Some(B));
        affinity.commit(&talk.request().ask(), B, now);
    }
}

#[test]
fn the_failure_of_another_provider_forgets_nothing() {
    let (affinity, now) = (Affinity::default(), Instant::now());
    let talk = Talk::begun(Some("s"), "x");
    affinity.commit(&talk.request().ask(), A, now);
    affinity.forget(&talk.request().ask(), B);
    assert_eq!(home(&affinity, &talk, now), Some(A));
}

#[test]
fn a_clients_abort_is_neutral() {
    let (affinity, now) = (Affinity::default(), Instant::now());
    let mut talk = Talk::begun(Some("s"), "x");
    affinity.commit(&talk.request().ask(), A, now);
    talk.go_on();
    let request = talk.request();
    let flight = affinity.begin(&request.ask());
    assert!(affinity.nominate(&request.ask(), &flight, now).is_some());
    // The client goes away: the guard falls, nothing else is called.
    drop(flight);
    assert_eq!(home(&affinity, &talk, now), Some(A));
    talk.go_on();
    assert_eq!(home(&affinity, &talk, now), Some(A));
    assert_eq!(affinity.flights.sessions(), 0);
}

#[test]
fn bindings_end_with_a_rest_and_not_before() {
    let (affinity, start) = (Affinity::default(), Instant::now());
    let mut talk = Talk::begun(Some("s"), "x");
    affinity.commit(&talk.request().ask(), A, start);
    let first = talk.clone();
    // Each turn at the very end of the time: use prolongs it, also of the boundary that others branch off from.
    for turn in 1..=3 {
        let now = start + KEEP * turn;
        talk.go_on();
        assert_eq!(home(&affinity, &talk, now), Some(A));
        affinity.commit(&talk.request().ask(), A, now);
    }
    assert_eq!(home(&affinity, &first, start + KEEP * 4), Some(A));
    let late = start + KEEP * 4 + Duration::from_nanos(1);
    assert_eq!(home(&affinity, &first, late), None);
    assert_eq!(home(&affinity, &talk, late), None);
    // What is too old is gone, whatever clock asks next.
    assert_eq!(home(&affinity, &talk, start), None);
}

#[test]
fn a_time_of_zero_remembers_nothing() {
    let (affinity, now) = (Affinity::default(), Instant::now());
    let request = Talk::begun(Some("s"), "x").request();
    let off = Ask {
        keep: Duration::ZERO,
        ..request.ask()
    };
    affinity.commit(&off, A, now);
    assert_eq!(nominated(&affinity, &request.ask(), now), None);
    affinity.commit(&request.ask(), A, now);
    assert_eq!(nominated(&affinity, &off, now), None);
}

#[test]
fn it_holds_no_more_than_its_capacity_and_drops_the_least_used() {
    let (affinity, now) = (Affinity::new(1600), Instant::now());
    let kept = only_session("kept");
    affinity.commit(&kept, A, now);
    for session in 0..20_000 {
        let session = session.to_string();
        affinity.commit(&only_session(&session), B, now);
        if session.ends_with('0') {
            assert!(nominated(&affinity, &kept, now).is_some(), "{session}");
        }
    }
    assert_eq!(nominated(&affinity, &only_session("0"), now), None);
    let flushed = affinity.flush(None);
    assert!((1500..=1600).contains(&flushed), "{flushed}");
    assert_eq!(nominated(&affinity, &kept, now), None);
}

#[test]
fn an_operator_flushes_one_provider_or_all() {
    let (affinity, now) = (Affinity::default(), Instant::now());
    let (one, other) = (Talk::begun(Some("s"), "x"), Talk::begun(Some("t"), "y"));
    affinity.commit(&one.request().ask(), A, now);
    affinity.commit(&other.request().ask(), B, now);
    assert_eq!(affinity.flush(Some(C)), 0);
    assert_eq!(affinity.flush(Some(A)), 2, "its boundary and its session");
    assert_eq!(home(&affinity, &one, now), None);
    assert_eq!(home(&affinity, &other, now), Some(B));
    assert_eq!(affinity.flush(None), 2);
    assert_eq!(home(&affinity, &other, now), None);
}

#[test]
fn a_conversation_is_the_same_number_everywhere() {
    // Written down: another process, another node, the same number.
    assert_eq!(conversation(&only_session("s")), 658_356_475_709_200_923);
    let request = Talk::begun(None, "x").request();
    assert_eq!(conversation(&request.ask()), 9_713_484_819_622_919_903);
    let nobody = Ask {
        session_id: None,
        ..only_session("")
    };
    assert_ne!(conversation(&nobody), conversation(&nobody), "random");
}

/// One step of a random history of a few conversations.
#[derive(Debug, Clone)]
enum Step {
    Succeeds(usize, i64),
    Fails(usize),
    Rests(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0usize..4, 1i64..4).prop_map(|(talk, provider)| Step::Succeeds(talk, provider)),
        (0usize..4).prop_map(Step::Fails),
        (0u64..3000).prop_map(Step::Rests),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happened, a conversation is nominated where it last succeeded, unless it failed there since or rested too long.
    #[test]
    fn it_agrees_with_a_plain_model(steps in vec(step(), 1..60), has_sessions: bool) {
        let affinity = Affinity::default();
        let mut now = Instant::now();
        let sessions = ["a", "b", "c", "d"].map(|id| has_sessions.then_some(id));
        let mut talks = sessions.map(|session| Talk::begun(session, "one task"));
        for (at, talk) in talks.iter_mut().enumerate() {
            talk.messages[0] = format!("task {at}");
        }
        let mut homes: [Option<(i64, Instant)>; 4] = [None; 4];
        for step in steps {
            match step {
                Step::Succeeds(at, provider) => {
                    affinity.commit(&talks[at].request().ask(), provider, now);
                    homes[at] = Some((provider, now));
                    talks[at].go_on();
                }
                Step::Fails(at) => if let Some((provider, _)) = homes[at].take() {
                    // Every provider of its past fails in turn, as in a request that tries them all.
                    affinity.forget(&talks[at].request().ask(), provider);
                    for other in 1..4 {
                        affinity.forget(&talks[at].request().ask(), other);
                    }
                },
                Step::Rests(seconds) => now += Duration::from_secs(seconds),
            }
            for (talk, home_of) in talks.iter().zip(&homes) {
                let expected = home_of.filter(|(_, used)| now - *used <= KEEP).map(|(provider, _)| provider);
                let found = home(&affinity, talk, now);
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn guards_give_back_what_they_count(drops in vec(any::<bool>(), 1..60)) {
        let affinity = Affinity::default();
        let ask = only_session("s");
        let mut flights = Vec::new();
        for is_drop in drops {
            if is_drop {
                flights.pop();
            } else {
                let was_empty = flights.is_empty();
                flights.push(affinity.begin(&ask));
                assert_eq!(flights.last().unwrap().is_alone(), was_empty);
            }
            assert_eq!(affinity.flights.sessions(), usize::from(!flights.is_empty()));
        }
    }
}
