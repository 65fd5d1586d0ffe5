//! Inserts rows, many at a time, each of them once.

use std::ops::Deref;

use entity::{request_log, usage};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    IntoActiveModel, Iterable, RuntimeErr, SqlxError, TransactionTrait,
};

/// Bind variables one statement may have: `SQLite` takes 32,766, `PostgreSQL` 65,535.
const MAX_BINDS: usize = 32_000;

/// Posts a batch in one transaction. A row whose id is there already is left as it is.
///
/// # Errors
/// When the database fails, or refuses a row: see [`is_refusal`].
pub(super) async fn post(
    db: &DatabaseConnection,
    lines: Vec<usage::Model>,
    requests: Vec<request_log::Model>,
) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    insert::<usage::Entity>(&transaction, lines, usage::Column::Id).await?;
    insert::<request_log::Entity>(&transaction, requests, request_log::Column::Id).await?;
    transaction.commit().await
}

/// Whether the database refused what is in a row, so that trying again cannot help.
pub(super) fn is_refusal(error: &DbErr, backend: DbBackend) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return false;
    };
    match error.deref() {
        SqlxError::Encode(_) => true,
        SqlxError::Database(error) => {
            let code = error.code().unwrap_or_default();
            if backend == DbBackend::Postgres {
                // Data exceptions and violated constraints.
                code.starts_with("22") || code.starts_with("23")
            } else {
                // SQLITE_TOOBIG, SQLITE_CONSTRAINT and SQLITE_MISMATCH, whatever they are extended by.
                code.parse::<u32>()
                    .is_ok_and(|code| matches!(code & 0xff, 18..=20))
            }
        }
        _ => false,
    }
}

async fn insert<E>(
    transaction: &DatabaseTransaction,
    mut rows: Vec<E::Model>,
    id: E::Column,
) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    let most = MAX_BINDS / E::Column::iter().count();
    while !rows.is_empty() {
        let rest = rows.split_off(most.min(rows.len()));
        E::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model))
            .on_conflict(OnConflict::column(id).do_nothing().to_owned())
            .exec_without_returning(transaction)
            .await?;
        rows = rest;
    }
    Ok(())
}
