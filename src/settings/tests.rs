//! Tests of the configuration as a whole.

use std::io::Write;
use std::time::Duration;

use super::*;

const NOTHING: [(&str, &str); 0] = [];

fn from_env(env: &dyn Source) -> Result<Settings, Mistakes> {
    let file = file("");
    Settings::load(Some(file.path()), env)
}

fn from_file(text: &str) -> Result<Settings, Mistakes> {
    Settings::load(Some(file(text).path()), &NOTHING)
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// What stands after the file's name.
fn mistakes(result: Result<Settings, Mistakes>) -> Vec<String> {
    result
        .unwrap_err()
        .0
        .iter()
        .map(|m| m.to_string().rsplit("/").next().unwrap().to_owned())
        .collect()
}

#[test]
fn nothing_set_is_the_default() {
    assert_eq!(from_env(&NOTHING).unwrap(), Settings::default());
    let empty = [("APP_PORT", ""), ("DSN", " \"\" "), ("TLS_CERT", "''")];
    assert_eq!(from_env(&empty).unwrap(), Settings::default());
    assert_eq!(
        from_file("server.hostname = \"\"").unwrap(),
        Settings::default()
    );
}

#[test]
fn the_annotated_reference_equals_the_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DEFAULT_FILE);
    let reference = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        Settings::load(Some(&path), &NOTHING).unwrap(),
        Settings::default(),
        "everything in the reference is commented out"
    );
    let is_setting = |line: &str| {
        line.split_once(" = ").is_some_and(|(key, _)| {
            !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        })
    };
    let mut keys = Vec::new();
    let mut section = String::new();
    let live: String = reference
        .lines()
        .map(|line| {
            if let Some(name) = line.strip_prefix('[') {
                section = format!("{}.", name.trim_end_matches(']'));
            }
            match line.strip_prefix("# ").filter(|rest| is_setting(rest)) {
                Some(setting) => {
                    keys.push(format!("{section}{}", setting.split_once(" = ").unwrap().0));
                    format!("{setting}\n")
                }
                None => format!("{line}\n"),
            }
        })
        .collect();
    assert_eq!(from_file(&live).unwrap(), Settings::default());
    for key in ALL_KEYS {
        assert!(
            keys.contains(&key.to_owned()),
            "{key} is not in the reference"
        );
    }
    assert_eq!(keys.len(), ALL_KEYS.len(), "{keys:?}");
}

const ALL_KEYS: [&str; 24] = [
    "data_dir",
    "time_zone",
    "server.hostname",
    "server.port",
    "server.admin_listen",
    "server.trusted_proxies",
    "server.tls_cert",
    "server.tls_key",
    "server.worker_threads",
    "server.drain_seconds",
    "server.max_request_bytes",
    "server.metrics_public",
    "database.dsn",
    "database.auto_migrate",
    "redis.url",
    "redis.deadline_ms",
    "admin.token",
    "admin.secret_key",
    "admin.secure_cookies",
    "upstream.ca_file",
    "limits.enabled",
    "limits.session_ttl",
    "telemetry.filter",
    "telemetry.format",
];

/// What the variables of the next test say.
fn everything_set(pem: &Path) -> Settings {
    Settings {
        server: Server {
            listen: "[::1]:8080".parse().unwrap(),
            admin_listen: Some("127.0.0.1:9000".parse().unwrap()),
            trusted_proxies: "10.0.0.0/8,192.0.2.7".parse().unwrap(),
            tls: Some(Tls {
                cert: pem.to_owned(),
                key: pem.to_owned(),
            }),
            threads: Some(3),
            drain: Duration::from_secs(5),
            max_request_bytes: 2048,
            metrics_public: true,
        },
        data_dir: PathBuf::from("/data"),
        database: Database {
            dsn: Some(entity::value::Secret::new("postgres://u:p@h/db")),
            auto_migrate: false,
        },
        redis: Redis {
            url: Some(entity::value::Secret::new("rediss://h")),
            deadline: Duration::from_millis(35),
        },
        admin: Admin {
            token: Some(entity::value::Secret::new("sixteen-characters")),
            secret_key: Some(entity::value::Secret::new(
                "0123456789abcdef0123456789abcdef",
            )),
            secure_cookies: false,
        },
        upstream: Upstream {
            ca_file: Some(pem.to_owned()),
        },
        limits: Limits {
            enabled: false,
            session_ttl: Duration::from_secs(60),
        },
        time_zone: chrono_tz::Tz::Asia__Shanghai,
        telemetry: Telemetry {
            filter: "debug,sqlx=info".to_owned(),
            format: LogFormat::Json,
        },
    }
}

