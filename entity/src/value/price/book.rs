//! Which price a model had at a moment.
//!
//! A model's price is a track through time: rows set by hand, rows taken over from a public table, and below them the built-in table,
//! which has no times. Each row holds from its moment until the next of its kind; a row without a price ends what its kind said before.
//! Of what holds at a moment, the hand's wins over the table's and that over the built-in. A more exact name wins over all of them: the
//! name itself, then an alias a row gives, then the names of [`super::names`].

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};

use super::{CacheRule, Cost, Price, Quantities, Terms, builtin, cost, names};

/// Names remembered with what they were found to mean. Callers choose names, so there must be an end to it.
const MAX_REMEMBERED: usize = 4096;

/// Where a price comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Set by an admin.
    Manual,
    /// Imported from a public table.
    Synced,
    /// Built into this program.
    Builtin,
}

/// Why a text is no [`Source`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be manual, synced or builtin")]
pub struct BadSource;

/// A stored price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRow {
    /// Id.
    pub id: i64,
    /// The model.
    pub model: String,
    /// By hand or from a table.
    pub source: Source,
    /// The figures; none ends what this source said before.
    pub price: Option<Price>,
    /// Other names of the model.
    pub aliases: Vec<String>,
    /// From when on it holds.
    pub effective_at: DateTime<Utc>,
}

/// A price that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced<'a> {
    /// The name it stands under.
    pub model: &'a str,
    /// Where it comes from.
    pub source: Source,
    /// The stored row; none for a built-in price.
    pub row: Option<&'a PriceRow>,
    /// The figures.
    pub price: &'a Price,
}

/// All prices, as they were stored at one revision. Looking up a name that has a price of its own is one or two hash look-ups; what
/// another name means is found once and remembered.
#[derive(Debug, Default)]
pub struct PriceBook {
    tracks: HashMap<String, Track>,
    aliases: HashMap<String, String>,
    remembered: RwLock<HashMap<String, Arc<[String]>>>,
}

/// A model's stored rows by source, oldest first.
#[derive(Debug, Default)]
struct Track {
    manual: Vec<PriceRow>,
    synced: Vec<PriceRow>,
}

// === impl PriceBook ===

