//! Usage is read of days and hours that are summed up once more: with the answers that hours alone give.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::usage_hourly::{self, hour_of};
use entity::usage_span::{self, State};
use entity::value::ClientName;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};
use serde_json::Value;
use switchyard::store::database;

use crate::support::{Front, Random, TestApp, TestStore};

/// For some hundred spans, each with a rest.
const LONG: Duration = Duration::from_secs(180);

const DAYS: u64 = 30;
const MODELS: [&str; 3] = ["opus", "sonnet", "gpt"];
const CLIENTS: [ClientName; 3] = [
    ClientName::ClaudeCode,
    ClientName::CodexCli,
    ClientName::Unknown,
];

/// Sums of the last days, up to some hours ago.
async fn fill(db: &DatabaseConnection, random: &mut Random) {
    let mut rows = BTreeMap::new();
    let last = hour_of(Utc::now()) - 3;
    let below = |random: &mut Random, end: u64| i64::try_from(random.below(end)).unwrap();
    for _ in 0..1500 {
        let user_id = 1 + below(random, 4);
        let row = usage_hourly::Model {
            hour: last - below(random, DAYS * 24),
            user_id,
            key_id: user_id * 2 + below(random, 2),
            provider_id: below(random, 4),
            model: random.one_of(&MODELS).to_owned(),
            client: random.one_of(&CLIENTS),
            requests: below(random, 9),
            failures: below(random, 3),
            attempts_terminal: below(random, 9),
            attempts_partial: below(random, 9),
            attempts_estimate: below(random, 9),
            attempts_none: below(random, 9),
            attempts_unpriced: below(random, 9),
            input_tokens: below(random, 1000),
            cache_read_tokens: below(random, 1000),
            cache_write5m_tokens: below(random, 1000),
            cache_write1h_tokens: below(random, 1000),
            output_tokens: below(random, 1000),
            reasoning_tokens: below(random, 1000),
            image_input_tokens: below(random, 1000),
            image_output_tokens: below(random, 1000),
            cost_nano_usd: below(random, 1_000_000_007),
        };
        let place = (
            row.hour,
            row.user_id,
            row.key_id,
            row.provider_id,
            row.model.clone(),
            row.client,
        );
        rows.insert(place, row);
    }
    let rows: Vec<_> = rows
        .into_values()
        .map(|row| row.into_active_model())
        .collect();
    for part in rows.chunks(500) {
        let part = usage_hourly::Entity::insert_many(part.to_vec());
        part.exec_without_returning(db).await.unwrap();
    }
}

/// A moment of the last days: now and then when a day begins somewhere, else any.
fn moment(random: &mut Random, from: DateTime<Utc>, hours: u64) -> DateTime<Utc> {
    let minutes = i64::try_from(random.below(hours * 60)).unwrap();
    let any = from + TimeDelta::minutes(minutes);
    match random.below(3) {
        0 => any,
        1 => any - TimeDelta::minutes(minutes % 60),
        _ => any.date_naive().and_hms_opt(16, 0, 0).unwrap().and_utc(),
    }
}

