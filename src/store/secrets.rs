//! The installation's secret and the admin token.
//!
//! Both may be given. What is not given is made at the first start and kept in the data directory, in files that only their owner can
//! read: `secret.key` holds the secret itself, `admin-token.hash` only a keyed hash. A file appears whole or not at all: it is written
//! and synced under another name and then linked to its own, which fails if somebody else was first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::{constant_time, rand};
use entity::value::{KeyHash, KeyHasher, Sealer, Secret, hex};

const SECRET_FILE: &str = "secret.key";
const TOKEN_FILE: &str = "admin-token.hash";

/// Sets the admin token's hash apart from those of client keys.
const TOKEN_DOMAIN: &str = "admin-token:";

/// What everything secret is checked or opened with.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Seals and opens stored credentials.
    pub sealer: Arc<Sealer>,
    /// Hashes client keys.
    pub hasher: Arc<KeyHasher>,
    /// Hash of the admin token; see [`Secrets::is_admin_token`].
    pub admin_token_hash: KeyHash,
}

/// An admin token made just now. It is kept nowhere: who does not print it has lost it.
#[derive(Debug)]
pub struct GeneratedToken(Secret);

// === impl Secrets ===

impl Secrets {
    /// Takes what is given and what the data directory holds, and makes what neither has.
    ///
    /// # Errors
    /// When a file cannot be read or written, is readable by others, or is not what it should be.
    pub fn open(
        data_dir: &Path,
        secret_key: Option<&Secret>,
        admin_token: Option<&Secret>,
    ) -> io::Result<(Self, Option<GeneratedToken>)> {
        super::make_data_dir(data_dir)?;
        let master = match secret_key {
            Some(given) => given.clone(),
            None => kept_secret(&data_dir.join(SECRET_FILE))?,
        };
        let hasher = KeyHasher::new(master.expose().as_bytes());
        let (admin_token_hash, generated) = match admin_token {
            Some(given) => (token_hash(&hasher, given.expose()), None),
            None => kept_token(&data_dir.join(TOKEN_FILE), &hasher)?,
        };
        let secrets = Self {
            sealer: Arc::new(Sealer::new(master.expose().as_bytes())),
            hasher: Arc::new(hasher),
            admin_token_hash,
        };
        Ok((secrets, generated))
    }

    /// What hashes client keys and seals credentials in an installation that was started before; makes nothing. None where it was not.
    ///
    /// # Errors
    /// When the file cannot be read, is readable by others, or is not what it should be.
    pub fn find(
        data_dir: &Path,
        secret_key: Option<&Secret>,
    ) -> io::Result<Option<(KeyHasher, Sealer)>> {
        let path = data_dir.join(SECRET_FILE);
        let master = match secret_key {
            Some(given) => given.clone(),
            None if path.exists() => kept_secret(&path)?,
            None => return Ok(None),
        };
        let master = master.expose().as_bytes();
        Ok(Some((KeyHasher::new(master), Sealer::new(master))))
    }

    /// Whether `presented` is the admin token, in time that does not depend on how much of it is right.
    #[must_use]
    pub fn is_admin_token(&self, presented: &str) -> bool {
        let presented = token_hash(&self.hasher, presented).to_hex();
        let expected = self.admin_token_hash.to_hex();
        constant_time::verify_slices_are_equal(presented.as_bytes(), expected.as_bytes()).is_ok()
    }
}

// === impl GeneratedToken ===

impl GeneratedToken {
    /// The token, for the one place that prints it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

fn token_hash(hasher: &KeyHasher, token: &str) -> KeyHash {
    hasher.hash(&format!("{TOKEN_DOMAIN}{token}"))
}

fn kept_secret(path: &Path) -> io::Result<Secret> {
    let is_secret = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(text) = read_private(path)? {
        return if is_secret(&text) {
            Ok(Secret::new(text))
        } else {
            Err(bad(
                path,
                "is damaged; restore it from a backup, or remove it and enter every provider's credential again",
            ))
        };
    }
    let made = random_hex()?;
    if write_private(path, &made)? {
        return Ok(Secret::new(made));
    }
    // Another process made it in this moment; its secret is the installation's.
    read_private(path)?
        .filter(|text| is_secret(text))
        .map(Secret::new)
        .ok_or_else(|| bad(path, "was made and removed again by another process"))
}

/// The file holds `v1:`, a mark of the secret the hash was made with, and the hash.
fn kept_token(path: &Path, hasher: &KeyHasher) -> io::Result<(KeyHash, Option<GeneratedToken>)> {
    let mark = &hasher.hash("switchyard/mark/v1").to_hex()[..16];
    if let Some(text) = read_private(path)? {
        let (kept_mark, hash) = text
            .strip_prefix("v1:")
            .and_then(|rest| rest.split_once(':'))
            .and_then(|(kept_mark, hex)| Some((kept_mark, KeyHash::from_hex(hex)?)))
            .ok_or_else(|| bad(path, "is damaged; remove it to have a new admin token made"))?;
        return if kept_mark == mark {
            Ok((hash, None))
        } else {
            Err(bad(
                path,
                "was made with another SECRET_KEY; remove it to have a new admin token made",
            ))
        };
    }
    let token = format!("sw-{}", random_hex()?);
    let hash = token_hash(hasher, &token);
    if write_private(path, &format!("v1:{mark}:{}", hash.to_hex()))? {
        Ok((hash, Some(GeneratedToken(Secret::new(token)))))
    } else {
        Err(bad(
            path,
            "was made by another process in this moment; start again",
        ))
    }
}

/// The text of a file that nobody else can read; `None` when there is none.
fn read_private(path: &Path) -> io::Result<Option<String>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(bad_because(path, &e)),
    };
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o177 != 0 {
        let what = format!(
            "has mode {mode:04o} and may have been read by others: run `chmod 600 {}`",
            path.display()
        );
        return Err(bad(path, &what));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)
        .map_err(|e| bad_because(path, &e))?;
    Ok(Some(text.trim_end().to_owned()))
}

