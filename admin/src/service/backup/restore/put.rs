//! Puts one row back: as a new one, in the place of the one that is there, or not at all.

use chrono::{DateTime, Utc};
use entity::{
    api_key, error_rule, notification_rule, notification_target, provider, provider_group, user,
};
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel,
};

use super::{Kind, Restore, differs};
use crate::{
    problem::Problem,
    service::{
        audit::{Action, Pictured},
        change::later,
        now,
        row::Row,
    },
};

/// A row that is not there yet, of a table whose rows say when they were made and when last changed.
pub(super) trait Dated: ActiveModelBehavior + Send {
    /// Makes it a new one.
    fn begin(&mut self, now: DateTime<Utc>);

    /// Makes it the one with this id, changed at this time.
    fn replace(&mut self, id: i64, updated_at: DateTime<Utc>);
}

type ModelOf<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Model;

macro_rules! dated {
    ($($table:ident),+ $(,)?) => {$(
        impl Dated for $table::ActiveModel {
            fn begin(&mut self, now: DateTime<Utc>) {
                self.created_at = Set(now);
                self.updated_at = Set(now);
            }

            fn replace(&mut self, id: i64, updated_at: DateTime<Utc>) {
                self.id = Set(id);
                self.updated_at = Set(updated_at);
            }
        }
    )+};
}

dated! {
    api_key,
    error_rule,
    notification_rule,
    notification_target,
    provider,
    provider_group,
    user,
}

// === impl Restore ===

impl Restore<'_> {
    /// Puts a row in the place of the one that is there, unless that is the same. Its id here.
    pub(super) async fn put<A>(
        &mut self,
        kind: Kind,
        name: String,
        mut row: A,
        current: Option<ModelOf<A>>,
    ) -> Result<i64, Problem>
    where
        A: Dated,
        ModelOf<A>: Row + IntoActiveModel<A>,
    {
        let Some(current) = current else {
            let row = self.create(kind, name, row).await?;
            return Ok(row.version().0);
        };
        let (id, updated_at) = current.version();
        if !differs(&row, &current) {
            self.same(kind);
            return Ok(id);
        }
        row.replace(id, later(updated_at));
        let row = row.update(self.change.tx()).await?;
        self.change
            .record(Action::Update, Some(&current), Some(&row));
        self.changed(kind, name, &current, &row);
        Ok(id)
    }

    /// Makes a row that is not there.
    pub(super) async fn create<A>(
        &mut self,
        kind: Kind,
        name: String,
        mut row: A,
    ) -> Result<ModelOf<A>, Problem>
    where
        A: Dated,
        ModelOf<A>: Pictured + IntoActiveModel<A>,
    {
        row.begin(now());
        let row = row.insert(self.change.tx()).await?;
        self.created(kind, name, &row);
        Ok(row)
    }
}
