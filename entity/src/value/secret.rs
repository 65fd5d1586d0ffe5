//! Secrets in memory and at rest.
//!
//! At rest a credential is sealed with ChaCha20-Poly1305 under a key derived from the installation's master secret. What
//! the credential belongs to (its *place*, such as `provider/api_key`) is authenticated along with it, so that a sealed value
//! copied into another column does not open.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hmac, rand};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use sea_orm::DeriveValueType;
use serde::{Deserialize, Serialize};

/// A secret in the clear. It cannot be printed, logged or serialised; `expose` is the one way to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

/// A sealed secret, as stored: `v1:` and the Base64 of nonce and ciphertext.
#[derive(Clone, PartialEq, Eq, DeriveValueType, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

/// Seals and opens with the installation's key.
pub struct Sealer(LessSafeKey);

/// A sealed value that does not open: another installation's key, another place, or damage.
#[derive(Debug, thiserror::Error)]
#[error(
    "a stored credential cannot be opened: SECRET_KEY is not the one it was sealed with, or the value is damaged"
)]
pub struct BadSeal;

const VERSION: &str = "v1:";

// === impl Secret ===

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<Box<str>>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the one place that must send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(..)")
    }
}

// === impl Sealed ===

impl Sealed {
    /// What was written elsewhere. Whether it opens shows when it is opened.
    pub fn read(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// === impl Sealer ===

impl Sealer {
    /// A sealer for this installation. `secret` is its master secret; the sealing key is derived from it.
    ///
    /// # Panics
    /// Never: a 32-byte key is what the algorithm takes.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derived = hmac::sign(&master, b"switchyard/seal/v1");
        let mut key = [0; 32];
        key.copy_from_slice(derived.as_ref());
        Self::with_key(&key)
    }

    pub(super) fn with_key(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Seals `secret` for `place`.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn seal(&self, place: &str, secret: &Secret) -> Sealed {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).expect("the operating system provides randomness");
        let mut bytes = secret.expose().as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut bytes,
            )
            .expect("a credential is shorter than the algorithm's limit");
        let mut stored = nonce.to_vec();
        stored.append(&mut bytes);
        Sealed(format!(
            "{VERSION}{}",
            BASE64_STANDARD_NO_PAD.encode(stored)
        ))
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`BadSeal`] when it was not sealed by this installation for this place, or is damaged.
    pub fn open(&self, place: &str, sealed: &Sealed) -> Result<Secret, BadSeal> {
        let encoded = sealed.0.strip_prefix(VERSION).ok_or(BadSeal)?;
        let mut stored = BASE64_STANDARD_NO_PAD
            .decode(encoded)
            .map_err(|_| BadSeal)?;
        if stored.len() < NONCE_LEN {
            return Err(BadSeal);
        }
        let mut bytes = stored.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&stored).map_err(|_| BadSeal)?;
        let plain = self
            .0
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut bytes)
            .map_err(|_| BadSeal)?;
        let text = std::str::from_utf8(plain).map_err(|_| BadSeal)?;
        Ok(Secret::new(text))
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_here_and_in_its_place() {
        let sealer = Sealer::new(b"master");
        let secret = Secret::new("sk-upstream");
        let sealed = sealer.seal("provider/api_key", &secret);
        assert!(!sealed.0.contains("upstream"));
        assert_ne!(sealed, sealer.seal("provider/api_key", &secret));
        assert_eq!(sealer.open("provider/api_key", &sealed).unwrap(), secret);
        assert!(sealer.open("provider/proxy", &sealed).is_err());
        assert!(
            Sealer::new(b"other")
                .open("provider/api_key", &sealed)
                .is_err()
        );
    }

    #[test]
    fn a_secret_cannot_be_printed() {
        assert_eq!(format!("{:?}", Secret::new("sk-x")), "Secret(..)");
    }
}
