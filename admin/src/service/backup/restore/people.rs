//! Users and their keys.

use std::collections::HashMap;

use chrono::SubsecRound;
use entity::{api_key, user};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{Kind, PlannedKey, Restore, by, differs, text};
use crate::{
    problem::{Mistake, Problem},
    service::{audit::Action, change::later, keys, users},
};

// === impl Restore ===

impl Restore<'_> {
    pub(super) async fn users(
        &mut self,
        rows: Vec<user::ActiveModel>,
    ) -> Result<HashMap<String, i64>, Problem> {
        let there = user::Entity::find()
            .filter(user::Column::DeletedAt.is_null())
            .all(self.change.tx())
            .await?;
        let mut there = by(there, |user| user.name.clone());
        let mut ids = HashMap::new();
        for mut row in rows {
            let name = text(&row.name);
            if let Set(Some(end)) = row.expires_at {
                row.expires_at = Set(Some(end.trunc_subsecs(6)));
            }
            let Some(current) = there.remove(&name) else {
                let row = self.create(Kind::User, name.clone(), row).await?;
                ids.insert(name, row.id);
                continue;
            };
            ids.insert(name.clone(), current.id);
            if let Set(limits) = &mut row.limits {
                limits.reset_at = current.limits.reset_at;
            }
            if !differs(&row, &current) {
                self.same(Kind::User);
                continue;
            }
            let before = current.clone();
            let row = users::put(&mut self.change, Action::Update, current, row).await?;
            self.changed(Kind::User, name, &before, &row);
        }
        self.others(Kind::User, there.len());
        Ok(ids)
    }

    /// A key that was deleted here comes back: nothing else has its hash.
    pub(super) async fn keys(
        &mut self,
        planned: Vec<PlannedKey>,
        users: &HashMap<String, i64>,
    ) -> Result<(), Problem> {
        let there = api_key::Entity::find().all(self.change.tx()).await?;
        let mut there = by(there, |key| key.key_hash.clone());
        for (i, PlannedKey { mut row, user }) in planned.into_iter().enumerate() {
            let name = format!("{} ({user})", text(&row.name));
            let current = there.remove(&text(&row.key_hash));
            let Some(user_id) = users.get(&user).copied() else {
                continue;
            };
            row.user_id = Set(user_id);
            row.deleted_at = Set(None);
            if let Set(Some(end)) = row.expires_at {
                row.expires_at = Set(Some(end.trunc_subsecs(6)));
            }
            let Some(current) = current else {
                self.create(Kind::Key, name, row).await?;
                continue;
            };
            if let Set(limits) = &mut row.limits {
                limits.reset_at = current.limits.reset_at;
            }
            if current.deleted_at.is_some() {
                row.id = Set(current.id);
                row.updated_at = Set(later(current.updated_at));
                let row = row.update(self.change.tx()).await?;
                self.created(Kind::Key, name, &row);
                continue;
            }
            if current.user_id != user_id {
                let at = format!("backup.keys[{i}].user");
                let message = "is not whose key this is here";
                self.mistakes.push(Mistake::new(at, "conflict", message));
                continue;
            }
            if !differs(&row, &current) {
                self.same(Kind::Key);
                continue;
            }
            let before = current.clone();
            let row = keys::put(&mut self.change, Action::Update, current, row).await?;
            self.changed(Kind::Key, name, &before, &row);
        }
        let others = there.values().filter(|key| key.deleted_at.is_none());
        self.others(Kind::Key, others.count());
        Ok(())
    }
}
