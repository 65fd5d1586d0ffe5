//! Sums of usage by the hour, from all the history there is.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, Table, async_trait,
};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "usage_hourly";

const KEY: [&str; 6] = [
    "hour",
    "user_id",
    "key_id",
    "provider_id",
    "model",
    "client",
];

const SUMS: [&str; 16] = [
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
        let client = Table::alter()
            .table("usage_lines")
            .add_column(
                ColumnDef::new("client")
                    .string_len(16)
                    .not_null()
                    .default("unknown"),
            )
            .to_owned();
        manager.alter_table(client).await?;
        table(manager).await?;
        for column in ["user_id", "key_id", "provider_id"] {
            let index = Index::create()
                .name(format!("idx_{TABLE}_{column}_hour"))
                .table(TABLE)
                .col(column)
                .col("hour")
                .to_owned();
            manager.create_index(index).await?;
        }
        let db = manager.get_connection();
        db.execute_unprepared(&history(manager.get_database_backend()))
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(TABLE).to_owned())
            .await?;
        let client = Table::alter()
            .table("usage_lines")
            .drop_column("client")
            .to_owned();
        manager.alter_table(client).await
    }
}

async fn table(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create();
    let mut key = Index::create();
    table
        .table(TABLE)
        .col(ColumnDef::new("hour").big_integer().not_null())
        .col(ColumnDef::new("user_id").big_integer().not_null())
        .col(ColumnDef::new("key_id").big_integer().not_null())
        .col(ColumnDef::new("provider_id").big_integer().not_null())
        .col(ColumnDef::new("model").string_len(256).not_null())
        .col(ColumnDef::new("client").string_len(16).not_null());
    for column in SUMS {
        table.col(ColumnDef::new(column).big_integer().not_null());
    }
    for column in KEY {
        key.col(column);
    }
    manager
        .create_table(table.primary_key(&mut key).to_owned())
        .await
}

/// Sums up what there is. Who called is not known of it.
fn history(backend: DbBackend) -> String {
    let hour = match backend {
        DbBackend::Postgres => "CAST(FLOOR(EXTRACT(EPOCH FROM created_at) / 3600) AS BIGINT)",
        _ => "CAST(strftime('%s', created_at) AS INTEGER) / 3600",
    };
    let least = match backend {
        DbBackend::Postgres => ("LEAST(GREATEST(", ", 0), 1000000000000000)"),
        _ => ("MIN(MAX(", ", 0), 1000000000000000)"),
    };
    let place = format!(
        "{hour} AS hour, user_id, key_id, COALESCE(provider_id, 0) AS provider_id, COALESCE(model, requested_model, '') AS model, 'unknown' AS client"
    );
    let from_lines: Vec<_> = SUMS
        .iter()
        .map(|sum| match sum.strip_prefix("attempts_") {
            Some("unpriced") => {
                "CASE WHEN cost_nano_usd IS NULL AND settled_from <> 'none' THEN 1 ELSE 0 END"
                    .to_owned()
            }
            Some(kind) => format!("CASE WHEN settled_from = '{kind}' THEN 1 ELSE 0 END"),
            None if ["requests", "failures"].contains(sum) => "0".to_owned(),
            None => format!("{}COALESCE({sum}, 0){}", least.0, least.1),
        })
        .zip(SUMS)
        .map(|(expression, sum)| format!("{expression} AS {sum}"))
        .collect();
    let from_requests: Vec<_> = SUMS
        .iter()
        .map(|sum| match *sum {
            "requests" => "1",
            "failures" => "CASE WHEN status >= 400 AND status <> 499 THEN 1 ELSE 0 END",
            _ => "0",
        })
        .zip(SUMS)
        .map(|(expression, sum)| format!("{expression} AS {sum}"))
        .collect();
    let sums = SUMS.map(|sum| format!("SUM({sum})"));
    let (key, columns) = (KEY.join(", "), SUMS.join(", "));
    format!(
        "INSERT INTO {TABLE} ({key}, {columns}) SELECT {key}, {} FROM (SELECT {place}, {} FROM usage_lines UNION ALL SELECT {place}, {} FROM request_log WHERE user_id IS NOT NULL AND key_id IS NOT NULL) AS history GROUP BY {key}",
        sums.join(", "),
        from_lines.join(", "),
        from_requests.join(", "),
    )
}
