//! Why a journey ends before its answer.

use pingora::prelude::Error;

use crate::domain::refusal::Refusal;

/// Why a journey ends before its answer.
pub enum Stop {
    /// We say no.
    Refused(Refusal),
    /// The connection is of no more use.
    Broken(Box<Error>),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Box<Error>> for Stop {
    fn from(e: Box<Error>) -> Self {
        Self::Broken(e)
    }
}
