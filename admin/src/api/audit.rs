//! `/audit`: who changed what.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use entity::audit;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::Any,
};
use serde_json::Value;

use super::{
    Tag,
    answers::{ListRefused, ReadRefused},
    csv::Csv,
};
use crate::{
    Admin,
    auth::guard::ForAdmin,
    problem::Problem,
    query::{audit as query, page::Window},
    service::audit::Action,
};

mod export;

/// Rows of an export if nobody says.
const EXPORT_ROWS: u64 = 100_000;

/// The operations.
pub struct Api(pub Arc<Admin>);

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
pub enum AuditAction {
    /// Something is there that was not.
    Create,
    /// It is not as it was.
    Update,
    /// It is gone.
    Delete,
    /// A client key has a new value.
    Rotate,
    /// What was counted is counted anew.
    Reset,
    /// A table of prices was taken over.
    Import,
    /// History was priced again.
    Reprice,
    /// Somebody logged in.
    Login,
    /// A session was ended.
    Logout,
    /// An address guessed too often.
    ShutOut,
    /// A backup of the configuration was made.
    Backup,
    /// The configuration was restored from a backup.
    Restore,
}

/// Who did something.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct AuditActor {
    /// The key it was done with; null for the admin token, and where nobody's credential was good.
    #[oai(nullable)]
    pub key_id: Option<i64>,
    /// The key's user; null for the same.
    #[oai(nullable)]
    pub user_id: Option<i64>,
    /// What user and key were called then; empty for the admin token.
    pub name: String,
    /// Whether it was done in a session of the dashboard.
    pub by_session: bool,
    /// The address it was done from, where that is known.
    #[oai(nullable)]
    pub peer: Option<String>,
}

/// What was done to one thing.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Id, rising with time.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: AuditActor,
    /// What was done.
    #[oai(nullable)]
    pub action: Option<AuditAction>,
    /// The kind of thing: `user`, `key`, `provider`, `provider-group`, `error-rule`, `price`, `notification-target`, `notification-rule`, `settings`,
    /// `session`, and others.
    pub resource: String,
    /// Which one.
    pub resource_id: String,
    /// What it was called then; empty where it has no name.
    pub resource_name: String,
    /// The fields that are not as they were, by name.
    pub changed: Vec<String>,
    /// The revision of the configuration it made; null where it made none.
    #[oai(nullable)]
    pub revision: Option<i64>,
}

/// What was done to one thing, with how it was before and after. In a secret's place stands a mark that differs where secrets differ.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct AuditDetail {
    /// What was done.
    #[oai(flatten)]
    pub entry: AuditEntry,
    /// The thing before; null where it was not there.
    #[oai(nullable)]
    pub before: Option<BTreeMap<String, Any<Value>>>,
    /// The thing after; null where it is gone.
    #[oai(nullable)]
    pub after: Option<BTreeMap<String, Any<Value>>>,
}

/// A page of the audit.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct AuditList {
    /// The entries, newest first.
    pub items: Vec<AuditEntry>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

