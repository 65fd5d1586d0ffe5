//! Typed columns and their invariants.

mod active_time;
mod address;
mod client_name;
mod error_rule;
mod headers;
pub mod hex;
mod key_hash;
mod limits;
mod lists;
mod matching;
mod multiplier;
mod networks;
mod notification;
mod passphrase;
pub mod price;
mod provider_type;
mod routing;
mod secret;
mod settings;

pub use active_time::{ActiveTime, BadTimeOfDay, TimeOfDay};
pub use address::{check_address, check_url, check_whole_url};
pub use client_name::ClientName;
pub use error_rule::{ErrorMatch, ErrorPattern, RuleFault};
pub use headers::{BadHeader, Headers, check_header, is_secret_header};
pub use key_hash::{KeyHash, KeyHasher, mint_key};
pub use limits::{Limits, ResetMode};
pub use lists::{GroupPriorities, Strings};
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
pub use passphrase::{BadDerivation, Derivation, SALT};
pub use provider_type::ProviderType;
pub use routing::{
    BreakerSettings, HealthCheck, HealthCheckKind, ModelRedirect, ModelRedirects, Timeouts,
};
pub use secret::{BadSeal, Sealed, Sealer, Secret};
pub use settings::{EgressPolicy, GatewaySettings};
