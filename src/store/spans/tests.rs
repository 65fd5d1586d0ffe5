//! Tests of spans: a closed one has the sums of its hours, whatever happens on the way.

use std::collections::BTreeMap;

use entity::usage;
use entity::usage_span::reopen;
use entity::value::ClientName;
use sea_orm::{DatabaseTransaction, QueryOrder};

use super::*;
use crate::store::ledger::Archive;
use crate::store::testing::{TestDb, execute, request_row, usage_line};

type Key = (i64, i64, i64, String, String);

const NOW: &str = "2026-03-31T15:20:00Z";
const BERLIN: Tz = chrono_tz::Europe::Berlin;
const KOLKATA: Tz = chrono_tz::Asia::Kolkata;

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn now() -> DateTime<Utc> {
    at(NOW)
}

/// Numbers below `end`, the same for the same seed.
fn numbers(seed: u64) -> impl FnMut(i64) -> i64 {
    let mut state = seed;
    move |end| {
        // Knuth's MMIX generator; its high bits are the good ones.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(state >> 33).unwrap() % end
    }
}

/// Posts requests of the days before [`NOW`], each with a line.
async fn post(test: &TestDb, seed: u64, count: usize, hours: i64) {
    let mut any = numbers(seed);
    let clients = [
        ClientName::ClaudeCode,
        ClientName::CodexCli,
        ClientName::Unknown,
    ];
    let mut lines = Vec::new();
    let mut requests = Vec::new();
    for _ in 0..count {
        let (mut line, mut request) = (usage_line(1), request_row());
        line.created_at = now() - TimeDelta::minutes(any(hours * 60));
        request.created_at = line.created_at - TimeDelta::minutes(any(90));
        line.user_id = any(3);
        line.key_id = line.user_id * 10 + any(2);
        line.provider_id = any(3);
        line.model = Some(format!("model-{}", any(3)));
        line.client = clients[usize::try_from(any(3)).unwrap()];
        line.cost_nano_usd = (any(4) > 0).then_some(any(1_000_000_007));
        request.user_id = Some(line.user_id);
        request.key_id = Some(line.key_id);
        request.status = [200, 429, 499][usize::try_from(any(3)).unwrap()];
        lines.push(line);
        requests.push(request);
    }
    let archive = Archive::new(test.db.clone());
    archive.post(lines, requests).await.unwrap();
}

async fn sweep(db: &DatabaseConnection, zone: Tz, now: DateTime<Utc>) -> Result<u64, DbErr> {
    super::sweep(db, &wanted(db, zone, now).await?, now).await
}

async fn mark(db: &DatabaseConnection, zone: Tz, now: DateTime<Utc>) -> Result<Vec<Span>, DbErr> {
    super::mark(db, &wanted(db, zone, now).await?, now).await
}

/// Builds all there is to build; the spans that were closed.
async fn round(test: &TestDb, zone: Tz) -> usize {
    sweep(&test.db, zone, now()).await.unwrap();
    let mut closed = 0;
    loop {
        let marked = mark(&test.db, zone, now()).await.unwrap();
        if marked.is_empty() {
            return closed;
        }
        for span in marked {
            closed += usize::from(build(&test.db, &span).await.unwrap());
        }
    }
}

async fn spans(test: &TestDb) -> Vec<Model> {
    let spans = Entity::find().order_by_asc(Column::Id).all(&test.db);
    spans.await.unwrap()
}

async fn in_state(test: &TestDb, state: State) -> Vec<Range<i64>> {
    let spans = spans(test).await.into_iter();
    let spans = spans.filter(|span| span.state == state);
    spans.map(|span| span.hours()).collect()
}

/// The figures of a row, in the order of [`SUMMED`].
fn figures(row: &usage_hourly::Model) -> [i64; 16] {
    [
        row.requests,
        row.failures,
        row.attempts_terminal,
        row.attempts_partial,
        row.attempts_estimate,
        row.attempts_none,
        row.attempts_unpriced,
        row.input_tokens,
        row.cache_read_tokens,
        row.cache_write5m_tokens,
        row.cache_write1h_tokens,
        row.output_tokens,
        row.reasoning_tokens,
        row.image_input_tokens,
        row.image_output_tokens,
        row.cost_nano_usd,
    ]
}

