//! Usage: in all, over time, by whom and with what, from sums that are those of the history.

mod series;
mod shares;

use std::{collections::BTreeMap, ops::Range};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{usage, usage_hourly, usage_span, value::ClientName};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QueryOrder, Set};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{App, As, UPSTREAM_KEY, everywhere};

const AT: &str = "/api/v1/usage";

/// The sums of the lines there are, as the gateway keeps them.
pub async fn summed(app: &App) -> Vec<usage_hourly::Model> {
    let mut all = BTreeMap::new();
    for line in usage::Entity::find().all(&app.db).await.unwrap() {
        let model = line.model.or(line.requested_model).unwrap_or_default();
        let hour = line.created_at.timestamp() / 3600;
        let place = (
            hour,
            line.user_id,
            line.key_id,
            line.provider_id,
            model.clone(),
            line.client,
        );
        let sums = all.entry(place).or_insert_with(|| empty(hour, model));
        (sums.user_id, sums.key_id, sums.provider_id) =
            (line.user_id, line.key_id, line.provider_id);
        sums.client = line.client;
        sums.requests += i64::from(line.attempt == 1);
        match line.settled_from.as_str() {
            "terminal" => sums.attempts_terminal += 1,
            "partial" => sums.attempts_partial += 1,
            _ => sums.attempts_none += 1,
        }
        sums.attempts_unpriced +=
            i64::from(line.cost_nano_usd.is_none() && line.settled_from != "none");
        sums.input_tokens += line.input_tokens;
        sums.output_tokens += line.output_tokens;
        sums.cost_nano_usd += line.cost_nano_usd.unwrap_or(0);
    }
    all.into_values().collect()
}

fn empty(hour: i64, model: String) -> usage_hourly::Model {
    usage_hourly::Model {
        hour,
        user_id: 0,
        key_id: 0,
        provider_id: 0,
        model,
        client: ClientName::Unknown,
        requests: 0,
        failures: 0,
        attempts_terminal: 0,
        attempts_partial: 0,
        attempts_estimate: 0,
        attempts_none: 0,
        attempts_unpriced: 0,
        input_tokens: 0,
        cache_read_tokens: 0,
        cache_write5m_tokens: 0,
        cache_write1h_tokens: 0,
        output_tokens: 0,
        reasoning_tokens: 0,
        image_input_tokens: 0,
        image_output_tokens: 0,
        cost_nano_usd: 0,
    }
}

/// The sums that are stored, in order.
pub async fn stored(app: &App) -> Vec<usage_hourly::Model> {
    let mut rows = usage_hourly::Entity::find().all(&app.db).await.unwrap();
    rows.sort_by_key(|row| {
        (
            row.hour,
            row.user_id,
            row.key_id,
            row.provider_id,
            row.model.clone(),
            row.client,
        )
    });
    rows
}

/// Stores the sums of the lines there are, as the gateway would have.
pub async fn sum_up(app: &App) {
    usage_hourly::Entity::delete_many()
        .exec(&app.db)
        .await
        .unwrap();
    let rows = summed(app)
        .await
        .into_iter()
        .map(|row| row.into_active_model().reset_all());
    usage_hourly::Entity::insert_many(rows)
        .exec(&app.db)
        .await
        .unwrap();
}

/// Spans that are closed.
pub async fn closed(app: &App, hours: &[Range<i64>]) {
    for hours in hours {
        let span = usage_span::ActiveModel {
            first_hour: Set(hours.start),
            end_hour: Set(hours.end),
            state: Set(usage_span::State::Closed),
            begun_at: Set(Utc::now()),
            ..Default::default()
        };
        span.insert(&app.db).await.unwrap();
    }
}

/// How far spans are, in the order in which they were made.
pub async fn states(app: &App) -> Vec<usage_span::State> {
    let spans = usage_span::Entity::find().order_by_asc(usage_span::Column::Id);
    let spans = spans.all(&app.db).await.unwrap();
    spans.into_iter().map(|span| span.state).collect()
}

