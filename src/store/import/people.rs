//! Users and their keys.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use entity::value::{KeyHasher, Strings};
use entity::{api_key, user};
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait};

use super::links::{Kind, Links};
use super::names::Names;
use super::report::Table;
use super::row::{DAILY, Reading, Row, cut};
use super::shelf::Shelf;

/// Characters of a key that are kept for recognising it.
const PREFIX: usize = 10;
const LAST: usize = 4;
/// A key of fewer characters is easier to guess than one made here.
const WEAK: usize = 24;
/// How long ago a reset of the five hours still matters.
const FIVE_HOURS: TimeDelta = TimeDelta::hours(5);

/// Characters of a list of groups.
const GROUPS: usize = 512;

/// Ids here of keys there, by the keys themselves, which is how history names them. Gone with the import.
pub(super) type KeyIds = HashMap<String, i64>;

/// What of users there concerns their keys.
#[derive(Default)]
pub(super) struct Owners {
    deleted: HashSet<i64>,
    reset_at: HashMap<i64, DateTime<Utc>>,
}

/// Keys here.
struct Keys<'t> {
    shelf: Shelf<'t, api_key::Entity>,
    by_hash: HashMap<String, i64>,
    ids: KeyIds,
}

/// What is said of a row that is deleted there.
pub(super) const DELETED: &str = "deleted there: here too, for the history that points at it";

/// Imports users.
pub(super) async fn users(
    tx: &DatabaseTransaction,
    links: &mut Links<'_>,
    rows: &[Row],
) -> Result<Table, DbErr> {
    let columns = (user::Column::Id, user::Column::UpdatedAt);
    let mut shelf = Shelf::<user::Entity>::new(tx, Kind::User, "users", columns);
    let mut names = Names::default();
    for row in user::Entity::find().all(tx).await? {
        shelf.know(row.id, row.updated_at);
        if row.deleted_at.is_none() {
            names.take(&row.name, row.id);
        }
    }
    for row in rows {
        shelf.table.found += 1;
        let id = row.id();
        let mut read = Reading::new(row);
        let mut user = read_user(&mut read, links.now);
        let is_alive = user.deleted_at.is_none();
        if is_alive {
            let free = names.free(&user.name, id, links.target(Kind::User, id));
            if free != user.name {
                read.say(format!("its name is taken, it is called {free:?} here"));
                user.name = free;
            }
        } else {
            read.say(DELETED);
        }
        let name = user.name.clone();
        let target = shelf.put::<user::ActiveModel>(links, id, user, "").await?;
        if is_alive {
            names.take(&name, target);
        } else {
            names.give_back(target);
        }
        shelf.report(read);
    }
    Ok(shelf.table)
}

fn read_user(read: &mut Reading<'_>, now: DateTime<Utc>) -> user::Model {
    let role = match read.text("role").as_deref() {
        Some("admin") => "admin",
        Some("user") | None => "user",
        Some(_) => {
            read.say("its role is neither admin nor user: user");
            "user"
        }
    };
    let limits = read.limits("daily_limit_usd", "cost_reset_at");
    let reset_5h = read.time("limit_5h_cost_reset_at");
    if limits.usd_5h.is_some() && reset_5h > limits.reset_at && reset_5h > Some(now - FIVE_HOURS) {
        read.say(
            "its five hours alone were reset there: here they count from the reset of all its limits",
        );
    }
    user::Model {
        id: 0,
        name: name_of(read, "user"),
        note: read.text("description").unwrap_or_default(),
        tags: Strings(read.names("tags")),
        role: role.to_owned(),
        is_enabled: read.flag("is_enabled", true),
        expires_at: read.time("expires_at"),
        provider_group: groups_of(read),
        allowed_models: Strings(read.names("allowed_models")),
        allowed_clients: Strings(read.names("allowed_clients")),
        blocked_clients: Strings(read.names("blocked_clients")),
        limits,
        created_at: read.time("created_at").unwrap_or(DateTime::UNIX_EPOCH),
        updated_at: DateTime::UNIX_EPOCH,
        deleted_at: read.time("deleted_at"),
    }
}

/// Imports keys, and tells which key there is which here.
pub(super) async fn keys(
    tx: &DatabaseTransaction,
    links: &mut Links<'_>,
    hasher: &KeyHasher,
    rows: &[Row],
    owners: &Owners,
) -> Result<(Table, KeyIds), DbErr> {
    let columns = (api_key::Column::Id, api_key::Column::UpdatedAt);
    let mut keys = Keys {
        shelf: Shelf::new(tx, Kind::Key, "keys", columns),
        by_hash: HashMap::new(),
        ids: KeyIds::new(),
    };
    for row in api_key::Entity::find().all(tx).await? {
        keys.shelf.know(row.id, row.updated_at);
        keys.by_hash.insert(row.key_hash, row.id);
    }
    // Of keys with the same characters, one can be used: one that is not deleted before one that is, one that is switched on before one
    // that is not, the older before the newer.
    let mut order: Vec<&Row> = rows.iter().collect();
    order.sort_by_key(|row| {
        let is_deleted = row.json("deleted_at").is_some()
            || owners
                .deleted
                .contains(&row.integer("user_id").unwrap_or(0));
        let is_off = row.json("is_enabled") == Some("false");
        (is_deleted, is_off, row.id())
    });
    for row in order {
        keys.shelf.table.found += 1;
        let mut read = Reading::new(row);
        match read_key(&mut read, links, owners) {
            Ok((key, secret)) => keys.put(links, hasher, read, key, secret).await?,
            Err(why) => keys.shelf.table.skipped.add(row.id(), why),
        }
    }
    Ok((keys.shelf.table, keys.ids))
}

