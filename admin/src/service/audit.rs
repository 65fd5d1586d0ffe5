//! The audit: who changed what, with how it was before and after.
//!
//! A row is written in the transaction of the change it tells of, so there is none without the other. What a thing looks like is what the
//! API answers of it, and that never holds a secret; of secrets it tells by a short keyed hash that there is one and whether it changed.

use entity::{audit, value::Secret};
use sea_orm::{ActiveValue::NotSet, EntityTrait, Set};
use serde_json::Value;

use super::now;
use crate::{Admin, auth::identity::Identity, problem::Problem};

/// Characters of a name or an id that are kept.
const LONGEST: usize = 300;
/// Characters of a secret's mark.
const MARK: usize = 8;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
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
    /// A table was taken over.
    Import,
    /// History was priced again.
    Reprice,
    /// Somebody logged in.
    Login,
    /// A session was ended.
    Logout,
    /// An address guessed too often.
    ShutOut,
    /// The configuration was taken along.
    Backup,
    /// It was put back.
    Restore,
}

/// What it was done to.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The kind of thing.
    pub resource: &'static str,
    /// Which one.
    pub id: String,
    /// What it is called.
    pub name: String,
}

/// A thing that changes, as the audit shows it.
pub trait Pictured {
    /// What it is.
    fn subject(&self) -> Subject;

    /// What it looks like, without secrets.
    fn picture(&self, admin: &Admin) -> Value;
}

// === impl Action ===

impl Action {
    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Rotate => "rotate",
            Self::Reset => "reset",
            Self::Import => "import",
            Self::Reprice => "reprice",
            Self::Login => "login",
            Self::Logout => "logout",
            Self::ShutOut => "shut-out",
            Self::Backup => "backup",
            Self::Restore => "restore",
        }
    }
}

// === impl Subject ===

impl Subject {
    /// The thing of this kind with this id.
    pub fn new(resource: &'static str, id: impl ToString, name: impl Into<String>) -> Self {
        Self {
            resource,
            id: id.to_string(),
            name: name.into(),
        }
    }
}

/// The row that says it.
#[must_use]
pub fn entry(
    by: &Identity,
    action: Action,
    subject: Subject,
    before: Option<Value>,
    after: Option<Value>,
) -> audit::ActiveModel {
    let holder = by.holder.as_ref();
    let name = holder.map_or_else(String::new, |(key, user)| {
        format!("{} ({})", user.name, key.name)
    });
    audit::ActiveModel {
        id: NotSet,
        at: Set(now()),
        actor_key_id: Set(holder.map(|(key, _)| key.id)),
        actor_user_id: Set(holder.map(|(_, user)| user.id)),
        actor_name: Set(shortened(&name)),
        by_session: Set(by.session.is_some()),
        peer: Set(by.peer.map(|peer| peer.to_string())),
        action: Set(action.name().to_owned()),
        resource: Set(subject.resource.to_owned()),
        resource_id: Set(shortened(&subject.id)),
        resource_name: Set(shortened(&subject.name)),
        before: Set(before),
        after: Set(after),
        revision: Set(None),
    }
}

/// Writes what is no change of configuration.
///
/// # Errors
/// When the database does not take it.
pub async fn tell(
    admin: &Admin,
    by: &Identity,
    action: Action,
    subject: Subject,
    after: Option<Value>,
) -> Result<(), Problem> {
    let entry = entry(by, action, subject, None, after);
    audit::Entity::insert(entry).exec(&admin.db).await?;
    Ok(())
}

/// What is shown in a secret's place: two that differ have different marks, and nothing else can be told from one. None is one that cannot
/// be opened.
#[must_use]
pub fn mark(admin: &Admin, secret: Option<&Secret>) -> String {
    let Some(secret) = secret else {
        return "(secret)".to_owned();
    };
    let hash = admin
        .hasher
        .hash(&format!("audit-mark:{}", secret.expose()))
        .to_hex();
    format!("(secret {})", &hash[..MARK])
}

/// Whether a value is what [`mark`] shows in a secret's place.
#[must_use]
pub fn is_mark(value: &str) -> bool {
    let inner = value
        .strip_prefix("(secret")
        .and_then(|rest| rest.strip_suffix(')'));
    inner.is_some_and(|inner| {
        inner.is_empty() || (inner.len() == MARK + 1 && inner.starts_with(' '))
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
