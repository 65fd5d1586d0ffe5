//! A presented key becomes a [`Caller`], or a refusal that says what is wrong with it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::value::KeyHasher;

use crate::domain::caller::{Caller, Key};
use crate::domain::refusal::{Reason, Refusal};
use crate::store::snapshot::Snapshot;

/// Looks the key up and checks that it, and its user, may call now.
///
/// # Errors
/// One refusal per way a key can be no good; all of them are 401.
pub fn authenticate(
    snapshot: &Snapshot,
    hasher: &KeyHasher,
    presented: &str,
    now: DateTime<Utc>,
) -> Result<Caller, Refusal> {
    let key = snapshot
        .keys
        .get(&hasher.hash(presented))
        .or_else(|| restored(snapshot, presented))
        .ok_or_else(|| Refusal::new(Reason::InvalidKey, "This API key is not known here."))?;
    check(key, now)
}

/// A key that was hashed by an installation whose backup was restored here.
fn restored<'a>(snapshot: &'a Snapshot, presented: &str) -> Option<&'a Arc<Key>> {
    let mut origins = snapshot.key_origins.iter();
    origins.find_map(|hasher| snapshot.keys.get(&hasher.hash(presented)))
}

/// Whether a key, and its user, may call now.
///
/// # Errors
/// As [`authenticate`].
pub fn check(key: &Arc<Key>, now: DateTime<Utc>) -> Result<Caller, Refusal> {
    let user = &key.user;
    let is_over = |end: Option<DateTime<Utc>>| end.is_some_and(|end| end <= now);
    let problem = if !user.is_enabled {
        (Reason::UserDisabled, "This user is disabled.")
    } else if is_over(user.expires_at) {
        (Reason::UserExpired, "This user's access has expired.")
    } else if !key.is_enabled {
        (Reason::KeyDisabled, "This API key is disabled.")
    } else if is_over(key.expires_at) {
        (Reason::KeyExpired, "This API key has expired.")
    } else {
        return Ok(Caller { key: key.clone() });
    };
    Err(Refusal::new(problem.0, problem.1))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use entity::value::Limits;

    use crate::domain::caller::User;

    fn snapshot(hasher: &KeyHasher, change: impl FnOnce(&mut User, &mut KeyParts)) -> Snapshot {
        let mut user = User {
            id: 1,
            name: "ann".into(),
            is_enabled: true,
            expires_at: None,
            groups: vec![],
            allowed_models: vec![],
            allowed_clients: vec![],
            blocked_clients: vec![],
            limits: Limits::default(),
        };
        let mut parts = KeyParts {
            is_enabled: true,
            expires_at: None,
        };
        change(&mut user, &mut parts);
        let key = Key {
            id: 2,
            name: "laptop".into(),
            is_enabled: parts.is_enabled,
            expires_at: parts.expires_at,
            groups: vec![],
            parties: Arc::default(),
            user: Arc::new(user),
        };
        let mut snapshot = Snapshot::default();
        snapshot.keys.insert(hasher.hash("sk-good"), Arc::new(key));
        snapshot
    }

    struct KeyParts {
        is_enabled: bool,
        expires_at: Option<DateTime<Utc>>,
    }

    #[test]
    fn each_way_of_being_no_good_has_its_own_refusal() {
        let hasher = KeyHasher::new(b"test");
        let now = Utc::now();
        let past = Some(now - TimeDelta::seconds(1));
        let ask = |snapshot: &Snapshot, key: &str| {
            authenticate(snapshot, &hasher, key, now).map_err(|refusal| refusal.reason)
        };
        assert!(ask(&snapshot(&hasher, |_, _| ()), "sk-good").is_ok());
        let mut restored = snapshot(&KeyHasher::new(b"elsewhere"), |_, _| ());
        assert!(ask(&restored, "sk-good").is_err());
        restored.key_origins = vec![KeyHasher::new(b"third"), KeyHasher::new(b"elsewhere")];
        assert!(ask(&restored, "sk-good").is_ok() && ask(&restored, "sk-bad").is_err());
        let cases: [(Snapshot, &str, Reason); 5] = [
            (snapshot(&hasher, |_, _| ()), "sk-bad", Reason::InvalidKey),
            (
                snapshot(&hasher, |u, _| u.is_enabled = false),
                "sk-good",
                Reason::UserDisabled,
            ),
            (
                snapshot(&hasher, |u, _| u.expires_at = past),
                "sk-good",
                Reason::UserExpired,
            ),
            (
                snapshot(&hasher, |_, k| k.is_enabled = false),
                "sk-good",
                Reason::KeyDisabled,
            ),
            (
                snapshot(&hasher, |_, k| k.expires_at = past),
                "sk-good",
                Reason::KeyExpired,
            ),
        ];
        for (snapshot, key, reason) in cases {
            assert_eq!(ask(&snapshot, key).unwrap_err(), reason);
        }
    }
}