/// What a cut should be, added up here the plain way.
fn due(hours: &[usage_hourly::Model], cut: Cut) -> BTreeMap<Key, [i64; 16]> {
    let mut due = BTreeMap::<Key, [i64; 16]>::new();
    for row in hours {
        let only = |column: Cut, value: i64| if cut.has(column) { value } else { 0 };
        let named = |column: Cut, name: &str| cut.has(column).then(|| name.to_owned());
        let key = (
            only(Cut::USER, row.user_id),
            only(Cut::KEY, row.key_id),
            only(Cut::PROVIDER, row.provider_id),
            named(Cut::MODEL, &row.model).unwrap_or_default(),
            named(Cut::CLIENT, row.client.as_str()).unwrap_or_default(),
        );
        let sums = due.entry(key).or_default();
        sums.iter_mut()
            .zip(figures(row))
            .for_each(|(sum, figure)| *sum += figure);
    }
    due
}

/// Holds every closed span against the hours, and sees that nothing is kept of those that are gone. How many are closed.
async fn agree(test: &TestDb) -> usize {
    let db = &test.db;
    let hours = usage_hourly::Entity::find().all(db).await.unwrap();
    let mut kept = BTreeMap::<(i64, i32), BTreeMap<Key, [i64; 16]>>::new();
    let all = Statement::from_string(
        db.get_database_backend(),
        "SELECT * FROM usage_span_sums".to_owned(),
    );
    for row in db.query_all_raw(all).await.unwrap() {
        let number = |name: &str| row.try_get::<i64>("", name).unwrap();
        let text = |name: &str| row.try_get::<String>("", name).unwrap();
        let key = (
            number("user_id"),
            number("key_id"),
            number("provider_id"),
            text("model"),
            text("client"),
        );
        let of = (number("span_id"), row.try_get("", "cut").unwrap());
        let sums = SUMMED.map(|sum| number(sum.as_str()));
        assert!(kept.entry(of).or_default().insert(key, sums).is_none());
    }
    let closed: Vec<_> = spans(test)
        .await
        .into_iter()
        .filter(|span| span.state == State::Closed)
        .collect();
    for span in &closed {
        let of_span: Vec<_> = hours
            .iter()
            .filter(|row| span.hours().contains(&row.hour))
            .cloned()
            .collect();
        let Model { id, .. } = *span;
        let hours = span.hours();
        for cut in (Span { id, hours }).cuts() {
            let sums = kept.remove(&(id, cut.id())).unwrap_or_default();
            assert_eq!(sums, due(&of_span, cut), "{span:?} by {cut:?}");
        }
    }
    let left = kept.into_keys().map(|(id, _)| id);
    let there: HashSet<_> = spans(test).await.iter().map(|span| span.id).collect();
    assert_eq!(left.filter(|id| !there.contains(id)).count(), 0);
    closed.len()
}

#[tokio::test]
async fn spans_are_the_sums_of_their_hours() {
    for test in TestDb::all().await {
        assert_eq!(round(&test, BERLIN).await, 0, "there is nothing yet");
        post(&test, 3, 400, 100).await;
        let built = round(&test, BERLIN).await;
        assert_eq!(agree(&test).await, built);
        let first = usage_hourly::Entity::find()
            .order_by_asc(usage_hourly::Column::Hour)
            .one(&test.db)
            .await
            .unwrap()
            .unwrap();
        let mut wanted = ended(first.hour, BERLIN, now());
        let days = wanted
            .iter()
            .filter(|hours| hours.end - hours.start > 1)
            .count();
        assert!(days >= 4 && wanted.len() - days >= 95, "{days} of {built}");
        let mut closed = in_state(&test, State::Closed).await;
        wanted.sort_by_key(|hours| (hours.start, hours.end));
        closed.sort_by_key(|hours| (hours.start, hours.end));
        assert_eq!(closed, wanted);
        assert_eq!(round(&test, BERLIN).await, 0, "all is built");
        // Another time zone: hours stay.
        let other = round(&test, KOLKATA).await;
        assert!((4..=6).contains(&other), "{other}");
        assert_eq!(agree(&test).await, ended(first.hour, KOLKATA, now()).len());
        test.drop().await;
    }
}

