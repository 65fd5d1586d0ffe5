//! `/notifications`: where messages go, what is told, and what was sent.

pub mod deliveries;
mod object;
mod rule_input;
pub mod rules;
mod target_input;
pub mod targets;
