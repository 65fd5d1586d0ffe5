//! The dashboard's files, as the build embedded them: compressed beforehand, cached for ever where their name has their hash in it.
//!
//! Every other address a browser may ask for is a page of the dashboard and gets its one document. Addresses that belong to programs never
//! do: what is not there is 404 to them.

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use entity::value::hex;
use poem::{
    Body, Request, Response,
    http::{HeaderValue, Method, StatusCode, header},
};

use crate::problem::Problem;

/// What a browser may do on the dashboard: nothing beyond this origin, nothing that is written into the page.
pub const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// First parts of paths that are not the dashboard's, whoever asks.
const RESERVED: [&str; 6] = ["api", "assets", "metrics", "v1", "v1beta", "v1internal"];

/// Below it every name has a hash of the content in it.
const HASHED: &str = "assets/";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A file of the dashboard.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// Path below the root, without the first slash.
    pub path: &'static str,
    /// As it is.
    pub plain: &'static [u8],
    /// Compressed by Brotli, where that is worth it.
    pub brotli: Option<&'static [u8]>,
    /// Compressed by gzip, where that is worth it.
    pub gzip: Option<&'static [u8]>,
}

/// The dashboard, ready to be served.
pub struct Dashboard {
    files: Vec<(File, HeaderValue)>,
}

mod built {
    include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));
}

// === impl Dashboard ===

impl Dashboard {
    /// What the build embedded; `None` when it had no dashboard.
    pub fn embedded() -> Option<Self> {
        (!built::FILES.is_empty()).then(|| Self::new(built::FILES))
    }

    /// The dashboard made of these files, `index.html` among them.
    pub fn new(files: &[File]) -> Self {
        let files = files.iter().map(|file| (*file, etag(file.plain)));
        Self {
            files: files.collect(),
        }
    }

    /// The file or page at the request's path.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let path = request.uri().path().trim_start_matches('/');
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return Err(Problem::not_found("address"));
        }
        if let Some(found) = self.find(path) {
            return Ok(send(found, request));
        }
        let first = path.split('/').next().unwrap_or_default();
        if RESERVED.contains(&first) || !is_page(path, request) {
            return Err(Problem::not_found("address"));
        }
        let index = self.find("index.html");
        let index = index.ok_or_else(|| Problem::not_found("dashboard"))?;
        Ok(send(index, request))
    }

    fn find(&self, path: &str) -> Option<&(File, HeaderValue)> {
        self.files.iter().find(|(file, _)| file.path == path)
    }
}

/// Whether the path may be a page's: nothing that looks like a file, unless somebody types it into a browser.
fn is_page(path: &str, request: &Request) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    let wants_html = request
        .header(header::ACCEPT)
        .is_some_and(|accept| accept.contains("text/html"));
    wants_html || !last.contains('.')
}

fn send((file, etag): &(File, HeaderValue), request: &Request) -> Response {
    let caching = if file.path.starts_with(HASHED) {
        FOR_EVER
    } else {
        "no-cache"
    };
    let response = Response::builder()
        .header(header::CACHE_CONTROL, caching)
        .header(header::ETAG, etag)
        .header(header::VARY, "accept-encoding")
        .header(header::CONTENT_SECURITY_POLICY, POLICY);
    if is_known(request, etag) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    let (encoding, bytes) = choose(file, request.header(header::ACCEPT_ENCODING));
    let response = response.header(header::CONTENT_TYPE, content_type(file.path));
    let response = match encoding {
        Some(encoding) => response.header(header::CONTENT_ENCODING, encoding),
        None => response,
    };
    response.body(Body::from_bytes(Bytes::from_static(bytes)))
}

fn is_known(request: &Request, etag: &HeaderValue) -> bool {
    let known = request.header(header::IF_NONE_MATCH).unwrap_or_default();
    known
        .split(',')
        .any(|one| one.trim().as_bytes() == etag.as_bytes())
}

/// The smallest form the client takes. A weight of zero refuses one; other weights do not matter between what we have.
fn choose(file: &File, accepted: Option<&str>) -> (Option<&'static str>, &'static [u8]) {
    let takes = |wanted: &str| {
        let mut names = accepted.unwrap_or_default().split(',');
        names.any(|entry| {
            let (name, weight) = entry.split_once(';').unwrap_or((entry, ""));
            let is_refused = weight
                .trim()
                .strip_prefix("q=")
                .is_some_and(|q| q.trim_end_matches(['0', '.']).is_empty());
            name.trim().eq_ignore_ascii_case(wanted) && !is_refused
        })
    };
    match (file.brotli, file.gzip) {
        (Some(bytes), _) if takes("br") => (Some("br"), bytes),
        (_, Some(bytes)) if takes("gzip") => (Some("gzip"), bytes),
        _ => (None, file.plain),
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Weak, because one stands for the file in all its encodings.
fn etag(bytes: &[u8]) -> HeaderValue {
    let hash = digest(&SHA256, bytes);
    let text = format!("W/\"{}\"", hex::encode(&hash.as_ref()[..12]));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("W/\"\""))
}

#[cfg(test)]
mod tests;
