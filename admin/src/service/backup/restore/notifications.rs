//! Where notifications go, and what is told.

use entity::{
    notification_rule, notification_target,
    value::{Ids, TargetCredentials},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    EntityTrait, QueryOrder,
};

use super::{Kind, PlannedNotice, PlannedTarget, Restore, alike, text};
use crate::{
    problem::{Mistake, Problem},
    service::notification_targets,
};

// === impl Restore ===

impl Restore<'_> {
    /// Of targets that are called alike and speak the same, the first is the first. Their ids here, in the backup's order.
    pub(super) async fn targets(
        &mut self,
        planned: Vec<PlannedTarget>,
    ) -> Result<Vec<i64>, Problem> {
        let there = notification_target::Entity::find()
            .order_by_desc(notification_target::Column::Id)
            .all(self.change.tx())
            .await?;
        let mut left = there.len();
        let mut there = alike(there, |target| (target.name.clone(), target.kind));
        let mut ids = Vec::new();
        for PlannedTarget {
            mut row,
            credentials,
        } in planned
        {
            let name = text(&row.name);
            self.tell_of_policy(&name, credentials.as_ref()).await?;
            let kind = row.kind.try_as_ref().copied();
            let current = kind.and_then(|kind| there.get_mut(&(name.clone(), kind))?.pop());
            row.credentials = self.sealed(&name, credentials, current.as_ref());
            left -= usize::from(current.is_some());
            let id = self.put(Kind::NotificationTarget, name, row, current);
            ids.push(id.await?);
        }
        self.others(Kind::NotificationTarget, left);
        Ok(ids)
    }

    /// Of rules that are called alike and tell of the same, the first is the first.
    pub(super) async fn notices(
        &mut self,
        planned: Vec<PlannedNotice>,
        ids: &[i64],
    ) -> Result<(), Problem> {
        let there = notification_rule::Entity::find()
            .order_by_desc(notification_rule::Column::Id)
            .all(self.change.tx())
            .await?;
        let mut left = there.len();
        let mut there = alike(there, |rule| (rule.name.clone(), rule.event));
        for PlannedNotice { mut row, targets } in planned {
            let name = text(&row.name);
            let targets = targets.into_iter().filter_map(|at| ids.get(at).copied());
            row.target_ids = Set(Ids(targets.collect()));
            let event = row.event.try_as_ref().copied();
            let current = event.and_then(|event| there.get_mut(&(name.clone(), event))?.pop());
            left -= usize::from(current.is_some());
            self.put(Kind::NotificationRule, name, row, current).await?;
        }
        self.others(Kind::NotificationRule, left);
        Ok(())
    }

    /// What is sealed here, unless it is what there is.
    fn sealed(
        &mut self,
        name: &str,
        credentials: Option<TargetCredentials>,
        current: Option<&notification_target::Model>,
    ) -> sea_orm::ActiveValue<entity::value::Sealed> {
        let sealer = &self.admin.sealer;
        let opened = current.and_then(|row| TargetCredentials::open(sealer, &row.credentials).ok());
        match (credentials, current) {
            (Some(wanted), _) if opened.as_ref() != Some(&wanted) => Set(wanted.seal(sealer)),
            // What the backup does not know stays.
            (_, Some(_)) => NotSet,
            (_, None) => {
                let note = format!(
                    "Target {name} has no address in the backup: enter what it needs anew."
                );
                self.done.notes.push(note);
                Set(TargetCredentials::default().seal(sealer))
            }
        }
    }

    async fn tell_of_policy(
        &mut self,
        name: &str,
        credentials: Option<&TargetCredentials>,
    ) -> Result<(), Problem> {
        let Some(credentials) = credentials else {
            return Ok(());
        };
        let within = notification_targets::within_policy(self.change.tx(), credentials).await;
        if let Err(problem) = within {
            let notes = problem.mistakes.iter().map(|mistake| {
                let Mistake { path, message, .. } = mistake;
                format!("Target {name} will not be written to: its {path} {message}.")
            });
            self.done.notes.extend(notes);
        }
        Ok(())
    }
}
