//! Providers, their groups and error rules.

use std::collections::HashMap;

use entity::{
    error_rule, provider, provider_group,
    value::{Headers, Secret},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
};

use super::{Kind, PlannedProvider, PlannedRule, Restore, alike, by, differs, text};
use crate::{
    problem::{Mistake, Problem},
    service::{audit::Action, backup::opened, providers},
};

// === impl Restore ===

impl Restore<'_> {
    pub(super) async fn groups(
        &mut self,
        rows: Vec<provider_group::ActiveModel>,
    ) -> Result<(), Problem> {
        let there = provider_group::Entity::find().all(self.change.tx()).await?;
        let mut there = by(there, |group| group.name.clone());
        for row in rows {
            let name = text(&row.name);
            let current = there.remove(&name);
            self.put(Kind::Group, name, row, current).await?;
        }
        self.others(Kind::Group, there.len());
        Ok(())
    }

    pub(super) async fn providers(
        &mut self,
        planned: Vec<PlannedProvider>,
    ) -> Result<HashMap<String, i64>, Problem> {
        let there = provider::Entity::find()
            .filter(provider::Column::DeletedAt.is_null())
            .all(self.change.tx())
            .await?;
        let mut there = by(there, |provider| provider.name.clone());
        let mut ids = HashMap::new();
        for planned in planned {
            let name = text(&planned.row.name);
            let current = there.remove(&name);
            if let Err(problem) = providers::within_policy(self.change.tx(), &planned.row).await {
                let notes = problem.mistakes.iter().map(|mistake| {
                    let Mistake { path, message, .. } = mistake;
                    format!("Provider {name} will not be asked: its {path} {message}.")
                });
                self.done.notes.extend(notes);
            }
            let row = self.with_secrets(planned, current.as_ref());
            let Some(current) = current else {
                let row = self.create(Kind::Provider, name.clone(), row).await?;
                ids.insert(name, row.id);
                continue;
            };
            ids.insert(name.clone(), current.id);
            if !differs(&row, &current) {
                self.same(Kind::Provider);
                continue;
            }
            let before = current.clone();
            let row = providers::put(&mut self.change, Action::Update, current, row).await?;
            self.changed(Kind::Provider, name, &before, &row);
        }
        self.others(Kind::Provider, there.len());
        Ok(ids)
    }

    /// The row with its secrets sealed here, those that are not the ones there are.
    fn with_secrets(
        &mut self,
        planned: PlannedProvider,
        current: Option<&provider::Model>,
    ) -> provider::ActiveModel {
        let PlannedProvider { mut row, secrets } = planned;
        let sealer = &self.admin.sealer;
        let there = current.map(|current| opened(self.admin, current));
        if let (Set(limits), Some(current)) = (&mut row.limits, current) {
            limits.reset_at = current.limits.reset_at;
        }
        let same_key = there.as_ref().is_some_and(|t| t.api_key == secrets.api_key);
        row.api_key = match (&secrets.api_key, current) {
            (Some(key), _) if !same_key => Set(sealer.seal(provider::API_KEY_PLACE, key)),
            // What the backup does not know stays.
            (_, Some(_)) => NotSet,
            (_, None) => {
                let name = text(&row.name);
                let note = format!("Provider {name} has no credential in the backup: give it one.");
                self.done.notes.push(note);
                Set(sealer.seal(provider::API_KEY_PLACE, &Secret::new("")))
            }
        };
        let same_proxy = there
            .as_ref()
            .is_some_and(|t| t.proxy_url == secrets.proxy_url);
        row.proxy_url = match &secrets.proxy_url {
            _ if same_proxy => NotSet,
            Some(url) => Set(Some(sealer.seal(provider::PROXY_URL_PLACE, url))),
            None => Set(None),
        };
        let same_headers = there.as_ref().is_some_and(|t| t.headers == secrets.headers);
        row.custom_headers = if same_headers {
            NotSet
        } else {
            Set(Headers::keep(secrets.headers, sealer))
        };
        row
    }

    /// Of rules that are called alike and are for the same provider, the first is the first.
    pub(super) async fn error_rules(
        &mut self,
        planned: Vec<PlannedRule>,
        providers: &HashMap<String, i64>,
    ) -> Result<(), Problem> {
        let there = error_rule::Entity::find()
            .order_by_desc(error_rule::Column::Id)
            .all(self.change.tx())
            .await?;
        let mut left = there.len();
        let mut there = alike(there, |rule| (rule.name.clone(), rule.provider_id));
        for PlannedRule { mut row, provider } in planned {
            let name = text(&row.name);
            let provider_id = match provider {
                Some(provider) => match providers.get(&provider) {
                    Some(id) => Some(*id),
                    None => continue,
                },
                None => None,
            };
            row.provider_id = Set(provider_id);
            let same_name = there.get_mut(&(name.clone(), provider_id));
            let current = same_name.and_then(Vec::pop);
            left -= usize::from(current.is_some());
            self.put(Kind::ErrorRule, name, row, current).await?;
        }
        self.others(Kind::ErrorRule, left);
        Ok(())
    }
}
