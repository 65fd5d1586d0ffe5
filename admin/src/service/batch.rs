//! Changes of many things at once: all or none.

use std::collections::BTreeSet;

use crate::problem::{Mistake, Problem};

/// Every id that was asked for must be among those found.
///
/// # Errors
/// 422 that names each that is not.
pub fn must_be_all(wanted: &[i64], found: impl Iterator<Item = i64>) -> Result<(), Problem> {
    let found: BTreeSet<i64> = found.collect();
    let missing: Vec<_> = wanted
        .iter()
        .enumerate()
        .filter(|(_, id)| !found.contains(id))
        .map(|(i, id)| Mistake::new(format!("ids[{i}]"), "not_found", format!("is none: {id}")))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Problem::invalid(missing))
}
