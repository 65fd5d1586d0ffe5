//! Section `[server]`: listeners and their bounds.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use entity::value::Networks;

use super::reader::{Place, Reader};
use super::text;

/// Listeners and their bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `hostname` and `port`, `HOSTNAME` and `APP_PORT`: the public listener. Default 0.0.0.0 and 23000; port 0 takes a free one.
    ///
    /// Docker and bash set `HOSTNAME` to the machine's name. A variable that is neither an address nor `localhost` is therefore taken
    /// as not set; the same in the file is a mistake.
    pub listen: SocketAddr,
    /// `admin_listen`, `ADMIN_LISTEN`: moves the admin side off the public port. Default none.
    pub admin_listen: Option<SocketAddr>,
    /// `trusted_proxies`, `TRUSTED_PROXIES`: addresses and networks whose `X-Forwarded-For` is believed. Default none.
    pub trusted_proxies: Networks,
    /// TLS on the public listener. Default none.
    pub tls: Option<Tls>,
    /// `worker_threads`, `WORKER_THREADS`: threads that serve requests, 1 to 1024. Default one a core.
    pub threads: Option<usize>,
    /// `drain_seconds`, `SHUTDOWN_DRAIN_SECONDS`: how long live requests may take to end after SIGTERM, 0 to 86400. Default 600.
    pub drain: Duration,
    /// `max_request_bytes`, `MAX_REQUEST_BYTES`: limit on a body, after decompression, 1024 to 4294967296. Default 104857600.
    pub max_request_bytes: usize,
    /// `metrics_public`, `METRICS_PUBLIC`: serves `/metrics` on the public port too. Default false.
    pub metrics_public: bool,
}

/// `tls_cert` and `tls_key`, `TLS_CERT` and `TLS_KEY`: PEM files, both or neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A host as written: an address, or a name that stands for none.
enum Host {
    Address(IpAddr),
    Name,
}

// === impl Server ===

impl Server {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        let port = reader
            .read(
                Place::new("server.port", "APP_PORT"),
                text::number(0..=u16::MAX),
            )
            .unwrap_or(default.listen.port());
        let server = Self {
            listen: SocketAddr::new(read_host(reader).unwrap_or(default.listen.ip()), port),
            admin_listen: reader.read(
                Place::new("server.admin_listen", "ADMIN_LISTEN"),
                text::socket_address,
            ),
            trusted_proxies: reader
                .read(
                    Place::new("server.trusted_proxies", "TRUSTED_PROXIES"),
                    text::networks,
                )
                .unwrap_or_default(),
            tls: Tls::read(reader),
            threads: reader.read(
                Place::new("server.worker_threads", "WORKER_THREADS"),
                text::number(1..=1024),
            ),
            drain: reader
                .read(
                    Place::new("server.drain_seconds", "SHUTDOWN_DRAIN_SECONDS"),
                    text::seconds(0..=86_400),
                )
                .unwrap_or(default.drain),
            max_request_bytes: reader
                .read(
                    Place::new("server.max_request_bytes", "MAX_REQUEST_BYTES"),
                    text::number(1024..=1 << 32),
                )
                .unwrap_or(default.max_request_bytes),
            metrics_public: reader
                .read(
                    Place::new("server.metrics_public", "METRICS_PUBLIC"),
                    text::flag,
                )
                .unwrap_or(default.metrics_public),
        };
        if server.listen.port() != 0 && server.admin_listen == Some(server.listen) {
            reader.mistake(
                "ADMIN_LISTEN".to_owned(),
                "must differ from the public listener (HOSTNAME and APP_PORT)".to_owned(),
            );
        }
        server
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 23_000),
            admin_listen: None,
            trusted_proxies: Networks::default(),
            tls: None,
            threads: None,
            drain: Duration::from_secs(600),
            max_request_bytes: 100 * 1024 * 1024,
            metrics_public: false,
        }
    }
}

fn read_host(reader: &mut Reader<'_>) -> Option<IpAddr> {
    let from_file = reader.read_file("server.hostname", &|text: &str| match host(text) {
        Host::Address(address) => Ok(address),
        Host::Name => Err(format!("must be an address or localhost, not \"{text}\"")),
    });
    let from_env = reader.read_variable("HOSTNAME", &|text: &str| Ok(host(text)));
    match from_env {
        Some(Host::Address(address)) => Some(address),
        Some(Host::Name) | None => from_file,
    }
}

fn host(text: &str) -> Host {
    if text.eq_ignore_ascii_case("localhost") {
        return Host::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    text.trim_matches(['[', ']'])
        .parse()
        .map_or(Host::Name, Host::Address)
}

// === impl Tls ===

impl Tls {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        // A path that is set and wrong is reported once, as that, and not also as missing.
        let cert = reader.read(Place::new("server.tls_cert", "TLS_CERT"), |t| {
            Ok(text::file(t))
        });
        let key = reader.read(Place::new("server.tls_key", "TLS_KEY"), |t| {
            Ok(text::file(t))
        });
        let mut missing = |name: &str, other: &str| {
            reader.mistake(name.to_owned(), format!("must be set where {other} is"));
        };
        match (cert, key) {
            (None, None) => None,
            (Some(_), None) => {
                missing("TLS_KEY", "TLS_CERT");
                None
            }
            (None, Some(_)) => {
                missing("TLS_CERT", "TLS_KEY");
                None
            }
            (Some(cert), Some(key)) => {
                let mut checked = |name: &str, path: Result<PathBuf, String>| {
                    path.map_err(|what| reader.mistake(name.to_owned(), what))
                        .ok()
                };
                let (cert, key) = (checked("TLS_CERT", cert), checked("TLS_KEY", key));
                Some(Self {
                    cert: cert?,
                    key: key?,
                })
            }
        }
    }
}
