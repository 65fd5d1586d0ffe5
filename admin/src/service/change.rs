//! A change of configuration: one transaction that bumps the revision and says in the audit who changed what, then a reload.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{audit, revision};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, TransactionTrait,
    sea_query::Expr,
};
use serde_json::Value;

use super::{
    audit::{Action, Pictured, Subject, entry},
    idempotency, now,
};
use crate::{Admin, auth::identity::Identity, problem::Problem};

/// How long a caller waits for the gateway to take a change. It takes it later by itself if that was too short.
const RELOAD: Duration = Duration::from_secs(5);

/// Audit rows of one statement.
const BATCH: usize = 100;

/// A change under way; undone when dropped before [`Change::commit`].
pub struct Change<'a> {
    admin: &'a Admin,
    by: &'a Identity,
    tx: DatabaseTransaction,
    revision: i64,
    entries: Vec<audit::ActiveModel>,
}

// === impl Change ===

impl<'a> Change<'a> {
    /// Begins a change. The revision is bumped first: its one row then holds every other change back, on every node, until
    /// this one is done, so what a change reads is still so when it writes. (SQLite would otherwise refuse to turn a reading
    /// transaction into a writing one when another has written meanwhile.)
    ///
    /// # Errors
    /// When the database does not take it; 409 when the same creation was carried out meanwhile.
    pub async fn begin(admin: &'a Admin, by: &'a Identity) -> Result<Self, Problem> {
        let tx = admin.db.begin().await?;
        revision::Entity::update_many()
            .col_expr(
                revision::Column::Number,
                Expr::col(revision::Column::Number).add(1),
            )
            .filter(revision::Column::Id.eq(revision::ONLY_ID))
            .exec(&tx)
            .await?;
        let revision = revision::Entity::find_by_id(revision::ONLY_ID)
            .one(&tx)
            .await?;
        if let Some(claim) = &by.claim {
            idempotency::must_be_first(&tx, claim).await?;
        }
        Ok(Self {
            admin,
            by,
            tx,
            revision: revision.map_or(0, |row| row.number),
            entries: Vec::new(),
        })
    }

    /// The transaction, for the change's own reads and writes.
    pub fn tx(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// Says what is changed: the thing before, unless it is new, and after, unless it is gone.
    pub fn record<T: Pictured>(&mut self, action: Action, before: Option<&T>, after: Option<&T>) {
        let Some(subject) = after.or(before).map(Pictured::subject) else {
            return;
        };
        let picture = |thing: Option<&T>| thing.map(|thing| thing.picture(self.admin));
        let (before, after) = (picture(before), picture(after));
        self.note(action, subject, before, after);
    }

    /// Says what is changed of something that is no row.
    pub fn note(
        &mut self,
        action: Action,
        subject: Subject,
        before: Option<Value>,
        after: Option<Value>,
    ) {
        let mut entry = entry(self.by, action, subject, before, after);
        entry.revision = sea_orm::Set(Some(self.revision));
        self.entries.push(entry);
    }

    /// Makes it last, and live.
    ///
    /// # Errors
    /// When the database does not take it; nothing has changed then.
    pub async fn commit(self) -> Result<(), Problem> {
        for batch in self.entries.chunks(BATCH) {
            audit::Entity::insert_many(batch.to_vec())
                .exec(&self.tx)
                .await?;
        }
        if let Some(claim) = &self.by.claim {
            idempotency::settle(&self.tx, claim).await?;
        }
        self.tx.commit().await?;
        let reload = self.admin.gateway.reload();
        if tokio::time::timeout(RELOAD, reload).await.is_err() {
            tracing::warn!("the gateway takes long to load a change; it will poll for it");
        }
        Ok(())
    }
}

/// The time of a change of what was last changed at `last`: later than that even where the clock went back, for it is the version.
#[must_use]
pub fn later(last: DateTime<Utc>) -> DateTime<Utc> {
    let next = last + TimeDelta::microseconds(1);
    Ord::max(now(), next)
}
