//! Typed columns and their invariants.

mod key_hash;
mod lists;
mod provider_type;
mod routing;
mod secret;
mod settings;

pub use key_hash::{KeyHash, KeyHasher, mint_key};
pub use lists::{GroupPriorities, Headers, Strings};
pub use provider_type::ProviderType;
pub use routing::{ModelRedirect, ModelRedirects, Timeouts};
pub use secret::{BadSeal, Sealed, Sealer, Secret};
pub use settings::{EgressPolicy, GatewaySettings};
