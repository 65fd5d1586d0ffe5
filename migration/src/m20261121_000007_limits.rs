//! Limits of users, keys and providers, and the clients a user may call with.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, MigrationTrait, SchemaManager, Table, async_trait,
};

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// Tables, columns, and what the rows that are there get.
const COLUMNS: [(&str, &str, &str); 5] = [
    ("users", "allowed_clients", "[]"),
    ("users", "blocked_clients", "[]"),
    ("users", "limits", "{}"),
    ("api_keys", "limits", "{}"),
    ("providers", "limits", "{}"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column, default) in COLUMNS {
            let add = Table::alter()
                .table(table)
                .add_column(
                    ColumnDef::new(column)
                        .json_binary()
                        .not_null()
                        .default(default),
                )
                .to_owned();
            manager.alter_table(add).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column, _) in COLUMNS.into_iter().rev() {
            let drop = Table::alter().table(table).drop_column(column).to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }
}
