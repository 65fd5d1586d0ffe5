//! The one place where paths, the guard and the pages are nested, and where every error becomes an answer.

use std::{sync::Arc, time::Duration};

use poem::{
    Endpoint, EndpointExt, Error, IntoEndpoint, IntoResponse, Request, Response, Result, Route,
    endpoint::make_sync,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
};
use poem_openapi::OpenApiService;
use serde_json::Value;

use crate::{
    Admin, api,
    auth::guard::Guard,
    contract::Contract,
    document,
    problem::Problem,
    web::{self, Dashboard},
};

/// How long an answer may take, everything it waits for included.
const DEADLINE: Duration = Duration::from_secs(30);

/// The operations anybody may call; every other one needs at least a key.
const PUBLIC: [&str; 4] = ["getLiveness", "getReadiness", "getHealth", "login"];

/// Headers of every answer.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Everything below one endpoint.
pub fn build(admin: Arc<Admin>) -> impl Endpoint<Output = Response> + 'static {
    let service = OpenApiService::new(
        // A tuple has at most sixteen parts, so there are several.
        (
            (
                api::session::Api(admin.clone()),
                api::sessions::Api(admin.clone()),
                api::me::Api(admin.clone()),
                api::audit::Api(admin.clone()),
            ),
            (
                api::users::Api(admin.clone()),
                api::keys::Api(admin.clone()),
                api::lifecycle::Api(admin.clone()),
                api::providers::Api(admin.clone()),
                api::providers::trial::Api(admin.clone()),
                api::limits::Api(admin.clone()),
            ),
            api::groups::Api(admin.clone()),
            api::error_rules::Api(admin.clone()),
            api::breakers::Api(admin.clone()),
            api::routing::Api(admin.clone()),
            api::prices::Api(admin.clone()),
            (
                api::requests::Api(admin.clone()),
                api::live::Api::new(admin.clone()),
                api::usage::Api(admin.clone()),
            ),
            (
                api::notifications::targets::Api(admin.clone()),
                api::notifications::rules::Api(admin.clone()),
                api::notifications::deliveries::Api(admin.clone()),
            ),
            (
                api::settings::Api(admin.clone()),
                api::system::Api(admin.clone()),
                api::backup::Api(admin.clone()),
            ),
            api::health::Api(admin.clone()),
        ),
        "Switchyard admin API",
        admin.gateway.version(),
    )
    .description(include_str!("web/api.md"))
    .server("/");
    // The document is our own types written out: that it is JSON is not in doubt, and a test reads it.
    let written: Value = serde_json::from_str(&service.spec()).unwrap_or_default();
    let served = document::serve(&written).to_string();
    let gateway = admin.gateway.clone();
    let metrics = poem::get(make_sync(move |_| api::system::exposition(&*gateway)));
    let guard = Guard {
        inner: service.into_endpoint().map_to_response(),
        admin,
        contract: Arc::new(Contract::new(written, &PUBLIC)),
    };
    let dashboard = Dashboard::embedded();
    web::documentation(Route::new(), served)
        .nest_no_strip("/api", guard)
        .at("/metrics", metrics)
        .at(
            "/*",
            make_sync(move |request| elsewhere(dashboard.as_ref(), &request)),
        )
        .around(answer)
}

/// Outside `/api`: pages for people, nothing for programs.
fn elsewhere(dashboard: Option<&Dashboard>, request: &Request) -> Result<Response> {
    match dashboard {
        Some(dashboard) => Ok(dashboard.answer(request)?),
        None if [Method::GET, Method::HEAD].contains(request.method()) => Ok(web::unbuilt()),
        None => Err(StatusCode::NOT_FOUND.into()),
    }
}

/// Deadline, errors to problems, headers.
async fn answer<E: Endpoint>(endpoint: Arc<E>, request: Request) -> Result<Response> {
    let result = tokio::time::timeout(DEADLINE, endpoint.call(request)).await;
    let mut response = match result {
        Ok(Ok(output)) => output.into_response(),
        Ok(Err(error)) => refused(error),
        Err(_) => Error::from(too_slow()).into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(web::DATA_POLICY));
    Ok(response)
}

fn refused(error: Error) -> Response {
    if error.is::<Problem>() || error.is_from_response() {
        return error.into_response();
    }
    Error::from(Problem::from_error(&error)).into_response()
}

fn too_slow() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "timeout",
        "This took too long. Try again.",
    )
}
