//! What sums are sorted out by.

use std::ops::BitOr;

use crate::usage_hourly::Column;

/// A set of the columns that say whose sums they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cut(u8);

/// Each column by itself, the few values first. A key is its user's, so that its user costs nothing there.
pub const SINGLE: [Cut; 5] = [
    Cut::CLIENT,
    Cut::PROVIDER,
    Cut::MODEL,
    Cut::USER,
    Cut(Cut::USER.0 | Cut::KEY.0),
];

/// All pairs but those of keys, of which there may be many, each with few sums of its own.
pub const PAIRS: [Cut; 6] = [
    Cut(Cut::PROVIDER.0 | Cut::CLIENT.0),
    Cut(Cut::MODEL.0 | Cut::CLIENT.0),
    Cut(Cut::PROVIDER.0 | Cut::MODEL.0),
    Cut(Cut::USER.0 | Cut::CLIENT.0),
    Cut(Cut::USER.0 | Cut::PROVIDER.0),
    Cut(Cut::USER.0 | Cut::MODEL.0),
];

const COLUMNS: [(Cut, Column, &str, &str); 5] = [
    (Cut::USER, Column::UserId, "user_id", "0"),
    (Cut::KEY, Column::KeyId, "key_id", "0"),
    (Cut::PROVIDER, Column::ProviderId, "provider_id", "0"),
    (Cut::MODEL, Column::Model, "model", "''"),
    (Cut::CLIENT, Column::Client, "client", "''"),
];

impl Cut {
    /// By who pays.
    pub const USER: Self = Self(1);
    /// By key.
    pub const KEY: Self = Self(2);
    /// By who served.
    pub const PROVIDER: Self = Self(4);
    /// By model.
    pub const MODEL: Self = Self(8);
    /// By the program that called.
    pub const CLIENT: Self = Self(16);

    /// By this column, if it is one of them.
    #[must_use]
    pub fn of(column: Column) -> Self {
        let found = COLUMNS
            .iter()
            .find(|(_, each, ..)| std::mem::discriminant(each) == std::mem::discriminant(&column));
        found.map_or(Self::default(), |(cut, ..)| *cut)
    }

    /// The first of all cuts that is sorted out by these columns, if there is one.
    #[must_use]
    pub fn smallest(needed: Self) -> Option<Self> {
        let mut all = SINGLE.iter().chain(&PAIRS).copied();
        all.find(|cut| cut.has(needed))
    }

    /// Whether it is sorted out by all columns of another.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What stands for it in the table.
    #[must_use]
    pub fn id(self) -> i32 {
        self.0.into()
    }

    /// All columns that say whose sums they are, in order, and what is in each of them in the rows of this cut: the column itself, or its
    /// nothing.
    #[must_use]
    pub fn values(self) -> [(&'static str, &'static str); 5] {
        COLUMNS.map(|(cut, _, name, nothing)| {
            let value = if self.has(cut) { name } else { nothing };
            (name, value)
        })
    }
}

impl BitOr for Cut {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_cut_is_taken_that_has_what_is_needed() {
        let smallest = Cut::smallest;
        assert_eq!(smallest(Cut::default()), Some(Cut::CLIENT));
        assert_eq!(smallest(Cut::USER), Some(Cut::USER));
        assert_eq!(smallest(Cut::KEY), Some(Cut::KEY | Cut::USER));
        let pair = Cut::MODEL | Cut::PROVIDER;
        assert_eq!(smallest(pair), Some(pair));
        assert_eq!(smallest(Cut::KEY | Cut::MODEL), None);
        assert_eq!(Cut::of(Column::ProviderId), Cut::PROVIDER);
        assert_eq!(Cut::of(Column::Requests), Cut::default());
    }

    #[test]
    fn a_row_is_nothing_in_the_columns_it_is_not_sorted_out_by() {
        let values = (Cut::KEY | Cut::CLIENT).values().map(|(_, value)| value);
        assert_eq!(values, ["0", "key_id", "0", "''", "client"]);
    }
}
