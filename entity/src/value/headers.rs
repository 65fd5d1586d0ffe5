//! Headers that are added to a provider's requests: which may be, which of them are likely secrets, and how those are kept.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

use super::secret::{BadSeal, Sealed, Sealer, Secret};

/// Header names and values, as stored. A value that is likely a secret is sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Headers(BTreeMap<String, Kept>);

/// A value, as stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Kept {
    Plain(String),
    Sealed { sealed: Sealed },
}

/// Why a header cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHeader {
    /// It is none.
    #[error("is not a header name")]
    Name,
    /// It is one of the gateway's own.
    #[error("is set by the gateway itself")]
    Own,
    /// No header can have the value.
    #[error("has a value no header can have")]
    Value,
}

/// Where a value is sealed for.
const PLACE: &str = "provider/header";

/// Headers that are the gateway's own: credentials, addressing, and those that belong to one connection.
const OWN: [&str; 20] = [
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
const SECRET_WORDS: [&str; 9] = [
    "auth",
    "cookie",
    "credential",
    "key",
    "passwd",
    "password",
    "secret",
    "signature",
    "token",
];

/// How values that are secrets begin, whatever their header is called.
const SECRET_BEGINNINGS: [&str; 4] = ["bearer ", "basic ", "sk-", "eyj"];

/// Whether a header may be added.
///
/// # Errors
/// Says why not.
pub fn check_header(name: &str, value: &str) -> Result<(), BadHeader> {
    if name.parse::<HeaderName>().is_err() {
        Err(BadHeader::Name)
    } else if OWN.contains(&name.to_ascii_lowercase().as_str()) {
        Err(BadHeader::Own)
    } else if HeaderValue::from_str(value).is_err() {
        Err(BadHeader::Value)
    } else {
        Ok(())
    }
}

/// Whether a header's value is likely a secret: going by its name, by how it begins, or because it is an address that holds one.
#[must_use]
pub fn is_secret_header(name: &str, value: &str) -> bool {
    let (name, value) = (name.to_ascii_lowercase(), value.to_ascii_lowercase());
    has_secret_word(&name)
        || SECRET_BEGINNINGS
            .iter()
            .any(|begin| value.starts_with(begin))
        || is_secret_address(&value)
}

/// An address with credentials in it, or with a query that has a secret's name.
fn is_secret_address(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let mut names = query.split('&').filter_map(|pair| pair.split('=').next());
    authority.contains('@') || names.any(has_secret_word)
}

fn has_secret_word(text: &str) -> bool {
    SECRET_WORDS.iter().any(|word| text.contains(word))
}

// === impl Headers ===

impl Headers {
    /// Keeps headers.
    #[must_use]
    pub fn keep(headers: BTreeMap<String, String>, sealer: &Sealer) -> Self {
        let kept = headers.into_iter().map(|(name, value)| {
            let kept = if is_secret_header(&name, &value) {
                let sealed = sealer.seal(PLACE, &Secret::new(value));
                Kept::Sealed { sealed }
            } else {
                Kept::Plain(value)
            };
            (name, kept)
        });
        Self(kept.collect())
    }

    /// Other headers in their place. Where a secret's mask comes back, as [`Headers::show`] made it, the secret stays.
    #[must_use]
    pub fn replace(
        &self,
        headers: BTreeMap<String, String>,
        sealer: &Sealer,
        mask: impl Fn(Option<&Secret>) -> String,
    ) -> Self {
        let shown = self.show(sealer, mask);
        let stays = |name: &str, value: &str| {
            let mut kept = self.0.iter();
            let (known, kept) = kept.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
            (shown.get(known).map(String::as_str) == Some(value)).then(|| kept.clone())
        };
        let (staying, new): (BTreeMap<_, _>, BTreeMap<_, _>) = headers
            .into_iter()
            .partition(|(name, value)| stays(name, value).is_some());
        let mut replaced = Self::keep(new, sealer);
        for (name, value) in staying {
            let kept = stays(&name, &value).unwrap_or(Kept::Plain(value));
            replaced.0.insert(name, kept);
        }
        replaced
    }

    /// The headers in the clear, for the requests they are added to.
    ///
    /// # Errors
    /// When one was sealed by another installation, or is damaged.
    pub fn open(&self, sealer: &Sealer) -> Result<BTreeMap<String, String>, BadSeal> {
        let opened = self.0.iter().map(|(name, kept)| {
            let value = match kept {
                Kept::Plain(value) => value.clone(),
                Kept::Sealed { sealed } => sealer.open(PLACE, sealed)?.expose().to_owned(),
            };
            Ok((name.clone(), value))
        });
        opened.collect()
    }

    /// The headers for people: what is likely a secret is what `mask` makes of it, or of none where it cannot be opened.
    pub fn show(
        &self,
        sealer: &Sealer,
        mask: impl Fn(Option<&Secret>) -> String,
    ) -> BTreeMap<String, String> {
        let shown = self.0.iter().map(|(name, kept)| {
            let value = match kept {
                // It was kept before such values were sealed.
                Kept::Plain(value) if is_secret_header(name, value) => {
                    mask(Some(&Secret::new(value.as_str())))
                }
                Kept::Plain(value) => value.clone(),
                Kept::Sealed { sealed } => mask(sealer.open(PLACE, sealed).ok().as_ref()),
            };
            (name.clone(), value)
        });
        shown.collect()
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_one() {
        for (name, value) in [
            ("X-Relay-Token", "a"),
            ("x-subscription-KEY", "a"),
            ("x-session-cookie", "a"),
            ("x-custom", "Bearer abc"),
            ("x-custom", "sk-abc"),
            ("x-next", "http://me:secret@gate/"),
            ("x-next", "https://relay/v1?a=1&api_key=2"),
        ] {
            assert!(is_secret_header(name, value), "{name}: {value}");
        }
        for (name, value) in [
            ("x-team", "blue"),
            ("referer", "https://example.com/a@b?page=1"),
            ("user-agent", "relay/1.0"),
        ] {
            assert!(!is_secret_header(name, value), "{name}: {value}");
        }
    }

    #[test]
    fn secrets_are_sealed_and_masked_and_still_sent() {
        let sealer = Sealer::new(b"master");
        let headers: BTreeMap<_, _> = [("x-team", "blue"), ("x-relay-token", "t0p")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let kept = Headers::keep(headers.clone(), &sealer);
        let stored = serde_json::to_string(&kept).unwrap();
        assert!(
            stored.contains("blue") && !stored.contains("t0p"),
            "{stored}"
        );
        assert!(!format!("{kept:?}").contains("t0p"));
        let read: Headers = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.open(&sealer).unwrap(), headers);
        assert!(read.open(&Sealer::new(b"other")).is_err());
        let shown = read.show(&sealer, |secret| format!("masked {}", secret.is_some()));
        assert_eq!(
            (shown["x-team"].as_str(), shown["x-relay-token"].as_str()),
            ("blue", "masked true")
        );
        let shown = read.show(&Sealer::new(b"other"), |secret| {
            format!("masked {}", secret.is_some())
        });
        assert_eq!(shown["x-relay-token"], "masked false");
    }

    #[test]
    fn what_was_kept_in_the_clear_is_read_and_masked() {
        let sealer = Sealer::new(b"master");
        let old: Headers = serde_json::from_str(r#"{"x-relay-token":"t0p"}"#).unwrap();
        assert_eq!(old.open(&sealer).unwrap()["x-relay-token"], "t0p");
        assert_eq!(old.show(&sealer, |_| "..".into())["x-relay-token"], "..");
    }

    #[test]
    fn the_gateways_own_headers_cannot_be_added() {
        assert_eq!(check_header("X-Team", "blue"), Ok(()));
        for (name, value, why) in [
            ("Authorization", "a", BadHeader::Own),
            ("two words", "a", BadHeader::Name),
            ("x-team", "a\nb", BadHeader::Value),
        ] {
            assert_eq!(check_header(name, value), Err(why));
        }
    }
}
