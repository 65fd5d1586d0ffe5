//! What a failed attempt means for the next step: whose fault it was, and when to try again.

mod backoff;
mod blame;

pub use self::backoff::{PATIENCE, pause, retry_after};
pub use self::blame::{Blame, classify};

use crate::domain::fault::Fault;

/// Attempts of one request in all, whatever the providers' own numbers say.
pub const MAX_ATTEMPTS: u32 = 12;

/// Whose fault an upstream's status is; `None` when the answer is good. [`classify`] knows better once the body is there.
///
/// 401, 402 and 403 are about the credential *we* presented, never about the client's. 404 is read as "no such model here", because the
/// paths are ours and known to exist. 408, 409, 425, 429 and 5xx are the provider's troubles, and so are a 499, for the client
/// that went away was us, and a redirect, which is not followed. What is left of 4xx is about the request itself, which no
/// other provider would take either.
#[must_use]
pub fn fault_of_status(status: u16) -> Option<Fault> {
    match status {
        200..=299 | 304 => None,
        401..=403 => Some(Fault::Key),
        404 => Some(Fault::Model),
        408 | 409 | 425 | 429 | 499 => Some(Fault::Provider),
        400..=498 => Some(Fault::Client),
        _ => Some(Fault::Provider),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_faults_that_are_not_the_clients_move_on() {
        let moves = |status| fault_of_status(status).is_some_and(Fault::moves_on);
        for status in [
            100, 301, 302, 307, 401, 402, 403, 404, 408, 409, 429, 499, 500, 502, 503, 529, 600,
        ] {
            assert!(moves(status), "{status}");
        }
        for status in [200, 204, 304, 400, 405, 413, 422, 451] {
            assert!(!moves(status), "{status}");
        }
    }
}
