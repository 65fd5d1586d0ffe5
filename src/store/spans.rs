//! Sums of hours, summed up once more in spans that end: hours and days, by fewer columns.
//!
//! A span may be read only while its sums are those of its hours. Nobody holds anything up for that: whoever writes `usage_hourly` says
//! which hours those were (`entity::usage_span::reopen`, last in the same transaction), and whoever sums up a span watches for it.
//!
//! 1. *Mark.* A row says that the span is being built. From now on it turns stale when one of its hours changes.
//! 2. *Wait* until no transaction is under way that may have written before there was a mark and is not seen yet. In `SQLite` there is none:
//!    writers are one after another. In `PostgreSQL` it is one when it began before the mark was seen by all, which the oldest transaction
//!    that is under way tells. That takes a moment; if it takes long, the span is given up until later.
//! 3. *Build.* Each cut is one statement from hours to sums. What is read now is all there is, or the span turns stale.
//! 4. *Close,* unless it is stale. Both are one update of the same row, so that one of them is first: a writer that is not done yet holds
//!    the row, and its span is not closed; one that comes later finds the span closed and opens it.
//!
//! A stale span is never closed again. Its sums and its row go, and the span is built anew under another id: no build can be mistaken for
//! another, whoever is slow, and several nodes may do all this at once. If a process ends while it builds, the mark is stale after some
//! time. All of that is one round, and rounds go on; what is not closed meanwhile is read by the hour, which is slow and not wrong.
//!
//! Days are those of the system's time zone. When it changes, days that are none any more go and others are built.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::usage_hourly::{self, SUMMED, hour_from, hour_of};
use entity::usage_span::{ActiveModel, Column, Cut, Entity, Model, Span, State};
use entity::value::TimeOfDay;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait,
    FromQueryResult, IdenStatic, QueryFilter, QuerySelect, Set, Statement, TransactionTrait,
    TryInsertResult,
};
use tokio::time::{Instant, sleep};

use super::database::within;
use crate::domain::window::Period;

/// Hours are spans of their own for so long: as long as charts by the hour.
const HOURLY: i64 = 10 * 24;
/// Days before this many are read by the hour; nobody has used anything then.
const MOST_DAYS: u64 = 4_000;
/// Spans that are marked together.
const BATCH: usize = 4;
/// How long after its end an hour is summed up: most requests that began in it are done.
const HOUR_GRACE: TimeDelta = TimeDelta::minutes(10);
/// The same of a day.
const DAY_GRACE: TimeDelta = TimeDelta::hours(1);
/// Who builds for so long does not build any more.
const LOST: TimeDelta = TimeDelta::minutes(10);
/// How long others' transactions are waited for.
const WAIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);
/// How long one statement may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The spans there should be, the newest first: as far back as there are hours.
///
/// # Errors
/// When the database does not answer.
pub async fn wanted(
    db: &DatabaseConnection,
    zone: Tz,
    now: DateTime<Utc>,
) -> Result<Vec<Range<i64>>, DbErr> {
    #[derive(FromQueryResult)]
    struct First {
        hour: Option<i64>,
    }
    let first: Option<First> = usage_hourly::Entity::find()
        .select_only()
        .expr_as(usage_hourly::Column::Hour.min(), "hour")
        .into_model()
        .one(db)
        .await?;
    let first = first.and_then(|first| first.hour);
    Ok(first.map_or_else(Vec::new, |first| ended(first, zone, now)))
}

/// Has stale spans go, those of builders that were lost, and those that are not wanted any more: how many.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(
    db: &DatabaseConnection,
    wanted: &[Range<i64>],
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Stale))
        .filter(Column::State.eq(State::Building))
        .filter(Column::BegunAt.lt(now - LOST))
        .exec(db)
        .await?;
    let wanted: HashSet<_> = wanted.iter().collect();
    let mut gone = 0;
    for span in Entity::find().all(db).await? {
        let is_due = match span.state {
            State::Building => false,
            State::Closed => !wanted.contains(&span.hours()),
            State::Stale => true,
        };
        if is_due {
            within(LIMIT, discard(db, span.id)).await?;
            gone += 1;
        }
    }
    Ok(gone)
}

/// Marks the next of the wanted spans that are to be built, in their order, and waits until they can be. None when there are no more.
///
/// # Errors
/// When the database does not answer, or somebody's transaction does not end.
pub async fn mark(
    db: &DatabaseConnection,
    wanted: &[Range<i64>],
    now: DateTime<Utc>,
) -> Result<Vec<Span>, DbErr> {
    let rows = Entity::find().all(db).await?;
    let there: HashSet<_> = rows.iter().map(Model::hours).collect();
    let missing = wanted.iter().filter(|hours| !there.contains(*hours));
    let mut marked = Vec::new();
    let tx = db.begin().await?;
    for hours in missing.take(BATCH).cloned() {
        let row = ActiveModel {
            first_hour: Set(hours.start),
            end_hour: Set(hours.end),
            state: Set(State::Building),
            begun_at: Set(now),
            ..Default::default()
        };
        let insert =
            Entity::insert(row).on_conflict_do_nothing_on([Column::EndHour, Column::FirstHour]);
        // Else another node was faster.
        if let TryInsertResult::Inserted(done) = insert.exec(&tx).await? {
            let id = done.last_insert_id;
            marked.push(Span { id, hours });
        }
    }
    tx.commit().await?;
    if !marked.is_empty()
        && let Err(error) = all_seen(db).await
    {
        let ids = marked.iter().map(|span| span.id);
        Entity::update_many()
            .col_expr(Column::State, Expr::value(State::Stale))
            .filter(Column::Id.is_in(ids))
            .exec(db)
            .await?;
        return Err(error);
    }
    Ok(marked)
}

