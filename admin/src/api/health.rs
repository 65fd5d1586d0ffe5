//! `/api/health`: whether it works. Public, so it says nothing an outsider should not know.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use entity::revision;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi, payload::Json};
use sea_orm::EntityTrait;

use super::Tag;
use crate::{Admin, gateway};

/// The part that serves revisions, by the name the gateway gives it.
const CONFIGURATION: &str = "configuration";

/// How long the database has to answer.
const PING: Duration = Duration::from_secs(2);

/// The operations.
pub struct Api(pub Arc<Admin>);

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum Status {
    /// All is well.
    Ok,
    /// It serves, and a part does not work.
    Degraded,
    /// It cannot serve.
    Down,
    /// It drains and takes no new work.
    Stopping,
}

/// How it is, in a word.
#[derive(Debug, Object)]
pub struct Brief {
    /// How it is.
    pub status: Status,
}

/// How every part is.
#[derive(Debug, Object)]
pub struct Health {
    /// How it is.
    pub status: Status,
    /// The program's version.
    pub version: String,
    /// The revision of the configuration this node serves.
    pub revision: i64,
    /// The parts.
    pub parts: Vec<Part>,
}

/// How one part is.
#[derive(Debug, Object)]
#[oai(rename = "HealthPart")]
pub struct Part {
    /// What it is.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// In words.
    pub detail: String,
    /// In figures, as far as it has them.
    pub figures: Figures,
}

/// Figures of a part; those that are not the part's are absent.
#[derive(Debug, Default, Object)]
#[oai(rename = "HealthFigures", rename_all = "camelCase")]
pub struct Figures {
    /// Milliseconds in which it answered.
    #[oai(skip_serializing_if_is_none)]
    pub latency_ms: Option<i64>,
    /// Revisions of the configuration that are saved and not served by this node yet.
    #[oai(skip_serializing_if_is_none)]
    pub revisions_behind: Option<i64>,
    /// Request rows that wait for the database.
    #[oai(skip_serializing_if_is_none)]
    pub queued_requests: Option<i64>,
    /// Usage lines that wait for it in memory.
    #[oai(skip_serializing_if_is_none)]
    pub queued_lines: Option<i64>,
    /// Bytes of journal that it has not confirmed.
    #[oai(skip_serializing_if_is_none)]
    pub journal_bytes: Option<i64>,
    /// Request rows that were dropped since the start.
    #[oai(skip_serializing_if_is_none)]
    pub dropped_requests: Option<i64>,
    /// Usage lines that were lost since the start: anything but 0 is an incident.
    #[oai(skip_serializing_if_is_none)]
    pub lost_lines: Option<i64>,
}

/// Alive.
#[derive(ApiResponse)]
pub enum Liveness {
    /// The process answers.
    #[oai(status = 200)]
    Alive(Json<Brief>),
}

/// Ready or not.
#[derive(ApiResponse)]
pub enum Readiness {
    /// It takes work.
    #[oai(status = 200)]
    Ready(Json<Brief>),
    /// The database does not answer, or the gateway is stopping.
    #[oai(status = 503)]
    NotReady(Json<Brief>),
}

/// How it is.
#[derive(ApiResponse)]
pub enum Details {
    /// It takes work.
    #[oai(status = 200)]
    Ready(Json<Health>),
    /// The database does not answer, or the gateway is stopping.
    #[oai(status = 503)]
    NotReady(Json<Health>),
}

#[OpenApi(prefix_path = "/api/health", tag = "Tag::Health")]
impl Api {
    /// Is the process alive?
    #[oai(path = "/live", method = "get", operation_id = "getLiveness")]
    async fn live(&self) -> Liveness {
        Liveness::Alive(Json(Brief { status: Status::Ok }))
    }

    /// Does it take work?
    #[oai(path = "/ready", method = "get", operation_id = "getReadiness")]
    async fn ready(&self) -> Readiness {
        let status = self.health().await.status;
        let brief = Json(Brief { status });
        if status.takes_work() {
            Readiness::Ready(brief)
        } else {
            Readiness::NotReady(brief)
        }
    }

    /// How is every part?
    #[oai(path = "/", method = "get", operation_id = "getHealth")]
    async fn details(&self) -> Details {
        let health = self.health().await;
        if health.status.takes_work() {
            Details::Ready(Json(health))
        } else {
            Details::NotReady(Json(health))
        }
    }
}

impl Api {
    /// How everything is.
    pub async fn health(&self) -> Health {
        let gateway = self.0.gateway.health();
        let (database, saved) = self.database().await;
        let status = if gateway.stopping {
            Status::Stopping
        } else if !database.ok {
            Status::Down
        } else if gateway.parts.iter().any(|part| !part.ok) {
            Status::Degraded
        } else {
            Status::Ok
        };
        let revision = self.0.gateway.revision();
        let mut parts: Vec<_> = std::iter::once(database)
            .chain(gateway.parts.into_iter().map(Part::from))
            .collect();
        let configuration = parts.iter_mut().find(|part| part.name == CONFIGURATION);
        if let (Some(part), Some(saved)) = (configuration, saved) {
            part.figures.revisions_behind = Some((saved - revision).max(0));
        }
        Health {
            status,
            version: self.0.gateway.version().to_owned(),
            revision,
            parts,
        }
    }

    /// How the database is, and the revision it has.
    async fn database(&self) -> (Part, Option<i64>) {
        let start = Instant::now();
        let row = revision::Entity::find_by_id(revision::ONLY_ID).one(&self.0.db);
        let mut part = Part {
            name: "database".to_owned(),
            ok: false,
            detail: String::new(),
            figures: Figures::default(),
        };
        let saved = match tokio::time::timeout(PING, row).await {
            Ok(Ok(row)) => {
                let took = start.elapsed().as_millis();
                part.ok = true;
                part.detail = format!("answers in {took} ms");
                part.figures.latency_ms = i64::try_from(took).ok();
                row.map(|row| row.number)
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database does not answer a ping");
                "refuses".clone_into(&mut part.detail);
                None
            }
            Err(_) => {
                part.detail = format!("does not answer in {} s", PING.as_secs());
                None
            }
        };
        (part, saved)
    }
}

// === impl Status, Part ===

impl Status {
    fn takes_work(self) -> bool {
        matches!(self, Self::Ok | Self::Degraded)
    }
}

impl From<gateway::Part> for Part {
    fn from(part: gateway::Part) -> Self {
        Self {
            name: part.name,
            ok: part.ok,
            detail: part.detail,
            figures: part.figures.into(),
        }
    }
}

impl From<gateway::Figures> for Figures {
    fn from(figures: gateway::Figures) -> Self {
        Self {
            queued_requests: figures.queued_requests,
            queued_lines: figures.queued_lines,
            journal_bytes: figures.journal_bytes,
            dropped_requests: figures.dropped_requests,
            lost_lines: figures.lost_lines,
            ..Self::default()
        }
    }
}
