//! What keys, users and providers have spent, from the history: for counters that begin anew.
//!
//! Windows of five hours and of a day are read from the usage lines of the last day, by the minute. Weeks, months and all there ever
//! was come from the sums of hours, which is a few rows where lines would be millions; the part of an hour in which a window begins
//! is read from the lines again. A line's id is made when it is settled, after its attempt has ended, so that a range of ids finds all lines
//! of a range of time without an index on their time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{usage, usage_hourly};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use super::counters::Seed;
use super::database::within;
use crate::domain::limits::{Party, Subject};
use crate::domain::window::{Span, Windows};

/// Further back than any window that is read by the minute begins.
const RECENT: TimeDelta = TimeDelta::hours(26);
/// The longest a query may take.
const LIMIT: Duration = Duration::from_secs(60);
/// Lines that are read for what requests cost lately.
const LATEST: u64 = 5_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// The places of a week, a month and all time among the windows; the first two are read by the minute.
const LONG: [usize; 3] = [2, 3, 4];

const COST: &str = "CAST(SUM(COALESCE(cost_nano_usd, 0)) AS BIGINT)";

/// A party and its windows of money now.
#[derive(Debug, Clone, Copy)]
pub struct Spender {
    /// Who, and from when on it counts.
    pub party: Party,
    /// In the order of [`crate::domain::limits::Dimension::MONEY`].
    pub windows: Windows,
}

/// What one request cost.
#[derive(Debug, FromQueryResult)]
pub struct Cost {
    /// With which key.
    pub key_id: i64,
    /// Which model was asked for.
    pub requested_model: Option<String>,
    /// Nano-USD.
    pub cost: i64,
}

/// Sums of lines that belong together.
#[derive(Debug, FromQueryResult)]
struct Spent {
    user_id: i64,
    key_id: i64,
    provider_id: i64,
    at: i64,
    cost: i64,
}

type By<T> = HashMap<Subject, T>;

/// The history, as far as it was read.
struct History<'a> {
    db: &'a DatabaseConnection,
    now: DateTime<Utc>,
    /// By the minute.
    recent: By<Vec<(i64, i64)>>,
    /// By where a window begins.
    since: HashMap<i64, By<i64>>,
}

/// What each has spent in its windows.
///
/// # Errors
/// When the database fails or takes too long.
pub async fn seeds(
    db: &DatabaseConnection,
    spenders: &[Spender],
    now: DateTime<Utc>,
) -> Result<Vec<(Spender, Seed)>, DbErr> {
    let mut history = History::read(db, now).await?;
    let mut seeds = Vec::with_capacity(spenders.len());
    for spender in spenders {
        seeds.push((*spender, history.of(spender).await?));
    }
    Ok(seeds)
}

/// What the latest requests cost of which that is known, the oldest first.
///
/// # Errors
/// When the database fails or takes too long.
pub async fn latest(db: &DatabaseConnection) -> Result<Vec<Cost>, DbErr> {
    let lines = usage::Entity::find()
        .select_only()
        .column(usage::Column::KeyId)
        .column(usage::Column::RequestedModel)
        .column_as(usage::Column::CostNanoUsd, "cost")
        .filter(usage::Column::CostNanoUsd.is_not_null())
        // What is not known teaches nothing.
        .filter(usage::Column::SettledFrom.ne("none"))
        .order_by_desc(usage::Column::Id)
        .limit(LATEST)
        .into_model::<Cost>();
    let mut costs = within(LIMIT, lines.all(db)).await?;
    costs.reverse();
    Ok(costs)
}

/// By subjects and minute, in the order of time.
async fn minutes(db: &DatabaseConnection, since: DateTime<Utc>) -> Result<Vec<Spent>, DbErr> {
    let minute = match db.get_database_backend() {
        DbBackend::Postgres => "CAST(FLOOR(EXTRACT(EPOCH FROM created_at) / 60) AS BIGINT)",
        _ => "CAST(strftime('%s', created_at) AS INTEGER) / 60",
    };
    lines_between(since.timestamp_millis(), None)
        .select_only()
        .columns([
            usage::Column::UserId,
            usage::Column::KeyId,
            usage::Column::ProviderId,
        ])
        .expr_as(Expr::cust(minute), "at")
        .expr_as(Expr::cust(COST), "cost")
        .group_by(usage::Column::UserId)
        .group_by(usage::Column::KeyId)
        .group_by(usage::Column::ProviderId)
        .group_by(Expr::cust(minute))
        .order_by_asc(Expr::cust(minute))
        .into_model::<Spent>()
        .all(db)
        .await
}

/// Of everybody, since a moment.
async fn sums_since(db: &DatabaseConnection, start: i64) -> Result<By<i64>, DbErr> {
    let mut sums = By::<i64>::new();
    let begun = by_subjects(lines_between(start, Some(up(start, HOUR))))
        .into_model::<Spent>()
        .all(db)
        .await?;
    let hours =
        usage_hourly::Entity::find().filter(usage_hourly::Column::Hour.gte(up(start, HOUR) / HOUR));
    let hours = by_subjects(hours).into_model::<Spent>().all(db).await?;
    for spent in begun.iter().chain(&hours) {
        for subject in spent.subjects() {
            *sums.entry(subject).or_default() += spent.cost;
        }
    }
    Ok(sums)
}

