//! `/notifications`: where messages go, what is told, and what was sent.

pub mod deliveries;
pub mod object;
pub mod rule_input;
pub mod rules;
pub mod target_input;
pub mod targets;
