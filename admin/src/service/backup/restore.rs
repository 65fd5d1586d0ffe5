//! Puts a configuration back.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use entity::{
    api_key, error_rule, notification_rule, notification_target, price, provider, provider_group,
    setting, user,
    value::{GatewaySettings, KeyHasher, TargetCredentials},
};
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel,
    Iterable, ModelTrait,
};
use serde_json::{Value, json};

use super::Opened;
use crate::{
    Admin,
    auth::identity::Identity,
    problem::{Mistake, Problem},
    service::{
        audit::{Action, Pictured, Subject},
        change::{Change, later},
        settings,
    },
};

mod notifications;
mod people;
mod prices;
mod put;
mod routing;

/// What becomes of the settings.
pub type Edit = Box<dyn FnOnce(&mut GatewaySettings) + Send>;

/// What is to be put back, read from a backup and found to be in order.
#[derive(Default)]
pub struct Plan {
    /// What becomes of the settings.
    pub settings: Option<Edit>,
    /// Groups of providers.
    pub groups: Vec<provider_group::ActiveModel>,
    /// Providers.
    pub providers: Vec<PlannedProvider>,
    /// Users.
    pub users: Vec<user::ActiveModel>,
    /// Keys.
    pub keys: Vec<PlannedKey>,
    /// Prices set by hand.
    pub prices: Vec<price::ActiveModel>,
    /// Error rules.
    pub error_rules: Vec<PlannedRule>,
    /// Where notifications go.
    pub targets: Vec<PlannedTarget>,
    /// What is told.
    pub notices: Vec<PlannedNotice>,
    /// What the keys were hashed with.
    pub origins: Vec<KeyHasher>,
}

/// A provider, its secrets aside.
pub struct PlannedProvider {
    /// The row.
    pub row: provider::ActiveModel,
    /// Its secrets.
    pub secrets: Opened,
}

/// A key.
pub struct PlannedKey {
    /// The row, its user aside.
    pub row: api_key::ActiveModel,
    /// The name of its user.
    pub user: String,
}

/// An error rule.
pub struct PlannedRule {
    /// The row, its provider aside.
    pub row: error_rule::ActiveModel,
    /// The name of its provider.
    pub provider: Option<String>,
}

/// Where notifications go.
pub struct PlannedTarget {
    /// The row, its credentials aside.
    pub row: notification_target::ActiveModel,
    /// Its credentials, where the backup has them.
    pub credentials: Option<TargetCredentials>,
}

/// A rule of notifications.
pub struct PlannedNotice {
    /// The row, its targets aside.
    pub row: notification_rule::ActiveModel,
    /// Its targets, by their places in the plan.
    pub targets: Vec<usize>,
}

/// The kinds of things, in the order in which they are put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The settings.
    Settings,
    /// Groups of providers.
    Group,
    /// Providers.
    Provider,
    /// Users.
    User,
    /// Keys.
    Key,
    /// Prices.
    Price,
    /// Error rules.
    ErrorRule,
    /// Targets of notifications.
    NotificationTarget,
    /// Rules of notifications.
    NotificationRule,
    /// What keys were hashed with.
    KeyOrigin,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Settings,
        Self::Group,
        Self::Provider,
        Self::User,
        Self::Key,
        Self::Price,
        Self::ErrorRule,
        Self::NotificationTarget,
        Self::NotificationRule,
        Self::KeyOrigin,
    ];
}

/// What a restore did, or would do.
#[derive(Debug, Default)]
pub struct Restored {
    /// What was not there.
    pub created: Vec<(Kind, String)>,
    /// What was there and another, with the fields that differed.
    pub changed: Vec<(Kind, String, Vec<String>)>,
    /// How many were there as they are in the backup.
    pub same: BTreeMap<Kind, u64>,
    /// How many are there of which the backup says nothing.
    pub others: BTreeMap<Kind, u64>,
    /// What somebody should look at.
    pub notes: Vec<String>,
}

/// One restore under way.
struct Restore<'a> {
    admin: &'a Admin,
    change: Change<'a>,
    done: Restored,
    mistakes: Vec<Mistake>,
}

