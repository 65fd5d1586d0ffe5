//! `/system`: the program itself, for its operator.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use poem::{IntoResponse, Response, http::StatusCode, http::header};
use poem_openapi::{
    ApiResponse, Enum, Object, OpenApi,
    payload::Json,
    registry::{MetaResponses, Registry},
    types::Type,
};
use sea_orm::EntityTrait;

use super::{
    Tag,
    answers::{ListRefused, TryRefused, success},
    body::{Body, Input},
    health,
};
use crate::{
    Admin,
    auth::guard::ForAdmin,
    gateway::{Gateway, LogFilterError, Prunable, Prune},
    problem::{Mistake, Problem},
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// The program, as it runs on this node.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct System {
    /// The program's version.
    pub version: String,
    /// When this node started.
    pub started_at: DateTime<Utc>,
    /// Seconds since then.
    pub uptime_seconds: i64,
    /// `sqlite` or `postgres`.
    pub database: String,
    /// The revision of the configuration this node serves.
    pub revision: i64,
    /// The revision in the database: a higher one is not live here yet.
    pub database_revision: i64,
    /// The time zone of days, weeks and months.
    pub time_zone: String,
    /// How it is, in all and part by part.
    pub health: health::Health,
    /// Requests of clients under way on this node.
    pub requests_in_flight: u64,
    /// Usage lines that wait for the database, in memory.
    pub queued_lines: u64,
    /// Bytes of journal that the database has not confirmed.
    pub journal_bytes: u64,
    /// Bytes free where the data directory is; null when that cannot be told.
    #[oai(nullable)]
    pub disk_free_bytes: Option<u64>,
    /// Bytes there in all.
    #[oai(nullable)]
    pub disk_total_bytes: Option<u64>,
}

/// What is logged.
#[derive(Debug, Object)]
pub struct LogLevel {
    /// A level (`error`, `warn`, `info`, `debug`, `trace`), or `target=level` pairs with commas between; null when this process's logging
    /// is not the gateway's to say.
    #[oai(nullable)]
    pub filter: Option<String>,
}

/// What is to be logged.
#[derive(Debug, Object)]
pub struct LogLevelChange {
    /// A level (`error`, `warn`, `info`, `debug`, `trace`), or `target=level` pairs with commas between.
    #[oai(validator(min_length = 1, max_length = 1000))]
    pub filter: String,
}

/// History that can be deleted by its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "kebab-case")]
pub enum PruneWhat {
    /// Rows of the request log.
    Requests,
    /// Decision chains and errors' words in it, which are most of a row.
    Details,
    /// Usage lines. The sums of each hour stay.
    UsageLines,
}

/// What is to be deleted.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct PruneAsk {
    /// What.
    pub what: PruneWhat,
    /// Older than this many days; usage lines 62 at least.
    #[oai(validator(minimum(value = "1"), maximum(value = "36500")))]
    pub older_than_days: u32,
    /// Only counts, which is what happens if it is not given; false deletes.
    pub dry_run: Option<bool>,
}

/// What was deleted, or would be.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct PruneResult {
    /// Rows deleted; in a dry run, rows that would be, of those there was time to count.
    pub rows: u64,
    /// Whether that is all. If not, the same call goes on.
    pub done: bool,
    /// Whether it only counted.
    pub dry_run: bool,
    /// Of requests that arrived before this.
    pub before: DateTime<Utc>,
}

/// Counters and gauges as text.
pub struct Exposition(String);

#[OpenApi(prefix_path = "/api/v1/system", tag = "Tag::System")]
impl Api {
    /// Read how the program runs
    ///
    /// On this node.
    #[oai(path = "/", method = "get", operation_id = "getSystem")]
    async fn read(&self, _caller: ForAdmin) -> Result<Json<System>, ListRefused> {
        use entity::revision;
        let admin = &self.0;
        let revision = revision::Entity::find_by_id(revision::ONLY_ID);
        let database_revision = revision.one(&admin.db).await?.map_or(0, |row| row.number);
        let node = admin.gateway.system();
        let database = match admin.db.get_database_backend() {
            sea_orm::DbBackend::Postgres => "postgres",
            _ => "sqlite",
        };
        Ok(Json(System {
            version: admin.gateway.version().to_owned(),
            uptime_seconds: (Utc::now() - node.started_at).num_seconds(),
            started_at: node.started_at,
            database: database.to_owned(),
            revision: admin.gateway.revision(),
            database_revision,
            time_zone: admin.gateway.time_zone().name().to_owned(),
            health: health::Api(admin.clone()).health().await,
            requests_in_flight: node.requests_in_flight as u64,
            queued_lines: node.queued_lines as u64,
            journal_bytes: node.journal_bytes,
            disk_free_bytes: node.disk_free_bytes,
            disk_total_bytes: node.disk_total_bytes,
        }))
    }