impl PriceBook {
    /// A book of the stored rows, over the built-in table. Rows of [`Source::Builtin`] are none and are passed over.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = PriceRow>) -> Self {
        // Read now, where nobody waits for it, rather than by the first request.
        builtin::table();
        let mut tracks: HashMap<String, Track> = HashMap::new();
        for row in rows {
            let track = tracks.entry(row.model.clone()).or_default();
            match row.source {
                Source::Manual => track.manual.push(row),
                Source::Synced => track.synced.push(row),
                Source::Builtin => {}
            }
        }
        for track in tracks.values_mut() {
            track.manual.sort_by_key(|row| (row.effective_at, row.id));
            track.synced.sort_by_key(|row| (row.effective_at, row.id));
        }
        let mut aliases: Vec<(String, String)> = tracks
            .iter()
            .flat_map(|(model, track)| {
                let current = [track.manual.last(), track.synced.last()];
                current
                    .into_iter()
                    .flatten()
                    .flat_map(|row| &row.aliases)
                    .map(|alias| (alias.clone(), model.clone()))
            })
            .collect();
        // Two models that claim an alias: the same one gets it every time.
        aliases.sort();
        aliases.reverse();
        Self {
            tracks,
            aliases: aliases.into_iter().collect(),
            remembered: RwLock::default(),
        }
    }

    /// The price of `model` at a moment, by its own name or another; none when there is none.
    #[must_use]
    pub fn lookup(&self, model: &str, at: DateTime<Utc>) -> Option<Priced<'_>> {
        if let Some(priced) = self.exact(model, at) {
            return Some(priced);
        }
        let others = self.remembered_names(model);
        others.iter().find_map(|name| self.exact(name, at))
    }

    /// The price that stands under this very name at a moment.
    #[must_use]
    pub fn exact(&self, model: &str, at: DateTime<Utc>) -> Option<Priced<'_>> {
        let stored = self
            .tracks
            .get(model)
            .and_then(|track| track.at(at))
            .and_then(|row| Some((row, row.price.as_ref()?)));
        if let Some((row, price)) = stored {
            return Some(Priced {
                model: &row.model,
                source: row.source,
                row: Some(row),
                price,
            });
        }
        Self::built_in(model)
    }

    /// What stands under this very name when nothing is set by hand.
    #[must_use]
    pub fn exact_without_manual(&self, model: &str, at: DateTime<Utc>) -> Option<Priced<'_>> {
        let synced = self.tracks.get(model).map(|track| &track.synced);
        let row = synced.and_then(|rows| latest(rows, at));
        match row.and_then(|row| Some((row, row.price.as_ref()?))) {
            Some((row, price)) => Some(Priced {
                model: &row.model,
                source: Source::Synced,
                row: Some(row),
                price,
            }),
            None => Self::built_in(model),
        }
    }

    /// Names that have, had or will have a price of their own, in order.
    #[must_use]
    pub fn models(&self) -> Vec<&str> {
        let mut models: Vec<&str> = Vec::new();
        for model in self.tracks.keys() {
            models.push(model);
        }
        for model in builtin::table().models() {
            models.push(model);
        }
        models.sort_unstable();
        models.dedup();
        models
    }

    /// The stored rows of a model, oldest first within a source, those set by hand first.
    pub fn rows(&self, model: &str) -> impl Iterator<Item = &PriceRow> {
        let track = self.tracks.get(model).into_iter();
        track.flat_map(|t| t.manual.iter().chain(&t.synced))
    }

    fn built_in(model: &str) -> Option<Priced<'static>> {
        let (model, price) = builtin::table().get(model)?;
        Some(Priced {
            model,
            source: Source::Builtin,
            row: None,
            price,
        })
    }

    /// Other names of the model under which there is something.
    fn remembered_names(&self, model: &str) -> Arc<[String]> {
        let remembered = self.remembered.read();
        let remembered = remembered.unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = remembered.get(model) {
            return Arc::clone(names);
        }
        drop(remembered);
        let found: Arc<[String]> = self.other_names(model).into();
        let remembered = self.remembered.write();
        let mut remembered = remembered.unwrap_or_else(PoisonError::into_inner);
        if remembered.len() < MAX_REMEMBERED {
            remembered.insert(model.to_owned(), Arc::clone(&found));
        }
        found
    }

    fn other_names(&self, model: &str) -> Vec<String> {
        let derived = names::others(model);
        let mut found: Vec<String> = Vec::new();
        for name in std::iter::once(model).chain(derived.iter().map(String::as_str)) {
            let alias = self.aliases.get(name).map(String::as_str);
            for known in [Some(name), alias].into_iter().flatten() {
                let is_known =
                    self.tracks.contains_key(known) || builtin::table().get(known).is_some();
                if is_known && known != model && !found.iter().any(|f| f == known) {
                    found.push(known.to_owned());
                }
            }
        }
        found
    }
}

// === impl Track ===

impl Track {
    /// The row that holds at a moment and has a price.
    fn at(&self, at: DateTime<Utc>) -> Option<&PriceRow> {
        let manual = latest(&self.manual, at).filter(|row| row.price.is_some());
        manual.or_else(|| latest(&self.synced, at).filter(|row| row.price.is_some()))
    }
}

fn latest(rows: &[PriceRow], at: DateTime<Utc>) -> Option<&PriceRow> {
    let after = rows.partition_point(|row| row.effective_at <= at);
    rows[..after].last()
}

// === impl Priced ===

impl Priced<'_> {
    /// What `used` costs at it.
    #[must_use]
    pub fn cost(&self, used: &Quantities, terms: Terms) -> Cost {
        cost(self.price, self.cache_rule(), used, terms)
    }

    /// How its cache prices follow from its input price.
    #[must_use]
    pub fn cache_rule(&self) -> CacheRule {
        CacheRule::of_model(self.model)
    }

    /// What to keep with a line that was priced by it: `manual:12`, `synced:7`, `builtin`.
    #[must_use]
    pub fn reference(&self) -> String {
        match self.row {
            Some(row) => format!("{}:{}", self.source, row.id),
            None => self.source.to_string(),
        }
    }
}

// === impl Source ===

impl Source {
    /// The stable name, as stored and served.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Synced => "synced",
            Self::Builtin => "builtin",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Source {
    type Err = BadSource;

    fn from_str(text: &str) -> Result<Self, BadSource> {
        [Self::Manual, Self::Synced, Self::Builtin]
            .into_iter()
            .find(|source| source.name() == text)
            .ok_or(BadSource)
    }
}

#[cfg(test)]
mod tests;
