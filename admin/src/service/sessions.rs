//! Sessions of the dashboard: which there are, and ending them.

use entity::{admin_session, api_key, user};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Query,
};
use uuid::Uuid;

use super::{
    audit::{self, Action, Subject},
    now,
};
use crate::{
    Admin,
    auth::identity::Identity,
    problem::Problem,
    query::page::{Page, Window},
};

/// A session and whose it is; nobody's but the admin token's when it has no key.
pub type Found = (
    admin_session::Model,
    Option<(api_key::Model, Option<user::Model>)>,
);

/// The sessions a caller may see, by id: an admin's are all, a user's those of the user's own keys.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    admin: &Admin,
    caller: &Identity,
    window: Window<Uuid>,
) -> Result<Page<Found>, Problem> {
    use admin_session::Column;
    let wanted = visible(caller).add_option(window.after.map(|id| Column::Id.gt(id)));
    let rows = admin_session::Entity::find()
        .filter(wanted)
        .filter(Column::ExpiresAt.gt(now()))
        .order_by_asc(Column::Id)
        .limit(window.fetch())
        .all(&admin.db)
        .await?;
    let ids = rows.iter().filter_map(|row| row.key_id);
    let keys = api_key::Entity::find()
        .filter(api_key::Column::Id.is_in(ids))
        .find_also_related(user::Entity)
        .all(&admin.db)
        .await?;
    let of = |row: &admin_session::Model| {
        let mut keys = keys.iter();
        keys.find(|(key, _)| Some(key.id) == row.key_id).cloned()
    };
    Ok(Page::cut(&window, rows, |row| row.id).map(|row| {
        let of = of(&row);
        (row, of)
    }))
}

/// Ends one session that the caller may see.
///
/// # Errors
/// 404.
pub async fn end(admin: &Admin, caller: &Identity, id: Uuid) -> Result<(), Problem> {
    let ended = admin_session::Entity::delete_many()
        .filter(visible(caller))
        .filter(admin_session::Column::Id.eq(id))
        .exec(&admin.db)
        .await?;
    if ended.rows_affected == 0 {
        return Err(Problem::not_found("session"));
    }
    let subject = Subject::new("session", id, "");
    audit::tell(admin, caller, Action::Logout, subject, None).await
}

/// Ends the caller's own sessions but the one in use: those of the same key, or of the admin token. How many.
///
/// # Errors
/// When the database does not take it.
pub async fn end_others(admin: &Admin, caller: &Identity) -> Result<u64, Problem> {
    use admin_session::Column;
    let own = match &caller.holder {
        Some((key, _)) => Column::KeyId.eq(key.id),
        None => Column::KeyId.is_null(),
    };
    let current = caller.session.as_ref().map(|session| session.id);
    let wanted = Condition::all()
        .add(own)
        .add_option(current.map(|id| Column::Id.ne(id)));
    let ended = admin_session::Entity::delete_many()
        .filter(wanted)
        .exec(&admin.db)
        .await?;
    if ended.rows_affected > 0 {
        let subject = Subject::new("session", "others", "");
        let after = serde_json::json!({ "ended": ended.rows_affected });
        audit::tell(admin, caller, Action::Logout, subject, Some(after)).await?;
    }
    Ok(ended.rows_affected)
}

/// Ends every session a user's keys opened.
///
/// # Errors
/// When the database does not take it.
pub async fn end_of_user<C: ConnectionTrait>(tx: &C, user: i64) -> Result<(), Problem> {
    admin_session::Entity::delete_many()
        .filter(admin_session::Column::KeyId.in_subquery(keys_of(user)))
        .exec(tx)
        .await?;
    Ok(())
}

/// Ends every session a key opened.
///
/// # Errors
/// When the database does not take it.
pub async fn end_of_key<C: ConnectionTrait>(tx: &C, key: i64) -> Result<(), Problem> {
    admin_session::Entity::delete_many()
        .filter(admin_session::Column::KeyId.eq(key))
        .exec(tx)
        .await?;
    Ok(())
}

fn visible(caller: &Identity) -> Condition {
    let own = caller.only_user().map(keys_of);
    Condition::all().add_option(own.map(|keys| admin_session::Column::KeyId.in_subquery(keys)))
}

fn keys_of(user: i64) -> sea_orm::sea_query::SelectStatement {
    Query::select()
        .column(api_key::Column::Id)
        .from(api_key::Entity)
        .and_where(api_key::Column::UserId.eq(user))
        .to_owned()
}
