//! Switchyard: a self-hosted gateway for AI coding traffic.
//!
//! Modules, lowest floor first. An arrow only ever points down; `tests/it/floors.rs` keeps it so.
//!
//! | floor | modules | what they know |
//! |---|---|---|
//! | 5 | `app` | the wiring |
//! | 4 | `proxy` | Pingora's hooks |
//! | 3 | `policy` | decisions |
//! | 2 | `wire`, `store` | bytes and types; the database |
//! | 1 | `domain`, `settings`, `telemetry`, `mock` | what is talked about; leaves |
//! | 0 | crates `entity`, `migration` | tables |

pub mod app;
pub mod domain;
pub mod mock;
pub mod policy;
pub mod proxy;
pub mod settings;
pub mod store;
pub mod telemetry;
pub mod wire;
