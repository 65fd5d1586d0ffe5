//! Rows with an id and a version, which are found alike, and deleted alike where nothing hangs on them.

use chrono::{DateTime, Utc};
use entity::{error_rule, notification_rule, notification_target, provider_group};
use sea_orm::{ConnectionTrait, EntityTrait, PrimaryKeyTrait};

use super::{
    audit::{Action, Pictured},
    change::Change,
    must_match,
};
use crate::{Admin, auth::identity::Identity, problem::Problem};

/// A row of a table.
pub trait Row: Pictured + Sized {
    /// The table.
    type Table: EntityTrait<Model = Self, PrimaryKey: PrimaryKeyTrait<ValueType = i64>>;

    /// What it is, for who asks for one that is not there.
    const WHAT: &'static str;

    /// What [`super::etag`] is made of: which it is, and when it was last changed.
    fn version(&self) -> (i64, DateTime<Utc>);
}

/// The row with this id.
///
/// # Errors
/// 404.
pub async fn find<R: Row>(db: &impl ConnectionTrait, id: i64) -> Result<R, Problem> {
    R::Table::find_by_id(id)
        .one(db)
        .await?
        .ok_or_else(|| Problem::not_found(R::WHAT))
}

/// Deletes the row with this id.
///
/// # Errors
/// 404, 412 when it is not the version `if_match` names.
pub async fn delete<R: Row>(
    admin: &Admin,
    caller: &Identity,
    id: i64,
    if_match: Option<&str>,
) -> Result<(), Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current: R = find(change.tx(), id).await?;
    let (_, updated_at) = current.version();
    must_match(if_match, id, updated_at)?;
    change.record(Action::Delete, Some(&current), None);
    R::Table::delete_by_id(id).exec(change.tx()).await?;
    change.commit().await
}

macro_rules! rows {
    ($($table:ident: $what:literal;)+) => {$(
        impl Row for $table::Model {
            type Table = $table::Entity;

            const WHAT: &'static str = $what;

            fn version(&self) -> (i64, DateTime<Utc>) {
                (self.id, self.updated_at)
            }
        }
    )+};
}

rows! {
    error_rule: "error rule";
    notification_rule: "notification rule";
    notification_target: "notification target";
    provider_group: "provider group";
}
