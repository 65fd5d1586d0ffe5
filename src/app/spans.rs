//! Sums up hours and days that are over (`store::spans`): in the background, a span at a time.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use sea_orm::{DatabaseConnection, DbErr};
use tokio::time::{Instant, sleep};

use super::runtime::Stop;
use crate::store::spans::{build, mark, sweep, wanted};
use crate::store::watch::Watch;

/// How often it is looked for spans that are over, or were opened again: whatever there is to do, none is built twice in it.
const ROUND: Duration = Duration::from_secs(60);

/// Goes round until told to stop.
pub async fn run(db: DatabaseConnection, config: Arc<Watch>, mut stop: Stop) {
    loop {
        let done = tokio::select! {
            // An error means that nobody is left who could say stop.
            _ = stop.wait_for(|stop| *stop) => return,
            done = round(&db, &config) => done,
        };
        match done {
            Ok(true) => {}
            // What was opened again meanwhile comes before what is left.
            Ok(false) => continue,
            Err(error) => {
                tracing::warn!(%error, "usage is read by the hour: spans were not summed up");
            }
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = sleep(ROUND) => {}
        }
    }
}

/// Builds what there is to build, for as long as a round may take. Whether that was all.
async fn round(db: &DatabaseConnection, config: &Watch) -> Result<bool, DbErr> {
    let zone = config.current().time_zone;
    let began = Instant::now();
    let wanted = wanted(db, zone, Utc::now()).await?;
    sweep(db, &wanted, Utc::now()).await?;
    while began.elapsed() < ROUND {
        let spans = mark(db, &wanted, Utc::now()).await?;
        if spans.is_empty() {
            return Ok(true);
        }
        for span in spans {
            build(db, &span).await?;
        }
    }
    Ok(false)
}
