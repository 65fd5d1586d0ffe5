//! What is to be written to the table, and what is known to be in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::policy::breaker::{Row, Saved, Scope, Which};
use crate::store::breakers::{self, ALL, Batch, Key, RESET, draw_stamp};

/// A state as the table has it: with the name of the node that wrote it.
#[derive(Serialize, Deserialize)]
pub struct Stored {
    /// Who wrote it.
    pub node: Uuid,
    /// The state.
    #[serde(flatten)]
    pub state: Saved,
}

/// What is to be written, and what is known to be there.
#[derive(Debug, Default)]
pub struct Pending {
    resets: BTreeMap<Which, breakers::Row>,
    removed: BTreeSet<Key>,
    changed: BTreeMap<Key, breakers::Row>,
    /// The stamp of every row as it was last read or written here.
    known: HashMap<Key, i64>,
}

// === impl Pending ===

impl Pending {
    /// All rows of these are to go, and other nodes are to follow.
    pub fn reset(&mut self, which: Which, node: Uuid) {
        self.forget(which);
        self.known
            .retain(|key, _| key.scope == RESET || !which.has(key.provider));
        let key = Key {
            provider: match which {
                Which::Provider(id) => id,
                Which::All => ALL,
            },
            scope: RESET.to_owned(),
            subject: String::new(),
        };
        let mark = breakers::Row {
            key: key.clone(),
            state: json!({ "node": node }),
            stamp: draw_stamp(),
        };
        // Known before it is written, because it may be written without our hearing of it.
        self.known.insert(key, mark.stamp);
        self.resets.insert(which, mark);
    }

    /// Nothing that waited for these is to be written.
    pub fn forget(&mut self, which: Which) {
        self.changed.retain(|key, _| !which.has(key.provider));
    }

    /// A row is to go, if it is there at all.
    pub fn remove(&mut self, scope: Scope) {
        let key = key(&scope);
        self.changed.remove(&key);
        if self.known.contains_key(&key) {
            self.removed.insert(key);
        }
    }

    /// A row is new or different.
    pub fn put(&mut self, row: Row, node: Uuid) {
        let key = key(&row.scope);
        let state = Stored {
            node,
            state: row.state,
        };
        let Ok(state) = serde_json::to_value(state) else {
            return;
        };
        self.removed.remove(&key);
        let stamp = draw_stamp();
        self.known.insert(key.clone(), stamp);
        let row = breakers::Row {
            key: key.clone(),
            state,
            stamp,
        };
        self.changed.insert(key, row);
    }

    /// What is to be written now, if anything.
    pub fn batch(&self) -> Option<Batch> {
        let batch = Batch {
            resets: self.resets.values().cloned().collect(),
            removed: self.removed.iter().cloned().collect(),
            changed: self.changed.values().cloned().collect(),
        };
        (batch != Batch::default()).then_some(batch)
    }

    /// The batch was written.
    pub fn saved(&mut self) {
        self.resets.clear();
        for key in std::mem::take(&mut self.removed) {
            self.known.remove(&key);
        }
        self.changed.clear();
    }

    /// Whether a row is as it was last read or written here.
    pub fn knows(&self, row: &breakers::Row) -> bool {
        self.known.get(&row.key) == Some(&row.stamp)
    }

    /// These are all the rows there are.
    pub fn learn(&mut self, rows: &[breakers::Row]) {
        let rows = rows.iter().map(|row| (row.key.clone(), row.stamp));
        self.known = rows.collect();
        // What waits is as good as written.
        let waiting = self.resets.values().chain(self.changed.values());
        let waiting = waiting.map(|row| (row.key.clone(), row.stamp));
        self.known.extend(waiting);
    }
}

/// A scope's row.
fn key(scope: &Scope) -> Key {
    let (kind, subject) = scope.columns();
    Key {
        provider: scope.provider(),
        scope: kind.to_owned(),
        subject,
    }
}

/// The scope that a row is about.
pub fn scope_of(key: &Key) -> Option<Scope> {
    Scope::of_columns(key.provider, &key.scope, &key.subject)
}

/// What a row says was reset, if it is the mark of that.
pub fn which_of(key: &Key) -> Option<Which> {
    match key.provider {
        _ if key.scope != RESET => None,
        ALL => Some(Which::All),
        id => Some(Which::Provider(id)),
    }
}
