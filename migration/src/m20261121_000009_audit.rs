//! Who changed what, what was created under which idempotency key, and where sessions were opened.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, Index, MigrationTrait, SchemaManager, Table, async_trait,
};

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        audit(manager).await?;
        idempotency(manager).await?;
        // One at a time: SQLite adds one column a statement.
        for column in session_columns() {
            let add = Table::alter()
                .table("admin_sessions")
                .add_column(column)
                .to_owned();
            manager.alter_table(add).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in session_columns() {
            let drop = Table::alter()
                .table("admin_sessions")
                .drop_column(column.get_column_name())
                .to_owned();
            manager.alter_table(drop).await?;
        }
        for table in ["idempotency", "audit"] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

async fn audit(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let name = |name, length| {
        let mut column = ColumnDef::new(name);
        column.string_len(length).not_null().take()
    };
    let id = ColumnDef::new("id")
        .big_integer()
        .not_null()
        .auto_increment()
        .primary_key()
        .take();
    manager
        .create_table(
            Table::create()
                .table("audit")
                .col(id)
                .col(stamp("at"))
                .col(ColumnDef::new("actor_key_id").big_integer())
                .col(ColumnDef::new("actor_user_id").big_integer())
                .col(name("actor_name", 300))
                .col(ColumnDef::new("by_session").boolean().not_null())
                .col(ColumnDef::new("peer").string_len(64))
                .col(name("action", 32))
                .col(name("resource", 32))
                .col(name("resource_id", 300))
                .col(name("resource_name", 300))
                .col(ColumnDef::new("before").json_binary())
                .col(ColumnDef::new("after").json_binary())
                .col(ColumnDef::new("revision").big_integer())
                .to_owned(),
        )
        .await?;
    // The list is by id; these are what its filters begin with.
    index(manager, "audit", &["resource", "resource_id", "id"]).await?;
    index(manager, "audit", &["actor_user_id", "id"]).await?;
    index(manager, "audit", &["at"]).await
}

async fn idempotency(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("idempotency")
                .col(
                    ColumnDef::new("key_hash")
                        .string_len(64)
                        .not_null()
                        .primary_key(),
                )
                .col(ColumnDef::new("fingerprint").string_len(64).not_null())
                .col(ColumnDef::new("answer").text())
                .col(stamp("created_at"))
                .col(stamp("expires_at"))
                .to_owned(),
        )
        .await?;
    index(manager, "idempotency", &["created_at"]).await?;
    index(manager, "idempotency", &["expires_at"]).await
}

fn session_columns() -> [ColumnDef; 2] {
    [
        ColumnDef::new("peer").string_len(64).take(),
        ColumnDef::new("user_agent").string_len(512).take(),
    ]
}

async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create();
    index
        .name(format!("idx_{table}_{}", columns.join("_")))
        .table(table);
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}

fn stamp(name: &'static str) -> ColumnDef {
    ColumnDef::new(name)
        .timestamp_with_time_zone()
        .not_null()
        .to_owned()
}
