//! Tests of serving the dashboard.

use poem::{
    Request, Response,
    http::{StatusCode, header},
};

use super::{Dashboard, File};

const FILES: &[File] = &[
    File {
        path: "assets/index-4f2a.js",
        plain: b"console.log(1)",
        brotli: Some(b"brotli"),
        gzip: Some(b"gzip"),
    },
    File {
        path: "favicon.svg",
        plain: b"<svg/>",
        brotli: None,
        gzip: None,
    },
    File {
        path: "index.html",
        plain: b"<html>",
        brotli: None,
        gzip: Some(b"zipped"),
    },
];

fn get(path: &str, headers: &[(header::HeaderName, &str)]) -> Result<Response, StatusCode> {
    let mut request = Request::builder().uri(path.parse().unwrap());
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let answer = Dashboard::new(FILES).answer(&request.finish());
    answer.map_err(|problem| problem.status)
}

fn header_of(response: &Response, name: header::HeaderName) -> &str {
    response.header(name).unwrap_or_default()
}

#[tokio::test]
async fn the_smallest_form_that_is_taken_is_sent() {
    for (accepted, encoding, body) in [
        ("gzip, deflate, br, zstd", "br", "brotli"),
        ("gzip", "gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip", "gzip"),
        ("br;q=0.0", "", "console.log(1)"),
        ("", "", "console.log(1)"),
    ] {
        let response = get(
            "/assets/index-4f2a.js",
            &[(header::ACCEPT_ENCODING, accepted)],
        )
        .unwrap();
        assert_eq!(
            header_of(&response, header::CONTENT_ENCODING),
            encoding,
            "{accepted}"
        );
        assert_eq!(header_of(&response, header::VARY), "accept-encoding");
        assert_eq!(
            header_of(&response, header::CONTENT_TYPE),
            "text/javascript; charset=utf-8"
        );
        assert_eq!(response.into_body().into_string().await.unwrap(), body);
    }
}

#[test]
fn hashed_names_are_kept_for_ever_and_the_document_is_asked_for_each_time() {
    let script = get("/assets/index-4f2a.js", &[]).unwrap();
    assert!(header_of(&script, header::CACHE_CONTROL).contains("immutable"));
    let index = get("/", &[]).unwrap();
    assert_eq!(header_of(&index, header::CACHE_CONTROL), "no-cache");
    let etag = header_of(&index, header::ETAG);
    let again = get("/requests", &[(header::IF_NONE_MATCH, etag)]).unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let changed = get("/", &[(header::IF_NONE_MATCH, "W/\"other\"")]).unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    assert_ne!(etag, header_of(&script, header::ETAG));
}

#[test]
fn pages_are_the_document_and_addresses_of_programs_are_not() {
    for path in ["/", "/requests", "/users/7/keys", "/v2", "/apis"] {
        let response = get(path, &[]).unwrap();
        assert_eq!(
            header_of(&response, header::CONTENT_TYPE),
            "text/html; charset=utf-8",
            "{path}"
        );
    }
    let html = [(header::ACCEPT, "text/html,*/*")];
    assert!(get("/prices/gpt-4.1", &html).is_ok());
    for path in [
        "/v1/models",
        "/v1beta",
        "/v1internal",
        "/api/v1/nothing",
        "/metrics",
        "/assets/gone.js",
    ] {
        assert_eq!(
            get(path, &html).unwrap_err(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    assert_eq!(get("/robots.txt", &[]).unwrap_err(), StatusCode::NOT_FOUND);
}

#[test]
fn scripts_and_styles_come_from_files_alone() {
    let index = get("/", &[]).unwrap();
    let policy = header_of(&index, header::CONTENT_SECURITY_POLICY);
    assert!(policy.starts_with("default-src 'self'"));
    assert!(!policy.contains("unsafe") && !policy.contains("http"));
}