/// Puts it back, or only tells what that would do.
///
/// # Errors
/// 422 that names every mistake that shows only beside what is there.
pub async fn restore(
    admin: &Admin,
    caller: &Identity,
    plan: Plan,
    apply: bool,
) -> Result<Restored, Problem> {
    let mut restore = Restore {
        change: Change::begin(admin, caller).await?,
        admin,
        done: Restored::default(),
        mistakes: Vec::new(),
    };
    if let Some(edit) = plan.settings {
        restore.settings(edit).await?;
    }
    restore.groups(plan.groups).await?;
    let providers = restore.providers(plan.providers).await?;
    let users = restore.users(plan.users).await?;
    restore.keys(plan.keys, &users).await?;
    restore.prices(plan.prices).await?;
    restore.error_rules(plan.error_rules, &providers).await?;
    let targets = restore.targets(plan.targets).await?;
    restore.notices(plan.notices, &targets).await?;
    restore.origins(plan.origins).await?;
    restore.end(apply).await
}

/// The fields of two pictures that differ, but for those that differ in every change.
fn fields(before: &Value, after: &Value) -> Vec<String> {
    let names = before.as_object().into_iter().flat_map(|all| all.keys());
    names
        .filter(|name| *name != "updatedAt" && before.get(*name) != after.get(*name))
        .cloned()
        .collect()
}

/// Whether a row would be another after a change: what is set differs from what is there.
fn differs<A>(wanted: &A, current: &<A::Entity as EntityTrait>::Model) -> bool
where
    A: ActiveModelTrait + ActiveModelBehavior,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A> + Clone,
{
    let current = current.clone().into_active_model();
    <A::Entity as EntityTrait>::Column::iter().any(|column| match wanted.get(column) {
        Set(value) => current.get(column).into_value() != Some(value),
        _ => false,
    })
}

fn text(value: &sea_orm::ActiveValue<String>) -> String {
    value.try_as_ref().cloned().unwrap_or_default()
}

// === impl Restore ===

impl Restore<'_> {
    async fn settings(&mut self, edit: Edit) -> Result<(), Problem> {
        let current = settings::read(self.change.tx()).await?;
        let mut value = current.value.clone();
        edit(&mut value);
        if value == current.value {
            self.same(Kind::Settings);
            return Ok(());
        }
        let is_new = current.updated_at == chrono::DateTime::UNIX_EPOCH;
        let row = setting::ActiveModel {
            id: Set(current.id),
            value: Set(value),
            updated_at: Set(later(current.updated_at)),
        };
        let row = if is_new {
            row.insert(self.change.tx()).await?
        } else {
            row.update(self.change.tx()).await?
        };
        self.change
            .record(Action::Update, Some(&current), Some(&row));
        self.changed(Kind::Settings, String::new(), &current, &row);
        Ok(())
    }

    async fn end(mut self, apply: bool) -> Result<Restored, Problem> {
        if !self.mistakes.is_empty() {
            return Err(Problem::invalid(self.mistakes));
        }
        let (created, changed) = (self.done.created.len(), self.done.changed.len());
        if apply && created + changed > 0 {
            let after = json!({ "created": created, "changed": changed });
            let subject = Subject::new("configuration", "", "");
            self.change
                .note(Action::Restore, subject, None, Some(after));
            self.change.commit().await?;
        }
        Ok(self.done)
    }

    fn created<M: Pictured>(&mut self, kind: Kind, name: String, row: &M) {
        self.change.record(Action::Create, None, Some(row));
        self.done.created.push((kind, name));
    }

    fn changed<M: Pictured>(&mut self, kind: Kind, name: String, before: &M, after: &M) {
        let fields = fields(&before.picture(self.admin), &after.picture(self.admin));
        self.done.changed.push((kind, name, fields));
    }

    fn same(&mut self, kind: Kind) {
        *self.done.same.entry(kind).or_default() += 1;
    }

    fn others(&mut self, kind: Kind, count: usize) {
        self.done.others.insert(kind, count as u64);
    }
}

fn by<M: ModelTrait, K: Eq + Hash>(rows: Vec<M>, key: impl Fn(&M) -> K) -> HashMap<K, M> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

/// Rows whose key need not tell them apart, each key's in the order in which they come.
fn alike<M: ModelTrait, K: Eq + Hash>(rows: Vec<M>, key: impl Fn(&M) -> K) -> HashMap<K, Vec<M>> {
    let mut all: HashMap<K, Vec<M>> = HashMap::new();
    for row in rows {
        all.entry(key(&row)).or_default().push(row);
    }
    all
}
