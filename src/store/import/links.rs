//! Which row here came from which row there, and what becomes of a row that is imported again.
//!
//! The rule: what is new there is added here. What is here already is written again only if it changed there since, which a keyed hash of
//! what was imported tells; and not if it was changed here meanwhile, which its `updated_at` tells. So an import can be made again and again
//! while people move over, and never takes back what was done here. What was here before any import (a key with the same characters, a
//! group of the same name, a rule with the same pattern) is used as it is, never written.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::import;
use entity::value::KeyHasher;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    User,
    Key,
    Provider,
    Group,
    Rule,
    Settings,
    /// Id 0 is how far history was imported, id 1 after which id it was begun with.
    History,
}

/// All that was imported from one source, and where what is imported now is written.
pub(super) struct Links<'a> {
    source: &'a str,
    hasher: &'a KeyHasher,
    known: HashMap<(Kind, i64), Link>,
    /// When this import is made.
    pub(super) now: DateTime<Utc>,
}

#[derive(Debug, Clone)]
struct Link {
    target: i64,
    digest: String,
    applied_at: DateTime<Utc>,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    New,
    Changed(i64),
    Same(i64),
    Kept(i64),
}

// === impl Kind ===

impl Kind {
    const ALL: [Self; 7] = [
        Self::User,
        Self::Key,
        Self::Provider,
        Self::Group,
        Self::Rule,
        Self::Settings,
        Self::History,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Key => "key",
            Self::Provider => "provider",
            Self::Group => "group",
            Self::Rule => "rule",
            Self::Settings => "settings",
            Self::History => "history",
        }
    }
}

// === impl Links ===

impl<'a> Links<'a> {
    pub(super) async fn load(
        db: &impl ConnectionTrait,
        source: &'a str,
        hasher: &'a KeyHasher,
    ) -> Result<Self, DbErr> {
        let rows = import::Entity::find()
            .filter(import::Column::Source.eq(source))
            .all(db)
            .await?;
        let mut known = HashMap::with_capacity(rows.len());
        for row in rows {
            let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == row.kind) else {
                continue; // Of a later version.
            };
            let link = Link {
                target: row.target_id,
                digest: row.digest,
                applied_at: row.applied_at,
            };
            known.insert((kind, row.source_id), link);
        }
        let now = DateTime::from_timestamp_micros(Utc::now().timestamp_micros());
        Ok(Self {
            source,
            hasher,
            known,
            now: now.unwrap_or_default(),
        })
    }

    /// The id here of a row there.
    pub(super) fn target(&self, kind: Kind, source_id: i64) -> Option<i64> {
        self.known.get(&(kind, source_id)).map(|link| link.target)
    }

    /// Whether a row here came from another row there than this one.
    pub(super) fn is_anothers(&self, kind: Kind, source_id: i64, target: i64) -> bool {
        self.known
            .iter()
            .any(|((k, id), link)| *k == kind && *id != source_id && link.target == target)
    }

    /// Notes that a row there is one that was here before.
    pub(super) async fn adopt(
        &mut self,
        tx: &DatabaseTransaction,
        place: (Kind, i64),
        target: i64,
    ) -> Result<(), DbErr> {
        // No row was ever changed then, so that it is never written.
        self.link(tx, place, target, String::new(), DateTime::UNIX_EPOCH)
            .await
    }

    /// Makes a row here that came from another row there this one's, if there is such a one.
    pub(super) async fn move_to(
        &mut self,
        tx: &DatabaseTransaction,
        kind: Kind,
        source_id: i64,
        target: i64,
    ) -> Result<(), DbErr> {
        let other = self
            .known
            .iter()
            .find(|((k, id), link)| *k == kind && *id != source_id && link.target == target);
        let Some((place, link)) = other.map(|(place, link)| (*place, link.clone())) else {
            return Ok(());
        };
        import::Entity::delete_by_id((self.source.to_owned(), kind.name().to_owned(), place.1))
            .exec(tx)
            .await?;
        self.known.remove(&place);
        let place = (kind, source_id);
        self.link(tx, place, target, String::new(), link.applied_at)
            .await
    }

    /// Whether a row was adopted: it is never written.
    pub(super) fn is_adopted(&self, kind: Kind, source_id: i64) -> bool {
        let link = self.known.get(&(kind, source_id));
        link.is_some_and(|link| link.applied_at == DateTime::UNIX_EPOCH)
    }

    /// Notes a row.
    pub(super) async fn link(
        &mut self,
        db: &impl ConnectionTrait,
        (kind, source_id): (Kind, i64),
        target: i64,
        digest: String,
        applied_at: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let row = import::ActiveModel {
            source: Set(self.source.to_owned()),
            kind: Set(kind.name().to_owned()),
            source_id: Set(source_id),
            target_id: Set(target),
            digest: Set(digest.clone()),
            applied_at: Set(applied_at),
        };
        let mut conflict = OnConflict::columns([
            import::Column::Source,
            import::Column::Kind,
            import::Column::SourceId,
        ]);
        conflict.update_columns([
            import::Column::TargetId,
            import::Column::Digest,
            import::Column::AppliedAt,
        ]);
        import::Entity::insert(row)
            .on_conflict(conflict)
            .exec_without_returning(db)
            .await?;
        let link = Link {
            target,
            digest,
            applied_at,
        };
        self.known.insert((kind, source_id), link);
        Ok(())
    }

    /// Whether a row is as it was when it was imported; none when it never was.
    pub(super) fn is_same(&self, place: (Kind, i64), digest: &str) -> Option<bool> {
        self.known.get(&place).map(|link| link.digest == digest)
    }

    /// A hash of what is imported: keyed, because secrets are in it.
    pub(super) fn digest(&self, row: &impl std::fmt::Debug, secret: &str) -> String {
        self.hasher.hash(&format!("{row:?}\0{secret}")).to_hex()
    }

    /// What becomes of a row. `changed_at` is when the row it came to was last changed, none when that is gone.
    pub(super) fn judge(
        &self,
        place: (Kind, i64),
        digest: &str,
        changed_at: impl Fn(i64) -> Option<DateTime<Utc>>,
    ) -> Verdict {
        let Some(link) = self.known.get(&place) else {
            return Verdict::New;
        };
        if link.digest == digest {
            Verdict::Same(link.target)
        } else if changed_at(link.target) == Some(link.applied_at) {
            Verdict::Changed(link.target)
        } else {
            Verdict::Kept(link.target)
        }
    }
}
