//! The port: what the admin side asks of the running gateway. The gateway's own crate implements it.

mod limits;
mod routing;

use entity::value::Limits;

pub use limits::{Gauge, Subject};
pub use routing::{
    Breaker, BreakerSample, BreakerScope, BreakerState, Candidate, EndpointHealth, Explain,
    ExplainError, Explanation, Nominee, Protocol,
};

/// The running gateway, as far as the admin side needs it.
#[async_trait::async_trait]
pub trait Gateway: Send + Sync {
    /// The revision of the configuration this node serves right now.
    fn revision(&self) -> i64;

    /// Called after a change was committed: makes it live on this node and tells the others. A failure is the gateway's to
    /// log and to make good (it polls); the change itself stands.
    async fn reload(&self);

    /// The time zone of days, weeks and months: the settings' one, else the environment's.
    fn time_zone(&self) -> chrono_tz::Tz;

    /// How the parts of this node are.
    fn health(&self) -> GatewayHealth;

    /// The program's version.
    fn version(&self) -> &'static str;

    /// The breakers of one provider or of all, in any state, ordered by provider.
    fn breakers(&self, provider: Option<i64>) -> Vec<Breaker>;

    /// Closes every breaker of one provider or of all, on every node, and forgets its failures. How many it closed on this one.
    async fn reset_breakers(&self, provider: Option<i64>) -> usize;

    /// How each address of a provider is, its main one first.
    fn provider_health(&self, provider: i64) -> Vec<EndpointHealth>;

    /// What is used of a subject's limits now. What is not counted, because it has no limit, may be left out.
    async fn gauges(&self, subject: Subject, limits: Limits) -> Vec<Gauge>;

    /// What a subject has spent so far does not count any more, on every node. Called when that is saved already.
    async fn reset_limits(&self, subject: Subject);

    /// Makes what is counted against limits anew from the history, and says how many keys, users and providers have spent something. None
    /// when the history cannot be read now.
    async fn rebuild_limits(&self) -> Option<usize>;

    /// What would happen to a request, decided by the code that decides real ones. Sends nothing and changes nothing.
    ///
    /// # Errors
    /// When there is no such key, or it cannot be said now.
    async fn explain(&self, ask: Explain) -> Result<Explanation, ExplainError>;
}

/// How the parts of a node are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GatewayHealth {
    /// The node is draining: it takes no new work and readiness is 503.
    pub stopping: bool,
    /// The parts, the database excepted: the admin side asks that one itself.
    pub parts: Vec<Part>,
}

/// One part of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is, such as `redis` or `snapshot`.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// In words, for operators. Never a secret: the health answer is public.
    pub detail: String,
}
