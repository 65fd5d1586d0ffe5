//! What the daily report tells, and which models have no price: from the sums of each hour.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::usage_hourly::{Column, Entity, hour_of, sum, tokens};
use entity::{provider, user};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, Order, QueryFilter,
    QueryOrder, QuerySelect, Select,
};

use crate::domain::notice::{Item, Report, Share, Usd, cut};
use crate::domain::window::Window;

/// How many of each are told.
const TOP: u64 = 5;
/// Models without a price that are looked at.
const MOST_MODELS: u64 = 100;

#[derive(Debug, Default, FromQueryResult)]
struct Sums {
    requests: i64,
    failures: i64,
    tokens: i64,
    cost: i64,
}

#[derive(Debug, FromQueryResult)]
struct ById {
    id: i64,
    requests: i64,
    cost: i64,
}

#[derive(Debug, FromQueryResult)]
struct ByName {
    name: String,
    requests: i64,
    cost: i64,
}

#[derive(Debug, FromQueryResult)]
struct Unpriced {
    name: String,
    attempts: i64,
}

/// What was used in a day: in the hours that begin in it.
///
/// # Errors
/// When the database does not answer.
pub async fn report(
    db: &DatabaseConnection,
    day: NaiveDate,
    window: Window,
) -> Result<Report, DbErr> {
    let hours = hours(window);
    let total: Sums = summed(hours)
        .expr_as(tokens(), "tokens")
        .expr_as(sum(Column::Failures), "failures")
        .into_model()
        .one(db)
        .await?
        .unwrap_or_default();
    let models: Vec<ByName> = top(hours, Column::Model)
        .expr_as(Expr::col(Column::Model), "name")
        .into_model()
        .all(db)
        .await?;
    let users = by_id(db, hours, Column::UserId).await?;
    let providers = by_id(db, hours, Column::ProviderId).await?;
    let user_names = user::Entity::find()
        .select_only()
        .columns([user::Column::Id, user::Column::Name])
        .filter(user::Column::Id.is_in(ids(&users)))
        .into_tuple()
        .all(db)
        .await?;
    let provider_names = provider::Entity::find()
        .select_only()
        .columns([provider::Column::Id, provider::Column::Name])
        .filter(provider::Column::Id.is_in(ids(&providers)))
        .into_tuple()
        .all(db)
        .await?;
    Ok(Report {
        day,
        cost_usd: Usd(total.cost),
        requests: total.requests,
        failures: total.failures,
        tokens: total.tokens,
        users: named(users, user_names),
        models: models
            .into_iter()
            .filter(|model| !model.name.is_empty())
            .map(|model| share(&model.name, model.requests, model.cost))
            .collect(),
        providers: named(providers, provider_names),
    })
}

/// Models that were used without a price from the hour of `since` on.
///
/// # Errors
/// When the database does not answer.
pub async fn unpriced(
    db: &DatabaseConnection,
    since: DateTime<Utc>,
) -> Result<Vec<(String, Item)>, DbErr> {
    let models: Vec<Unpriced> = Entity::find()
        .select_only()
        .expr_as(Expr::col(Column::Model), "name")
        .expr_as(sum(Column::AttemptsUnpriced), "attempts")
        .filter(Column::Hour.gte(hour_of(since)))
        .filter(Column::AttemptsUnpriced.gt(0))
        .group_by(Column::Model)
        .order_by(sum(Column::AttemptsUnpriced), Order::Desc)
        .limit(MOST_MODELS)
        .into_model()
        .all(db)
        .await?;
    let items = models.into_iter().map(|Unpriced { name, attempts }| {
        let model = cut(&name);
        (name, Item::Model { model, attempts })
    });
    Ok(items.collect())
}

/// The hours that begin in a window.
fn hours(window: Window) -> (i64, i64) {
    let from = |time: DateTime<Utc>| {
        let has_part = time.timestamp().rem_euclid(3_600) != 0;
        hour_of(time) + i64::from(has_part)
    };
    (from(window.start), from(window.end))
}

fn summed((from, to): (i64, i64)) -> Select<Entity> {
    Entity::find()
        .select_only()
        .expr_as(sum(Column::Requests), "requests")
        .expr_as(sum(Column::CostNanoUsd), "cost")
        .filter(Column::Hour.gte(from))
        .filter(Column::Hour.lt(to))
}

/// The most expensive, and of equal ones those with most requests.
fn top(hours: (i64, i64), by: Column) -> Select<Entity> {
    summed(hours)
        .group_by(by)
        .order_by(sum(Column::CostNanoUsd), Order::Desc)
        .order_by(sum(Column::Requests), Order::Desc)
        .order_by_asc(by)
        .limit(TOP)
}

async fn by_id(db: &DatabaseConnection, hours: (i64, i64), by: Column) -> Result<Vec<ById>, DbErr> {
    // 0 is nobody: requests no provider served.
    top(hours, by)
        .expr_as(Expr::col(by), "id")
        .filter(by.ne(0))
        .into_model()
        .all(db)
        .await
}

