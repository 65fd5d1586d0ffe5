//! Names that must be unique here and need not be there.

use std::collections::HashMap;

use super::row::cut;

/// Characters a name may have.
const LONGEST: usize = 128;

/// The names in use here, and by which row.
#[derive(Debug, Default)]
pub(super) struct Names {
    by: HashMap<String, i64>,
    of: HashMap<i64, String>,
}

// === impl Names ===

impl Names {
    /// The name that a row of this id there gets: its own, or, where another row here has that, with its id there behind it.
    pub(super) fn free(&self, wanted: &str, source_id: i64, own: Option<i64>) -> String {
        let is_free = |name: &str| self.by.get(name).is_none_or(|by| Some(*by) == own);
        let plain = cut(wanted, LONGEST);
        if is_free(plain) {
            return plain.to_owned();
        }
        let stem = cut(wanted, LONGEST - 32);
        let mut name = format!("{stem} ({source_id})");
        let mut number = 1;
        while !is_free(&name) {
            number += 1;
            name = format!("{stem} ({source_id}, {number})");
        }
        name
    }

    /// Notes that a row has this name now.
    pub(super) fn take(&mut self, name: &str, id: i64) {
        self.give_back(id);
        self.by.insert(name.to_owned(), id);
        self.of.insert(id, name.to_owned());
    }

    /// Notes that a row has no name to be kept free any more.
    pub(super) fn give_back(&mut self, id: i64) {
        if let Some(name) = self.of.remove(&id) {
            self.by.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_gets_the_id_behind_it() {
        let mut names = Names::default();
        names.take("ann", 1);
        names.take("ann (7)", 2);
        assert_eq!(names.free("bob", 7, None), "bob");
        assert_eq!(names.free("ann", 7, Some(1)), "ann");
        assert_eq!(names.free("ann", 7, Some(2)), "ann (7)");
        assert_eq!(names.free("ann", 7, None), "ann (7, 2)");
        names.take("eve", 1);
        assert_eq!(names.free("ann", 8, None), "ann");
        assert_eq!(names.free(&"ä".repeat(200), 8, None).chars().count(), 128);
    }
}
