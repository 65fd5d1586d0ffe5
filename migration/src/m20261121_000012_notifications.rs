//! Messages to people: where they go, what is told, what was told already, and what is sent.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, DeriveMigrationName, ForeignKey, ForeignKeyAction, Index, MigrationTrait,
    SchemaManager, Table, async_trait,
};

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        targets(manager).await?;
        rules(manager).await?;
        quiet(manager).await?;
        deliveries(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "notification_deliveries",
            "notification_quiet",
            "notification_rules",
            "notification_targets",
        ] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

async fn targets(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("notification_targets")
                .col(id())
                .col(text("name", 128))
                .col(text("kind", 16))
                .col(ColumnDef::new("chat_id").string_len(128))
                .col(ColumnDef::new("template").text())
                .col(text("language", 8))
                .col(ColumnDef::new("credentials").text().not_null())
                .col(ColumnDef::new("is_enabled").boolean().not_null())
                .col(stamp("created_at"))
                .col(stamp("updated_at"))
                .to_owned(),
        )
        .await
}

async fn rules(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let number = |name| ColumnDef::new(name).integer().to_owned();
    manager
        .create_table(
            Table::create()
                .table("notification_rules")
                .col(id())
                .col(text("name", 128))
                .col(text("event", 32))
                .col(number("threshold_percent"))
                .col(number("window_minutes"))
                .col(number("minimum_requests"))
                .col(number("report_minute"))
                .col(number("quiet_minutes").not_null())
                .col(ColumnDef::new("target_ids").json_binary().not_null())
                .col(ColumnDef::new("is_enabled").boolean().not_null())
                .col(stamp("created_at"))
                .col(stamp("updated_at"))
                .to_owned(),
        )
        .await
}

async fn quiet(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("notification_quiet")
                .col(ColumnDef::new("rule_id").big_integer().not_null())
                .col(text("subject", 300))
                .col(stamp("told_at"))
                .col(stamp("quiet_until"))
                .primary_key(Index::create().col("rule_id").col("subject"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk_notification_quiet_rule_id")
                        .from("notification_quiet", "rule_id")
                        .to("notification_rules", "id")
                        .on_delete(ForeignKeyAction::Cascade),
                )
                .to_owned(),
        )
        .await?;
    index(manager, "notification_quiet", &["quiet_until"]).await
}

async fn deliveries(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("notification_deliveries")
                .col(id())
                .col(stamp("created_at"))
                .col(ColumnDef::new("rule_id").big_integer())
                .col(text("rule_name", 128))
                .col(ColumnDef::new("target_id").big_integer().not_null())
                .col(text("target_name", 128))
                .col(text("event", 32))
                .col(text("title", 300))
                .col(ColumnDef::new("notice").json_binary().not_null())
                .col(text("state", 16))
                .col(ColumnDef::new("attempts").integer().not_null())
                .col(stamp("next_attempt_at"))
                .col(ColumnDef::new("attempted_at").timestamp_with_time_zone())
                .col(ColumnDef::new("status").integer())
                .col(ColumnDef::new("error").string_len(1000))
                .to_owned(),
        )
        .await?;
    // What is due, and what the log's filters begin with.
    let table = "notification_deliveries";
    index(manager, table, &["state", "next_attempt_at"]).await?;
    index(manager, table, &["target_id", "id"]).await?;
    index(manager, table, &["rule_id", "id"]).await?;
    index(manager, table, &["created_at"]).await
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

fn id() -> ColumnDef {
    ColumnDef::new("id")
        .big_integer()
        .not_null()
        .auto_increment()
        .primary_key()
        .to_owned()
}

fn text(name: &'static str, length: u32) -> ColumnDef {
    ColumnDef::new(name)
        .string_len(length)
        .not_null()
        .to_owned()
}

fn stamp(name: &'static str) -> ColumnDef {
    ColumnDef::new(name)
        .timestamp_with_time_zone()
        .not_null()
        .to_owned()
}
