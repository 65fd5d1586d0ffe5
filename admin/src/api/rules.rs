//! Rules of input that several resources share, and how a merge patch fills a row.

use poem_openapi::types::MaybeUndefined;
use sea_orm::{ActiveValue, Value};

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

/// A name that is only spaces is no name. (An empty one is the schema's matter.)
pub fn name(path: &str, name: Option<&String>, out: &mut Vec<Mistake>) {
    if name.is_some_and(|name| !name.is_empty() && name.trim().is_empty()) {
        out.push(Mistake::new(path, "empty", "must not be blank"));
    }
}

/// Entries of a list of names: not blank, not endless.
pub fn names(path: &str, list: Option<&Vec<String>>, out: &mut Vec<Mistake>) {
    for (i, entry) in list.into_iter().flatten().enumerate() {
        let at = format!("{path}[{i}]");
        if entry.trim().is_empty() {
            out.push(Mistake::new(at, "empty", "must not be blank"));
        } else if entry.chars().count() > MAX_ENTRY {
            let message = format!("must have at most {MAX_ENTRY} characters");
            out.push(Mistake::new(at, "too_long", message));
        }
    }
}
