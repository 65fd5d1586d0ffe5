//! Which headers an admin may add to a provider's requests.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};

use crate::problem::Mistake;

/// Headers that are the gateway's own: credentials, addressing, and those that belong to one connection.
const OWN_HEADERS: [&str; 20] = [
    "accept-encoding",
    "api-key",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-api-key",
    "x-goog-api-key",
];

/// Words that names of headers with secrets have in them.
const SECRET_WORDS: [&str; 7] = [
    "auth",
    "cookie",
    "credential",
    "key",
    "password",
    "secret",
    "token",
];

/// Whether a header's value is likely a secret, going by its name.
pub fn may_be_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Mistakes of `customHeaders`.
pub fn check(headers: &BTreeMap<String, String>, out: &mut Vec<Mistake>) {
    let mut seen = Vec::new();
    for (name, value) in headers {
        let at = format!("customHeaders.{name}");
        let lower = name.to_ascii_lowercase();
        if name.parse::<HeaderName>().is_err() {
            out.push(Mistake::new(at, "invalid", "is not a header name"));
        } else if OWN_HEADERS.contains(&lower.as_str()) {
            out.push(Mistake::new(
                at,
                "not_allowed",
                "is set by the gateway itself",
            ));
        } else if HeaderValue::from_str(value).is_err() {
            out.push(Mistake::new(
                at,
                "invalid",
                "has a value no header can have",
            ));
        } else if seen.contains(&lower) {
            out.push(Mistake::new(
                at,
                "repeated",
                "is given twice in different case",
            ));
        }
        seen.push(lower);
    }
}
