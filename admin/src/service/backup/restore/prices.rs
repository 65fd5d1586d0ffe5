//! Prices set by hand, and what keys were hashed with.

use chrono::SubsecRound;
use entity::{
    key_origin, price,
    value::{KeyHasher, Strings, price::Source},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    EntityTrait,
};
use serde_json::json;

use super::{Kind, Restore, by, text};
use crate::{
    problem::{Mistake, Problem},
    service::{
        audit::{Action, Subject},
        backup::manual_prices,
        now,
    },
};

// === impl Restore ===

impl Restore<'_> {
    /// Prices are only ever added: one that says the same from the same moment on is there.
    pub(super) async fn prices(&mut self, rows: Vec<price::ActiveModel>) -> Result<(), Problem> {
        let said = |row: &price::Model| {
            let aliases = row.aliases.0.join("\n");
            let from = row.effective_at.timestamp_micros();
            (row.model.clone(), row.figures.clone(), aliases, from)
        };
        let mut there = by(manual_prices(self.change.tx()).await?, said);
        for mut row in rows {
            let effective_at = row.effective_at.take().unwrap_or_default().trunc_subsecs(6);
            let aliases = row.aliases.take().unwrap_or_default();
            let model = text(&row.model);
            let figures = row.figures.take().flatten();
            let key = (
                model.clone(),
                figures.clone(),
                aliases.0.join("\n"),
                effective_at.timestamp_micros(),
            );
            if there.remove(&key).is_some() {
                self.same(Kind::Price);
                continue;
            }
            let after = json!({
                "figures": figures,
                "aliases": aliases.0,
                "effectiveAt": effective_at,
            });
            let row = price::ActiveModel {
                id: NotSet,
                model: Set(model.clone()),
                source: Set(Source::Manual.name().to_owned()),
                figures: Set(figures),
                aliases: Set(Strings(aliases.0)),
                effective_at: Set(effective_at),
                created_at: Set(now()),
            };
            price::Entity::insert(row).exec(self.change.tx()).await?;
            let subject = Subject::new("price", &model, model.as_str());
            self.change.note(Action::Update, subject, None, Some(after));
            self.done.created.push((Kind::Price, model));
        }
        self.others(Kind::Price, there.len());
        Ok(())
    }

    pub(super) async fn origins(&mut self, hashers: Vec<KeyHasher>) -> Result<(), Problem> {
        let there = key_origin::Entity::find().all(self.change.tx()).await?;
        let mut count = there.len();
        let mut there = by(there, |origin| origin.mark.clone());
        for hasher in hashers {
            let mark = hasher.mark();
            if there.remove(&mark).is_some() || mark == self.admin.hasher.mark() {
                self.same(Kind::KeyOrigin);
                continue;
            }
            count += 1;
            let secret = hasher.secret();
            let row = key_origin::ActiveModel {
                mark: Set(mark.clone()),
                hashing_key: Set(self
                    .admin
                    .sealer
                    .seal(key_origin::HASHING_KEY_PLACE, &secret)),
                created_at: Set(now()),
            };
            key_origin::Entity::insert(row)
                .exec_without_returning(self.change.tx())
                .await?;
            let subject = Subject::new("key-origin", &mark, "");
            self.change
                .note(Action::Create, subject, None, Some(json!({ "mark": mark })));
            self.done.created.push((Kind::KeyOrigin, mark));
        }
        if count > key_origin::MOST {
            let message = format!("would make more than {} here", key_origin::MOST);
            self.mistakes
                .push(Mistake::new("backup.keyOrigins", "too_many", message));
        }
        self.others(Kind::KeyOrigin, there.len());
        Ok(())
    }
}