#[test]
fn every_variable_is_read_and_wins_over_the_file() {
    let file = file(
        "data_dir = \"/elsewhere\"\n[server]\nport = 1\nhostname = \"127.0.0.2\"\n[limits]\nsession_ttl = 9\n",
    );
    let pem = tempfile::NamedTempFile::new().unwrap();
    let pem_path = pem.path().to_str().unwrap();
    let env = [
        ("APP_PORT", "8080"),
        ("HOSTNAME", "::1"),
        ("ADMIN_LISTEN", "localhost:9000"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7"),
        ("TLS_CERT", pem_path),
        ("TLS_KEY", pem_path),
        ("WORKER_THREADS", "3"),
        ("SHUTDOWN_DRAIN_SECONDS", "5"),
        ("MAX_REQUEST_BYTES", "2048"),
        ("METRICS_PUBLIC", "on"),
        ("DATA_DIR", "'/data'"),
        ("DSN", "\"postgres://u:p@h/db\""),
        ("AUTO_MIGRATE", "No"),
        ("REDIS_URL", "rediss://h"),
        ("REDIS_DEADLINE_MS", "35"),
        ("ADMIN_TOKEN", "sixteen-characters"),
        ("SECRET_KEY", "0123456789abcdef0123456789abcdef"),
        ("ENABLE_SECURE_COOKIES", "0"),
        ("UPSTREAM_CA_FILE", pem_path),
        ("ENABLE_RATE_LIMIT", "false"),
        ("SESSION_TTL", "60"),
        ("TZ", "Asia/Shanghai"),
        ("RUST_LOG", "debug,sqlx=info"),
        ("LOG_FORMAT", "JSON"),
    ];
    let settings = Settings::load(Some(file.path()), &env).unwrap();
    assert_eq!(settings, everything_set(pem.path()));
    let file_only = Settings::load(Some(file.path()), &NOTHING).unwrap();
    assert_eq!(file_only.server.listen, "127.0.0.2:1".parse().unwrap());
    assert_eq!(file_only.limits.session_ttl, Duration::from_secs(9));
}

#[test]
fn a_database_in_memory_is_refused() {
    for dsn in [
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite://a.db?mode=memory",
    ] {
        let refused = Settings::load(None, &[("DSN", dsn)]).unwrap_err();
        assert_eq!(refused.0.len(), 1, "{refused}");
        assert!(
            refused.to_string().contains("must name a file"),
            "{refused}"
        );
    }
    Settings::load(None, &[("DSN", "sqlite:///var/lib/switchyard/memory.db")]).unwrap();
}

#[test]
fn all_mistakes_are_reported_together_and_no_secret_with_them() {
    let file = file(
        "typo = 1\n[server]\nport = 70000\nhostname = \"a-machine\"\ncolour = \"red\"\n[database]\ndsn = \"mysql://u:hidden@h\"\n[limits]\nsession_ttl = [1]\n[serve]\nport = 1\n",
    );
    let env = [
        ("AUTO_MIGRATE", "maybe"),
        ("TZ", "Mars/Olympus"),
        ("ADMIN_TOKEN", "change-me"),
        ("SECRET_KEY", "hidden-but-short"),
        ("TLS_CERT", "/nowhere/cert.pem"),
        ("REDIS_URL", "http://hidden"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "a=b=c"),
        ("MAX_REQUEST_BYTES", "12"),
        ("DATA_DIR", "\u{fffd}"),
    ];
    let all = Settings::load(Some(file.path()), &env).unwrap_err();
    let shown = all.to_string();
    assert_eq!(shown.lines().count(), all.0.len());
    for part in [
        ": typo: is not a known setting",
        ": server.port: must be a whole number from 0 to 65535, not \"70000\"",
        ": server.hostname: must be an address or localhost, not \"a-machine\"",
        ": server.colour: is not a known setting",
        ": database.dsn: must be a URL that starts with postgres://",
        ": limits.session_ttl: must be a single value, not a list",
        ": serve.port: is not a known setting",
        "AUTO_MIGRATE: must be one of true, false",
        "TZ: must be the name of a time zone",
        "ADMIN_TOKEN: is a published default",
        "SECRET_KEY: must have at least 32 characters",
        "TLS_KEY: must be set where TLS_CERT is",
        "REDIS_URL: must be a URL that starts with redis://",
        "LOG_FORMAT: must be text, json or auto",
        "RUST_LOG: must be a level",
        "MAX_REQUEST_BYTES: must be a whole number from 1024",
        "DATA_DIR: is not UTF-8",
    ] {
        assert!(shown.contains(part), "{part} is missing in:\n{shown}");
    }
    assert_eq!(all.0.len(), 17, "{shown}");
    assert!(!shown.contains("hidden"), "{shown}");
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_its_lines() {
    let found = mistakes(from_file("[server]\nport = \nhostname = \"x\n"));
    assert!(found.len() >= 2, "{found:?}");
    assert!(found[0].contains(": line 2: "), "{found:?}");
    assert!(found[1].contains(": line 3: "), "{found:?}");
    let missing = Settings::load(Some(Path::new("/nowhere.toml")), &NOTHING).unwrap_err();
    assert!(
        missing
            .to_string()
            .contains("/nowhere.toml: cannot be read")
    );
}

#[test]
fn published_and_short_secrets_are_refused() {
    for token in [
        "change-me",
        "changeme",
        "Change_Me_Please_Now",
        "your-admin-token",
        "your-admin-token-here",
        "your-secure-password_change-me",
        "admin",
        "password",
        "fifteen-letters",
    ] {
        let found = mistakes(from_env(&[("ADMIN_TOKEN", token)]));
        assert!(found[0].starts_with("ADMIN_TOKEN: "), "{token}: {found:?}");
        assert!(!found[0].contains(token), "{found:?}");
    }
    assert!(from_env(&[("ADMIN_TOKEN", "exactly-sixteen!")]).is_ok());
    assert!(from_env(&[("SECRET_KEY", "0123456789abcdef0123456789abcde")]).is_err());
}

#[test]
fn the_machines_name_is_no_listener() {
    let named = from_env(&[("HOSTNAME", "b3f1c0ffee")]).unwrap();
    assert_eq!(named, Settings::default());
    let file = file("server.hostname = \"127.0.0.1\"");
    let narrow = Settings::load(Some(file.path()), &[("HOSTNAME", "b3f1c0ffee")]).unwrap();
    assert_eq!(narrow.server.listen, "127.0.0.1:23000".parse().unwrap());
    let local = from_env(&[("HOSTNAME", "localhost")]).unwrap();
    assert_eq!(local.server.listen, "127.0.0.1:23000".parse().unwrap());
}

#[test]
fn the_admin_side_cannot_sit_on_the_public_listener() {
    let found = mistakes(from_env(&[("ADMIN_LISTEN", "0.0.0.0:23000")]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("ADMIN_LISTEN: must differ"),
        "{found:?}"
    );
}
