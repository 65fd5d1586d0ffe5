//! `switchyard import`: takes over another gateway's database.

use clap::{Args, Subcommand};
use entity::value::Secret;

use super::error::StartError;
use crate::settings::{Database, Settings};
use crate::store::database;
use crate::store::import;
use crate::store::secrets::Secrets;

/// Options of `switchyard import`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    from: Whose,
}

#[derive(Debug, Subcommand)]
enum Whose {
    /// A claude-code-hub 0.9. Without --apply nothing is changed.
    ClaudeCodeHub(Hub),
}

#[derive(Debug, Args)]
struct Hub {
    /// Its database, as `postgres://user:password@host/name`. It is only read. A password that is left out is taken from `PGPASSWORD`.
    #[arg(long, value_name = "DSN", value_parser = secret)]
    from: Secret,
    /// Imports. Without it only a report is printed.
    #[arg(long)]
    apply: bool,
    /// How much history comes along: a number of days, or all.
    #[arg(long, value_name = "DAYS", default_value = "all")]
    history_days: Days,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Days {
    All,
    Last(u32),
}

/// Imports, or tells what that would do: the report.
///
/// # Errors
/// When the gateway was never started, its database is not up to date, or either database fails.
pub async fn run(options: &Options, settings: &Settings) -> Result<String, StartError> {
    let Whose::ClaudeCodeHub(hub) = &options.from;
    let dsn = hub.from.expose();
    if !dsn.starts_with("postgres://") && !dsn.starts_with("postgresql://") {
        return Err("--from must be a URL that starts with postgres://".into());
    }
    // Keys and credentials are kept under the installation's secret, which is made, with the admin token, when the gateway first starts.
    let secret_key = settings.admin.secret_key.as_ref();
    let (hasher, sealer) = Secrets::find(&settings.data_dir, secret_key)?
        .ok_or("this gateway was never started: start it once, then import")?;
    let db = database::connect(&settings.database, &settings.data_dir).await?;
    if hub.apply && settings.database.auto_migrate {
        database::migrate(&db).await?;
    } else if !database::is_migrated(&db).await? {
        return Err("the gateway's database is not up to date: run `switchyard migrate`".into());
    }
    let source = Database {
        dsn: Some(hub.from.clone()),
        ..Database::default()
    };
    let source = database::connect(&source, &settings.data_dir)
        .await
        .map_err(|e| format!("the database to import from: {e}"))?;
    let options = import::Options {
        hasher: &hasher,
        sealer: &sealer,
        is_applied: hub.apply,
        history_days: match hub.history_days {
            Days::All => None,
            Days::Last(days) => Some(days),
        },
    };
    let report = import::run(&source, &db, options).await?;
    Ok(report.to_string())
}

/// A value that is not to be printed, not even in a message about it.
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

impl std::str::FromStr for Days {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if text == "all" {
            return Ok(Self::All);
        }
        let days: Result<u32, _> = text.parse();
        match days {
            // A century is all there is.
            Ok(days) if days <= 36_500 => Ok(Self::Last(days)),
            _ => Err("must be a number of days up to 36500, or all"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_all_or_some_days() {
        assert_eq!("all".parse(), Ok(Days::All));
        assert_eq!("30".parse(), Ok(Days::Last(30)));
        for bad in ["", "-1", "36501", "ever"] {
            assert!(bad.parse::<Days>().is_err(), "{bad}");
        }
    }
}
