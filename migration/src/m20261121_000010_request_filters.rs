//! What the request log is searched by: the program that called, and an index for each filter that few requests pass.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// Name, columns and, where most rows have no place in it, the rows that do. Both databases know indexes of a part of a table.
const INDEXES: [(&str, &str, &str); 6] = [
    (
        "idx_request_log_session_id",
        "session_id, id",
        "session_id IS NOT NULL",
    ),
    ("idx_request_log_requested_model", "requested_model, id", ""),
    // A model is asked for by its own name, but for redirects.
    (
        "idx_request_log_redirected_model",
        "model, id",
        "model IS NOT NULL AND (requested_model IS NULL OR model <> requested_model)",
    ),
    ("idx_request_log_failed", "id", "status >= 400"),
    ("idx_request_log_status", "status, id", "status >= 400"),
    (
        "idx_request_log_error_code",
        "error_code, id",
        "error_code IS NOT NULL",
    ),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let client = Table::alter()
            .table("request_log")
            .add_column(
                ColumnDef::new("client")
                    .string_len(16)
                    .not_null()
                    .default("unknown"),
            )
            .to_owned();
        manager.alter_table(client).await?;
        let db = manager.get_connection();
        for (name, columns, part) in INDEXES {
            let part = if part.is_empty() {
                String::new()
            } else {
                format!(" WHERE {part}")
            };
            db.execute_unprepared(&format!(
                "CREATE INDEX {name} ON request_log ({columns}){part}"
            ))
            .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for (name, _, _) in INDEXES {
            db.execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        let client = Table::alter()
            .table("request_log")
            .drop_column("client")
            .to_owned();
        manager.alter_table(client).await
    }
}