/// Writes a file that is not there yet; false when it is.
fn write_private(path: &Path, text: &str) -> io::Result<bool> {
    let unique = path.with_extension(format!("new-{}", random_hex()?));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unique)
        .and_then(|mut file| {
            writeln!(file, "{text}")?;
            file.sync_all()
        })
        .and_then(|()| fs::hard_link(&unique, path));
    let _ = fs::remove_file(&unique);
    match written {
        Ok(()) => {
            sync_parent(path)?;
            Ok(true)
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(bad_because(path, &e)),
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent()
        .map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

fn random_hex() -> io::Result<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes)
        .map_err(|_| io::Error::other("the operating system provides no randomness"))?;
    Ok(hex::encode(&bytes))
}

fn bad(path: &Path, what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{} {what}", path.display()),
    )
}

fn bad_because(path: &Path, e: &io::Error) -> io::Error {
    io::Error::new(e.kind(), format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_first_start_makes_what_the_next_ones_find() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("a/data");
        let (first, token) = Secrets::open(&data, None, None).unwrap();
        let token = token.unwrap();
        assert_eq!(mode(&data), 0o700);
        assert_eq!(mode(&data.join(SECRET_FILE)), 0o600);
        assert_eq!(mode(&data.join(TOKEN_FILE)), 0o600);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 2);
        let kept = fs::read_to_string(data.join(TOKEN_FILE)).unwrap();
        assert!(!kept.contains(token.expose().trim_start_matches("sw-")));

        let (second, none) = Secrets::open(&data, None, None).unwrap();
        assert!(none.is_none());
        let (found, _) = Secrets::find(&data, None).unwrap().unwrap();
        assert_eq!(found.hash("sk-1"), first.hasher.hash("sk-1"));
        let elsewhere = dir.path().join("b");
        assert!(Secrets::find(&elsewhere, None).unwrap().is_none() && !elsewhere.exists());
        assert!(first.is_admin_token(token.expose()) && second.is_admin_token(token.expose()));
        assert!(!second.is_admin_token("") && !second.is_admin_token(&token.expose()[1..]));
        let sealed = first.sealer.seal("place", &Secret::new("credential"));
        assert!(second.sealer.open("place", &sealed).is_ok());
        assert_eq!(first.hasher.hash("sk-1"), second.hasher.hash("sk-1"));
        assert_ne!(first.hasher.hash(token.expose()), first.admin_token_hash);
    }

    #[test]
    fn what_is_given_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let key = Secret::new("0123456789abcdef0123456789abcdef");
        let token = Secret::new("given-admin-token");
        let (secrets, none) = Secrets::open(dir.path(), Some(&key), Some(&token)).unwrap();
        assert!(none.is_none() && secrets.is_admin_token("given-admin-token"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        Secrets::open(dir.path(), None, None).unwrap();
        let path = dir.path().join(SECRET_FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = Secrets::open(dir.path(), None, None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("mode 0640") && error.contains("chmod 600"),
            "{error}"
        );
    }

    #[test]
    fn a_damaged_or_foreign_file_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        Secrets::open(dir.path(), None, None).unwrap();
        let key = Secret::new("0123456789abcdef0123456789abcdef");
        let error = Secrets::open(dir.path(), Some(&key), None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("another SECRET_KEY"), "{error}");
        fs::write(dir.path().join(SECRET_FILE), "short").unwrap();
        let error = Secrets::open(dir.path(), None, None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("secret.key is damaged"), "{error}");
    }
}
