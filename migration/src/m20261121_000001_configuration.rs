//! Configuration: users, keys, providers, settings, the revision, and dashboard sessions.

use sea_orm_migration::prelude::{
    ColumnDef, ConditionalStatement, DbErr, DeriveMigrationName, Expr, ExprTrait, ForeignKey,
    Index, MigrationTrait, Query, SchemaManager, Table, async_trait,
};

/// The migration; its name is the file's.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        users(manager).await?;
        api_keys(manager).await?;
        providers(manager).await?;
        singletons(manager).await?;
        admin_sessions(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "admin_sessions",
            "revision",
            "settings",
            "providers",
            "api_keys",
            "users",
        ] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

async fn users(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("users")
                .col(id())
                .col(ColumnDef::new("name").string_len(128).not_null())
                .col(ColumnDef::new("note").text().not_null().default(""))
                .col(ColumnDef::new("tags").json_binary().not_null())
                .col(ColumnDef::new("role").string_len(16).not_null())
                .col(ColumnDef::new("is_enabled").boolean().not_null())
                .col(ColumnDef::new("expires_at").timestamp_with_time_zone())
                .col(
                    ColumnDef::new("provider_group")
                        .string_len(512)
                        .not_null()
                        .default(""),
                )
                .col(ColumnDef::new("allowed_models").json_binary().not_null())
                .col(stamp("created_at").not_null())
                .col(stamp("updated_at").not_null())
                .col(stamp("deleted_at"))
                .to_owned(),
        )
        .await?;
    unique_while_alive(manager, "users", "name").await
}

async fn api_keys(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("api_keys")
                .col(id())
                .col(ColumnDef::new("user_id").big_integer().not_null())
                .col(ColumnDef::new("name").string_len(128).not_null())
                .col(
                    ColumnDef::new("key_hash")
                        .string_len(64)
                        .not_null()
                        .unique_key(),
                )
                .col(ColumnDef::new("prefix").string_len(16).not_null())
                .col(ColumnDef::new("last_four").string_len(4).not_null())
                .col(ColumnDef::new("is_enabled").boolean().not_null())
                .col(ColumnDef::new("can_login_web_ui").boolean().not_null())
                .col(ColumnDef::new("expires_at").timestamp_with_time_zone())
                .col(
                    ColumnDef::new("provider_group")
                        .string_len(512)
                        .not_null()
                        .default(""),
                )
                .col(stamp("created_at").not_null())
                .col(stamp("updated_at").not_null())
                .col(stamp("deleted_at"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk_api_keys_user_id")
                        .from("api_keys", "user_id")
                        .to("users", "id"),
                )
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("idx_api_keys_user_id")
                .table("api_keys")
                .col("user_id")
                .to_owned(),
        )
        .await
}

async fn providers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("providers")
                .col(id())
                .col(ColumnDef::new("name").string_len(128).not_null())
                .col(ColumnDef::new("type").string_len(32).not_null())
                .col(ColumnDef::new("url").string_len(2048).not_null())
                .col(ColumnDef::new("api_key").text().not_null())
                .col(ColumnDef::new("note").text().not_null().default(""))
                .col(ColumnDef::new("is_enabled").boolean().not_null())
                .col(ColumnDef::new("weight").integer().not_null())
                .col(ColumnDef::new("priority").integer().not_null())
                .col(ColumnDef::new("group_priorities").json_binary().not_null())
                .col(ColumnDef::new("group_tags").json_binary().not_null())
                .col(ColumnDef::new("allowed_models").json_binary().not_null())
                .col(ColumnDef::new("model_redirects").json_binary().not_null())
                .col(ColumnDef::new("max_attempts").integer().not_null())
                .col(ColumnDef::new("timeouts").json_binary().not_null())
                .col(ColumnDef::new("custom_headers").json_binary().not_null())
                .col(ColumnDef::new("preserve_client_ip").boolean().not_null())
                .col(stamp("created_at").not_null())
                .col(stamp("updated_at").not_null())
                .col(stamp("deleted_at"))
                .to_owned(),
        )
        .await?;
    unique_while_alive(manager, "providers", "name").await
}

async fn singletons(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("settings")
                .col(ColumnDef::new("id").integer().not_null().primary_key())
                .col(ColumnDef::new("value").json_binary().not_null())
                .col(stamp("updated_at").not_null())
                .to_owned(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("revision")
                .col(ColumnDef::new("id").integer().not_null().primary_key())
                .col(ColumnDef::new("number").big_integer().not_null())
                .to_owned(),
        )
        .await?;
    manager
        .execute(
            Query::insert()
                .into_table("revision")
                .columns(["id", "number"])
                .values_panic([1.into(), 1i64.into()])
                .to_owned(),
        )
        .await
}

async fn admin_sessions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("admin_sessions")
                .col(ColumnDef::new("id").uuid().not_null().primary_key())
                .col(
                    ColumnDef::new("token_hash")
                        .string_len(64)
                        .not_null()
                        .unique_key(),
                )
                .col(ColumnDef::new("key_id").big_integer())
                .col(stamp("created_at").not_null())
                .col(stamp("expires_at").not_null())
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

fn stamp(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().to_owned()
}

/// Uniqueness among rows that are not deleted: a partial index, which both databases know.
async fn unique_while_alive(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: &'static str,
) -> Result<(), DbErr> {
    manager
        .create_index(
            Index::create()
                .name(format!("uq_{table}_{column}"))
                .table(table)
                .col(column)
                .unique()
                .and_where(Expr::col("deleted_at").is_null())
                .to_owned(),
        )
        .await
}