fn ids(sums: &[ById]) -> Vec<i64> {
    sums.iter().map(|sums| sums.id).collect()
}

fn named(sums: Vec<ById>, names: Vec<(i64, String)>) -> Vec<Share> {
    let names: HashMap<i64, String> = names.into_iter().collect();
    let shares = sums.into_iter().map(|ById { id, requests, cost }| {
        let name = names.get(&id).cloned();
        let name = name.unwrap_or_else(|| format!("#{id}"));
        share(&name, requests, cost)
    });
    shares.collect()
}

fn share(name: &str, requests: i64, cost: i64) -> Share {
    Share {
        name: cut(name),
        cost_usd: Usd(cost),
        requests,
    }
}

#[cfg(test)]
mod tests {
    use entity::usage_hourly::Model;
    use entity::value::{ClientName, Limits, Strings};
    use sea_orm::{IntoActiveModel, Set};

    use super::*;
    use crate::store::testing::TestDb;

    const DOLLAR: i64 = 1_000_000_000;

    fn at(time: &str) -> DateTime<Utc> {
        time.parse().unwrap()
    }

    fn row(hour: &str, user: i64, model: &str, cost: i64) -> Model {
        Model {
            hour: hour_of(at(hour)),
            user_id: user,
            key_id: user,
            provider_id: i64::from(cost > 0),
            model: model.into(),
            client: ClientName::default(),
            requests: 10,
            failures: 1,
            attempts_terminal: 10,
            attempts_partial: 0,
            attempts_estimate: 0,
            attempts_none: 0,
            attempts_unpriced: i64::from(cost == 0) * 4,
            input_tokens: 100,
            cache_read_tokens: 10,
            cache_write5m_tokens: 0,
            cache_write1h_tokens: 0,
            output_tokens: 5,
            reasoning_tokens: 5,
            image_input_tokens: 0,
            image_output_tokens: 0,
            cost_nano_usd: cost * DOLLAR,
        }
    }

    async fn fill(db: &DatabaseConnection) {
        let rows = [
            row("2026-11-19T15:00:00Z", 1, "early", 100),
            row("2026-11-19T16:00:00Z", 1, "opus", 3),
            row("2026-11-20T15:00:00Z", 2, "opus", 4),
            row("2026-11-20T15:00:00Z", 3, "free", 0),
            row("2026-11-20T16:00:00Z", 2, "late", 100),
        ];
        for row in rows {
            let row = row.into_active_model();
            Entity::insert(row)
                .exec_without_returning(db)
                .await
                .unwrap();
        }
        let user = user::ActiveModel {
            name: Set("ann".into()),
            note: Set(String::new()),
            tags: Set(Strings::default()),
            role: Set("user".into()),
            is_enabled: Set(true),
            provider_group: Set(String::new()),
            allowed_models: Set(Strings::default()),
            allowed_clients: Set(Strings::default()),
            blocked_clients: Set(Strings::default()),
            limits: Set(Limits::default()),
            created_at: Set(Utc::now()),
            updated_at: Set(Utc::now()),
            ..Default::default()
        };
        user::Entity::insert(user)
            .exec_without_returning(db)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_day_is_summed_up_in_its_zone() {
        for test in TestDb::all().await {
            fill(&test.db).await;
            // The 20th in Shanghai.
            let window = Window {
                start: at("2026-11-19T16:00:00Z"),
                end: at("2026-11-20T16:00:00Z"),
            };
            let day = at("2026-11-20T00:00:00Z").date_naive();
            let report = report(&test.db, day, window).await.unwrap();
            assert_eq!(
                (
                    report.cost_usd,
                    report.requests,
                    report.failures,
                    report.tokens
                ),
                (Usd(7 * DOLLAR), 30, 3, 345)
            );
            let names = |shares: &[Share]| {
                let names = shares.iter().map(|share| share.name.clone());
                names.collect::<Vec<_>>()
            };
            assert_eq!(names(&report.users), ["#2", "ann", "#3"]);
            assert_eq!(names(&report.models), ["opus", "free"]);
            assert_eq!(report.models[0].cost_usd, Usd(7 * DOLLAR));
            assert_eq!(names(&report.providers), ["#1"]);
            test.drop().await;
        }
    }

    #[tokio::test]
    async fn models_without_a_price_are_found_while_they_are_used() {
        for test in TestDb::all().await {
            fill(&test.db).await;
            let found = unpriced(&test.db, at("2026-11-20T15:59:00Z"))
                .await
                .unwrap();
            let item = Item::Model {
                model: "free".into(),
                attempts: 4,
            };
            assert_eq!(found, [("free".to_owned(), item)]);
            let found = unpriced(&test.db, at("2026-11-20T16:00:00Z")).await;
            assert_eq!(found.unwrap(), []);
            test.drop().await;
        }
    }
}