// === impl Owners ===

impl Owners {
    pub(super) fn new(users: &[Row]) -> Self {
        let mut owners = Self::default();
        for row in users {
            if row.json("deleted_at").is_some() {
                owners.deleted.insert(row.id());
            }
            if let Some(time) = row.time("cost_reset_at") {
                owners.reset_at.insert(row.id(), time);
            }
        }
        owners
    }
}

// === impl Keys ===

impl Keys<'_> {
    async fn put(
        &mut self,
        links: &mut Links<'_>,
        hasher: &KeyHasher,
        read: Reading<'_>,
        mut key: api_key::Model,
        secret: String,
    ) -> Result<(), DbErr> {
        let id = read.row().id();
        if self.ids.contains_key(&secret) {
            let why = "another key there has the same characters, which is the one that is used";
            self.shelf.table.skipped.add(id, why);
            return Ok(());
        }
        // Of a deleted key nothing is kept that it could be used by.
        let hash = if key.deleted_at.is_none() {
            hasher.hash(&secret)
        } else {
            hasher.hash(&format!("deleted there\0{id}\0{secret}"))
        };
        key.key_hash = hash.to_hex();
        if let Some(there) = self.by_hash.get(&key.key_hash).copied()
            && links.target(Kind::Key, id) != Some(there)
        {
            // Another key there was these characters: now it is this one.
            links.move_to(self.shelf.tx, Kind::Key, id, there).await?;
            if links.target(Kind::Key, id) != Some(there) || links.is_adopted(Kind::Key, id) {
                self.ids.insert(secret, there);
                let what = "is a key here already, which is left as it is";
                return self.shelf.adopt(links, id, there, what).await;
            }
        } else if links.is_adopted(Kind::Key, id)
            && let Some(there) = links.target(Kind::Key, id)
        {
            self.ids.insert(secret, there);
            return self.shelf.adopt(links, id, there, "").await;
        }
        let hash = key.key_hash.clone();
        let target = self
            .shelf
            .put::<api_key::ActiveModel>(links, id, key, "")
            .await?;
        self.by_hash.insert(hash, target);
        self.ids.insert(secret, target);
        self.shelf.report(read);
        Ok(())
    }
}

/// The key without its hash, and the key itself.
fn read_key(
    read: &mut Reading<'_>,
    links: &Links<'_>,
    owners: &Owners,
) -> Result<(api_key::Model, String), String> {
    let secret = read.text("key").unwrap_or_default();
    if secret.trim().is_empty() {
        return Err("has no characters".to_owned());
    }
    if !secret.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("has characters that no header can carry".to_owned());
    }
    let owner = read.integer("user_id").unwrap_or(0);
    let Some(user_id) = links.target(Kind::User, owner) else {
        return Err(format!("its user {owner} is not there"));
    };
    let mut deleted_at = read.time("deleted_at");
    if deleted_at.is_some() {
        read.say(DELETED);
    } else if owners.deleted.contains(&owner) {
        read.say(format!("its user {owner} is deleted there: deleted here"));
        deleted_at = read.time("updated_at").or(Some(DateTime::UNIX_EPOCH));
    }
    let length = secret.len();
    if length < WEAK && deleted_at.is_none() {
        read.say(format!(
            "has only {length} characters: give its user another"
        ));
    }
    if read
        .text("cache_ttl_preference")
        .is_some_and(|ttl| ttl != "inherit")
    {
        read.say("its cache_ttl_preference has no counterpart here");
    }
    let mut limits = read.limits(DAILY, "cost_reset_at");
    // A reset of the user is one of the keys there.
    let reset_of_user = owners.reset_at.get(&owner).copied();
    limits.reset_at = limits.reset_at.max(reset_of_user);
    let mut provider_group = groups_of(read);
    if provider_group.is_empty() {
        // Here it would have the user's groups.
        "default".clone_into(&mut provider_group);
    }
    // Of a short key not so much is shown that the rest could be guessed.
    let shown = |most: usize| most.min(length / 6);
    let key = api_key::Model {
        id: 0,
        user_id,
        name: name_of(read, "key"),
        key_hash: String::new(),
        prefix: secret[..shown(PREFIX)].to_owned(),
        last_four: secret[length - shown(LAST)..].to_owned(),
        is_enabled: read.flag("is_enabled", true),
        can_login_web_ui: read.flag("can_login_web_ui", false),
        expires_at: read.time("expires_at"),
        provider_group,
        limits,
        created_at: read.time("created_at").unwrap_or(DateTime::UNIX_EPOCH),
        updated_at: DateTime::UNIX_EPOCH,
        deleted_at,
    };
    Ok((key, secret))
}

pub(super) fn name_of(read: &mut Reading<'_>, kind: &str) -> String {
    let name = read.text("name").unwrap_or_default();
    let name = cut(name.trim(), 128).trim_end();
    if name.is_empty() {
        format!("{kind} {}", read.row().id())
    } else {
        name.to_owned()
    }
}

/// As a list here: a group that is named is named.
fn groups_of(read: &mut Reading<'_>) -> String {
    let mut groups = read.groups("provider_group");
    while groups.join(",").chars().count() > GROUPS {
        groups.pop();
        read.say("its list of groups is too long, cut");
    }
    groups.join(",")
}
