//! Parsers of single values. Each says what it expected; those of secrets never repeat what they got.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use chrono_tz::Tz;
use entity::value::{Networks, Secret};

/// `true/false/1/0/yes/no/on/off`, in any case.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!(
            "must be one of true, false, 1, 0, yes, no, on, off, not \"{text}\""
        )),
    }
}

/// A whole number within bounds.
pub(super) fn number<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    move |text| {
        text.parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (low, high) = (range.start(), range.end());
                format!("must be a whole number from {low} to {high}, not \"{text}\"")
            })
    }
}

/// A list of addresses and networks.
pub(super) fn networks(text: &str) -> Result<Networks, String> {
    text.parse()
        .map_err(|why: entity::value::BadNetworks| format!("{why}"))
}

/// A number of seconds within bounds.
pub(super) fn seconds(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<Duration, String> {
    let number = number(range);
    move |text| number(text).map(Duration::from_secs)
}

/// A path; whether anything is there is not looked at.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it is one of the parsers a reader takes, and those may fail"
)]
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(text))
}

/// The path of a file that is there.
pub(super) fn file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match std::fs::metadata(&path) {
        Ok(found) if found.is_file() => Ok(path),
        Ok(_) => Err(format!("\"{text}\" is not a file")),
        Err(e) => Err(format!("\"{text}\" cannot be read: {e}")),
    }
}

/// `address:port`; `localhost` is understood.
pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.replace("localhost:", "127.0.0.1:")
        .parse()
        .map_err(|_| {
            format!("must be an address and a port, such as 127.0.0.1:23001, not \"{text}\"")
        })
}

/// An IANA time zone name. POSIX's leading colon is understood.
pub(super) fn time_zone(text: &str) -> Result<Tz, String> {
    let name = text.strip_prefix(':').unwrap_or(text);
    name.parse().map_err(|_| {
        format!("must be the name of a time zone, such as Europe/Berlin, not \"{text}\"")
    })
}

/// A URL with one of `schemes`, kept secret because of the password in it.
pub(super) fn secret_url(
    schemes: &'static [&'static str],
) -> impl Fn(&str) -> Result<Secret, String> {
    move |text| {
        let known = |scheme: &&str| {
            text.strip_prefix(*scheme)
                .and_then(|rest| rest.strip_prefix(':'))
                .is_some_and(|rest| !rest.trim_matches('/').is_empty())
        };
        if schemes.iter().any(known) {
            Ok(Secret::new(text))
        } else {
            let list: Vec<String> = schemes.iter().map(|s| format!("{s}://")).collect();
            Err(format!(
                "must be a URL that starts with {}",
                list.join(", ")
            ))
        }
    }
}

/// A secret of at least `least` characters that is no published default.
pub(super) fn secret(least: usize) -> impl Fn(&str) -> Result<Secret, String> {
    move |text| {
        if is_published(text) {
            Err("is a published default; choose one of your own, for instance with `openssl rand -hex 32`".to_owned())
        } else if text.chars().count() < least {
            Err(format!("must have at least {least} characters"))
        } else {
            Ok(Secret::new(text))
        }
    }
}

/// Whether a secret is one that stands in somebody's sample file.
fn is_published(text: &str) -> bool {
    const WORDS: [&str; 14] = [
        "admin",
        "administrator",
        "default",
        "example",
        "password",
        "passwd",
        "placeholder",
        "postgres",
        "root",
        "secret",
        "switchyard",
        "test",
        "token",
        "123456",
    ];
    const PARTS: [&str; 8] = [
        "changeme",
        "youradmintoken",
        "yoursecret",
        "yourpassword",
        "yoursecurepassword",
        "yourtoken",
        "yourkey",
        "replaceme",
    ];
    let plain: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    WORDS.contains(&plain.as_str()) || PARTS.iter().any(|part| plain.contains(part))
}
