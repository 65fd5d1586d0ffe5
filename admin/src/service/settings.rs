//! The settings: one row, which need not be there.

use entity::{
    setting::{self, ONLY_ID},
    value::GatewaySettings,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait};

use super::{
    audit::Action,
    change::{Change, later},
    must_match,
};
use crate::{Admin, auth::identity::Identity, problem::Problem};

/// The settings as they are; the defaults when nobody changed any.
///
/// # Errors
/// When the database does not answer.
pub async fn read<C: ConnectionTrait>(db: &C) -> Result<setting::Model, Problem> {
    let row = setting::Entity::find_by_id(ONLY_ID).one(db).await?;
    Ok(row.unwrap_or_else(|| setting::Model {
        id: ONLY_ID,
        value: GatewaySettings::default(),
        updated_at: chrono::DateTime::UNIX_EPOCH,
    }))
}

/// Changes the settings.
///
/// # Errors
/// 412 when they are not the version `if_match` names.
pub async fn update(
    admin: &Admin,
    caller: &Identity,
    if_match: Option<&str>,
    edit: impl FnOnce(&mut GatewaySettings) + Send,
) -> Result<setting::Model, Problem> {
    let mut change = Change::begin(admin, caller).await?;
    let current = read(change.tx()).await?;
    must_match(if_match, ONLY_ID.into(), current.updated_at)?;
    let is_new = current.updated_at == chrono::DateTime::UNIX_EPOCH;
    let mut settings = current.value.clone();
    edit(&mut settings);
    let row = setting::ActiveModel {
        id: Set(ONLY_ID),
        value: Set(settings),
        updated_at: Set(later(current.updated_at)),
    };
    let row = if is_new {
        row.insert(change.tx()).await?
    } else {
        row.update(change.tx()).await?
    };
    change.record(Action::Update, Some(&current), Some(&row));
    change.commit().await?;
    Ok(row)
}