#[tokio::test]
async fn a_late_line_opens_its_hour_and_its_day() {
    for test in TestDb::all().await {
        post(&test, 5, 200, 100).await;
        let built = round(&test, BERLIN).await;
        let (mut line, mut late) = (usage_line(1), request_row());
        late.created_at = at("2026-03-29T12:34:00Z");
        line.created_at = late.created_at;
        let archive = Archive::new(test.db.clone());
        let post = async |line: &usage::Model| {
            let (lines, requests) = (vec![line.clone()], vec![late.clone()]);
            archive.post(lines, requests).await.unwrap();
        };
        post(&line).await;
        let hour = hour_of(line.created_at);
        let stale = in_state(&test, State::Stale).await;
        // The day on which Berlin's clocks go forward.
        let day = hour_of(at("2026-03-28T23:00:00Z"))..hour_of(at("2026-03-29T22:00:00Z"));
        assert_eq!(stale.len(), 2);
        assert!(stale.contains(&(hour..hour + 1)) && stale.contains(&day));
        assert_eq!(agree(&test).await, built - 2);
        assert_eq!(round(&test, BERLIN).await, 2);
        assert_eq!(agree(&test).await, built);
        // The same again is nothing new.
        post(&line).await;
        assert_eq!(in_state(&test, State::Stale).await, []);
        test.drop().await;
    }
}

/// Changes a sum of an hour in a transaction, as the ledger does.
async fn write(db: &DatabaseConnection, hour: i64) -> DatabaseTransaction {
    let tx = db.begin().await.unwrap();
    let sql = format!("UPDATE usage_hourly SET requests = requests + 7 WHERE hour = {hour}");
    tx.execute_unprepared(&sql).await.unwrap();
    let backend = db.get_database_backend();
    let values = [hour.into(), hour.into()];
    let statement = Statement::from_sql_and_values(backend, reopen(backend), values);
    tx.execute_raw(statement).await.unwrap();
    tx
}

/// An hour that there is something of, on a day that is over.
async fn some_hour(test: &TestDb) -> i64 {
    let early = usage_hourly::Column::Hour.lt(hour_of(now()) - 48);
    let row = usage_hourly::Entity::find().filter(early).one(&test.db);
    row.await.unwrap().unwrap().hour
}

/// Marks until the day of an hour is marked.
async fn marked(test: &TestDb, hour: i64) -> Span {
    loop {
        let marked = mark(&test.db, BERLIN, now()).await.unwrap();
        assert!(!marked.is_empty());
        let mut days = marked.into_iter().filter(|span| !span.is_hour());
        if let Some(day) = days.find(|span| span.hours.contains(&hour)) {
            return day;
        }
    }
}

#[tokio::test]
async fn a_writer_that_is_not_done_is_waited_for() {
    for test in TestDb::all().await {
        post(&test, 7, 200, 80).await;
        let hour = some_hour(&test).await;
        let other = test.again().await;
        let tx = write(&other, hour).await;
        let commit = async {
            sleep(Duration::from_millis(500)).await;
            tx.commit().await.unwrap();
        };
        let (built, ()) = tokio::join!(round(&test, BERLIN), commit);
        assert_eq!(agree(&test).await, built);
        assert!(built > 80);
        other.close().await.unwrap();
        test.drop().await;
    }
}

