//! The adapter between the admin crate and the running gateway: implements its port over policy and store.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use admin::gateway::{Gateway, GatewayHealth, Part};
use admin::{Admin, Listen};
use async_trait::async_trait;
use sea_orm::DatabaseConnection;

use super::lifecycle::Lifecycle;
use crate::settings::Settings;
use crate::store::bus::Bus;
use crate::store::ledger::Ledger;
use crate::store::secrets::Secrets;
use crate::store::watch::Watch;

/// What the admin side may know and ask of the running gateway.
pub struct Control {
    db: DatabaseConnection,
    config: Arc<Watch>,
    bus: Bus,
    ledger: Arc<Ledger>,
    lifecycle: Lifecycle,
}

// === impl Control ===

impl Control {
    /// Over the running parts.
    pub fn new(
        db: DatabaseConnection,
        config: Arc<Watch>,
        bus: Bus,
        ledger: Arc<Ledger>,
        lifecycle: Lifecycle,
    ) -> Self {
        Self {
            db,
            config,
            bus,
            ledger,
            lifecycle,
        }
    }
}
