//! What a target's messages are sent with. All of it is secret: of most platforms the address alone lets anybody write to the group.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::value::{BadSeal, Sealed, Sealer, Secret};

/// What it is sealed for.
const PLACE: &str = "notification_target/credentials";

/// An address and what goes with it. Sealed as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetCredentials {
    /// Where messages are sent; none for the platform's own address.
    pub url: Option<Secret>,
    /// What messages are signed with.
    pub secret: Option<Secret>,
    /// A bot's token.
    pub bot_token: Option<Secret>,
    /// Headers of a webhook, by name.
    pub headers: BTreeMap<String, Secret>,
}

// === impl TargetCredentials ===

impl TargetCredentials {
    /// Seals them.
    #[must_use]
    pub fn seal(&self, sealer: &Sealer) -> Sealed {
        let headers = self.headers.iter();
        let headers: BTreeMap<&str, &str> = headers
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        let whole = json!({
            "url": text(self.url.as_ref()),
            "secret": text(self.secret.as_ref()),
            "botToken": text(self.bot_token.as_ref()),
            "headers": headers,
        });
        sealer.seal(PLACE, &Secret::new(whole.to_string()))
    }

    /// Opens what was sealed.
    ///
    /// # Errors
    /// When it was sealed by another installation, or is damaged.
    pub fn open(sealer: &Sealer, sealed: &Sealed) -> Result<Self, BadSeal> {
        let whole = sealer.open(PLACE, sealed)?;
        let whole: Value = serde_json::from_str(whole.expose()).map_err(|_| BadSeal)?;
        let secret = |value: &Value| value.as_str().map(Secret::new);
        let headers = whole["headers"].as_object().into_iter().flatten();
        Ok(Self {
            url: secret(&whole["url"]),
            secret: secret(&whole["secret"]),
            bot_token: secret(&whole["botToken"]),
            headers: headers
                .filter_map(|(name, value)| Some((name.clone(), secret(value)?)))
                .collect(),
        })
    }

    /// Everything in them that must not be shown.
    pub fn all(&self) -> impl Iterator<Item = &Secret> {
        [&self.url, &self.secret, &self.bot_token]
            .into_iter()
            .flatten()
            .chain(self.headers.values())
    }
}

fn text(secret: Option<&Secret>) -> Option<&str> {
    secret.map(Secret::expose)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_as_it_was_and_shows_nothing() {
        let sealer = Sealer::new(b"master");
        let whole = TargetCredentials {
            url: Some(Secret::new("https://hook.example/f00d")),
            secret: None,
            bot_token: Some(Secret::new("1:f00d")),
            headers: [("x-key".to_owned(), Secret::new("f00d"))].into(),
        };
        let sealed = whole.seal(&sealer);
        assert_eq!(TargetCredentials::open(&sealer, &sealed).unwrap(), whole);
        assert!(TargetCredentials::open(&Sealer::new(b"other"), &sealed).is_err());
        assert!(!format!("{whole:?} {sealed:?}").contains("f00d"));
        assert_eq!(whole.all().count(), 3);
    }
}
