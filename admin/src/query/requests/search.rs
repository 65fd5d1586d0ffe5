//! Any filter over a log of any size, in bounded time.
//!
//! The log is read from its newest request backwards, and a page is full when enough rows have passed the filter. How many rows must be
//! looked at for that nobody knows before: the filter may pass every row or none, and no index serves every combination. So a search
//! goes in *strides*, each of a known number of rows, and ends when the page is full, the log is, or the time is up. A page may then be
//! short, even empty, and still have a next cursor: the place where the search stopped, from which the next one goes on.
//!
//! A stride runs along one index. Every demand with an index of its own offers one, and each is asked where it would be after so many
//! rows, which it can tell from the index alone. The one that gets farthest back in the log holds the fewest rows for the time it covers,
//! so that fewest rows are looked at in vain. It is taken, down to there, and the other demands are tried on the rows themselves. Asked
//! anew at every stride, it follows what the log is like there: a session that was busy for an hour is rare in all others.
//!
//! The database's own planner is left little choice on purpose. It would go by what it thinks is typical, and where it errs it reads the
//! whole log: demands that are not the stride's own are written so that no index can serve them (see `clause.rs`).

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use entity::request_log::{Column, Entity};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use uuid::Uuid;

use super::{
    Filter,
    clause::{Clause, clauses},
    first_id, time_of,
};

/// Rows of the first stride.
const FIRST_STRIDE: u64 = 1_000;
/// Rows of the longest stride; each is twice the one before while they are quick.
const LONGEST_STRIDE: u64 = 4_000;
/// What is quick.
const QUICK: Duration = Duration::from_millis(25);
/// How long a page is searched for. A stride that has begun is finished.
pub const PATIENCE: Duration = Duration::from_millis(75);

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    /// The rows' ids, newest first.
    pub ids: Vec<Uuid>,
    /// Where the next page begins: before this id. None at the end of the log.
    pub next: Option<Uuid>,
    /// How far back the search came, where its time was up before the page was full.
    pub searched_to: Option<DateTime<Utc>>,
}

/// The part of the log that is still to be searched.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// From this id on.
    low: Uuid,
    /// Before this id.
    high: Uuid,
}

struct Search<'a> {
    db: &'a DatabaseConnection,
    clauses: Vec<Clause>,
}

/// Up to `wanted` rows that pass the filter, from before `after` on.
///
/// # Errors
/// When the database does not answer.
pub async fn search(
    db: &DatabaseConnection,
    filter: &Filter,
    after: Option<Uuid>,
    wanted: u64,
) -> Result<Found, DbErr> {
    let began = Instant::now();
    let search = Search {
        db,
        clauses: clauses(filter),
    };
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let mut span = Span::new(filter, after);
    let mut found = Found::default();
    let mut rows = FIRST_STRIDE;
    loop {
        let stride = Instant::now();
        let (driver, end) = search.farthest(span, rows).await?;
        let part = Span {
            low: end.unwrap_or(span.low),
            ..span
        };
        let most = wanted + 1 - found.ids.len();
        found.ids.extend(search.look(driver, part, most).await?);
        if found.ids.len() > wanted {
            found.ids.truncate(wanted);
            found.next = found.ids.last().copied();
            return Ok(found);
        }
        let Some(end) = end else { return Ok(found) };
        span.high = end;
        if began.elapsed() >= PATIENCE {
            found.next = Some(end);
            found.searched_to = Some(time_of(end));
            return Ok(found);
        }
        if stride.elapsed() < QUICK {
            rows = LONGEST_STRIDE.min(rows * 2);
        }
    }
}

// === impl Span ===

impl Span {
    fn new(filter: &Filter, after: Option<Uuid>) -> Self {
        let before = filter.to.map_or(Uuid::max(), first_id);
        Self {
            low: filter.from.map_or(Uuid::nil(), first_id),
            high: after.map_or(before, |after| after.min(before)),
        }
    }

    fn condition(self) -> Condition {
        Condition::all()
            .add(Column::Id.gte(self.low))
            .add(Column::Id.lt(self.high))
    }
}

// === impl Search ===

impl Search<'_> {
    /// The clause whose index gets farthest back in `rows` rows, and where that is; no place if it has no more rows than that. No clause
    /// stands for the log as it is.
    async fn farthest(
        &self,
        span: Span,
        rows: u64,
    ) -> Result<(Option<usize>, Option<Uuid>), DbErr> {
        let drivers: Vec<usize> = (0..self.clauses.len())
            .filter(|index| !self.clauses[*index].sources.is_empty())
            .collect();
        // Where every row of the index passes there is nothing to look at in vain.
        let is_whole = |only: &usize| self.clauses.len() == 1 && !self.clauses[*only].is_coarse;
        match &drivers[..] {
            [] if self.clauses.is_empty() => return Ok((None, None)),
            [] => {
                let log = [Condition::all()];
                return Ok((None, self.end(&log, span, rows).await?));
            }
            [only] if is_whole(only) => return Ok((Some(*only), None)),
            _ => {}
        }
        let mut best: Option<(usize, Uuid)> = None;
        for driver in drivers {
            let Some(end) = self.end(&self.clauses[driver].sources, span, rows).await? else {
                return Ok((Some(driver), None));
            };
            if best.is_none_or(|(_, farthest)| end < farthest) {
                best = Some((driver, end));
            }
        }
        Ok((best.map(|(driver, _)| driver), best.map(|(_, end)| end)))
    }

    /// Where the index that serves `sources` is after `rows` rows.
    async fn end(
        &self,
        sources: &[Condition],
        span: Span,
        rows: u64,
    ) -> Result<Option<Uuid>, DbErr> {
        let mut nearest = None;
        for source in sources {
            // Not a page's offset: it counts entries of an index, and never more than a stride has rows.
            let end = ids(source.clone(), span)
                .offset(rows - 1)
                .limit(1)
                .into_tuple::<Uuid>()
                .one(self.db)
                .await?;
            nearest = nearest.max(end);
        }
        Ok(nearest)
    }

    /// The ids of rows that pass, along one clause's index.
    async fn look(
        &self,
        driver: Option<usize>,
        span: Span,
        most: usize,
    ) -> Result<Vec<Uuid>, DbErr> {
        let mut tests = Condition::all();
        for (index, clause) in self.clauses.iter().enumerate() {
            if driver != Some(index) || clause.is_coarse {
                tests = tests.add(clause.test.clone());
            }
        }
        let log = [Condition::all()];
        let sources = driver.map_or(&log[..], |driver| &self.clauses[driver].sources);
        let mut found = Vec::new();
        for source in sources {
            let some = ids(source.clone().add(tests.clone()), span)
                .limit(most as u64)
                .into_tuple::<Uuid>()
                .all(self.db)
                .await?;
            found.extend(some);
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup();
        found.truncate(most);
        Ok(found)
    }
}

fn ids(wanted: Condition, span: Span) -> Select<Entity> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(wanted.add(span.condition()))
        .order_by_desc(Column::Id)
}