fn by_subjects<E: EntityTrait>(rows: Select<E>) -> Select<E> {
    let columns = ["user_id", "key_id", "provider_id"];
    let mut rows = rows.select_only();
    for column in columns {
        rows = rows
            .expr_as(Expr::cust(column), column)
            .group_by(Expr::cust(column));
    }
    rows.expr_as(Expr::cust("CAST(0 AS BIGINT)"), "at")
        .expr_as(Expr::cust(COST), "cost")
}

/// Of one subject, since a moment.
async fn sum_since(db: &DatabaseConnection, subject: Subject, start: i64) -> Result<i64, DbErr> {
    use usage_hourly::Column;
    let (column, id) = match subject {
        Subject::Key(id) => (Column::KeyId, id),
        Subject::User(id) => (Column::UserId, id),
        Subject::Provider(id) => (Column::ProviderId, id),
    };
    let hours = usage_hourly::Entity::find()
        .filter(Column::Hour.gte(up(start, HOUR) / HOUR))
        .filter(column.eq(id));
    let begun = sum(db, subject, start, up(start, HOUR)).await?;
    Ok(begun + only_sum(db, hours).await?)
}

/// Of one subject's lines.
async fn sum(db: &DatabaseConnection, subject: Subject, from: i64, to: i64) -> Result<i64, DbErr> {
    use usage::Column;
    let (column, id) = match subject {
        Subject::Key(id) => (Column::KeyId, id),
        Subject::User(id) => (Column::UserId, id),
        Subject::Provider(id) => (Column::ProviderId, id),
    };
    only_sum(db, lines_between(from, Some(to)).filter(column.eq(id))).await
}

async fn only_sum<E: EntityTrait>(db: &DatabaseConnection, rows: Select<E>) -> Result<i64, DbErr> {
    let sum = rows
        .select_only()
        .expr_as(Expr::cust(COST), "cost")
        .into_tuple::<Option<i64>>()
        .one(db)
        .await?;
    Ok(sum.flatten().unwrap_or(0))
}

/// Lines of attempts that ended in this time.
fn lines_between(from: i64, to: Option<i64>) -> Select<usage::Entity> {
    let at = |ms| DateTime::from_timestamp_millis(ms).unwrap_or_default();
    let lines = usage::Entity::find()
        .filter(usage::Column::Id.gte(first_id(from)))
        .filter(usage::Column::CreatedAt.gte(at(from)));
    match to {
        Some(to) => lines.filter(usage::Column::CreatedAt.lt(at(to))),
        None => lines,
    }
}

/// The smallest id that is made at this moment.
fn first_id(ms: i64) -> Uuid {
    let ms = u64::try_from(ms).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(ms, &[0; 10]).into_uuid()
}

fn start(span: &Span) -> i64 {
    match span {
        Span::Fixed { start, .. } => *start,
        Span::OnSpend { .. } | Span::Rolling { .. } => 0,
    }
}

/// The first multiple of `step` that is not before `ms`.
fn up(ms: i64, step: i64) -> i64 {
    (ms + step - 1).div_euclid(step) * step
}

// === impl History ===

impl<'a> History<'a> {
    async fn read(db: &'a DatabaseConnection, now: DateTime<Utc>) -> Result<Self, DbErr> {
        let mut recent = By::<Vec<(i64, i64)>>::new();
        for spent in within(LIMIT, minutes(db, now - RECENT)).await? {
            for subject in spent.subjects() {
                let history = recent.entry(subject).or_default();
                history.push((spent.at * MINUTE, spent.cost));
            }
        }
        Ok(Self {
            db,
            now,
            recent,
            since: HashMap::new(),
        })
    }

    async fn of(&mut self, spender: &Spender) -> Result<Seed, DbErr> {
        let subject = spender.party.subject;
        let reset = spender.party.limits.reset_at;
        let reset = reset.map(|at| at.timestamp_millis());
        let recent = self.recent_of(subject, reset).await?;
        let mut seed = Seed::default();
        seed.history[0].clone_from(&recent);
        seed.history[1] = recent;
        for index in LONG {
            let start = start(&spender.windows[index]);
            let spent = match reset.filter(|reset| *reset > start) {
                Some(reset) => within(LIMIT, sum_since(self.db, subject, reset)).await?,
                None => self.sum_since(subject, start).await?,
            };
            seed.history[index] = vec![(self.now.timestamp_millis(), spent)];
        }
        Ok(seed)
    }

    /// Of the minute of a reset only what was spent after it.
    async fn recent_of(
        &self,
        subject: Subject,
        reset: Option<i64>,
    ) -> Result<Vec<(i64, i64)>, DbErr> {
        let mut recent = self.recent.get(&subject).cloned().unwrap_or_default();
        let begins = (self.now - RECENT).timestamp_millis();
        if let Some(reset) = reset.filter(|reset| *reset > begins) {
            let minute = sum(self.db, subject, reset, up(reset, MINUTE));
            let minute = within(LIMIT, minute).await?;
            recent.retain(|(at, _)| *at >= reset);
            recent.insert(0, (reset, minute));
        }
        Ok(recent)
    }

    /// The windows of most begin together, and are read together.
    async fn sum_since(&mut self, subject: Subject, start: i64) -> Result<i64, DbErr> {
        let sums = match self.since.entry(start) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(within(LIMIT, sums_since(self.db, start)).await?),
        };
        Ok(sums.get(&subject).copied().unwrap_or(0))
    }
}

// === impl Spent ===

impl Spent {
    fn subjects(&self) -> [Subject; 3] {
        [
            Subject::Key(self.key_id),
            Subject::User(self.user_id),
            Subject::Provider(self.provider_id),
        ]
    }
}

#[cfg(test)]
mod tests;
