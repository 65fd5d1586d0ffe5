//! Where sums are read: of spans where those are closed, of hours where they are not.
//!
//! Sums can be added up, and spans do not share an hour once they are chosen. So what was used in some hours is the sum of any spans that
//! lie in them, one beside the other, and of the hours that are left over. Spans are taken from the first hour on: at each place the
//! longest that begins there or next after it, does not reach beyond the end and does not reach over the beginning of a point, where what
//! is asked for is a series of points. It does not matter by which time zone spans were cut: where they do not fit they are not taken, and
//! hours are read.
//!
//! Which spans are closed and what is in them is read in one transaction that sees one moment. So a span that is opened again, or that
//! goes, while it is read is read as it was.

use std::ops::Range;

use sea_orm::sea_query::{Expr, Query, SelectStatement, UnionType};
use sea_orm::{
    AccessMode, ColumnTrait, Condition, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    ExprTrait, IsolationLevel, Iterable, QueryTrait, Select, TransactionTrait,
};

use super::{Cut, Span, closed};
use crate::usage_hourly::{Column, Entity};

const HOURS: &str = "usage_hourly";
const SUMS: &str = "usage_span_sums";
/// Pieces that hours are read in at most. More of them are made one, and the spans between are passed over.
const MOST_PIECES: usize = 16;
/// All hours there are.
pub const ALWAYS: Range<i64> = i64::MIN..i64::MAX;

/// A moment of the database, and what is to be read of it.
#[derive(Debug)]
pub struct Source {
    tx: DatabaseTransaction,
    plan: Plan,
}

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The cut that is read of spans.
    pub cut: Cut,
    /// Spans, by id.
    pub spans: Vec<i64>,
    /// Hours, in order; at least one piece of them, which may be of none.
    pub rest: Vec<Range<i64>>,
}

// === impl Source ===

impl Source {
    /// Of some hours, as far as needed for sums that are sorted out by `needed`, and for a series with points that begin at `points`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(
        db: &DatabaseConnection,
        hours: Range<i64>,
        points: &[i64],
        needed: Cut,
    ) -> Result<Self, DbErr> {
        let tx = if db.get_database_backend() == DbBackend::Postgres {
            let isolation = Some(IsolationLevel::RepeatableRead);
            let access = Some(AccessMode::ReadOnly);
            db.begin_with_config(isolation, access).await?
        } else {
            db.begin().await?
        };
        let spans = match Cut::smallest(needed) {
            Some(_) => closed(&tx, &hours).await?,
            None => Vec::new(),
        };
        let plan = Plan::new(&spans, hours, points, needed);
        Ok(Self { tx, plan })
    }

    /// The moment, to read at.
    #[must_use]
    pub fn at(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// What is to be read.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Has `select` read what is planned, and of that the rows that pass `filter`.
    #[must_use]
    pub fn read(&self, select: Select<Entity>, filter: &Condition) -> Select<Entity> {
        self.plan.read(select, filter)
    }

    /// Ends the transaction.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn close(self) -> Result<(), DbErr> {
        self.tx.commit().await
    }
}

// === impl Plan ===

impl Plan {
    /// Of these hours; `spans` are in the order of [`closed`], `points` in order.
    #[must_use]
    pub fn new(spans: &[Span], hours: Range<i64>, points: &[i64], needed: Cut) -> Self {
        let cut = Cut::smallest(needed);
        let mut plan = Self {
            cut: cut.unwrap_or_default(),
            spans: Vec::new(),
            rest: Vec::new(),
        };
        let mut taken: Vec<&Span> = Vec::new();
        let mut next = hours.start;
        for span in spans {
            let Range { start, end } = span.hours;
            let is_cut = span.cuts().any(|each| Some(each) == cut);
            // The first point that begins after the span does.
            let after = points.partition_point(|point| *point <= start);
            let is_whole = points.get(after).is_none_or(|point| end <= *point);
            if start < next || end > hours.end || !is_cut || !is_whole {
                continue;
            }
            if next < start {
                plan.rest.push(next..start);
            }
            taken.push(span);
            next = end;
        }
        if next < hours.end || plan.rest.is_empty() {
            plan.rest.push(next..std::cmp::max(next, hours.end));
        }
        if let Some(more) = plan.rest.len().checked_sub(MOST_PIECES + 1) {
            // The oldest are made one: what is asked for again and again is of late.
            let whole = plan.rest[0].start..plan.rest[more + 1].end;
            taken.retain(|span| span.hours.end <= whole.start || span.hours.start >= whole.end);
            plan.rest.splice(0..=more + 1, [whole]);
        }
        plan.spans = taken.into_iter().map(|span| span.id).collect();
        plan
    }

    fn read(&self, mut select: Select<Entity>, filter: &Condition) -> Select<Entity> {
        let mut parts = self.rest.iter().map(|hours| {
            let all = Condition::all().add(within(hours)).add(filter.clone());
            part(HOURS, all)
        });
        let Some(mut all) = parts.next() else {
            return select;
        };
        for part in parts {
            all.union(UnionType::All, part);
        }
        if !self.spans.is_empty() {
            let sums = Condition::all()
                .add(Expr::col("span_id").is_in(self.spans.iter().copied()))
                .add(Expr::col("cut").eq(self.cut.id()))
                .add(filter.clone());
            all.union(UnionType::All, part(SUMS, sums));
        }
        let query = QueryTrait::query(&mut select);
        query.from_clear().from_subquery(all, HOURS);
        select
    }
}

/// Rows of a table as if they were hours.
fn part(table: &'static str, all: Condition) -> SelectStatement {
    Query::select()
        .columns(Column::iter())
        .from_as(table, HOURS)
        .cond_where(all)
        .to_owned()
}

fn within(hours: &Range<i64>) -> Condition {
    let from = (hours.start > ALWAYS.start).then(|| Column::Hour.gte(hours.start));
    let to = (hours.end < ALWAYS.end).then(|| Column::Hour.lt(hours.end));
    Condition::all().add_option(from).add_option(to)
}

#[cfg(test)]
mod tests;
