//! Prices, and what a usage line keeps of how it was priced.

use sea_orm_migration::prelude::{
    ColumnDef, ConditionalStatement, DbErr, DeriveMigrationName, Expr, ExprTrait, Index,
    MigrationTrait, SchemaManager, Table, async_trait,
};

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

const UNPRICED: &str = "idx_usage_lines_unpriced";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        prices(manager).await?;
        // SQLite adds one column at a time.
        for mut column in pricing_columns() {
            let alter = Table::alter()
                .table("usage_lines")
                .add_column(&mut column)
                .to_owned();
            manager.alter_table(alter).await?;
        }
        manager
            .create_index(
                Index::create()
                    .name(UNPRICED)
                    .table("usage_lines")
                    .col("model")
                    .and_where(Expr::col("cost_nano_usd").is_null())
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(Index::drop().name(UNPRICED).table("usage_lines").to_owned())
            .await?;
        for column in [
            "price_ref",
            "service_tier",
            "provider_multiplier",
            "group_multiplier",
        ] {
            let alter = Table::alter()
                .table("usage_lines")
                .drop_column(column)
                .to_owned();
            manager.alter_table(alter).await?;
        }
        manager
            .drop_table(Table::drop().table("prices").to_owned())
            .await
    }
}

async fn prices(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("prices")
                .col(
                    ColumnDef::new("id")
                        .big_integer()
                        .not_null()
                        .auto_increment()
                        .primary_key(),
                )
                .col(ColumnDef::new("model").string_len(256).not_null())
                .col(ColumnDef::new("source").string_len(16).not_null())
                .col(ColumnDef::new("figures").text())
                .col(ColumnDef::new("aliases").json_binary().not_null())
                .col(
                    ColumnDef::new("effective_at")
                        .timestamp_with_time_zone()
                        .not_null(),
                )
                .col(
                    ColumnDef::new("created_at")
                        .timestamp_with_time_zone()
                        .not_null(),
                )
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("idx_prices_model_effective_at")
                .table("prices")
                .col("model")
                .col("effective_at")
                .to_owned(),
        )
        .await
}

/// What a line keeps, so that it can be priced again under the conditions it was made under.
fn pricing_columns() -> [ColumnDef; 4] {
    [
        ColumnDef::new("price_ref").string_len(32).to_owned(),
        ColumnDef::new("service_tier").string_len(32).to_owned(),
        ColumnDef::new("provider_multiplier")
            .big_integer()
            .to_owned(),
        ColumnDef::new("group_multiplier").big_integer().to_owned(),
    ]
}
