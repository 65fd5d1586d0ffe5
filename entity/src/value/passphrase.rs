//! A sealer made of a passphrase, for what leaves the installation: a backup opens wherever its passphrase is known.
//!
//! A passphrase is guessed offline by whoever has the backup, so the key is derived by Argon2id, which makes every guess cost memory and
//! time. What it costs stands in the backup beside the salt, so that a later version can ask for more and still open what is old. A backup is
//! a file that somebody may have changed: figures that would exhaust the machine are refused before any of them is used.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::rand;

use super::secret::{Sealer, Secret};

/// How a key is derived from a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Derivation {
    /// KiB of memory, 8 a lane at least.
    pub memory_kib: u32,
    /// Times over that memory.
    pub passes: u32,
    /// Lanes, computed one after another here.
    pub lanes: u32,
    /// Random, drawn for each backup.
    pub salt: [u8; SALT],
}

/// Figures that are none, or more than is borne.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "asks for a derivation that is not possible, or of more than 256 MiB, 16 passes or 16 lanes"
)]
pub struct BadDerivation;

/// Bytes of a salt.
pub const SALT: usize = 16;

/// Twice what OWASP's password storage cheat sheet asks for at least (19 MiB, two passes, one lane): a backup is opened seldom.
const MEMORY_KIB: u32 = 38 * 1024;
const PASSES: u32 = 2;

const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 16;

// === impl Derivation ===

impl Derivation {
    /// Today's figures with a salt of its own.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn draw() -> Self {
        let mut salt = [0; SALT];
        rand::fill(&mut salt).expect("the operating system provides randomness");
        Self {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: 1,
            salt,
        }
    }

    /// The sealer that a passphrase makes. It takes a noticeable time, and the memory it says: not for a task that others wait for.
    ///
    /// # Errors
    /// When the figures are not ones to follow.
    pub fn sealer(&self, passphrase: &Secret) -> Result<Sealer, BadDerivation> {
        let is_borne = self.memory_kib <= MOST_MEMORY_KIB
            && self.passes <= MOST_PASSES
            && self.lanes <= MOST_LANES;
        if !is_borne {
            return Err(BadDerivation);
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| BadDerivation)?;
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose().as_bytes(), &self.salt, &mut key)
            .map_err(|_| BadDerivation)?;
        Ok(Sealer::with_key(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap(salt: u8) -> Derivation {
        Derivation {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
            salt: [salt; SALT],
        }
    }

    #[test]
    fn only_the_passphrase_and_its_salt_open_what_they_sealed() {
        let passphrase = Secret::new("correct horse");
        let secret = Secret::new("sk-upstream");
        let sealed = cheap(1)
            .sealer(&passphrase)
            .unwrap()
            .seal("backup", &secret);
        let open = |derivation: Derivation, passphrase: &str| {
            let sealer = derivation.sealer(&Secret::new(passphrase)).unwrap();
            sealer.open("backup", &sealed).ok()
        };
        assert_eq!(open(cheap(1), "correct horse"), Some(secret));
        assert_eq!(open(cheap(1), "correct horsE"), None);
        assert_eq!(open(cheap(2), "correct horse"), None);
        assert_ne!(Derivation::draw().salt, Derivation::draw().salt);
    }

    #[test]
    fn todays_figures_are_possible() {
        assert!(Derivation::draw().sealer(&Secret::new("p")).is_ok());
    }

    #[test]
    fn figures_that_would_exhaust_the_machine_are_refused() {
        let secret = Secret::new("p");
        for bad in [
            Derivation {
                memory_kib: u32::MAX,
                ..cheap(1)
            },
            Derivation {
                passes: u32::MAX,
                ..cheap(1)
            },
            Derivation {
                lanes: 1 << 20,
                ..cheap(1)
            },
            Derivation {
                memory_kib: 1,
                ..cheap(1)
            },
            Derivation {
                passes: 0,
                ..cheap(1)
            },
        ] {
            assert!(bad.sealer(&secret).is_err(), "{bad:?}");
        }
    }
}
