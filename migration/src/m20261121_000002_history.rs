//! History: the request log and the usage lines.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, Table, async_trait,
};

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        request_log(manager).await?;
        usage_lines(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["usage_lines", "request_log"] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

async fn request_log(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("request_log")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(stamp("created_at"))
        .col(ColumnDef::new("user_id").big_integer())
        .col(ColumnDef::new("key_id").big_integer())
        .col(ColumnDef::new("provider_id").big_integer())
        .col(ColumnDef::new("session_id").string_len(256))
        .col(ColumnDef::new("protocol").string_len(16).not_null())
        .col(ColumnDef::new("endpoint").string_len(512).not_null())
        .col(ColumnDef::new("requested_model").string_len(256))
        .col(ColumnDef::new("model").string_len(256))
        .col(ColumnDef::new("status").integer().not_null())
        .col(ColumnDef::new("is_stream").boolean().not_null())
        .col(ColumnDef::new("error_code").string_len(64))
        .col(ColumnDef::new("error_message").text())
        .col(ColumnDef::new("cost_nano_usd").big_integer())
        .col(ColumnDef::new("settled_from").string_len(16).not_null())
        .col(ColumnDef::new("duration_ms").big_integer().not_null())
        .col(ColumnDef::new("ttfb_ms").big_integer())
        .col(ColumnDef::new("ttft_ms").big_integer())
        .col(ColumnDef::new("overhead_us").big_integer().not_null())
        .col(ColumnDef::new("request_bytes").big_integer().not_null())
        .col(ColumnDef::new("response_bytes").big_integer().not_null())
        .col(ColumnDef::new("client_ip").string_len(64))
        .col(ColumnDef::new("user_agent").string_len(512))
        .col(ColumnDef::new("chain").json_binary().not_null());
    for bucket in TEXT_BUCKETS {
        table.col(ColumnDef::new(bucket).big_integer().not_null());
    }
    manager.create_table(table.to_owned()).await?;
    // Ordered by id within each, as the log is listed. Its ids are ordered by time, so time needs no index of its own.
    for column in ["user_id", "key_id", "provider_id"] {
        index(manager, "request_log", &[column, "id"]).await?;
    }
    Ok(())
}

async fn usage_lines(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    table
        .table("usage_lines")
        .col(ColumnDef::new("id").uuid().not_null().primary_key())
        .col(ColumnDef::new("request_id").uuid().not_null())
        .col(ColumnDef::new("attempt").integer().not_null())
        .col(stamp("created_at"))
        .col(ColumnDef::new("user_id").big_integer().not_null())
        .col(ColumnDef::new("key_id").big_integer().not_null())
        .col(ColumnDef::new("provider_id").big_integer().not_null())
        .col(ColumnDef::new("requested_model").string_len(256))
        .col(ColumnDef::new("model").string_len(256))
        .col(ColumnDef::new("cost_nano_usd").big_integer())
        .col(ColumnDef::new("settled_from").string_len(16).not_null())
        .col(ColumnDef::new("raw").text());
    for bucket in TEXT_BUCKETS
        .into_iter()
        .chain(["image_input_tokens", "image_output_tokens"])
    {
        table.col(ColumnDef::new(bucket).big_integer().not_null());
    }
    manager.create_table(table.to_owned()).await?;
    index(manager, "usage_lines", &["request_id"]).await
}

const TEXT_BUCKETS: [&str; 6] = [
    "input_tokens",
    "cache_read_tokens",
    "cache_write5m_tokens",
    "cache_write1h_tokens",
    "output_tokens",
    "reasoning_tokens",
];

fn stamp(name: &'static str) -> ColumnDef {
    ColumnDef::new(name)
        .timestamp_with_time_zone()
        .not_null()
        .to_owned()
}

async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(format!("idx_{table}_{}", columns.join("_")));
    index.table(table);
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}