/// Something to ask, with a beginning and an end.
fn question(random: &mut Random) -> String {
    let text = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let begun = Utc::now() - TimeDelta::days(31);
    let by = random.one_of(&["user", "key", "provider", "model", "client"]);
    let sort = random.one_of(&["cost", "requests", "tokens"]);
    let mut from = moment(random, begun, DAYS * 24);
    let mut path = match random.below(6) {
        0 => "/usage/totals?".to_owned(),
        1 => "/usage/series?interval=day".to_owned(),
        2 => format!("/usage/series?interval=day&by={by}&sort={sort}&top=2"),
        3 => {
            from = moment(random, Utc::now() - TimeDelta::days(12), 10 * 24);
            format!("/usage/series?interval=hour&by={by}&sort={sort}&top=3")
        }
        4 => format!("/usage/by/{by}?sort={sort}&limit=2"),
        _ => {
            let to = text(moment(random, from, 20 * 24).max(from));
            let from = text(from);
            return format!(
                "/usage/leaderboard?period=custom&from={from}&to={to}&by={by}&sort={sort}"
            );
        }
    };
    let to = moment(random, from, 20 * 24).max(from);
    write!(path, "&from={}&to={}", text(from), text(to)).unwrap();
    let below = |random: &mut Random, end| 1 + random.below(end);
    if random.percent(30) {
        write!(path, "&userId={}", below(random, 4)).unwrap();
    }
    if random.percent(10) {
        write!(path, "&keyId={}", below(random, 9)).unwrap();
    }
    if random.percent(20) {
        write!(path, "&providerId={}", below(random, 3)).unwrap();
    }
    if random.percent(20) {
        write!(path, "&model={}", random.one_of(&MODELS)).unwrap();
    }
    if random.percent(20) {
        write!(path, "&client={}", random.one_of(&CLIENTS).as_str()).unwrap();
    }
    path.replace("?&", "?")
}

async fn answers(front: &Front, questions: &[String]) -> Vec<Value> {
    let mut answers = Vec::new();
    for question in questions {
        answers.push(front.get(question).await);
    }
    answers
}

async fn in_state(db: &DatabaseConnection, state: State) -> u64 {
    let spans = usage_span::Entity::find();
    let spans = spans.filter(usage_span::Column::State.eq(state));
    spans.count(db).await.unwrap()
}

async fn answers_are_the_same(store: TestStore, zone: Tz, seed: u64) {
    let mut random = Random::of(&[seed]);
    let db = store.connect().await;
    database::migrate(&db).await.unwrap();
    fill(&db, &mut random).await;
    let app = TestApp::builder()
        .settings(store.settle_in())
        .settings(move |settings| settings.time_zone = zone)
        .start()
        .await;
    let front = app.front();
    // The oldest day is the last that is built.
    let all_built = async || {
        let hours = usage_hourly::Entity::find().all(&db).await.unwrap();
        let first = hours.iter().map(|row| row.hour).min().unwrap();
        let oldest = usage_span::Entity::find()
            .filter(usage_span::Column::FirstHour.lte(first))
            .filter(usage_span::Column::State.eq(State::Closed));
        oldest.count(&db).await.unwrap() > 0 && in_state(&db, State::Building).await == 0
    };
    let until = Instant::now() + LONG;
    while !all_built().await {
        assert!(Instant::now() < until, "not all is summed up");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let closed = in_state(&db, State::Closed).await;
    assert!(closed > 240 + DAYS - 3, "{closed}");

    let mut questions: Vec<_> = (0..80).map(|_| question(&mut random)).collect();
    questions.push("/usage/totals".to_owned());
    questions.push("/users/1/usage".to_owned());
    questions.push("/requests/filters".to_owned());
    let with = answers(&front, &questions).await;
    assert_ne!(with[80]["requests"], 0);
    // Spans are what is read.
    let wrong = "UPDATE usage_span_sums SET requests = requests + 1";
    db.execute_unprepared(wrong).await.unwrap();
    assert_ne!(front.get("/usage/totals").await, with[80]);
    let stale = "UPDATE usage_spans SET state = 2";
    db.execute_unprepared(stale).await.unwrap();
    let without = answers(&front, &questions).await;
    for ((question, with), without) in questions.iter().zip(&with).zip(&without) {
        assert_eq!(with, without, "{} {zone}: {question}", store.name);
    }
    drop(app);
    db.close().await.unwrap();
    store.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_those_of_the_hours() {
    answers_are_the_same(TestStore::sqlite(), Tz::Asia__Shanghai, 1).await;
    answers_are_the_same(TestStore::sqlite(), Tz::Asia__Kolkata, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_those_of_the_hours_on_postgres() {
    if let Some(store) = TestStore::postgres().await {
        answers_are_the_same(store, Tz::America__Santiago, 3).await;
    }
}
