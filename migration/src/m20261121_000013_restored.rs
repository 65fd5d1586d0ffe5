//! Installations whose client keys were restored here; and an index of failed requests that serves no other search.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("key_origins")
                    .col(
                        ColumnDef::new("mark")
                            .string_len(16)
                            .not_null()
                            .primary_key(),
                    )
                    .col(ColumnDef::new("hashing_key").text().not_null())
                    .col(
                        ColumnDef::new("created_at")
                            .timestamp_with_time_zone()
                            .not_null(),
                    )
                    .to_owned(),
            )
            .await?;
        failed(manager, "status - 0 >= 400").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        failed(manager, "status >= 400").await?;
        manager
            .drop_table(Table::drop().table("key_origins").to_owned())
            .await
    }
}

/// The index of failed requests. While it said `status >= 400`, PostgreSQL took it for searches by one status, too, once it knew their plan
/// by heart, and read every failed request for a status that hardly occurs.
async fn failed(manager: &SchemaManager<'_>, part: &str) -> Result<(), DbErr> {
    let db = manager.get_connection();
    db.execute_unprepared("DROP INDEX idx_request_log_failed")
        .await?;
    db.execute_unprepared(&format!(
        "CREATE INDEX idx_request_log_failed ON request_log (id) WHERE {part}"
    ))
    .await?;
    Ok(())
}
