//! Floor 2: the wire. Bytes to types and back for every client protocol; no IO, no async, no clock.
//!
//! A request passes `endpoint`, `credential`, `encoding`, `peek`, `include_usage` and `patch`; its answer passes `meter` (over `sse` and
//! `scan`), and `judge` where it is no stream. What the gateway says itself is written by `reply`, `limit` and `models`; what it asks
//! providers itself by `trial`.

mod block;
pub mod credential;
pub mod encoding;
pub mod endpoint;
pub mod include_usage;
pub mod judge;
pub mod limit;
pub mod meter;
pub mod models;
pub mod notify;
pub mod patch;
pub mod peek;
pub mod percent;
pub mod prefix;
pub mod reply;
pub mod scan;
pub mod sse;
pub mod trial;
