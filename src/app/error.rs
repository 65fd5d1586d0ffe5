//! Why a gateway does not start, in words for the person who started it.

/// Says which part does not start, and why.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;
