//! Routing: what a provider may be chosen for and how it is reached, groups of providers, error rules.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, ForeignKey, MigrationTrait, SchemaManager, Table,
    async_trait,
};

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One at a time: SQLite adds one column a statement.
        for column in provider_columns() {
            let add = Table::alter()
                .table("providers")
                .add_column(column)
                .to_owned();
            manager.alter_table(add).await?;
        }
        provider_groups(manager).await?;
        error_rules(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["error_rules", "provider_groups"] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        for column in provider_columns() {
            let drop = Table::alter()
                .table("providers")
                .drop_column(column.get_column_name())
                .to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }
}

/// Each with what the rows that are there get.
fn provider_columns() -> [ColumnDef; 11] {
    let json = |name, default: &'static str| {
        let mut column = ColumnDef::new(name);
        column.json_binary().not_null().default(default).take()
    };
    [
        json("endpoints", "[]"),
        json("allowed_clients", "[]"),
        json("blocked_clients", "[]"),
        ColumnDef::new("active_time").json_binary().take(),
        multiplier(),
        json("breaker", "{}"),
        json("health_check", "{}"),
        ColumnDef::new("hedge_after_ms")
            .big_integer()
            .not_null()
            .default(0)
            .take(),
        ColumnDef::new("max_concurrent")
            .integer()
            .not_null()
            .default(0)
            .take(),
        ColumnDef::new("proxy_url").text().take(),
        ColumnDef::new("proxy_fallback_to_direct")
            .boolean()
            .not_null()
            .default(false)
            .take(),
    ]
}

async fn provider_groups(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("provider_groups")
                .col(id())
                .col(
                    ColumnDef::new("name")
                        .string_len(128)
                        .not_null()
                        .unique_key(),
                )
                .col(multiplier())
                .col(ColumnDef::new("note").text().not_null().default(""))
                .col(stamp("created_at"))
                .col(stamp("updated_at"))
                .to_owned(),
        )
        .await
}

async fn error_rules(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("error_rules")
                .col(id())
                .col(ColumnDef::new("name").string_len(128).not_null())
                .col(ColumnDef::new("provider_id").big_integer())
                .col(ColumnDef::new("match_kind").string_len(16).not_null())
                .col(ColumnDef::new("pattern").text().not_null())
                .col(ColumnDef::new("fault").string_len(16).not_null())
                .col(ColumnDef::new("override_status").integer())
                .col(ColumnDef::new("override_message").text())
                .col(ColumnDef::new("priority").integer().not_null())
                .col(ColumnDef::new("is_enabled").boolean().not_null())
                .col(stamp("created_at"))
                .col(stamp("updated_at"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk_error_rules_provider_id")
                        .from("error_rules", "provider_id")
                        .to("providers", "id"),
                )
                .to_owned(),
        )
        .await
}

fn id() -> ColumnDef {
    ColumnDef::new("id")
        .big_integer()
        .not_null()
        .auto_increment()
        .primary_key()
        .to_owned()
}

/// In millionths.
fn multiplier() -> ColumnDef {
    ColumnDef::new("cost_multiplier")
        .big_integer()
        .not_null()
        .default(1_000_000)
        .take()
}

fn stamp(name: &'static str) -> ColumnDef {
    ColumnDef::new(name)
        .timestamp_with_time_zone()
        .not_null()
        .to_owned()
}
