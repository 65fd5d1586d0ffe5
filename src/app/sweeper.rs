//! The background task that lets go of idle connections to providers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::runtime::Stop;
use crate::proxy::Connections;

/// How long one that its server has closed may be kept.
const TICK: Duration = Duration::from_secs(1);

/// Sweeps until told to stop.
pub async fn run(connections: Arc<Connections>, mut stop: Stop) {
    // An error means that nobody is left who could say stop.
    while timeout(TICK, stop.wait_for(|stop| *stop)).await.is_err() {
        connections.sweep(Instant::now());
    }
}
