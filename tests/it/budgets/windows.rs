//! A window that is defined anew is read from the history anew.

use chrono::{DateTime, TimeDelta, Utc};
use entity::usage_hourly::hour_of;
use entity::value::ClientName;
use entity::{usage, usage_hourly};
use sea_orm::{EntityTrait, IntoActiveModel};
use serde_json::json;

use super::buyer;
use crate::support::{TestApp, TestStore, eventually};

const DOLLAR: i64 = 1_000_000_000;

/// A dollar that was spent then, as the ledger would have written it.
async fn spent(db: &sea_orm::DatabaseConnection, user_id: i64, key_id: i64, at: DateTime<Utc>) {
    let millis = u64::try_from(at.timestamp_millis()).unwrap();
    let noise = uuid::Uuid::new_v4().into_bytes();
    let id = uuid::Builder::from_unix_timestamp_millis(millis, noise[..10].try_into().unwrap());
    let line = usage::Model {
        id: id.into_uuid(),
        request_id: uuid::Uuid::new_v4(),
        attempt: 1,
        created_at: at,
        user_id,
        key_id,
        provider_id: 1,
        requested_model: Some("m".to_owned()),
        model: Some("m".to_owned()),
        input_tokens: 1,
        cache_read_tokens: 0,
        cache_write5m_tokens: 0,
        cache_write1h_tokens: 0,
        output_tokens: 0,
        reasoning_tokens: 0,
        image_input_tokens: 0,
        image_output_tokens: 0,
        cost_nano_usd: Some(DOLLAR),
        price_ref: None,
        service_tier: None,
        provider_multiplier: None,
        group_multiplier: None,
        client: ClientName::default(),
        settled_from: "terminal".to_owned(),
        raw: None,
    };
    let hour = usage_hourly::Model {
        hour: hour_of(at),
        user_id,
        key_id,
        provider_id: 1,
        model: "m".to_owned(),
        client: ClientName::default(),
        requests: 1,
        failures: 0,
        attempts_terminal: 1,
        attempts_partial: 0,
        attempts_estimate: 0,
        attempts_none: 0,
        attempts_unpriced: 0,
        input_tokens: 1,
        cache_read_tokens: 0,
        cache_write5m_tokens: 0,
        cache_write1h_tokens: 0,
        output_tokens: 0,
        reasoning_tokens: 0,
        image_input_tokens: 0,
        image_output_tokens: 0,
        cost_nano_usd: DOLLAR,
    };
    let line = usage::Entity::insert(line.into_active_model());
    line.exec(db).await.unwrap();
    let hour = usage_hourly::Entity::insert(hour.into_active_model());
    hour.exec(db).await.unwrap();
}

async fn a_day_that_begins_elsewhere(store: TestStore) {
    let app = TestApp::builder().settings(store.settle_in()).start().await;
    let front = app.front();
    let limits = json!({"limitDailyUsd": 10, "limit5hUsd": 10});
    let (user, key, _) = buyer(&front, json!({}), limits).await;
    let subject = format!("keys/{key}");
    let db = store.connect().await;
    let now = Utc::now();
    // A dollar six hours ago, another one an hour ago.
    let hours = |hours| now - TimeDelta::hours(hours);
    spent(&db, user, key, hours(6)).await;
    spent(&db, user, key, hours(1)).await;
    front.create("/limits/rebuild", json!({})).await;

    let path = format!("/keys/{key}");
    let comes_to = async |what: &str, window: &str, dollars: i64| {
        eventually(&format!("{}: {what}", store.name), || async {
            let spent = front.spent(&subject, window).await;
            (spent == dollars * DOLLAR).then_some(())
        })
        .await;
    };
    let starts = |at: DateTime<Utc>| json!({"dailyResetTime": at.format("%H:%M").to_string()});
    front.change(&path, starts(hours(8))).await;
    comes_to("a day that began eight hours ago", "limitDailyUsd", 2).await;
    front.change(&path, starts(hours(3))).await;
    comes_to("a day that began three hours ago", "limitDailyUsd", 1).await;
    // The same time on a clock that is twelve hours ahead was fifteen hours ago.
    front
        .change("/settings", json!({"timeZone": "Etc/GMT-12"}))
        .await;
    comes_to("in another time zone", "limitDailyUsd", 2).await;
    front.change(&path, starts(hours(3 - 12))).await;
    comes_to("three hours ago in that zone", "limitDailyUsd", 1).await;
    front
        .change(&path, json!({"dailyResetMode": "rolling"}))
        .await;
    comes_to("the last 24 hours", "limitDailyUsd", 2).await;

    // Five hours roll, or begin with a spending: the first five began six hours ago and are over, the second ones an hour ago.
    comes_to("the last five hours", "limit5hUsd", 1).await;
    front
        .change(&path, json!({"limit5hResetMode": "fixed"}))
        .await;
    comes_to("five hours from a spending", "limit5hUsd", 1).await;
    let used = front.used(&subject).await;
    let ends = used["limit5hUsd"]["resetsAt"].as_str().unwrap();
    let ends: DateTime<Utc> = ends.parse().unwrap();
    let due = hours(1) + TimeDelta::hours(5);
    assert!((due - ends).abs() <= TimeDelta::minutes(1), "{used:#}");
    assert_eq!(front.spent(&subject, "limitTotalUsd").await, 2 * DOLLAR);
    drop(app);
    db.close().await.unwrap();
    store.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_begins_elsewhere_is_counted_from_there_on_sqlite() {
    a_day_that_begins_elsewhere(TestStore::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_begins_elsewhere_is_counted_from_there_on_postgres() {
    if let Some(store) = TestStore::postgres().await {
        a_day_that_begins_elsewhere(store).await;
    }
}
