//! The configuration lists.

use std::collections::BTreeSet;

use entity::{api_key, error_rule, provider, provider_group, user, value::Strings};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{Expr, Func, LikeExpr, SimpleExpr},
};

use super::page::{Page, Window};

/// Which users.
#[derive(Debug, Default)]
pub struct Users {
    /// Text in name or note, in any case.
    pub text: Option<String>,
    /// A tag they all have.
    pub tag: Option<String>,
    /// Switched on or off.
    pub is_enabled: Option<bool>,
}

/// Users, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn users(
    db: &DatabaseConnection,
    filter: Users,
    window: Window<i64>,
) -> Result<Page<user::Model>, DbErr> {
    let mut wanted = Condition::all()
        .add(user::Column::DeletedAt.is_null())
        .add_option(window.after.map(|id| user::Column::Id.gt(id)))
        .add_option(filter.is_enabled.map(|on| user::Column::IsEnabled.eq(on)));
    if let Some(text) = filter.text {
        let text = text.to_lowercase();
        wanted = wanted.add(
            Condition::any()
                .add(holds(Expr::col(user::Column::Name), &text))
                .add(holds(Expr::col(user::Column::Note), &text)),
        );
    }
    if let Some(tag) = filter.tag {
        // A list of strings in JSON holds the tag exactly when its text holds the tag's JSON form.
        let quoted = serde_json::Value::from(tag.to_lowercase()).to_string();
        let tags = Expr::col(user::Column::Tags).cast_as("text");
        wanted = wanted.add(holds(tags, &quoted));
    }
    let rows = user::Entity::find()
        .filter(wanted)
        .order_by_asc(user::Column::Id)
        .limit(window.fetch())
        .all(db)
        .await?;
    Ok(Page::cut(&window, rows, |row| row.id))
}

/// The tags users have, sorted, each once.
///
/// # Errors
/// When the database does not answer.
pub async fn user_tags(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let lists: Vec<Strings> = user::Entity::find()
        .select_only()
        .column(user::Column::Tags)
        .filter(user::Column::DeletedAt.is_null())
        .into_tuple()
        .all(db)
        .await?;
    let tags: BTreeSet<String> = lists.into_iter().flat_map(|list| list.0).collect();
    Ok(tags.into_iter().collect())
}

/// Which keys.
#[derive(Debug, Default)]
pub struct Keys {
    /// Of this user.
    pub user_id: Option<i64>,
    /// Text in name, first or last characters, in any case.
    pub text: Option<String>,
    /// Switched on or off.
    pub is_enabled: Option<bool>,
}

/// Keys, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn keys(
    db: &DatabaseConnection,
    filter: Keys,
    window: Window<i64>,
) -> Result<Page<api_key::Model>, DbErr> {
    use api_key::Column;
    let mut wanted = Condition::all()
        .add(Column::DeletedAt.is_null())
        .add_option(window.after.map(|id| Column::Id.gt(id)))
        .add_option(filter.user_id.map(|id| Column::UserId.eq(id)))
        .add_option(filter.is_enabled.map(|on| Column::IsEnabled.eq(on)));
    if let Some(text) = filter.text {
        let text = text.to_lowercase();
        let columns = [Column::Name, Column::Prefix, Column::LastFour].into_iter();
        wanted = wanted.add(columns.fold(Condition::any(), |any, column| {
            any.add(holds(Expr::col(column), &text))
        }));
    }
    let rows = api_key::Entity::find()
        .filter(wanted)
        .order_by_asc(api_key::Column::Id)
        .limit(window.fetch())
        .all(db)
        .await?;
    Ok(Page::cut(&window, rows, |row| row.id))
}

/// Providers, oldest first; with `text` in name, note or address.
///
/// # Errors
/// When the database does not answer.
pub async fn providers(
    db: &DatabaseConnection,
    text: Option<String>,
    is_enabled: Option<bool>,
    window: Window<i64>,
) -> Result<Page<provider::Model>, DbErr> {
    let mut wanted = Condition::all()
        .add(provider::Column::DeletedAt.is_null())
        .add_option(window.after.map(|id| provider::Column::Id.gt(id)))
        .add_option(is_enabled.map(|on| provider::Column::IsEnabled.eq(on)));
    if let Some(text) = text {
        let text = text.to_lowercase();
        let columns = [
            provider::Column::Name,
            provider::Column::Note,
            provider::Column::Url,
        ];
        wanted = wanted.add(columns.into_iter().fold(Condition::any(), |any, column| {
            any.add(holds(Expr::col(column), &text))
        }));
    }
    let rows = provider::Entity::find()
        .filter(wanted)
        .order_by_asc(provider::Column::Id)
        .limit(window.fetch())
        .all(db)
        .await?;
    Ok(Page::cut(&window, rows, |row| row.id))
}

/// Provider groups, oldest first; with `text` in name or note.
///
/// # Errors
/// When the database does not answer.
pub async fn groups(
    db: &DatabaseConnection,
    text: Option<String>,
    window: Window<i64>,
) -> Result<Page<provider_group::Model>, DbErr> {
    let mut wanted =
        Condition::all().add_option(window.after.map(|id| provider_group::Column::Id.gt(id)));
    if let Some(text) = text {
        let text = text.to_lowercase();
        wanted = wanted.add(
            Condition::any()
                .add(holds(Expr::col(provider_group::Column::Name), &text))
                .add(holds(Expr::col(provider_group::Column::Note), &text)),
        );
    }
    let rows = provider_group::Entity::find()
        .filter(wanted)
        .order_by_asc(provider_group::Column::Id)
        .limit(window.fetch())
        .all(db)
        .await?;
    Ok(Page::cut(&window, rows, |row| row.id))
}

/// Error rules, oldest first; those for one provider alone when `provider_id` is given.
///
/// # Errors
/// When the database does not answer.
pub async fn error_rules(
    db: &DatabaseConnection,
    provider_id: Option<i64>,
    is_enabled: Option<bool>,
    window: Window<i64>,
) -> Result<Page<error_rule::Model>, DbErr> {
    let wanted = Condition::all()
        .add_option(window.after.map(|id| error_rule::Column::Id.gt(id)))
        .add_option(provider_id.map(|id| error_rule::Column::ProviderId.eq(id)))
        .add_option(is_enabled.map(|on| error_rule::Column::IsEnabled.eq(on)));
    let rows = error_rule::Entity::find()
        .filter(wanted)
        .order_by_asc(error_rule::Column::Id)
        .limit(window.fetch())
        .all(db)
        .await?;
    Ok(Page::cut(&window, rows, |row| row.id))
}

/// `column` holds `text`, which is lower case, in any case.
pub(super) fn holds(column: impl Into<SimpleExpr>, text: &str) -> SimpleExpr {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    let like = LikeExpr::new(format!("%{escaped}%")).escape('\\');
    Expr::expr(Func::lower(column)).like(like)
}