    /// Read what is logged
    #[oai(path = "/log-level", method = "get", operation_id = "getLogLevel")]
    async fn log_level(&self, _caller: ForAdmin) -> Result<Json<LogLevel>, ListRefused> {
        Ok(Json(LogLevel {
            filter: self.0.gateway.log_filter(),
        }))
    }

    /// Change what is logged
    ///
    /// On this node, until it ends: then `RUST_LOG` holds again.
    #[oai(path = "/log-level", method = "put", operation_id = "setLogLevel")]
    async fn set_log_level(
        &self,
        _caller: ForAdmin,
        body: Body<LogLevelChange>,
    ) -> Result<Json<LogLevel>, TryRefused> {
        let filter = body.0.filter;
        self.0
            .gateway
            .set_log_filter(&filter)
            .map_err(|error| match error {
                LogFilterError::Bad(what) => {
                    Problem::invalid(vec![Mistake::new("filter", "invalid", what)])
                }
                LogFilterError::NotOurs => Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "logging_not_ours",
                    LogFilterError::NotOurs.to_string(),
                ),
            })?;
        tracing::warn!(filter, "what is logged was changed");
        Ok(Json(LogLevel {
            filter: self.0.gateway.log_filter(),
        }))
    }

    /// Delete old history
    ///
    /// In small steps, the oldest first, for ten seconds at most: where `done` is false, the same call goes on. Without `dryRun: false` it only
    /// counts. What the settings say about retention happens by itself in the background.
    #[oai(path = "/prune", method = "post", operation_id = "pruneHistory")]
    async fn prune(
        &self,
        _caller: ForAdmin,
        body: Body<PruneAsk>,
    ) -> Result<Json<PruneResult>, TryRefused> {
        let ask = body.0;
        let prune = Prune {
            what: ask.what.into(),
            before: Utc::now() - TimeDelta::days(ask.older_than_days.into()),
            is_dry: ask.dry_run != Some(false),
        };
        let pruned = self.0.gateway.prune(prune).await?;
        if !prune.is_dry {
            tracing::warn!(what = ?prune.what, rows = pruned.rows, "old history was deleted by hand");
        }
        Ok(Json(PruneResult {
            rows: pruned.rows,
            done: pruned.is_done,
            dry_run: prune.is_dry,
            before: prune.before,
        }))
    }

    /// Read the metrics
    ///
    /// Of this node, as Prometheus reads them. The same is at `/metrics` on the admin side's own address, and on the public port where
    /// `METRICS_PUBLIC` is on.
    #[oai(path = "/metrics", method = "get", operation_id = "getMetrics")]
    async fn metrics(&self, _caller: ForAdmin) -> Result<Exposition, ListRefused> {
        Ok(Exposition(self.0.gateway.metrics()))
    }
}

/// The metrics as an answer.
pub fn exposition(gateway: &dyn Gateway) -> Response {
    Exposition(gateway.metrics()).into_response()
}

impl Input for PruneAsk {
    type Loose = PruneAskLoose;

    fn rules(loose: &PruneAskLoose, out: &mut Vec<Mistake>) {
        let is_lines = loose.what == Some(PruneWhat::UsageLines);
        if is_lines && loose.older_than_days.is_some_and(|days| days < 62) {
            let message =
                "must be 62 at least for usage lines: limits by the month are counted from them";
            out.push(Mistake::new("olderThanDays", "out_of_range", message));
        }
    }
}

/// [`PruneAsk`] with nothing required.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct PruneAskLoose {
    what: Option<PruneWhat>,
    older_than_days: Option<u32>,
}

impl From<PruneWhat> for Prunable {
    fn from(what: PruneWhat) -> Self {
        match what {
            PruneWhat::Requests => Self::Requests,
            PruneWhat::Details => Self::Details,
            PruneWhat::UsageLines => Self::UsageLines,
        }
    }
}

/// [`LogLevelChange`] with nothing required.
#[derive(Debug, Object)]
pub struct LogLevelChangeLoose {
    filter: Option<String>,
}

impl Input for LogLevelChange {
    type Loose = LogLevelChangeLoose;

    fn rules(loose: &LogLevelChangeLoose, out: &mut Vec<Mistake>) {
        if loose
            .filter
            .as_deref()
            .is_some_and(|filter| filter.trim().is_empty())
        {
            out.push(Mistake::new("filter", "invalid", "must not be blank"));
        }
    }
}

// === impl Exposition ===

impl IntoResponse for Exposition {
    fn into_response(self) -> Response {
        Response::builder()
            .header(
                header::CONTENT_TYPE,
                "text/plain; version=0.0.4; charset=utf-8",
            )
            .body(self.0)
    }
}

impl ApiResponse for Exposition {
    fn meta() -> MetaResponses {
        success("The metrics.", "text/plain", String::schema_ref())
    }

    fn register(_: &mut Registry) {}
}
