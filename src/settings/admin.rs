//! Section `[admin]`: the admin credential and the installation's secret.

use entity::value::Secret;

use super::reader::{Place, Reader};
use super::text;

/// Admin credential and secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// `token`, `ADMIN_TOKEN`: the admin credential, 16 characters or more. Default none: generated at the first start, printed once and
    /// kept hashed in the data directory.
    pub token: Option<Secret>,
    /// `secret_key`, `SECRET_KEY`: what credentials at rest are encrypted with, 32 characters or more. Default none: a file in the data
    /// directory.
    pub secret_key: Option<Secret>,
    /// `secure_cookies`, `ENABLE_SECURE_COOKIES`: marks the dashboard's cookie `Secure`; false where there is no TLS. Default true.
    pub secure_cookies: bool,
}

// === impl Admin ===

impl Admin {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        Self {
            token: reader.read(Place::new("admin.token", "ADMIN_TOKEN"), text::secret(16)),
            secret_key: reader.read(
                Place::new("admin.secret_key", "SECRET_KEY"),
                text::secret(32),
            ),
            secure_cookies: reader
                .read(
                    Place::new("admin.secure_cookies", "ENABLE_SECURE_COOKIES"),
                    text::flag,
                )
                .unwrap_or(default.secure_cookies),
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            token: None,
            secret_key: None,
            secure_cookies: true,
        }
    }
}
