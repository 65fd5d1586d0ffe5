//! The scanner against generated and broken JSON.