#[OpenApi(prefix_path = "/api/v1/audit", tag = "Tag::Audit")]
impl Api {
    /// List changes
    ///
    /// Newest first. Every change of configuration is here, and logins.
    #[oai(path = "/", method = "get", operation_id = "listAudit")]
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument is one documented filter"
    )]
    async fn list(
        &self,
        _caller: ForAdmin,
        /// By this user.
        #[oai(name = "actorUserId")]
        actor_user_id: Query<Option<i64>>,
        /// With this key.
        #[oai(name = "actorKeyId")]
        actor_key_id: Query<Option<i64>>,
        /// Of this kind of thing, such as `provider`.
        resource: Query<Option<String>>,
        /// Of the thing with this id.
        #[oai(name = "resourceId")]
        resource_id: Query<Option<String>>,
        /// What was done.
        action: Query<Option<AuditAction>>,
        /// From this time on.
        from: Query<Option<DateTime<Utc>>>,
        /// Before this time.
        to: Query<Option<DateTime<Utc>>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<AuditList>, ListRefused> {
        let filter = query::Filter {
            actor_user_id: actor_user_id.0,
            actor_key_id: actor_key_id.0,
            resource: resource.0,
            resource_id: resource_id.0,
            action: action.0.map(|action| Action::from(action).name()),
            from: from.0,
            to: to.0,
        };
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let page = query::list(&self.0.db, filter, window).await?;
        let page = page.map(|row| AuditEntry::from(&row));
        Ok(Json(AuditList {
            items: page.items,
            next_cursor: page.next,
        }))
    }

    /// Export changes as CSV
    ///
    /// Newest first, with the filters of the list, and with things before and after as JSON. Sent as it is read; where it breaks off in the
    /// middle, the connection does too.
    #[oai(path = "/export", method = "get", operation_id = "exportAudit")]
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument is one documented filter"
    )]
    async fn export(
        &self,
        _caller: ForAdmin,
        /// By this user.
        #[oai(name = "actorUserId")]
        actor_user_id: Query<Option<i64>>,
        /// With this key.
        #[oai(name = "actorKeyId")]
        actor_key_id: Query<Option<i64>>,
        /// Of this kind of thing, such as `provider`.
        resource: Query<Option<String>>,
        /// Of the thing with this id.
        #[oai(name = "resourceId")]
        resource_id: Query<Option<String>>,
        /// What was done.
        action: Query<Option<AuditAction>>,
        /// From this time on.
        from: Query<Option<DateTime<Utc>>>,
        /// Before this time.
        to: Query<Option<DateTime<Utc>>>,
        /// Rows at most, 100000 if not given.
        #[oai(
            name = "maxRows",
            validator(minimum(value = "1"), maximum(value = "1000000"))
        )]
        max_rows: Query<Option<u64>>,
    ) -> Result<Csv, ListRefused> {
        let filter = query::Filter {
            actor_user_id: actor_user_id.0,
            actor_key_id: actor_key_id.0,
            resource: resource.0,
            resource_id: resource_id.0,
            action: action.0.map(|action| Action::from(action).name()),
            from: from.0,
            to: to.0,
        };
        let export = export::Export {
            admin: self.0.clone(),
            filter,
            after: None,
            left: max_rows.0.unwrap_or(EXPORT_ROWS),
            is_begun: false,
        };
        Ok(Csv::new("audit.csv", export))
    }

    /// Read a change
    ///
    /// With the thing as it was before and after.
    #[oai(path = "/:id", method = "get", operation_id = "getAuditEntry")]
    async fn read(
        &self,
        _caller: ForAdmin,
        /// The entry.
        id: Path<i64>,
    ) -> Result<Json<AuditDetail>, ReadRefused> {
        let row = query::find(&self.0.db, id.0).await?;
        let row = row.ok_or_else(|| Problem::not_found("audit entry"))?;
        let entry = AuditEntry::from(&row);
        Ok(Json(AuditDetail {
            entry,
            before: row.before.map(fields),
            after: row.after.map(fields),
        }))
    }
}

fn fields(picture: Value) -> BTreeMap<String, Any<Value>> {
    let fields = match picture {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    };
    let fields = fields.into_iter();
    fields.map(|(name, value)| (name, Any(value))).collect()
}

/// The fields of two pictures that differ, but for those that differ in every change.
fn changed(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    let (Some(Value::Object(before)), Some(Value::Object(after))) = (before, after) else {
        return Vec::new();
    };
    let names = before.keys().chain(after.keys());
    let mut changed: Vec<_> = names
        .filter(|name| *name != "updatedAt" && before.get(*name) != after.get(*name))
        .cloned()
        .collect();
    changed.sort();
    changed.dedup();
    changed
}

// === conversions ===

impl From<&audit::Model> for AuditEntry {
    fn from(row: &audit::Model) -> Self {
        Self {
            id: row.id,
            at: row.at,
            actor: AuditActor {
                key_id: row.actor_key_id,
                user_id: row.actor_user_id,
                name: row.actor_name.clone(),
                by_session: row.by_session,
                peer: row.peer.clone(),
            },
            action: AuditAction::read(&row.action),
            resource: row.resource.clone(),
            resource_id: row.resource_id.clone(),
            resource_name: row.resource_name.clone(),
            changed: changed(row.before.as_ref(), row.after.as_ref()),
            revision: row.revision,
        }
    }
}

impl AuditAction {
    const ALL: [Self; 12] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Rotate,
        Self::Reset,
        Self::Import,
        Self::Reprice,
        Self::Login,
        Self::Logout,
        Self::ShutOut,
        Self::Backup,
        Self::Restore,
    ];

    /// Reads the stored form; none when a later version wrote it.
    fn read(stored: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|action| Action::from(*action).name() == stored)
    }
}

impl From<AuditAction> for Action {
    fn from(action: AuditAction) -> Self {
        match action {
            AuditAction::Create => Self::Create,
            AuditAction::Update => Self::Update,
            AuditAction::Delete => Self::Delete,
            AuditAction::Rotate => Self::Rotate,
            AuditAction::Reset => Self::Reset,
            AuditAction::Import => Self::Import,
            AuditAction::Reprice => Self::Reprice,
            AuditAction::Login => Self::Login,
            AuditAction::Logout => Self::Logout,
            AuditAction::ShutOut => Self::ShutOut,
            AuditAction::Backup => Self::Backup,
            AuditAction::Restore => Self::Restore,
        }
    }
}
