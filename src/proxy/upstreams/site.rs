//! What an endpoint is known by.

use std::hash::{Hash, Hasher};

use entity::value::{HealthCheck, HealthCheckKind};

/// A host and how it is checked, as a request has them at hand: looking one up costs no allocation.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Host name or address literal.
    pub host: &'a str,
    /// Port.
    pub port: u16,
    /// Whether a check speaks TLS.
    pub is_tls: bool,
    /// How it is checked; none means not at all.
    pub check: Option<&'a HealthCheck>,
}

/// The same, to keep. Providers with the same address and check share one, and with it look-ups and checks.
#[derive(Debug, Clone)]
pub struct Site {
    /// Host name or address literal.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether a check speaks TLS.
    pub is_tls: bool,
    /// The `Host` of a check.
    pub authority: String,
    /// How it is checked.
    pub check: HealthCheck,
}

// === impl Place ===

impl<'a> Place<'a> {
    /// The check, if there is one to do.
    fn check(&self) -> Option<&'a HealthCheck> {
        self.check
            .filter(|check| check.kind != HealthCheckKind::Off)
    }
}

impl Hash for Place<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.host.hash(state);
        self.port.hash(state);
        self.is_tls.hash(state);
        if let Some(check) = self.check() {
            (check.kind as u8).hash(state);
            check.path.hash(state);
            check.interval_seconds.hash(state);
        }
    }
}

// === impl Site ===

impl Site {
    /// A place to keep.
    pub fn of(place: Place<'_>) -> Self {
        let default_port = if place.is_tls { 443 } else { 80 };
        let host = if place.host.contains(':') {
            format!("[{}]", place.host)
        } else {
            place.host.to_owned()
        };
        Self {
            authority: if place.port == default_port {
                host
            } else {
                format!("{host}:{}", place.port)
            },
            host: place.host.to_owned(),
            port: place.port,
            is_tls: place.is_tls,
            check: place.check().cloned().unwrap_or_default(),
        }
    }

    /// Whether it is kept for this place.
    pub fn is(&self, place: Place<'_>) -> bool {
        self.host == place.host
            && self.port == place.port
            && self.is_tls == place.is_tls
            && match place.check() {
                None => !self.is_checked(),
                Some(check) => self.check == *check,
            }
    }

    /// Whether there is a check to do.
    pub fn is_checked(&self) -> bool {
        self.check.kind != HealthCheckKind::Off
    }

    /// The server name for TLS; empty without TLS.
    pub fn sni(&self) -> &str {
        if self.is_tls { &self.host } else { "" }
    }
}
