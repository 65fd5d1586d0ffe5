//! The one place where paths, the guard and the pages are nested.

use std::sync::Arc;

use poem::{Endpoint, Route, handler, web::Json};
use serde_json::json;

use crate::Admin;

/// Everything below one endpoint.
pub fn build(admin: Arc<Admin>) -> impl Endpoint + 'static {
    use poem::EndpointExt;
    Route::new().at("/api/health/live", live).data(admin)
}

#[handler]
fn live() -> Json<serde_json::Value> {
    Json(json!({"status": "ok"}))
}
