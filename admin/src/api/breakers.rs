//! Breakers and the health of providers' addresses: what this node knows.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object, OpenApi, param::Path, payload::Json};

use super::{
    Tag,
    answers::{ListRefused, ReadRefused},
};
use crate::{
    Admin,
    auth::{guard::ForAdmin, identity::Identity},
    gateway,
    problem::Problem,
    service::{
        audit::{self, Action, Subject},
        providers,
    },
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// What a breaker holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum BreakerScope {
    /// The whole provider.
    Provider,
    /// One of its addresses.
    Endpoint,
    /// One of its models.
    Model,
}

/// Whether requests pass a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum BreakerState {
    /// All do.
    Closed,
    /// None does.
    Open,
    /// A few do, to see.
    HalfOpen,
    /// It asked to be left alone for a while, and is, as long as there is another.
    Resting,
}

/// A breaker as it stands on this node.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct Breaker {
    /// The provider it belongs to.
    pub provider_id: i64,
    /// What it holds back.
    pub scope: BreakerScope,
    /// The endpoint's address or the model's name; null for the whole provider.
    #[oai(nullable)]
    pub subject: Option<String>,
    /// Whether requests pass.
    pub state: BreakerState,
    /// Why it opened last, in words.
    #[oai(nullable)]
    pub reason: Option<String>,
    /// When it opened last; null while it never did since its last reset.
    #[oai(nullable)]
    pub opened_at: Option<DateTime<Utc>>,
    /// Until when it stays open; null while it is closed.
    #[oai(nullable)]
    pub open_until: Option<DateTime<Utc>>,
    /// Failures in a row, up to now.
    pub consecutive_failures: u32,
    /// Times in a row it opened without having closed.
    pub times_opened: u32,
    /// Whether it is open on another node's word rather than from failures seen here.
    pub advised: bool,
    /// The last failures, newest first.
    pub samples: Vec<BreakerSample>,
}

/// One failure a breaker has seen.
#[derive(Debug, Object)]
pub struct BreakerSample {
    /// When.
    pub at: DateTime<Utc>,
    /// Whose fault, as in a request's chain.
    pub fault: String,
    /// The upstream's status, if it answered.
    #[oai(nullable)]
    pub status: Option<u16>,
    /// What went wrong, in words.
    pub message: String,
}

/// Breakers.
#[derive(Debug, Object)]
pub struct BreakerList {
    /// The breakers, by provider.
    pub items: Vec<Breaker>,
}

/// What a reset did.
#[derive(Debug, Object)]
pub struct BreakerReset {
    /// How many breakers it closed on this node. Others follow.
    pub reset: u64,
}

/// How one address of a provider is.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct EndpointHealth {
    /// The address.
    pub url: String,
    /// Whether requests are sent there: the last check was good, or there was none.
    pub healthy: bool,
    /// When it was last checked; null when nothing has been checked yet.
    #[oai(nullable)]
    pub checked_at: Option<DateTime<Utc>>,
    /// What its name resolved to.
    pub addresses: Vec<String>,
    /// What the last check found wrong.
    #[oai(nullable)]
    pub error: Option<String>,
}

