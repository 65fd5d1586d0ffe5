//! The typed API: one resource a file, with its request objects, response objects and short handlers.

use poem_openapi::Tags;

pub mod answers;
pub mod audit;
pub mod backup;
pub mod batch;
pub mod body;
pub mod breakers;
pub mod csv;
pub mod decimal;
pub mod error_rules;
pub mod groups;
pub mod health;
pub mod keys;
pub mod lifecycle;
pub mod limits;
pub mod live;
pub mod me;
pub mod name_rule;
pub mod notifications;
pub mod prices;
pub mod providers;
pub mod requests;
pub mod routing;
pub mod rules;
pub mod session;
pub mod sessions;
pub mod settings;
pub mod system;
pub mod usage;
pub mod users;

/// The document's sections.
#[derive(Tags)]
pub enum Tag {
    /// Logging in and out, and who one is.
    Identity,
    /// People and teams whose keys may call the gateway.
    Users,
    /// Client keys.
    Keys,
    /// Upstreams that answer requests.
    Providers,
    /// What becomes of a request: groups, error rules, breakers, and why a provider is chosen.
    Routing,
    /// What models cost.
    Prices,
    /// The request log.
    Requests,
    /// What runs now.
    Live,
    /// What was used and what it cost.
    Usage,
    /// Who is told what by message.
    Notifications,
    /// Who changed what.
    Audit,
    /// What an admin may change while the gateway runs.
    Settings,
    /// The program itself, for its operator.
    System,
    /// Whether it works.
    Health,
}
