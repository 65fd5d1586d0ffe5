//! History: requests and what they cost.
//!
//! The source keeps a request twice. `message_request` tells its story and is cleaned up by age; `usage_ledger` holds what was billed and
//! stays. Neither is whole: what was cleaned up is in the ledger only, what cost nothing by rule is in the log only, and what the ledger
//! failed to take is too. Both are ordered by the request's id, so they are read side by side in batches, like the two halves of a merge
//! sort: each batch goes as far as both halves are known. Memory is that of two batches, however long history is. Where both know a
//! figure, the ledger's counts.
//!
//! Ids here follow from the source and the id there, so that a row imported twice is one row, and its sums are added once. How far it got is
//! noted after each batch; the next import goes on from there. Requests that are still under way hold that mark back, so that they come
//! with the next import, when they are done.

mod entry;
mod story;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use entity::request_log;
use sea_orm::{ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::links::{Kind, Links};
use super::people::KeyIds;
use super::report::Table;
use super::row::Row;
use super::source::Source;
use crate::store::ledger::{Archive, Entry, PostError};
use entry::{Both, Outcome};

/// Rows of either half in memory.
const BATCH: usize = 1000;
/// Batches after which it is said how far it got.
const SAY_EVERY: u64 = 50;
/// A request without an end is under way for so long; after that its end was lost.
const UNDER_WAY: TimeDelta = TimeDelta::hours(1);

/// The ids there above this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) after: i64,
}

/// Ids here of what history points at.
pub(super) struct Ids {
    pub(super) users: HashMap<i64, i64>,
    pub(super) providers: HashMap<i64, i64>,
    pub(super) keys: KeyIds,
}

/// What is imported from where.
pub(super) struct History<'a> {
    pub(super) source: &'a Source,
    pub(super) ids: &'a Ids,
    /// What the lines that come from it carry for a price.
    pub(super) price_ref: String,
    pub(super) fingerprint: &'a str,
    pub(super) db: &'a DatabaseConnection,
    pub(super) is_applied: bool,
    table: Table,
    counts: Counts,
}

/// What is told of as a number.
#[derive(Default)]
struct Counts {
    orphans: u64,
    unledgered: u64,
    under_way: u64,
}

/// The part of the ids that a batch covers, and what is in it.
struct Batch {
    log: Vec<Row>,
    ledger: Vec<Row>,
    /// The last id it covers; none when there is nothing after it.
    last: Option<i64>,
}

// === impl Range ===

impl Range {
    /// From `since` on, or all.
    pub(super) async fn since(
        source: &Source,
        since: Option<DateTime<Utc>>,
    ) -> Result<Self, DbErr> {
        let Some(since) = since else {
            return Ok(Self { after: 0 });
        };
        let mut first = None;
        for (table, id) in [("message_request", "id"), ("usage_ledger", "request_id")] {
            if !source.has(table) {
                continue;
            }
            let sql = format!(
                "SELECT CAST(min({id}) AS bigint) AS number FROM {table} WHERE created_at >= '{}'",
                since.to_rfc3339()
            );
            let found = source.number(&sql).await?;
            first = match (first, found) {
                (Some(a), Some(b)) => Some(std::cmp::min(a, b)),
                (a, b) => a.or(b),
            };
        }
        Ok(Self {
            after: first.map_or(i64::MAX, |first| first - 1),
        })
    }
}

// === impl History ===

impl<'a> History<'a> {
    pub(super) fn new(
        source: &'a Source,
        ids: &'a Ids,
        fingerprint: &'a str,
        db: &'a DatabaseConnection,
        is_applied: bool,
    ) -> Self {
        Self {
            source,
            ids,
            price_ref: price_ref(fingerprint),
            fingerprint,
            db,
            is_applied,
            table: Table::new("requests"),
            counts: Counts::default(),
        }
    }

    /// Imports what of the range was not imported yet.
    pub(super) async fn import(
        mut self,
        links: &mut Links<'_>,
        range: Range,
        warnings: &mut Vec<String>,
    ) -> Result<Table, DbErr> {
        let archive = Archive::new(self.db.clone());
        let done = links.target(Kind::History, 0);
        let begun = links.target(Kind::History, 1).unwrap_or(i64::MAX);
        if let Some(done) = done
            && range.after < begun
        {
            // What is older than all that was imported. It is noted once it is whole.
            self.span(&archive, None, range.after, begun.min(done))
                .await?;
            self.note(links, 1, range.after).await?;
        } else if done.is_none() {
            self.note(links, 1, range.after).await?;
        }
        // What was begun goes on where it got to, so that there is no gap in it, however far back this import was to reach.
        let after = done.unwrap_or(range.after);
        self.span(&archive, Some(links), after, i64::MAX).await?;
        self.tell(warnings);
        Ok(self.table)
    }

    async fn note(&self, links: &mut Links<'_>, which: i64, id: i64) -> Result<(), DbErr> {
        if !self.is_applied {
            return Ok(());
        }
        let now = links.now;
        let place = (Kind::History, which);
        links.link(self.db, place, id, String::new(), now).await
    }

