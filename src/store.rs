//! Floor 2: everything that leaves the process except proxied traffic: the database, Redis, and the files of the data directory.
//!
//! | part | what it answers for |
//! |---|---|
//! | [`secrets`] | the installation's secret and the admin token |
//! | [`database`] | the pool, the migrations, whether the database is there |
//! | [`prices`] | the stored prices |
//! | [`snapshot`], [`watch`] | the configuration in memory, and its freshness |
//! | [`bus`] | telling other nodes at once that it changed, and what else they should know |
//! | [`breakers`] | the breakers' states, for the next start and for other nodes |
//! | [`counters`] | what callers and providers use now, and the step that lets a request in |
//! | [`spans`] | hours and days of usage that are over, summed up once more |
//! | [`spending`] | what was spent so far, for counters that begin anew |
//! | [`ledger`] | writing down what happened, without ever making a request wait |
//! | [`notices`], [`yesterday`] | messages to send, who was told what, and what the daily report tells |
//! | [`import`] | taking over another gateway's database |

pub mod breakers;
pub mod bus;
pub mod counters;
pub mod database;
pub mod import;
pub mod ledger;
pub mod notices;
pub mod prices;
pub mod retention;
pub mod secrets;
pub mod snapshot;
pub mod spans;
pub mod spending;
pub mod watch;
pub mod yesterday;

#[cfg(test)]
mod testing;

use std::path::Path;

/// Turns true when the task that holds it should end; a dropped sender means the same.
pub type Stop = tokio::sync::watch::Receiver<bool>;

/// Makes the data directory, for this user only, if it is not there.
///
/// # Errors
/// When it cannot be made, or is no directory.
pub fn make_data_dir(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|e| {
            let what = format!("the data directory {} cannot be made: {e}", path.display());
            std::io::Error::new(e.kind(), what)
        })
}

/// Resolves when `stop` does.
async fn stopped(stop: &mut Stop) {
    // An error says that nobody is left who could say stop, which is the same.
    let _ = stop.wait_for(|is_stopping| *is_stopping).await;
}
