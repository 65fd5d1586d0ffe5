//! Floor 1: the whole typed configuration. The file first, then the environment, which wins.
//!
//! Each section has a file of its own with its defaults in the doc comments; `conf/switchyard.toml` shows all of them, and a test keeps
//! it true. Nothing is read after the start: what may change while the gateway runs is a setting in the database.
//!
//! Every mistake of file and environment is collected before anything is refused, so that one start shows them all. An empty value
//! counts as unset everywhere, because a `.env` file has no other way to say so.

mod admin;
mod database;
mod limits;
mod mistakes;
mod reader;
mod redis;
mod server;
mod source;
mod telemetry;
mod text;
mod upstream;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use chrono_tz::Tz;

pub use admin::Admin;
pub use database::Database;
pub use limits::Limits;
pub use mistakes::{Mistake, Mistakes};
pub use redis::Redis;
pub use server::{Server, Tls};
pub use source::{Environment, Source};
pub use telemetry::{LogFormat, Telemetry};
pub use upstream::Upstream;

use reader::{Place, Reader};

/// Where the configuration is looked for when no file is named; it may be absent there.
pub const DEFAULT_FILE: &str = "conf/switchyard.toml";

/// The configuration of one gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Listeners and their bounds.
    pub server: Server,
    /// `data_dir`, `DATA_DIR`: the `SQLite` file, the usage journal and the secrets file. Default `./data`.
    pub data_dir: PathBuf,
    /// The database.
    pub database: Database,
    /// Redis.
    pub redis: Redis,
    /// Admin credential and secrets.
    pub admin: Admin,
    /// The way to providers.
    pub upstream: Upstream,
    /// Limits on callers.
    pub limits: Limits,
    /// `time_zone`, `TZ`: an IANA name, in force while the setting `timeZone` is not set. Default `UTC`.
    pub time_zone: Tz,
    /// Logging.
    pub telemetry: Telemetry,
}

// === impl Settings ===

impl Settings {
    /// Reads `file`, or [`DEFAULT_FILE`] if there is one, and then the environment.
    ///
    /// # Errors
    /// All mistakes of both, together. A named file that cannot be read is one of them.
    pub fn load(file: Option<&Path>, env: &dyn Source) -> Result<Self, Mistakes> {
        let mut reader = Reader::open(file, env);
        let settings = Self::read(&mut reader);
        reader.finish()?;
        Ok(settings)
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        Self {
            server: Server::read(reader),
            data_dir: reader
                .read(Place::new("data_dir", "DATA_DIR"), text::path)
                .unwrap_or(default.data_dir),
            database: Database::read(reader),
            redis: Redis::read(reader),
            admin: Admin::read(reader),
            upstream: Upstream::read(reader),
            limits: Limits::read(reader),
            time_zone: reader
                .read(Place::new("time_zone", "TZ"), text::time_zone)
                .unwrap_or(default.time_zone),
            telemetry: Telemetry::read(reader),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server: Server::default(),
            data_dir: PathBuf::from("./data"),
            database: Database::default(),
            redis: Redis::default(),
            admin: Admin::default(),
            upstream: Upstream::default(),
            limits: Limits::default(),
            time_zone: Tz::UTC,
            telemetry: Telemetry::default(),
        }
    }
}
