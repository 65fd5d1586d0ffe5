//! Runs of hours that are summed up once more, and those sums. Both tables begin empty: the gateway fills them while it runs.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, Table, async_trait,
};
use sea_orm_migration::sea_orm::DbBackend;

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const SPANS: &str = "usage_spans";
const SUMS: &str = "usage_span_sums";

const KEY: [&str; 5] = ["span_id", "cut", "user_id", "key_id", "provider_id"];

const SUMMED: [&str; 16] = [
    "requests",
    "failures",
    "attempts_terminal",
    "attempts_partial",
    "attempts_estimate",
    "attempts_none",
    "attempts_unpriced",
    "input_tokens",
    "cache_read_tokens",
    "cache_write5m_tokens",
    "cache_write1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "image_input_tokens",
    "image_output_tokens",
    "cost_nano_usd",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut spans = Table::create();
        spans
            .table(SPANS)
            .col(
                ColumnDef::new("id")
                    .big_integer()
                    .not_null()
                    .auto_increment()
                    .primary_key(),
            )
            .col(ColumnDef::new("first_hour").big_integer().not_null())
            .col(ColumnDef::new("end_hour").big_integer().not_null())
            .col(ColumnDef::new("state").integer().not_null())
            .col(
                ColumnDef::new("begun_at")
                    .timestamp_with_time_zone()
                    .not_null(),
            );
        manager.create_table(spans).await?;
        // What is written now is nearly always of hours that no span has: of those that end late there are none.
        let hours = Index::create()
            .name("idx_usage_spans_hours")
            .table(SPANS)
            .col("end_hour")
            .col("first_hour")
            .unique()
            .to_owned();
        manager.create_index(hours).await?;
        sums(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [SUMS, SPANS] {
            let table = Table::drop().table(table).to_owned();
            manager.drop_table(table).await?;
        }
        Ok(())
    }
}

async fn sums(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    let mut key = Index::create();
    table
        .table(SUMS)
        .col(ColumnDef::new("span_id").big_integer().not_null())
        .col(ColumnDef::new("cut").integer().not_null())
        .col(ColumnDef::new("hour").big_integer().not_null())
        .col(ColumnDef::new("user_id").big_integer().not_null())
        .col(ColumnDef::new("key_id").big_integer().not_null())
        .col(ColumnDef::new("provider_id").big_integer().not_null())
        .col(ColumnDef::new("model").string_len(256).not_null())
        .col(ColumnDef::new("client").string_len(16).not_null());
    for column in SUMMED {
        table.col(ColumnDef::new(column).big_integer().not_null());
    }
    for column in KEY {
        key.col(column);
    }
    table.primary_key(key.col("model").col("client"));
    if manager.get_database_backend() == DbBackend::Sqlite {
        // Rows that are read together are side by side then.
        table.extra("WITHOUT ROWID");
    }
    manager.create_table(table).await
}
