//! Table `usage_spans`: runs of hours that are summed up once more, by fewer columns, so that a chart of a month reads days.
//!
//! The sums of a span are in `usage_span_sums`, which has the columns of `usage_hourly` and two more: the span and the [`Cut`]. In a row of
//! a cut the columns that are not of the cut are 0 or empty, and `hour` is the first of the span. How a span comes to be is told in the
//! gateway's `store::spans`; what may be read of it, in [`source`].

use std::ops::Range;

use sea_orm::entity::prelude::*;
use sea_orm::{DbBackend, QueryOrder, QuerySelect};

pub mod cut;
pub mod source;

pub use cut::Cut;

/// Some hours, one after another.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_spans")]
pub struct Model {
    /// Never given twice.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// As in `usage_hourly`.
    pub first_hour: i64,
    /// The hour after the last.
    pub end_hour: i64,
    /// Whether its sums are those of its hours.
    pub state: State,
    /// When it was begun to sum it up.
    pub begun_at: DateTimeUtc,
}

/// How far a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i32", db_type = "Integer")]
pub enum State {
    /// It is being summed up: there may be anything from nothing to all.
    #[sea_orm(num_value = 0)]
    Building,
    /// Its sums are those of its hours.
    #[sea_orm(num_value = 1)]
    Closed,
    /// One of its hours has changed since it was begun to sum it up. It stays so.
    #[sea_orm(num_value = 2)]
    Stale,
}

/// Relations: none.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A span and its hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its id.
    pub id: i64,
    /// From the first to before the end.
    pub hours: Range<i64>,
}

/// What says that hours have changed, from the first to the last of two values that it is executed with. Whoever writes `usage_hourly` says
/// it in the same transaction, **after** that, or spans are closed over what they do not hold.
#[must_use]
pub fn reopen(backend: DbBackend) -> &'static str {
    match backend {
        // In one order for everybody, so that no two wait for each other.
        DbBackend::Postgres => {
            "UPDATE usage_spans SET state = 2 WHERE id IN (SELECT id FROM usage_spans WHERE end_hour > $1 AND first_hour <= $2 AND state < 2 ORDER BY id FOR UPDATE)"
        }
        _ => {
            "UPDATE usage_spans SET state = 2 WHERE end_hour > ? AND first_hour <= ? AND state < 2"
        }
    }
}

/// The closed spans among these hours, by where they begin, the longest first.
///
/// # Errors
/// When the database does not answer.
pub async fn closed(db: &impl ConnectionTrait, among: &Range<i64>) -> Result<Vec<Span>, DbErr> {
    let rows: Vec<(i64, i64, i64)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::FirstHour, Column::EndHour])
        .filter(Column::State.eq(State::Closed))
        .filter(Column::FirstHour.gte(among.start))
        .filter(Column::EndHour.lte(among.end))
        .order_by_asc(Column::FirstHour)
        .order_by_desc(Column::EndHour)
        .into_tuple()
        .all(db)
        .await?;
    let spans = rows.into_iter().map(|(id, first, end)| Span {
        id,
        hours: first..end,
    });
    Ok(spans.collect())
}

// === impl Model ===

impl Model {
    /// Its hours.
    #[must_use]
    pub fn hours(&self) -> Range<i64> {
        self.first_hour..self.end_hour
    }
}

// === impl Span ===

impl Span {
    /// Whether it is of one hour.
    #[must_use]
    pub fn is_hour(&self) -> bool {
        self.hours.end - self.hours.start == 1
    }

    /// What it is sorted out by: an hour by one column at a time, more by two.
    pub fn cuts(&self) -> impl Iterator<Item = Cut> + use<> {
        let pairs: &[Cut] = if self.is_hour() { &[] } else { &cut::PAIRS };
        cut::SINGLE.iter().chain(pairs).copied()
    }
}