    /// Imports the ids above `after` up to `until`, and notes in `links`, where it is given, how far it got.
    async fn span(
        &mut self,
        archive: &Archive,
        mut links: Option<&mut Links<'_>>,
        mut after: i64,
        until: i64,
    ) -> Result<(), DbErr> {
        let mut hold = None;
        let mut batches: u64 = 0;
        while after < until {
            let batch = self.read(after, until).await?;
            let last = batch.last;
            let (entries, under_way) = self.entries(batch);
            hold = hold.or(under_way);
            let reached = last.or(entries.last().map(|(id, _)| *id));
            self.post(archive, entries).await?;
            let reached = match (reached, hold) {
                (Some(reached), Some(hold)) => Some(reached.min(hold - 1)),
                (reached, _) => reached,
            };
            if let (Some(links), Some(reached)) = (links.as_deref_mut(), reached)
                && links.target(Kind::History, 0) != Some(reached)
            {
                self.note(links, 0, reached).await?;
            }
            let Some(last) = last else {
                break;
            };
            after = last;
            batches += 1;
            if batches.is_multiple_of(SAY_EVERY) {
                tracing::info!(requests = self.table.found, "importing history");
            }
        }
        Ok(())
    }

    async fn read(&self, after: i64, until: i64) -> Result<Batch, DbErr> {
        let log = self
            .half("message_request", "id", &entry::LOG, after, until)
            .await?;
        let ledger = self
            .half("usage_ledger", "request_id", &entry::LEDGER, after, until)
            .await?;
        let end = |rows: &Vec<Row>, id: &str| {
            let last = rows.last().filter(|_| rows.len() == BATCH)?;
            last.integer(id)
        };
        let ends = [end(&log, "id"), end(&ledger, "request_id")];
        let last = ends.into_iter().flatten().min();
        Ok(Batch { log, ledger, last })
    }

    async fn half(
        &self,
        table: &str,
        id: &str,
        wanted: &[&'static str],
        after: i64,
        until: i64,
    ) -> Result<Vec<Row>, DbErr> {
        if !self.source.has(table) {
            return Ok(Vec::new());
        }
        let columns = self.source.columns(table, wanted).join(", ");
        let sql = format!(
            "SELECT CAST(to_jsonb(h) AS text) AS row FROM (SELECT {columns} FROM {table} \
             WHERE {id} > {after} AND {id} <= {until} ORDER BY {id} LIMIT {BATCH}) AS h"
        );
        self.source.rows(&sql).await
    }

    /// What is written of a batch, by the ids there, and the first request in it that is under way.
    fn entries(&mut self, batch: Batch) -> (Vec<(i64, Entry)>, Option<i64>) {
        let last = batch.last.unwrap_or(i64::MAX);
        let mut log = batch.log.iter().peekable();
        let mut ledger = batch.ledger.iter().peekable();
        let mut entries = Vec::new();
        let mut under_way = None;
        loop {
            let ids = [
                log.peek().and_then(|row| row.integer("id")),
                ledger.peek().and_then(|row| row.integer("request_id")),
            ];
            let Some(id) = ids.into_iter().flatten().min().filter(|id| *id <= last) else {
                break;
            };
            let both = Both {
                id,
                log: log.next_if(|_| ids[0] == Some(id)),
                ledger: ledger.next_if(|_| ids[1] == Some(id)),
            };
            self.table.found += 1;
            match self.entry(&both) {
                Outcome::Entry(entry) => entries.push((id, *entry)),
                Outcome::UnderWay => {
                    self.counts.under_way += 1;
                    under_way = under_way.or(Some(id));
                }
                Outcome::Skipped(why) => self.table.skipped.add(id, why),
            }
        }
        (entries, under_way)
    }

    /// Posts what is not here yet.
    async fn post(
        &mut self,
        archive: &Archive,
        mut entries: Vec<(i64, Entry)>,
    ) -> Result<(), DbErr> {
        let found = entries.len();
        let here = self.here(&entries).await?;
        entries.retain(|(_, entry)| !here.contains(&entry.request.id));
        self.table.same += (found - entries.len()) as u64;
        self.table.new += entries.len() as u64;
        if !self.is_applied || entries.is_empty() {
            return Ok(());
        }
        let each = || entries.iter().map(|(_, entry)| entry);
        let lines = each().flat_map(|entry| entry.lines.clone()).collect();
        let requests = each().map(|entry| entry.request.clone()).collect();
        match archive.post(lines, requests).await {
            Err(PostError::Refused(_)) => {}
            posted => return Ok(posted?),
        }
        // One of them is the trouble.
        for (id, entry) in entries {
            match archive.post(entry.lines, vec![entry.request]).await {
                Err(PostError::Refused(why)) => {
                    self.table.new -= 1;
                    let why = format!("the database here refuses it: {why}");
                    self.table.skipped.add(id, why);
                }
                posted => posted?,
            }
        }
        Ok(())
    }

    async fn here(&self, entries: &[(i64, Entry)]) -> Result<HashSet<Uuid>, DbErr> {
        let ids = entries.iter().map(|(_, entry)| entry.request.id);
        let found: Vec<Uuid> = request_log::Entity::find()
            .select_only()
            .column(request_log::Column::Id)
            .filter(request_log::Column::Id.is_in(ids))
            .into_tuple()
            .all(self.db)
            .await?;
        Ok(found.into_iter().collect())
    }

    fn tell(&mut self, warnings: &mut Vec<String>) {
        let Counts {
            orphans,
            unledgered,
            under_way,
        } = self.counts;
        if orphans > 0 {
            warnings.push(format!(
                "{orphans} requests are of users or keys that are not there: they are imported under the id 0, so that sums are whole."
            ));
        }
        if unledgered > 0 {
            warnings.push(format!(
                "{unledgered} requests with a cost are missing in usage_ledger: they are imported as the log has them."
            ));
        }
        if under_way > 0 {
            warnings.push(format!(
                "{under_way} requests are under way there: import again when they are done."
            ));
        }
    }
}

/// What lines that come from a source carry for a price: they were priced there.
pub(super) fn price_ref(fingerprint: &str) -> String {
    format!("import:{fingerprint}")
}