async fn line(app: &App, at: DateTime<Utc>, edit: impl FnOnce(&mut usage::Model)) {
    let mut line = usage::Model {
        id: Uuid::now_v7(),
        request_id: Uuid::now_v7(),
        attempt: 1,
        created_at: at,
        user_id: 1,
        key_id: 1,
        provider_id: 1,
        requested_model: None,
        model: Some("m".into()),
        input_tokens: 10,
        cache_read_tokens: 0,
        cache_write5m_tokens: 0,
        cache_write1h_tokens: 0,
        output_tokens: 1,
        reasoning_tokens: 0,
        image_input_tokens: 0,
        image_output_tokens: 0,
        cost_nano_usd: Some(1_000_000_000),
        price_ref: None,
        service_tier: None,
        provider_multiplier: None,
        group_multiplier: None,
        client: ClientName::Other,
        settled_from: "terminal".into(),
        raw: None,
    };
    edit(&mut line);
    line.into_active_model()
        .reset_all()
        .insert(&app.db)
        .await
        .unwrap();
}

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

/// Lines of three users, keys, providers and models over two days, all different in cost.
async fn history(app: &App) {
    let clients = [
        ClientName::ClaudeCode,
        ClientName::CodexCli,
        ClientName::Unknown,
    ];
    for i in 0..90_i64 {
        let third = |n: i64| (i / n) % 3 + 1;
        line(
            app,
            at("2026-03-01T00:30:00Z") + TimeDelta::minutes(i * 32),
            |line| {
                line.user_id = third(1);
                line.key_id = third(1) * 10 + i % 2;
                line.provider_id = third(3);
                line.model = Some(format!("m-{}", third(9)));
                line.client = clients[usize::try_from(third(2) - 1).unwrap()];
                line.attempt = if i % 7 == 0 { 2 } else { 1 };
                line.settled_from =
                    ["terminal", "partial", "none"][usize::try_from(third(4) - 1).unwrap()].into();
                line.cost_nano_usd = (i % 5 > 0).then_some(i * 1_000_003);
                line.output_tokens = i;
            },
        )
        .await;
    }
    sum_up(app).await;
}

/// A decimal of USD in nano-USD.
fn nano(usd: &Value) -> i64 {
    let text = usd.as_str().unwrap();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<9}").parse().unwrap()
}

/// What an answer says that lines say, too: attempts, output tokens, unpriced, cost.
fn told(usage: &Value) -> [i64; 4] {
    let number = |name: &str| usage[name].as_i64().unwrap();
    [
        number("attempts"),
        number("outputTokens"),
        number("unpricedAttempts"),
        nano(&usage["costUsd"]),
    ]
}

async fn expected(app: &App, wanted: impl Fn(&usage::Model) -> bool) -> [i64; 4] {
    let lines = usage::Entity::find().all(&app.db).await.unwrap();
    lines
        .iter()
        .filter(|line| wanted(line))
        .fold([0; 4], |sums, line| {
            let unpriced = line.cost_nano_usd.is_none() && line.settled_from != "none";
            let figures = [
                1,
                line.output_tokens,
                i64::from(unpriced),
                line.cost_nano_usd.unwrap_or(0),
            ];
            std::array::from_fn(|i| sums[i] + figures[i])
        })
}

fn together(parts: impl Iterator<Item = [i64; 4]>) -> [i64; 4] {
    parts.fold([0; 4], |sums, part| {
        std::array::from_fn(|i| sums[i] + part[i])
    })
}

#[tokio::test]
async fn totals_are_those_of_the_lines() {
    everywhere(async |app| {
        let admin = As::admin();
        let none = app
            .get(&admin, &format!("{AT}/totals"))
            .await
            .expect(200)
            .json();
        assert_eq!((told(&none), &none["costUsd"]), ([0; 4], &json!("0")));
        history(app).await;
        let total = async |query: &str| {
            told(
                &app.get(&admin, &format!("{AT}/totals{query}"))
                    .await
                    .expect(200)
                    .json(),
            )
        };
        assert_eq!(total("").await, expected(app, |_| true).await);
        assert_eq!(
            total("?userId=2").await,
            expected(app, |l| l.user_id == 2).await
        );
        assert_eq!(
            total("?keyId=21&providerId=1").await,
            expected(app, |l| l.key_id == 21 && l.provider_id == 1).await
        );
        assert_eq!(
            total("?model=m-3").await,
            expected(app, |l| l.model.as_deref() == Some("m-3")).await
        );
        assert_eq!(
            total("?client=codex-cli").await,
            expected(app, |l| l.client == ClientName::CodexCli).await
        );
        let (from, to) = (at("2026-03-01T07:00:00Z"), at("2026-03-02T01:00:00Z"));
        let span = format!(
            "?from={}&to={}",
            from.format("%Y-%m-%dT%H:%M:%SZ"),
            to.format("%Y-%m-%dT%H:%M:%SZ")
        );
        assert_eq!(
            total(&span).await,
            expected(app, |l| from <= l.created_at && l.created_at < to).await
        );
    })
    .await;
}

