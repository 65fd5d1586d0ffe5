//! What a status means for the next step: pass it on, or try elsewhere.

use crate::domain::fault::Fault;

/// Attempts of one request in all, whatever the providers' own numbers say.
pub const MAX_ATTEMPTS: u32 = 12;

/// Whose fault an upstream's status is; `None` when the answer is good.
///
/// 401, 402 and 403 are about the credential *we* presented, never about the client's. 404 is read as "no such model here", because the
/// paths are ours and known to exist. 408, 425, 429 and 5xx are the provider's troubles; what is left of 4xx is
/// about the request itself, which no other provider would take either.
#[must_use]
pub fn fault_of_status(status: u16) -> Option<Fault> {
    match status {
        401..=403 => Some(Fault::Key),
        404 => Some(Fault::Model),
        408 | 425 | 429 | 500.. => Some(Fault::Provider),
        400..=499 => Some(Fault::Client),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_faults_that_are_not_the_clients_move_on() {
        let moves = |status| fault_of_status(status).is_some_and(Fault::moves_on);
        for status in [401, 402, 403, 404, 429, 500, 502, 503, 529] {
            assert!(moves(status), "{status}");
        }
        for status in [200, 204, 304, 400, 405, 413, 422] {
            assert!(!moves(status), "{status}");
        }
    }
}
