//! Installations whose client keys were restored here; and an index of failed requests that serves no other search.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait,
};
use sea_orm_migration::sea_orm::ConnectionTrait;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// An index of failed requests: its name, and what it says of them.
type Failed = (&'static str, &'static str);

/// While it says this, PostgreSQL takes it for searches by one status, too, once it knows their plan by heart, and reads every failed
/// request for a status that hardly occurs.
const OLD: Failed = ("idx_request_log_failed", "status >= 400");
const NEW: Failed = ("idx_request_log_any_failed", "status - 0 >= 400");

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
        // Another name than the old one's, because a connection that has not heard of its end would still find that taken.
        replace(manager, OLD, NEW).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, NEW, OLD).await?;
        manager
            .drop_table(Table::drop().table("key_origins").to_owned())
            .await
    }
}

async fn replace(manager: &SchemaManager<'_>, old: Failed, new: Failed) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let (name, part) = new;
    db.execute_unprepared(&format!(
        "CREATE INDEX {name} ON request_log (id) WHERE {part}"
    ))
    .await?;
    db.execute_unprepared(&format!("DROP INDEX {}", old.0))
        .await?;
    Ok(())
}
