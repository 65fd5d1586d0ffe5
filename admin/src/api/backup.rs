//! `/system/backup` and `/system/restore`: the configuration as one document.

use std::sync::Arc;

use entity::value::{Derivation, Secret};
use poem_openapi::{ApiResponse, Enum, Object, OpenApi, payload::Json, types::Any};
use serde_json::Value;

use super::{
    Tag,
    answers::TryRefused,
    body::{Body, Input},
};
use crate::{
    Admin,
    auth::guard::ForAdmin,
    problem::Mistake,
    service::backup::{self, Kind, Restored},
};

mod document;
mod notifications;
mod plan;
mod rules;
mod write;

use document::Backup;

/// The operations.
pub struct Api(pub Arc<Admin>);

/// What seals a backup's secrets.
#[derive(Object)]
pub struct BackupAsk {
    /// The passphrase. It is not kept: without it the secrets in the backup are lost.
    #[oai(write_only, validator(min_length = 12, max_length = 1024))]
    pub passphrase: String,
}

/// What is to be put back.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct RestoreAsk {
    /// What the backup was made with.
    #[oai(write_only, validator(min_length = 1, max_length = 1024))]
    pub passphrase: String,
    /// The backup.
    pub backup: Backup,
    /// Only tells what would be done, which is what happens if it is not given; false does it.
    pub dry_run: Option<bool>,
}

/// A kind of thing that is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
pub enum RestoredKind {
    /// The settings.
    Settings,
    /// A group of providers.
    ProviderGroup,
    /// A provider.
    Provider,
    /// A user.
    User,
    /// A client key.
    Key,
    /// A price set by hand.
    Price,
    /// An error rule.
    ErrorRule,
    /// A target of notifications.
    NotificationTarget,
    /// A rule of notifications.
    NotificationRule,
    /// What an installation hashed its keys with.
    KeyOrigin,
}

/// Something that is created or changed.
#[derive(Debug, Object)]
pub struct RestoredThing {
    /// Its kind.
    pub kind: RestoredKind,
    /// What it is called.
    pub name: String,
    /// The fields that differ; empty for what is created.
    pub fields: Vec<String>,
}

/// How many things of a kind are left as they are.
#[derive(Debug, Object)]
pub struct RestoredLeft {
    /// The kind.
    pub kind: RestoredKind,
    /// Those that are as they are in the backup.
    pub same: u64,
    /// Those of which the backup says nothing.
    pub others: u64,
}

/// What a restore did, or would do.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct RestoreReport {
    /// Whether it only told.
    pub dry_run: bool,
    /// What was not there.
    pub created: Vec<RestoredThing>,
    /// What was another.
    pub changed: Vec<RestoredThing>,
    /// What is left as it is.
    pub left: Vec<RestoredLeft>,
    /// What somebody should look at.
    pub notes: Vec<String>,
}

/// A backup as a file.
#[derive(ApiResponse)]
pub enum Download {
    /// The backup.
    #[oai(status = 200)]
    File(
        Json<Backup>,
        /// `attachment`, and a name for the file.
        #[oai(header = "Content-Disposition")]
        String,
    ),
}

#[OpenApi(prefix_path = "/api/v1/system", tag = "Tag::System")]
impl Api {
    /// Back the configuration up
    ///
    /// Everything but history, as one JSON document: settings, groups, providers, users, keys by their hashes, prices set by hand, error
    /// rules, targets and rules of notifications. Its secrets are sealed with the passphrase; the rest can be read. A gateway with another `SECRET_KEY` that restores it knows
    /// the same client keys and reaches the same providers. Who made one is in the audit.
    #[oai(path = "/backup", method = "post", operation_id = "createBackup")]
    async fn backup(
        &self,
        caller: ForAdmin,
        body: Body<BackupAsk>,
    ) -> Result<Download, TryRefused> {
        let derivation = Derivation::draw();
        let sealer = backup::sealer(derivation, Secret::new(body.0.passphrase)).await?;
        let held = backup::read(&self.0, &caller.0).await?;
        let backup = write::write(&self.0, held, derivation, &sealer);
        let day = backup.created_at.format("%Y-%m-%d");
        let name = format!("attachment; filename=\"switchyard-backup-{day}.json\"");
        Ok(Download::File(Json(backup), name))
    }

    /// Restore the configuration
    ///
    /// Puts back what is in a backup, all of it or nothing: what is not there is created, what is another is changed, and what the backup
    /// says nothing of is left. Things are recognised by their names, keys by their hashes. Without `dryRun: false` it only tells what it
    /// would do. Restoring twice changes nothing. A body may have 16 MiB.
    #[oai(path = "/restore", method = "post", operation_id = "restoreBackup")]
    async fn restore(
        &self,
        caller: ForAdmin,
        body: Body<RestoreAsk>,
    ) -> Result<Json<RestoreReport>, TryRefused> {
        let RestoreAsk {
            passphrase,
            backup,
            dry_run,
        } = body.0;
        let is_dry = dry_run != Some(false);
        let plan = plan::read(backup, Secret::new(passphrase)).await?;
        let restored = backup::restore(&self.0, &caller.0, plan, !is_dry).await?;
        Ok(Json(RestoreReport::new(restored, is_dry)))
    }
}

// === impl BackupAsk, RestoreAsk ===

impl Input for BackupAsk {
    type Loose = Any<Value>;

    fn rules(_loose: &Any<Value>, _out: &mut Vec<Mistake>) {}
}

impl Input for RestoreAsk {
    type Loose = Any<Value>;

    const MAX_BYTES: usize = 16 * 1024 * 1024;

    fn rules(loose: &Any<Value>, out: &mut Vec<Mistake>) {
        rules::check(&loose.0["backup"], out);
    }

    /// One mistake in a thing does not hide those of the others.
    fn without(value: &Value, _mistakes: &[Mistake]) -> Value {
        value.clone()
    }
}

// === impl RestoreReport ===

impl RestoreReport {
    fn new(restored: Restored, dry_run: bool) -> Self {
        let thing = |kind: Kind, name, fields| RestoredThing {
            kind: kind.into(),
            name,
            fields,
        };
        let Restored {
            created,
            changed,
            same,
            others,
            notes,
        } = restored;
        let left = Kind::ALL.into_iter().map(|kind| RestoredLeft {
            kind: kind.into(),
            same: same.get(&kind).copied().unwrap_or(0),
            others: others.get(&kind).copied().unwrap_or(0),
        });
        Self {
            dry_run,
            created: created
                .into_iter()
                .map(|(kind, name)| thing(kind, name, Vec::new()))
                .collect(),
            changed: changed
                .into_iter()
                .map(|(kind, name, fields)| thing(kind, name, fields))
                .collect(),
            left: left.collect(),
            notes,
        }
    }
}

impl From<Kind> for RestoredKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Settings => Self::Settings,
            Kind::Group => Self::ProviderGroup,
            Kind::Provider => Self::Provider,
            Kind::User => Self::User,
            Kind::Key => Self::Key,
            Kind::Price => Self::Price,
            Kind::ErrorRule => Self::ErrorRule,
            Kind::NotificationTarget => Self::NotificationTarget,
            Kind::NotificationRule => Self::NotificationRule,
            Kind::KeyOrigin => Self::KeyOrigin,
        }
    }
}
