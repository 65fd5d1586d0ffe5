//! Writes the rows of one table here, or leaves them, and counts them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
};

use super::links::{Kind, Links, Verdict};
use super::report::Table;
use super::row::Reading;

/// A table here, and what becomes of its counterpart there.
pub(super) struct Shelf<'t, E: EntityTrait> {
    pub(super) tx: &'t DatabaseTransaction,
    pub(super) kind: Kind,
    pub(super) table: Table,
    columns: Columns<E>,
    changed_at: HashMap<i64, DateTime<Utc>>,
}

/// The columns that are an import's own: the id, and when the row was changed.
type Columns<E> = (<E as EntityTrait>::Column, <E as EntityTrait>::Column);

/// A row with a number for an id.
pub(super) trait HasId {
    fn id(&self) -> i64;
}

// === impl Shelf ===

impl<'t, E: EntityTrait> Shelf<'t, E> {
    pub(super) fn new(
        tx: &'t DatabaseTransaction,
        kind: Kind,
        name: &'static str,
        columns: Columns<E>,
    ) -> Self {
        Self {
            tx,
            kind,
            table: Table::new(name),
            columns,
            changed_at: HashMap::new(),
        }
    }

    /// Takes note of a row that is here.
    pub(super) fn know(&mut self, id: i64, changed_at: DateTime<Utc>) {
        self.changed_at.insert(id, changed_at);
    }

    /// Writes a row, or leaves it, as [`super::links`] says; its id here. `row` has no id and no time of change yet; `secret` is what of it
    /// it does not show.
    pub(super) async fn put<A>(
        &mut self,
        links: &mut Links<'_>,
        source_id: i64,
        row: E::Model,
        secret: &str,
    ) -> Result<i64, DbErr>
    where
        A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
        E::Model: IntoActiveModel<A> + HasId,
    {
        let place = (self.kind, source_id);
        let digest = links.digest(&row, secret);
        let verdict = links.judge(place, &digest, |id| self.changed_at.get(&id).copied());
        let mut model = row.into_active_model().reset_all();
        let (id, updated_at) = self.columns;
        model.set(updated_at, links.now.into());
        let target = match verdict {
            Verdict::New => {
                model.not_set(id);
                self.table.new += 1;
                model.insert(self.tx).await?.id()
            }
            Verdict::Changed(target) => {
                model.set(id, target.into());
                self.table.changed += 1;
                model.update(self.tx).await?.id()
            }
            Verdict::Same(target) => {
                self.table.same += 1;
                return Ok(target);
            }
            Verdict::Kept(target) => {
                self.table.kept += 1;
                let what = "changed there, but also changed or deleted here: left as it is here";
                self.table.notes.add(source_id, what);
                return Ok(target);
            }
        };
        let now = links.now;
        links.link(self.tx, place, target, digest, now).await?;
        Ok(target)
    }

    /// Uses a row that was here before for one there, and never writes it.
    pub(super) async fn adopt(
        &mut self,
        links: &mut Links<'_>,
        source_id: i64,
        target: i64,
        what: &str,
    ) -> Result<(), DbErr> {
        if links.target(self.kind, source_id) != Some(target) {
            let place = (self.kind, source_id);
            links.adopt(self.tx, place, target).await?;
            self.table.notes.add(source_id, what);
        }
        self.table.same += 1;
        Ok(())
    }

    /// Reports what was wrong with a row that was imported.
    pub(super) fn report(&mut self, read: Reading<'_>) {
        let id = read.row().id();
        for wrong in read.wrong {
            self.table.notes.add(id, wrong);
        }
    }
}

macro_rules! has_id {
    ($($entity:ident),+) => {
        $(impl HasId for entity::$entity::Model {
            fn id(&self) -> i64 {
                self.id
            }
        })+
    };
}

has_id!(api_key, error_rule, provider, provider_group, user);
