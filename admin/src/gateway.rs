//! The port: what the admin side asks of the running gateway. The gateway's own crate implements it.

use std::net::IpAddr;

mod limits;
mod live;
mod notify;
mod prune;
mod routing;
mod trial;

use entity::{notification_target, value::Limits};

pub use limits::{Gauge, Subject};
pub use live::{LiveRequest, LogFilterError, System};
pub use notify::TargetReport;
pub use prune::{Prunable, Prune, Pruned};
pub use routing::{
    Breaker, BreakerSample, BreakerScope, BreakerState, Candidate, EndpointHealth, Explain,
    ExplainError, Explanation, Nominee, Protocol, Reason, ReasonCode,
};
pub use trial::{Trial, TrialAsk, TrialReport, TrialUsage};

use sea_orm::DbErr;

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

    /// The requests under way on this node, oldest first.
    fn live_requests(&self) -> Vec<LiveRequest>;

    /// Ends the requests of a session on this node, of one user or of any, and tells their clients in their protocol. How many. The session's
    /// places among concurrent sessions are free then: those of the keys its requests have, and of `keys`, which it had before.
    async fn end_session(&self, session_id: &str, user_id: Option<i64>, keys: &[i64]) -> usize;

    /// Deletes old history for some seconds, or only says how much of it would go.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn prune(&self, prune: Prune) -> Result<Pruned, DbErr>;

    /// This node, as it runs.
    fn system(&self) -> System;

    /// Counters and gauges of this node, as Prometheus reads them.
    fn metrics(&self) -> String;

    /// What is logged; none when that is not the gateway's to say.
    fn log_filter(&self) -> Option<String>;

    /// Changes what is logged on this node until it ends.
    ///
    /// # Errors
    /// When it is no filter, or logging is not the gateway's.
    fn set_log_filter(&self, filter: &str) -> Result<(), LogFilterError>;

    /// Asks a provider something, as a request of a client would be sent to it: through its proxy, within the egress policy. Takes less than
    /// half a minute.
    async fn try_provider(&self, trial: Trial) -> TrialReport;

    /// Sends a test message to a target, within the egress policy. Takes less than half a minute.
    async fn try_target(&self, target: notification_target::Model) -> TargetReport;

    /// The models a key's holder may ask for, as far as the configuration names them.
    fn models(&self, key_id: i64) -> Vec<String>;

    /// Tells the other nodes that `peer` sent a wrong credential, where they can be told: they count it in [`Admin::throttle`].
    ///
    /// [`Admin::throttle`]: crate::Admin::throttle
    async fn tell_failure(&self, peer: Option<IpAddr>);

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
    /// In figures, as far as it has them.
    pub figures: Figures,
}

/// Figures of a part; none where they are not the part's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Request rows that wait for the database.
    pub queued_requests: Option<i64>,
    /// Usage lines that wait for it in memory.
    pub queued_lines: Option<i64>,
    /// Bytes of journal that it has not confirmed.
    pub journal_bytes: Option<i64>,
    /// Request rows that were dropped since the start.
    pub dropped_requests: Option<i64>,
    /// Usage lines that were lost since the start.
    pub lost_lines: Option<i64>,
}
