//! Section `[database]`.

use entity::value::Secret;

use super::reader::{Place, Reader};
use super::text;

/// The database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// `dsn`, `DSN`: `postgres://…` or `sqlite://…` with a file. Default none: `SQLite` in the data directory.
    pub dsn: Option<Secret>,
    /// `auto_migrate`, `AUTO_MIGRATE`: migrations at start, one node at a time. Default true.
    pub auto_migrate: bool,
}

// === impl Database ===

impl Database {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        Self {
            dsn: reader.read(Place::new("database.dsn", "DSN"), dsn),
            auto_migrate: reader
                .read(
                    Place::new("database.auto_migrate", "AUTO_MIGRATE"),
                    text::flag,
                )
                .unwrap_or(default.auto_migrate),
        }
    }
}

/// A database in memory would end with the process, and what people owe with it.
fn dsn(text: &str) -> Result<Secret, String> {
    let dsn = text::secret_url(&["postgres", "postgresql", "sqlite"])(text)?;
    let is_in_memory = [":memory:", "mode=memory"]
        .iter()
        .any(|it| text.contains(it));
    if text.starts_with("sqlite") && is_in_memory {
        return Err("must name a file: a database in memory is gone with the process".to_owned());
    }
    Ok(dsn)
}

impl Default for Database {
    fn default() -> Self {
        Self {
            dsn: None,
            auto_migrate: true,
        }
    }
}
