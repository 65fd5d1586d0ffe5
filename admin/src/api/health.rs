//! `/api/health`: whether it works. Public, so it says nothing an outsider should not know.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use poem_openapi::{ApiResponse, Enum, Object, OpenApi, payload::Json};

use super::Tag;
use crate::{Admin, gateway};

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
        let database = self.database().await;
        let status = if gateway.stopping {
            Status::Stopping
        } else if !database.ok {
            Status::Down
        } else if gateway.parts.iter().any(|part| !part.ok) {
            Status::Degraded
        } else {
            Status::Ok
        };
        let others = gateway.parts.into_iter().map(Part::from);
        Health {
            status,
            version: self.0.gateway.version().to_owned(),
            revision: self.0.gateway.revision(),
            parts: std::iter::once(database).chain(others).collect(),
        }
    }

    async fn database(&self) -> Part {
        let start = Instant::now();
        let (ok, detail) = match tokio::time::timeout(PING, self.0.db.ping()).await {
            Ok(Ok(())) => (
                true,
                format!("answers in {} ms", start.elapsed().as_millis()),
            ),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database does not answer a ping");
                (false, "refuses".to_owned())
            }
            Err(_) => (false, format!("does not answer in {} s", PING.as_secs())),
        };
        Part {
            name: "database".to_owned(),
            ok,
            detail,
        }
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
        }
    }
}
