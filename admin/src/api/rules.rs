//! Rules of input that several resources share, and how a merge patch fills a row.

use entity::value::{Multiplier, compile_regex};
use poem_openapi::types::MaybeUndefined;
use sea_orm::{ActiveValue, Value};

use super::{decimal::Decimal, name_rule::MatchKind};
use crate::problem::Mistake;

/// Longest entry of a list of names.
const MAX_ENTRY: usize = 256;

/// Merge-patch semantics for a column: absent leaves it, null puts it back to `default`, a value sets it.
pub fn put<T: Into<Value>>(slot: &mut ActiveValue<T>, field: MaybeUndefined<T>, default: T) {
    match field {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => *slot = ActiveValue::Set(default),
        MaybeUndefined::Value(value) => *slot = ActiveValue::Set(value),
    }
}

/// The same with the value turned into the column's type first.
pub fn map<T, U>(field: MaybeUndefined<T>, f: impl FnOnce(T) -> U) -> MaybeUndefined<U> {
    match field {
        MaybeUndefined::Undefined => MaybeUndefined::Undefined,
        MaybeUndefined::Null => MaybeUndefined::Null,
        MaybeUndefined::Value(value) => MaybeUndefined::Value(f(value)),
    }
}

/// Merge-patch semantics for a field of a nested object.
pub fn merged<T>(field: MaybeUndefined<T>, current: T, default: T) -> T {
    match field {
        MaybeUndefined::Undefined => current,
        MaybeUndefined::Null => default,
        MaybeUndefined::Value(value) => value,
    }
}

/// A name that is only spaces is no name. (An empty one is the schema's matter.)
pub fn name(path: &str, name: Option<&String>, out: &mut Vec<Mistake>) {
    if name.is_some_and(|name| !name.is_empty() && name.trim().is_empty()) {
        out.push(Mistake::new(path, "empty", "must not be blank"));
    }
}

/// Entries of a list of names: not blank, not endless.
pub fn names(path: &str, list: Option<&Vec<String>>, out: &mut Vec<Mistake>) {
    for (i, name) in list.into_iter().flatten().enumerate() {
        entry(&format!("{path}[{i}]"), name, out);
    }
}

/// One entry of a list of names.
pub fn entry(path: &str, entry: &str, out: &mut Vec<Mistake>) {
    if entry.trim().is_empty() {
        out.push(Mistake::new(path, "empty", "must not be blank"));
    } else if entry.chars().count() > MAX_ENTRY {
        let message = format!("must have at most {MAX_ENTRY} characters");
        out.push(Mistake::new(path, "too_long", message));
    }
}

/// A pattern to match names by: not blank, and an expression where it is to be one. (Its length is the schema's matter.)
pub fn pattern(path: &str, kind: MatchKind, pattern: &str, out: &mut Vec<Mistake>) {
    if pattern.trim().is_empty() {
        out.push(Mistake::new(path, "empty", "must not be blank"));
    } else if kind == MatchKind::Regex
        && let Err(why) = compile_regex(pattern)
    {
        out.push(Mistake::new(path, "invalid", why.to_string()));
    }
}

/// A factor on a price.
pub fn multiplier(path: &str, factor: Option<&Decimal>, out: &mut Vec<Mistake>) {
    if let Some(Err(why)) = factor.map(|factor| factor.0.parse::<Multiplier>()) {
        out.push(Mistake::new(path, "invalid", why.to_string()));
    }
}

/// The factor that [`multiplier`] has found to be one.
pub fn to_multiplier(factor: MaybeUndefined<Decimal>) -> MaybeUndefined<Multiplier> {
    map(factor, |factor| factor.0.parse().unwrap_or_default())
}
