//! The same change of many users, keys or providers: of all that are named, or of none.

use std::collections::BTreeSet;

use poem_openapi::Object;

use super::{
    body::Input,
    keys::{Key, KeyPatch},
    providers::{Provider, ProviderPatch},
    users::{User, UserPatch},
};
use crate::problem::Mistake;

/// A change of many users.
#[derive(Object)]
pub struct UserBatch {
    /// The users, each once.
    #[oai(validator(min_items = 1, max_items = 500))]
    pub ids: Vec<i64>,
    /// What changes of each, as in the change of one; not the name.
    pub changes: UserPatch,
}

/// A change of many keys.
#[derive(Object)]
pub struct KeyBatch {
    /// The keys, each once.
    #[oai(validator(min_items = 1, max_items = 500))]
    pub ids: Vec<i64>,
    /// What changes of each, as in the change of one; not the name.
    pub changes: KeyPatch,
}

/// A change of many providers.
#[derive(Object)]
pub struct ProviderBatch {
    /// The providers, each once.
    #[oai(validator(min_items = 1, max_items = 500))]
    pub ids: Vec<i64>,
    /// What changes of each, as in the change of one; not the name.
    pub changes: ProviderPatch,
}

/// What may be left of a change of many when the fields with mistakes are taken out.
#[derive(Object)]
pub struct Loose<
    T: poem_openapi::types::ParseFromJSON + poem_openapi::types::ToJSON + poem_openapi::types::Type,
> {
    ids: Option<Vec<i64>>,
    changes: Option<T>,
}

/// Users after a change.
#[derive(Debug, Object)]
pub struct ChangedUsers {
    /// All that were named, by id.
    pub items: Vec<User>,
}

/// Keys after a change.
#[derive(Debug, Object)]
pub struct ChangedKeys {
    /// All that were named, by id.
    pub items: Vec<Key>,
}

/// Providers after a change.
#[derive(Debug, Object)]
pub struct ChangedProviders {
    /// All that were named, by id.
    pub items: Vec<Provider>,
}

/// Each id once; and what the rules of one have to say, with where it stands.
fn rules<T: Input<Loose = T>>(
    ids: Option<&Vec<i64>>,
    changes: Option<&T>,
    name: impl Fn(&T) -> bool,
    out: &mut Vec<Mistake>,
) {
    let mut seen = BTreeSet::new();
    for (i, id) in ids.into_iter().flatten().enumerate() {
        if !seen.insert(id) {
            out.push(Mistake::new(
                format!("ids[{i}]"),
                "repeated",
                "is given twice",
            ));
        }
    }
    let Some(changes) = changes else { return };
    if name(changes) {
        let message = "cannot be the same for many";
        out.push(Mistake::new("changes.name", "not_allowed", message));
    }
    let mut mistakes = Vec::new();
    T::rules(changes, &mut mistakes);
    out.extend(mistakes.into_iter().map(|mistake| Mistake {
        path: format!("changes.{}", mistake.path),
        ..mistake
    }));
}

// === impl UserBatch, KeyBatch, ProviderBatch ===

impl Input for UserBatch {
    type Loose = Loose<UserPatch>;

    fn rules(loose: &Self::Loose, out: &mut Vec<Mistake>) {
        let named = |changes: &UserPatch| changes.name.is_some();
        rules(loose.ids.as_ref(), loose.changes.as_ref(), named, out);
    }
}

impl Input for KeyBatch {
    type Loose = Loose<KeyPatch>;

    fn rules(loose: &Self::Loose, out: &mut Vec<Mistake>) {
        let named = |changes: &KeyPatch| changes.name.is_some();
        rules(loose.ids.as_ref(), loose.changes.as_ref(), named, out);
    }
}

impl Input for ProviderBatch {
    type Loose = Loose<ProviderPatch>;

    fn rules(loose: &Self::Loose, out: &mut Vec<Mistake>) {
        let named = |changes: &ProviderPatch| changes.name.is_some();
        rules(loose.ids.as_ref(), loose.changes.as_ref(), named, out);
    }
}
