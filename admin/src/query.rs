//! Read models: lists by keyset, never by offset, and without counting.

pub mod audit;
pub mod lists;
pub mod notifications;
pub mod page;
pub mod prices;
pub mod requests;
pub mod sessions;
pub mod usage;
