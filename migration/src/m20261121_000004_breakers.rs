//! The breakers' states, which survive a restart and are seen by other nodes.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, Table, async_trait,
};

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut key = Index::create();
        key.col("provider_id").col("scope").col("subject");
        let mut table = Table::create();
        table
            .table("breaker_states")
            .col(ColumnDef::new("provider_id").big_integer().not_null())
            .col(ColumnDef::new("scope").string_len(16).not_null())
            .col(ColumnDef::new("subject").string_len(256).not_null())
            .col(ColumnDef::new("state").json_binary().not_null())
            .col(ColumnDef::new("stamp").big_integer().not_null())
            .col(
                ColumnDef::new("updated_at")
                    .timestamp_with_time_zone()
                    .not_null(),
            )
            .primary_key(&mut key);
        manager.create_table(table.to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("breaker_states").to_owned())
            .await
    }
}