/// How the addresses of a provider are.
#[derive(Debug, Object)]
pub struct ProviderHealth {
    /// The addresses, the main one first.
    pub items: Vec<EndpointHealth>,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Routing")]
impl Api {
    /// Read a provider's breakers
    ///
    /// All of them, closed ones included, as they stand on this node.
    #[oai(
        path = "/providers/:id/breaker",
        method = "get",
        operation_id = "getProviderBreakers"
    )]
    async fn of_provider(
        &self,
        _caller: ForAdmin,
        /// The provider.
        id: Path<i64>,
    ) -> Result<Json<BreakerList>, ReadRefused> {
        self.must_exist(id.0).await?;
        let breakers = self.0.gateway.breakers(Some(id.0)).into_iter();
        Ok(Json(BreakerList {
            items: breakers.map(Breaker::from).collect(),
        }))
    }

    /// Reset a provider's breakers
    ///
    /// Closes all of them, those of its addresses and models included, on every node, and forgets their failures.
    #[oai(
        path = "/providers/:id/breaker/reset",
        method = "post",
        operation_id = "resetProviderBreakers"
    )]
    async fn reset_provider(
        &self,
        caller: ForAdmin,
        /// The provider.
        id: Path<i64>,
    ) -> Result<Json<BreakerReset>, ReadRefused> {
        self.must_exist(id.0).await?;
        Ok(self.reset(&caller.0, Some(id.0)).await?)
    }

    /// List the breakers that are not closed
    #[oai(path = "/breakers", method = "get", operation_id = "listBreakers")]
    async fn list(&self, _caller: ForAdmin) -> Result<Json<BreakerList>, ListRefused> {
        let breakers = self.0.gateway.breakers(None).into_iter();
        let not_closed = breakers.filter(|b| b.state != gateway::BreakerState::Closed);
        Ok(Json(BreakerList {
            items: not_closed.map(Breaker::from).collect(),
        }))
    }

    /// Reset every breaker
    ///
    /// On every node.
    #[oai(
        path = "/breakers/reset",
        method = "post",
        operation_id = "resetBreakers"
    )]
    async fn reset_all(&self, caller: ForAdmin) -> Result<Json<BreakerReset>, ListRefused> {
        Ok(self.reset(&caller.0, None).await?)
    }

    /// Read how a provider's addresses are
    ///
    /// As this node's own checks found them.
    #[oai(
        path = "/providers/:id/health",
        method = "get",
        operation_id = "getProviderHealth"
    )]
    async fn health(
        &self,
        _caller: ForAdmin,
        /// The provider.
        id: Path<i64>,
    ) -> Result<Json<ProviderHealth>, ReadRefused> {
        self.must_exist(id.0).await?;
        let endpoints = self.0.gateway.provider_health(id.0).into_iter();
        Ok(Json(ProviderHealth {
            items: endpoints.map(EndpointHealth::from).collect(),
        }))
    }
}

impl Api {
    async fn must_exist(&self, id: i64) -> Result<(), Problem> {
        providers::find(&self.0.db, id).await.map(drop)
    }

    async fn reset(
        &self,
        caller: &Identity,
        provider: Option<i64>,
    ) -> Result<Json<BreakerReset>, Problem> {
        let reset = self.0.gateway.reset_breakers(provider).await;
        tracing::info!(provider, reset, "breakers were reset by hand");
        let which = provider.map_or_else(|| "all".to_owned(), |id| id.to_string());
        let subject = Subject::new("breaker", which, "");
        let after = serde_json::json!({ "reset": reset });
        audit::tell(&self.0, caller, Action::Reset, subject, Some(after)).await?;
        Ok(Json(BreakerReset {
            reset: reset as u64,
        }))
    }
}

// === conversions ===

impl From<gateway::Breaker> for Breaker {
    fn from(breaker: gateway::Breaker) -> Self {
        Self {
            provider_id: breaker.provider_id,
            scope: match breaker.scope {
                gateway::BreakerScope::Provider => BreakerScope::Provider,
                gateway::BreakerScope::Endpoint => BreakerScope::Endpoint,
                gateway::BreakerScope::Model => BreakerScope::Model,
            },
            subject: breaker.subject,
            state: match breaker.state {
                gateway::BreakerState::Closed => BreakerState::Closed,
                gateway::BreakerState::Open => BreakerState::Open,
                gateway::BreakerState::HalfOpen => BreakerState::HalfOpen,
                gateway::BreakerState::Resting => BreakerState::Resting,
            },
            reason: breaker.reason,
            opened_at: breaker.opened_at,
            open_until: breaker.open_until,
            consecutive_failures: breaker.consecutive_failures,
            times_opened: breaker.times_opened,
            advised: breaker.advised,
            samples: breaker
                .samples
                .into_iter()
                .map(|sample| BreakerSample {
                    at: sample.at,
                    fault: sample.fault,
                    status: sample.status,
                    message: sample.message,
                })
                .collect(),
        }
    }
}

impl From<gateway::EndpointHealth> for EndpointHealth {
    fn from(endpoint: gateway::EndpointHealth) -> Self {
        Self {
            url: endpoint.url,
            healthy: endpoint.healthy,
            checked_at: endpoint.checked_at,
            addresses: endpoint.addresses,
            error: endpoint.error,
        }
    }
}
