//! Pages: the dashboard, and the two readers of the API's document with their scripts, all from this origin.
//!
//! The scripts are those poem-openapi carries inside itself. It would put them inline and let Scalar fetch its fonts elsewhere;
//! here they are files of their own, the fonts stay off, and the policy of every page lets a browser talk to nobody but us.

use std::sync::Arc;

use poem::{
    Body, Endpoint, IntoResponse, Response, Route,
    endpoint::make_sync,
    http::{StatusCode, header},
    web::Redirect,
};
use poem_openapi::OpenApiService;

mod dashboard;

pub use dashboard::Dashboard;

/// What a browser may do on an answer that is no page.
pub const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// What a browser may do on a page: nothing beyond this origin. Both readers put style elements into the page as they run.
const PAGE_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; \
    object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const SCALAR: &str = include_str!("web/scalar.html");
const SWAGGER: &str = include_str!("web/swagger.html");
const SWAGGER_START: &str = include_str!("web/swagger-start.js");
const UNBUILT: &str = include_str!("web/unbuilt.html");

/// The document, the readers and their scripts, all below `/api`.
pub fn documentation(route: Route, document: String) -> Route {
    let service = OpenApiService::new((), "", "");
    let scalar = script(&service.scalar_html()).to_owned();
    let swagger_html = service.swagger_ui_html();
    let swagger = script(&swagger_html).to_owned();
    let swagger_css = between(&swagger_html, "<style charset=\"UTF-8\">", "</style>").to_owned();
    route
        .at("/api/v1/openapi.json", asset("application/json", document))
        .at("/api/v1/scalar", page(SCALAR))
        .at("/api/v1/docs", page(SWAGGER))
        .at("/api/v1/assets/scalar.js", asset("text/javascript", scalar))
        .at(
            "/api/v1/assets/swagger-ui.js",
            asset("text/javascript", swagger),
        )
        .at(
            "/api/v1/assets/swagger-ui.css",
            asset("text/css", swagger_css),
        )
        .at(
            "/api/v1/assets/swagger-start.js",
            asset("text/javascript", SWAGGER_START.to_owned()),
        )
        .at("/api/actions/openapi.json", moved("/api/v1/openapi.json"))
        .at("/api/actions/scalar", moved("/api/v1/scalar"))
        .at("/api/actions/docs", moved("/api/v1/docs"))
}

/// In place of the dashboard where the build had none: how to build it.
pub fn unbuilt() -> Response {
    html(UNBUILT)
}

fn page(text: &'static str) -> impl Endpoint + 'static {
    poem::get(make_sync(move |_| html(text)))
}

fn html(text: &'static str) -> Response {
    Response::builder()
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .header(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)
        .body(text)
}

fn asset(content_type: &'static str, text: String) -> impl Endpoint + 'static {
    let text: Arc<str> = text.into();
    poem::get(make_sync(move |_| {
        Response::builder()
            .status(StatusCode::OK)
            .header(
                header::CONTENT_TYPE,
                format!("{content_type}; charset=utf-8"),
            )
            .header(header::CACHE_CONTROL, "no-cache")
            .body(Body::from_bytes(bytes::Bytes::from_owner(Shared(
                text.clone(),
            ))))
    }))
}

fn moved(to: &'static str) -> impl Endpoint + 'static {
    poem::get(make_sync(move |_| Redirect::permanent(to).into_response()))
}

/// The script of a page poem-openapi made: the last inline one.
fn script(html: &str) -> &str {
    between(html, "<script charset=\"UTF-8\">", "</script>")
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
    let inside = text.split_once(open).map_or("", |(_, rest)| rest);
    inside.split_once(close).map_or("", |(inside, _)| inside)
}

/// Text shared by all answers that send it: megabytes need no copy for each.
struct Shared(Arc<str>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
