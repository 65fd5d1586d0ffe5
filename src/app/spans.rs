//! Sums up hours and days that are over (`store::spans`): in the background, a span at a time.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use sea_orm::{DatabaseConnection, DbErr};
use tokio::time::sleep;

use super::runtime::Stop;
use crate::store::spans::{build, mark, sweep};
use crate::store::watch::Watch;

/// How often it is looked for spans that are over, or were opened again.
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
            Ok(0) => {}
            Ok(built) => tracing::debug!(built, "spans of usage were summed up"),
            Err(error) => {
                tracing::warn!(%error, "usage is read by the hour: spans were not summed up")
            }
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = sleep(ROUND) => {}
        }
    }
}

/// Builds what there is to build. How many spans were closed.
async fn round(db: &DatabaseConnection, config: &Watch) -> Result<u64, DbErr> {
    let zone = config.current().time_zone;
    sweep(db, zone, Utc::now()).await?;
    let mut built = 0;
    loop {
        let spans = mark(db, zone, Utc::now()).await?;
        if spans.is_empty() {
            return Ok(built);
        }
        for span in spans {
            built += u64::from(build(db, &span).await?);
        }
    }
}
