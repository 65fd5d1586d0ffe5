//! A change of configuration: one transaction that bumps the revision, then a reload.

use std::time::Duration;

use entity::revision;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, TransactionTrait,
    sea_query::Expr,
};

use crate::{Admin, problem::Problem};

/// How long a caller waits for the gateway to take a change. It takes it later by itself if that was too short.
const RELOAD: Duration = Duration::from_secs(5);

/// A change under way; undone when dropped before [`Change::commit`].
pub struct Change<'a> {
    admin: &'a Admin,
    tx: DatabaseTransaction,
}

// === impl Change ===

impl<'a> Change<'a> {
    /// Begins a change. The revision is bumped first: its one row then holds every other change back, on every node, until
    /// this one is done, so what a change reads is still so when it writes. (SQLite would otherwise refuse to turn a reading
    /// transaction into a writing one when another has written meanwhile.)
    ///
    /// # Errors
    /// When the database does not take it.
    pub async fn begin(admin: &'a Admin) -> Result<Self, Problem> {
        let tx = admin.db.begin().await?;
        revision::Entity::update_many()
            .col_expr(
                revision::Column::Number,
                Expr::col(revision::Column::Number).add(1),
            )
            .filter(revision::Column::Id.eq(revision::ONLY_ID))
            .exec(&tx)
            .await?;
        Ok(Self { admin, tx })
    }

    /// The transaction, for the change's own reads and writes.
    pub fn tx(&self) -> &DatabaseTransaction {
        &self.tx
    }

    /// Makes it last, and live.
    ///
    /// # Errors
    /// When the database does not take it; nothing has changed then.
    pub async fn commit(self) -> Result<(), Problem> {
        self.tx.commit().await?;
        let reload = self.admin.gateway.reload();
        if tokio::time::timeout(RELOAD, reload).await.is_err() {
            tracing::warn!("the gateway takes long to load a change; it will poll for it");
        }
        Ok(())
    }
}
