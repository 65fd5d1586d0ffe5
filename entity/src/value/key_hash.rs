//! Client keys: how they are made and how they are kept.
//!
//! A key has 256 bits of randomness, so a fast keyed hash is enough: there is nothing to guess offline, and without the
//! hashing key a stolen table cannot even be checked against a key seen elsewhere.

use aws_lc_rs::{hmac, rand};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{Secret, hex};

/// HMAC-SHA256 of a client key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

/// Hashes client keys with the installation's own secret.
pub struct KeyHasher {
    key: hmac::Key,
    /// What `key` was made of, for a backup.
    bytes: [u8; 32],
}

/// Characters of a hasher's mark.
const MARK: usize = 16;

/// A new client key: `sk-` and 43 characters.
///
/// # Panics
/// When the operating system has no randomness to give.
#[must_use]
pub fn mint_key() -> String {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the operating system provides randomness");
    format!("sk-{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

// === impl KeyHash ===

impl KeyHash {
    /// Lower-case hexadecimal, as stored.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(&self.0)
    }

    /// Reads the stored form; `None` when it is not one.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        hex::decode(text).map(Self)
    }
}

// === impl KeyHasher ===

impl KeyHasher {
    /// A hasher for this installation. `secret` is its master secret; the hashing key is derived from it.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derived = hmac::sign(&master, b"switchyard/client-key/v1");
        let mut bytes = [0; 32];
        bytes.copy_from_slice(derived.as_ref());
        Self::of(bytes)
    }

    fn of(bytes: [u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &bytes),
            bytes,
        }
    }

    /// The hasher whose [`KeyHasher::secret`] this is; `None` when it is nobody's.
    #[must_use]
    pub fn from_secret(secret: &Secret) -> Option<Self> {
        KeyHash::from_hex(secret.expose()).map(|hash| Self::of(hash.0))
    }

    /// What it hashes with, for another installation that is to know the same keys.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::new(KeyHash(self.bytes).to_hex())
    }

    /// Tells hashers apart, and tells nothing else.
    #[must_use]
    pub fn mark(&self) -> String {
        let mut mark = self.hash("switchyard/key-hasher/v1").to_hex();
        mark.truncate(MARK);
        mark
    }

    /// The hash of a presented key.
    #[must_use]
    pub fn hash(&self, key: &str) -> KeyHash {
        let tag = hmac::sign(&self.key, key.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        KeyHash(bytes)
    }
}

impl std::fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_random_and_hash_to_what_is_stored() {
        let (a, b) = (mint_key(), mint_key());
        assert!(a.starts_with("sk-") && a.len() >= 43 && a != b);
        let hasher = KeyHasher::new(b"one");
        let hash = hasher.hash(&a);
        assert_eq!(KeyHash::from_hex(&hash.to_hex()), Some(hash));
        assert_ne!(hash, hasher.hash(&b));
        assert_ne!(hash, KeyHasher::new(b"two").hash(&a));
        assert_eq!(KeyHash::from_hex("nothing"), None);
        let elsewhere = KeyHasher::from_secret(&hasher.secret()).unwrap();
        assert_eq!(
            (elsewhere.hash(&a), elsewhere.mark()),
            (hash, hasher.mark())
        );
        assert_ne!(hasher.mark(), KeyHasher::new(b"two").mark());
        assert!(KeyHasher::from_secret(&Secret::new("nothing")).is_none());
    }
}
