//! What the daily report tells, and which models have no price: from the sums of each hour, and from
//! those of the day where it is closed.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::usage_hourly::{Column, Entity, hour_from, hour_of, sum, tokens};
use entity::usage_span::Cut;
use entity::usage_span::source::Source;
use entity::{provider, user};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, Order,
    QueryFilter, QueryOrder, QuerySelect, Select,
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
    let total: Sums = total(db, window).await?;
    let models: Vec<ByName> = top(db, window, Column::Model).await?;
    let users: Vec<ById> = top(db, window, Column::UserId).await?;
    let providers: Vec<ById> = top(db, window, Column::ProviderId).await?;
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

async fn total(db: &DatabaseConnection, window: Window) -> Result<Sums, DbErr> {
    let source = source(db, window, Cut::default()).await?;
    let select = summed()
        .expr_as(tokens(), "tokens")
        .expr_as(sum(Column::Failures), "failures");
    let total = source.read(select, &Condition::all());
    let total = total.into_model().one(source.at()).await?;
    source.close().await?;
    Ok(total.unwrap_or_default())
}

/// The most expensive, and of equal ones those with most requests.
async fn top<T: FromQueryResult>(
    db: &DatabaseConnection,
    window: Window,
    by: Column,
) -> Result<Vec<T>, DbErr> {
    let source = source(db, window, Cut::of(by)).await?;
    // 0 is nobody: requests no provider served.
    let (name, somebody) = match by {
        Column::Model => ("name", None),
        _ => ("id", Some(by.ne(0))),
    };
    let select = summed()
        .expr_as(Expr::col(by), name)
        .group_by(by)
        .order_by(sum(Column::CostNanoUsd), Order::Desc)
        .order_by(sum(Column::Requests), Order::Desc)
        .order_by_asc(by)
        .limit(TOP);
    let most = source.read(select, &Condition::all().add_option(somebody));
    let most = most.into_model().all(source.at()).await?;
    source.close().await?;
    Ok(most)
}

/// The hours that begin in a window.
async fn source(db: &DatabaseConnection, window: Window, by: Cut) -> Result<Source, DbErr> {
    let hours = hour_from(window.start)..hour_from(window.end);
    Source::open(db, hours, &[], by).await
}

fn summed() -> Select<Entity> {
    Entity::find()
        .select_only()
        .expr_as(sum(Column::Requests), "requests")
        .expr_as(sum(Column::CostNanoUsd), "cost")
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
    use crate::store::spans::{build, mark, wanted};
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
            let read = async || report(&test.db, day, window).await.unwrap();
            let report = read().await;
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
            // The same from the day alone, once that is summed up.
            let (zone, later) = (chrono_tz::Asia::Shanghai, at("2026-11-20T18:00:00Z"));
            let wanted = wanted(&test.db, zone, later).await.unwrap();
            loop {
                let spans = mark(&test.db, &wanted, later).await.unwrap();
                for span in &spans {
                    assert!(build(&test.db, span).await.unwrap());
                }
                if spans.is_empty() {
                    break;
                }
            }
            Entity::delete_many().exec(&test.db).await.unwrap();
            assert_eq!(format!("{:?}", read().await), format!("{report:?}"));
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
