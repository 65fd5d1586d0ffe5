//! Rows that cannot be used.

/// A row that cannot be used. The rest works without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// `provider`, `key` or `error rule`.
    pub kind: &'static str,
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
}
