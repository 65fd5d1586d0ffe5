//! Typed columns and their invariants.

mod active_time;
mod client_name;
mod error_rule;
mod key_hash;
mod limits;
mod lists;
mod matching;
mod multiplier;
mod networks;
mod notification;
pub mod price;
mod provider_type;
mod routing;
mod secret;
mod settings;

pub use active_time::{ActiveTime, BadTimeOfDay, TimeOfDay};
pub use client_name::ClientName;
pub use error_rule::{ErrorMatch, ErrorPattern, RuleFault};
pub use key_hash::{KeyHash, KeyHasher, mint_key};
pub use limits::{Limits, ResetMode};
pub use lists::{GroupPriorities, Headers, Strings};
pub use matching::{BadRegex, MatchKind, NameRule, NameRules, compile_regex};
pub use multiplier::{BadMultiplier, Multiplier};
pub use networks::{BadNetworks, Networks};
pub use notification::{
    DeliveryState, Ids, NoticeKind, NoticeLanguage, TargetKind,
    credentials::TargetCredentials,
    template::{
        BadTemplate, DEFAULT as DEFAULT_TEMPLATE, PLACEHOLDERS as TEMPLATE_PLACEHOLDERS, Template,
    },
};
pub use provider_type::ProviderType;
pub use routing::{
    BreakerSettings, HealthCheck, HealthCheckKind, ModelRedirect, ModelRedirects, Timeouts,
};
pub use secret::{BadSeal, Sealed, Sealer, Secret};
pub use settings::{EgressPolicy, GatewaySettings};
