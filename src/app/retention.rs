//! Has old history go, as the settings say: in the background, a bite at a time (`store::retention`), resting longer than it works.

use std::sync::Arc;
use std::time::{Duration, Instant};

use admin::gateway::{Prunable, Prune, Pruned};
use chrono::{DateTime, TimeDelta, Utc};
use entity::value::GatewaySettings;
use sea_orm::{DatabaseConnection, DbErr};
use uuid::Uuid;

use super::runtime::Stop;
use crate::store::database::within;
use crate::store::retention::{BITE, Kind, bite, bite_audit};
use crate::store::watch::Watch;

/// How often it is looked for what has become too old.
const ROUND: Duration = Duration::from_secs(600);
/// The shortest rest between two bites; each is four times as long as the bite took.
const REST: Duration = Duration::from_millis(50);
/// How long one bite may take.
const BITE_LIMIT: Duration = Duration::from_secs(10);
/// How long a call for it by hand works.
const BY_HAND: Duration = Duration::from_secs(10);

/// Goes round until told to stop.
pub async fn run(db: DatabaseConnection, config: Arc<Watch>, mut stop: Stop) {
    // Details that have gone leave their rows, which need not be looked at every time.
    let mut bare_upto = Uuid::nil();
    loop {
        let settings = config.current().settings.clone();
        for (kind, days) in due(&settings) {
            let Some(before) = days_ago(days) else {
                continue;
            };
            let after = match kind {
                Kind::Details => bare_upto,
                Kind::Requests | Kind::UsageLines => Uuid::nil(),
            };
            let went = tokio::select! {
                // An error means that nobody is left who could say stop.
                _ = stop.wait_for(|stop| *stop) => return,
                went = round(&db, kind, after, before) => went,
            };
            match went {
                Ok((rows, upto)) => {
                    if kind == Kind::Details {
                        bare_upto = upto;
                    }
                    if rows > 0 {
                        tracing::info!(?kind, rows, "old history was deleted");
                    }
                }
                Err(error) => tracing::warn!(?kind, %error, "old history was not deleted"),
            }
        }
        if let Some(before) = days_ago(settings.audit_retention_days) {
            let went = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                went = round_of_audit(&db, before) => went,
            };
            match went {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, "old entries left the audit"),
                Err(error) => tracing::warn!(%error, "old entries did not leave the audit"),
            }
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

/// Works on what is asked for by hand until it is done or the time is up.
///
/// # Errors
/// When the database does not answer.
pub async fn prune(db: &DatabaseConnection, prune: &Prune) -> Result<Pruned, DbErr> {
    let began = Instant::now();
    let kind = match prune.what {
        Prunable::Requests => Kind::Requests,
        Prunable::Details => Kind::Details,
        Prunable::UsageLines => Kind::UsageLines,
    };
    let mut pruned = Pruned::default();
    let mut after = Uuid::nil();
    while began.elapsed() < BY_HAND {
        let bite = within(
            BITE_LIMIT,
            bite(db, kind, after, prune.before, prune.is_dry),
        )
        .await?;
        pruned.rows += bite.rows;
        let Some(upto) = bite.upto else {
            pruned.is_done = true;
            break;
        };
        after = upto;
    }
    Ok(pruned)
}

fn due(settings: &GatewaySettings) -> [(Kind, u32); 3] {
    [
        (Kind::Requests, settings.request_retention_days),
        (Kind::Details, settings.detail_retention_days),
        (Kind::UsageLines, settings.usage_retention_days),
    ]
}

/// None for 0, which keeps everything.
fn days_ago(days: u32) -> Option<DateTime<Utc>> {
    let days = TimeDelta::days(days.into());
    Utc::now()
        .checked_sub_signed(days)
        .filter(|_| !days.is_zero())
}

/// Takes all that is too old. How many rows went, and the last id it had to do with.
async fn round(
    db: &DatabaseConnection,
    kind: Kind,
    mut after: Uuid,
    before: DateTime<Utc>,
) -> Result<(u64, Uuid), DbErr> {
    let mut rows = 0;
    loop {
        let began = Instant::now();
        let bite = within(BITE_LIMIT, bite(db, kind, after, before, false)).await?;
        rows += bite.rows;
        let Some(upto) = bite.upto else {
            return Ok((rows, after));
        };
        after = upto;
        tokio::time::sleep(REST.max(began.elapsed() * 4)).await;
    }
}

/// Takes all of the audit that is too old: how many entries went.
async fn round_of_audit(db: &DatabaseConnection, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let mut rows = 0;
    loop {
        let began = Instant::now();
        let went = within(BITE_LIMIT, bite_audit(db, before)).await?;
        rows += went;
        if went < BITE {
            return Ok(rows);
        }
        tokio::time::sleep(REST.max(began.elapsed() * 4)).await;
    }
}