#[tokio::test]
async fn a_span_is_not_closed_over_a_change() {
    for test in TestDb::all().await {
        post(&test, 11, 200, 80).await;
        let hour = some_hour(&test).await;
        let other = test.again().await;
        // One that is written while it is built.
        let day = marked(&test, hour).await;
        write(&other, hour).await.commit().await.unwrap();
        assert!(!build(&test.db, &day).await.unwrap());
        let again = mark(&test.db, BERLIN, now()).await.unwrap();
        assert!(again.iter().all(|span| span.hours != day.hours));
        sweep(&test.db, BERLIN, now()).await.unwrap();
        // One of which a writer is not done when it is built.
        let day = marked(&test, hour).await;
        let tx = write(&other, hour).await;
        let commit = async {
            sleep(Duration::from_millis(500)).await;
            tx.commit().await.unwrap();
        };
        let (is_closed, ()) = tokio::join!(build(&test.db, &day), commit);
        assert!(!is_closed.unwrap());
        agree(&test).await;
        sweep(&test.db, BERLIN, now()).await.unwrap();
        assert!(spans(&test).await.iter().all(|span| span.id != day.id));
        other.close().await.unwrap();
        test.drop().await;
    }
}

#[tokio::test]
async fn a_builder_that_was_lost_is_given_up() {
    for test in TestDb::all().await {
        post(&test, 13, 50, 30).await;
        let lost = mark(&test.db, BERLIN, now() - TimeDelta::minutes(9))
            .await
            .unwrap();
        let begun = mark(&test.db, BERLIN, now()).await.unwrap();
        assert!(begun.iter().all(|span| !lost.contains(span)));
        // Half of one is there.
        execute(&test.db, &sums(&lost[0], Cut::USER)).await;
        assert_eq!(sweep(&test.db, BERLIN, now()).await.unwrap(), 0);
        let later = now() + TimeDelta::minutes(2);
        let gone = sweep(&test.db, BERLIN, later).await.unwrap();
        assert_eq!(gone, lost.len() as u64);
        // It goes on after all, and finds that it was given up.
        assert!(!build(&test.db, &lost[0]).await.unwrap());
        for span in &begun {
            assert!(build(&test.db, span).await.unwrap());
        }
        let built = round(&test, BERLIN).await + begun.len();
        assert_eq!(agree(&test).await, built);
        test.drop().await;
    }
}

#[tokio::test]
async fn several_nodes_build_and_post_at_once() {
    for test in TestDb::all().await {
        post(&test, 17, 100, 50).await;
        let posting = async {
            for seed in 0..10 {
                post(&test, 100 + seed, 20, 50).await;
                sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::join!(round(&test, BERLIN), round(&test, BERLIN), posting);
        agree(&test).await;
        round(&test, BERLIN).await;
        assert_eq!(in_state(&test, State::Stale).await, []);
        let hours = in_state(&test, State::Closed).await;
        assert_eq!(agree(&test).await, hours.len());
        assert!(hours.len() >= 50, "{hours:?}");
        test.drop().await;
    }
}

#[test]
fn days_lie_side_by_side_in_every_zone() {
    for zone in [
        BERLIN,
        KOLKATA,
        chrono_tz::America::Havana,
        chrono_tz::Pacific::Apia,
        Tz::UTC,
    ] {
        let first = hour_of(now()) - 24 * 366 * 16;
        let mut days = ended(first, zone, now());
        days.retain(|hours| hours.end - hours.start > 1);
        assert!(days.len() > 3_990, "{zone}: {}", days.len());
        for pair in days.windows(2) {
            assert_eq!(pair[1].end, pair[0].start, "{zone}");
            assert!((22..=26).contains(&(pair[0].end - pair[0].start)), "{zone}");
        }
    }
    let end = hour_of(at("2026-03-31T15:00:00Z"));
    let hours = ended(end - 2, Tz::UTC, at("2026-03-31T15:09:59Z"));
    let one: Vec<_> = std::iter::once(end - 2..end - 1).collect();
    assert_eq!(hours, one);
    let hours = ended(end - 2, Tz::UTC, at("2026-03-31T15:10:00Z"));
    assert_eq!(hours, [end - 1..end, end - 2..end - 1]);
}
