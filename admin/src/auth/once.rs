//! Before handlers that create: what was asked before under the same `Idempotency-Key` gets the first answer again.

use std::{collections::BTreeMap, future::Future};

use entity::value::Secret;
use poem::{
    Body, Request, Response, Result,
    http::{HeaderName, HeaderValue, StatusCode},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::identity::Identity;
use crate::{
    Admin,
    problem::Problem,
    service::idempotency::{self, Claim, HEADER},
};

/// The largest body of a creation; larger ones are refused by the handlers, too.
const MAX_BYTES: usize = 1024 * 1024;
/// Tells a repeated answer from a first one.
const REPLAYED: &str = "idempotent-replayed";
/// Headers that belong to an answer.
const HEADERS: [&str; 3] = ["content-type", "location", "etag"];

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

/// What is to be carried out once; none where the caller does not ask for that. Reads the body and puts it back.
///
/// # Errors
/// 422 when the key is none, 413 when the body is too large.
pub async fn claim(
    admin: &Admin,
    caller: &Identity,
    request: &mut Request,
) -> Result<Option<Claim>> {
    let Some(key) = request.headers().get(HEADER) else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default().to_owned();
    let body = request.take_body().into_bytes_limit(MAX_BYTES).await;
    let body = body.map_err(|e| Problem::from_error(&e.into()))?;
    // How a body is written is no matter, what it says is.
    let said = match serde_json::from_slice::<Value>(&body) {
        Ok(value) => value.to_string(),
        Err(_) => String::from_utf8_lossy(&body).into_owned(),
    };
    let question = format!("{} {}\n{said}", request.method(), request.uri());
    request.set_body(body);
    Ok(Some(Claim::new(admin, caller, &key, &question)?))
}

/// Carries it out, or repeats the answer.
///
/// # Errors
/// As the handler, or when the key was used otherwise.
pub async fn carry_out(
    admin: &Admin,
    claim: &Claim,
    creation: impl Future<Output = Result<Response>>,
) -> Result<Response> {
    if let Some(answer) = idempotency::earlier(admin, claim).await? {
        return Ok(repeated(&answer));
    }
    let outcome = creation.await;
    if claim.is_late()
        && let Some(answer) = idempotency::earlier(admin, claim).await?
    {
        return Ok(repeated(&answer));
    }
    let response = outcome?;
    if !response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = body.into_bytes().await.unwrap_or_default();
    let header = |name: &&str| {
        let value = parts.headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), value.to_owned()))
    };
    let kept = Kept {
        status: parts.status.as_u16(),
        headers: HEADERS.iter().filter_map(header).collect(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    };
    // What was created stays, whatever becomes of its answer.
    if let Ok(text) = serde_json::to_string(&kept)
        && let Err(problem) = idempotency::keep(admin, claim, &Secret::new(text)).await
    {
        tracing::warn!(%problem, "the answer to a creation is not kept for repeating it");
    }
    Ok(Response::from_parts(parts, Body::from_bytes(bytes)))
}

fn repeated(answer: &Secret) -> Response {
    let Ok(kept) = serde_json::from_str::<Kept>(answer.expose()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into();
    };
    let mut response = Response::builder()
        .status(StatusCode::from_u16(kept.status).unwrap_or_default())
        .header(REPLAYED, "true")
        .body(kept.body);
    for (name, value) in kept.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