#[tokio::test]
async fn totals_say_where_they_come_from() {
    everywhere(async |app| {
        let admin = As::admin();
        history(app).await;
        let whole = app.get(&admin, &format!("{AT}/totals")).await.json();
        let from = &whole["settledFrom"];
        let kinds: i64 = ["terminal", "partial", "estimate", "none"]
            .iter()
            .map(|kind| from[*kind].as_i64().unwrap())
            .sum();
        assert_eq!(
            (kinds, &whole["totalTokens"]),
            (90, &json!(90 * 10 + 89 * 45))
        );
        let refused = app
            .get(&admin, &format!("{AT}/totals?client=mine&from=then"))
            .await
            .expect(422);
        assert_eq!(refused.mistakes(), ["client", "from"]);
    })
    .await;
}

#[tokio::test]
async fn a_user_sees_the_users_own_usage() {
    everywhere(async |app| {
        let admin = As::admin();
        let login = json!({"canLoginWebUi": true});
        let (user, key, secret) = app.user_with_key(json!({"name": "u"}), login.clone()).await;
        let (other, others_key, _) = app.user_with_key(json!({"name": "other"}), login).await;
        let body = json!({"name": "p", "type": "claude", "url": "https://p.example", "apiKey": UPSTREAM_KEY});
        let provider = app.post(&admin, "/api/v1/providers", body).await.expect(201).json()["id"].as_i64().unwrap();
        // Long ago, and this hour, which is in every span that ends now.
        for (at, cost) in [(at("2020-01-01T00:00:00Z"), 5), (Utc::now(), 7)] {
            for (user, key) in [(user, key), (other, others_key)] {
                line(app, at, |line| (line.user_id, line.key_id, line.provider_id, line.cost_nano_usd) = (user, key, provider, Some(cost))).await;
            }
        }
        sum_up(app).await;
        let me = As::bearer(&secret);
        let mut seen = Vec::new();
        for at in [format!("/api/v1/users/{user}/usage"), format!("/api/v1/keys/{key}/usage")] {
            let own = app.get(&me, &at).await.expect(200).json();
            let costs: Vec<_> = ["today", "week", "month", "total"].iter().map(|span| nano(&own[*span]["costUsd"])).collect();
            assert_eq!(costs, [7, 7, 7, 12], "{at}");
            seen.push(own);
        }
        let mine = app.get(&me, "/api/v1/me/usage").await.expect(200).json();
        assert_eq!((&mine["user"], &mine["key"]), (&seen[0], &seen[1]));
        let nobodys = app.get(&admin, "/api/v1/me/usage").await.expect(200).json();
        assert_eq!(nobodys, json!({"key": null, "user": null}));
        let providers = app.get(&admin, &format!("/api/v1/providers/{provider}/usage")).await.expect(200).json();
        assert_eq!(nano(&providers["total"]["costUsd"]), 24);

        app.get(&me, &format!("/api/v1/users/{other}/usage")).await.expect(404);
        app.get(&me, &format!("/api/v1/keys/{others_key}/usage")).await.expect(404);
        let total = app.get(&me, &format!("{AT}/totals")).await.expect(200).json();
        assert_eq!(nano(&total["costUsd"]), 12);
        let shares = app.get(&me, &format!("{AT}/by/user")).await.expect(200).json();
        assert_eq!(shares["items"].as_array().unwrap().len(), 1);
        let hours = app.get(&me, &format!("{AT}/series?interval=hour&keyId={others_key}")).await.expect(200).json();
        let spent = hours["items"].as_array().unwrap().iter().map(|i| nano(&i["usage"]["costUsd"])).sum::<i64>();
        assert_eq!(spent, 0);
        for refused in [format!("totals?userId={other}"), "totals?providerId=1".into(), "by/provider".into(), "series?by=provider".into(), "leaderboard".into()] {
            app.get(&me, &format!("{AT}/{refused}")).await.expect(403);
        }
    })
    .await;
}
