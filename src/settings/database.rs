//! Section `[database]`.

use entity::value::Secret;

use super::reader::{Place, Reader};
use super::text;

/// The database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// `dsn`, `DSN`: `postgres://…` or `sqlite://…`. Default none: `SQLite` in the data directory.
    pub dsn: Option<Secret>,
    /// `auto_migrate`, `AUTO_MIGRATE`: migrations at start, one node at a time. Default true.
    pub auto_migrate: bool,
}

// === impl Database ===

impl Database {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        Self {
            dsn: reader.read(
                Place::new("database.dsn", "DSN"),
                text::secret_url(&["postgres", "postgresql", "sqlite"]),
            ),
            auto_migrate: reader
                .read(
                    Place::new("database.auto_migrate", "AUTO_MIGRATE"),
                    text::flag,
                )
                .unwrap_or(default.auto_migrate),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self {
            dsn: None,
            auto_migrate: true,
        }
    }
}