/// Sums up a span that was marked, resting after each step twice as long as it took. False when an hour changed meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn build(db: &DatabaseConnection, span: &Span) -> Result<bool, DbErr> {
    let cuts: Vec<_> = span.cuts().collect();
    // Each step holds others up in `SQLite`, and all of them together take little more of an hour than one.
    let together = if span.is_hour() { cuts.len() } else { 1 };
    for step in cuts.chunks(together) {
        let began = Instant::now();
        within(LIMIT, add(db, span, step)).await?;
        sleep(began.elapsed() * 2).await;
    }
    let closed = Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Closed))
        .filter(Column::Id.eq(span.id))
        .filter(Column::State.eq(State::Building))
        .exec(db)
        .await?;
    let is_closed = closed.rows_affected == 1;
    if !is_closed {
        // Its row stays until it is swept: what changes all the time is not built all the time.
        within(LIMIT, clear(db, span.id)).await?;
    }
    Ok(is_closed)
}

async fn add(db: &DatabaseConnection, span: &Span, cuts: &[Cut]) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    for cut in cuts {
        tx.execute_unprepared(&sums(span, *cut)).await?;
    }
    tx.commit().await
}

/// What sums up the hours of a span by one cut. Nothing, if the span was given up meanwhile.
fn sums(span: &Span, cut: Cut) -> String {
    let Span { id, hours } = span;
    let (names, values): (Vec<_>, Vec<_>) = cut.values().into_iter().unzip();
    let by: Vec<_> = cut
        .values()
        .into_iter()
        .filter_map(|(name, value)| (name == value).then_some(name))
        .collect();
    let summed = SUMMED.map(|sum| sum.as_str());
    let sums = summed.map(|sum| format!("CAST(SUM({sum}) AS BIGINT)"));
    format!(
        "INSERT INTO usage_span_sums (span_id, cut, hour, {}, {}) SELECT {id}, {}, {}, {}, {} FROM usage_hourly WHERE hour >= {} AND hour < {} \
         AND EXISTS (SELECT 1 FROM usage_spans WHERE id = {id} AND state = 0) GROUP BY {}",
        names.join(", "),
        summed.join(", "),
        cut.id(),
        hours.start,
        values.join(", "),
        sums.join(", "),
        hours.start,
        hours.end,
        by.join(", "),
    )
}

/// Takes a span away with its sums.
async fn discard(db: &DatabaseConnection, id: i64) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    Entity::delete_by_id(id).exec(&tx).await?;
    clear(&tx, id).await?;
    tx.commit().await
}

async fn clear(db: &impl ConnectionTrait, id: i64) -> Result<(), DbErr> {
    let sql = format!("DELETE FROM usage_span_sums WHERE span_id = {id}");
    db.execute_unprepared(&sql).await?;
    Ok(())
}

/// Waits until every transaction that was under way is over.
async fn all_seen(db: &DatabaseConnection) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let next = transaction(db, "txid_snapshot_xmax").await?;
    let until = Instant::now() + WAIT;
    while transaction(db, "txid_snapshot_xmin").await? < next {
        if Instant::now() >= until {
            return Err(DbErr::Custom(
                "a transaction that writes has been open for too long".to_owned(),
            ));
        }
        sleep(POLL).await;
    }
    Ok(())
}

/// The first transaction that has not begun, or the oldest that is under way.
async fn transaction(db: &DatabaseConnection, which: &str) -> Result<i64, DbErr> {
    let sql = format!("SELECT {which}(txid_current_snapshot()) AS id");
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("the snapshot".to_owned()))?;
    row.try_get("", "id")
}

/// Hours and days from `first` on that are over, the newest first.
fn ended(first: i64, zone: Tz, now: DateTime<Utc>) -> Vec<Range<i64>> {
    let end = hour_of(now - HOUR_GRACE);
    let mut ended: Vec<_> = (first.max(end - HOURLY)..end)
        .map(|hour| hour..hour + 1)
        .collect();
    let oldest = now - Days::new(MOST_DAYS);
    let midnight = Period::Day(TimeOfDay::from_minutes(0));
    let mut day = midnight.window(zone, now - DAY_GRACE);
    while day.start > oldest {
        // The one before it: the first is not over.
        let last = day.start - TimeDelta::nanoseconds(1);
        day = midnight.window(zone, last);
        let hours = hour_from(day.start)..hour_from(day.end);
        if hours.end <= first {
            break;
        }
        ended.push(hours);
    }
    ended.sort_by_key(|hours| std::cmp::Reverse((hours.end, hours.start)));
    ended
}

#[cfg(test)]
mod tests;
