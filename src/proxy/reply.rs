//! Answers we make ourselves, in the caller's dialect, and what every answer carries.

use std::time::Instant;

use bytes::Bytes;
use chrono::Utc;
use http::{HeaderName, StatusCode, header};
use pingora::http::ResponseHeader;
use pingora::prelude::Result;
use pingora::proxy::Session;

use super::facts::Facts;
use crate::domain::protocol::Dialect;
use crate::domain::refusal::{Reason, Refusal};
use crate::wire;
use crate::wire::limit::Answer;

/// Where the request's id is on every answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Headers of an upstream's answer that are about its connection, its servers or its site, and mean nothing or something wrong coming
/// from us.
fn stays_behind(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "access-control-allow-credentials"
            | "access-control-allow-headers"
            | "access-control-allow-methods"
            | "access-control-allow-origin"
            | "access-control-expose-headers"
            | "alt-svc"
            | "cf-cache-status"
            | "cf-ray"
            | "connection"
            | "keep-alive"
            | "nel"
            | "report-to"
            | "server"
            | "set-cookie"
            | "strict-transport-security"
            | "via"
            | "x-powered-by"
            | "x-request-id"
    )
}

/// Refuses, in the caller's dialect.
///
/// # Errors
/// When the client is gone.
pub async fn refusal(facts: &mut Facts, session: &mut Session, refusal: &Refusal) -> Result<()> {
    if session
        .response_written()
        .is_some_and(|r| !r.status.is_informational())
    {
        return Ok(());
    }
    if let (Reason::Limit(refused), Some(endpoint)) = (refusal.reason, &facts.endpoint) {
        let answer = wire::limit::answer(endpoint.protocol, &refused, &facts.id_text, Utc::now());
        return over_limit(facts, session, answer).await;
    }
    let body = wire::reply::refusal(facts.dialect, refusal, &facts.id_text);
    let mut head = head(facts, refusal.reason.status(), body.len())?;
    if matches!(
        refusal.reason,
        Reason::BodyTimeout | Reason::TooLarge | Reason::Overloaded
    ) {
        session.set_keepalive(None);
    }
    name_for_sdk(&mut head, facts)?;
    if matches!(refusal.reason, Reason::NoProvider | Reason::Overloaded) {
        head.insert_header(header::RETRY_AFTER, "5")?;
    } else {
        // The same request would be refused again. Without this Claude Code retries a 401 for minutes.
        head.insert_header("x-should-retry", "false")?;
    }
    write(facts, session, head, body).await
}

/// What a limit says, with the headers it says it by.
async fn over_limit(facts: &mut Facts, session: &mut Session, answer: Answer) -> Result<()> {
    let mut head = head(facts, answer.status, answer.body.len())?;
    name_for_sdk(&mut head, facts)?;
    for (name, value) in answer.headers {
        head.insert_header(name, value)?;
    }
    write(facts, session, head, answer.body).await
}

/// The request's id where Anthropic's SDKs look for it.
fn name_for_sdk(head: &mut ResponseHeader, facts: &Facts) -> Result<()> {
    if facts.dialect == Dialect::Anthropic {
        head.insert_header("request-id", facts.id_text.as_str())?;
    }
    Ok(())
}

/// Answers with JSON.
///
/// # Errors
/// When the client is gone.
pub async fn json(
    facts: &mut Facts,
    session: &mut Session,
    status: StatusCode,
    body: Bytes,
) -> Result<()> {
    let head = head(facts, status, body.len())?;
    write(facts, session, head, body).await
}

/// Answers without a body.
///
/// # Errors
/// When the client is gone.
pub async fn empty(facts: &mut Facts, session: &mut Session, status: StatusCode) -> Result<()> {
    let mut head = ResponseHeader::build(status, Some(8))?;
    if status != StatusCode::NO_CONTENT {
        head.insert_header(header::CONTENT_LENGTH, 0)?;
    }
    stamp(&mut head, facts)?;
    if status == StatusCode::NO_CONTENT {
        let requested = session.get_header(header::ACCESS_CONTROL_REQUEST_HEADERS);
        if let Some(names) = requested.cloned() {
            head.insert_header(header::ACCESS_CONTROL_ALLOW_HEADERS, names)?;
        }
        head.insert_header(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET, POST, PUT, PATCH, DELETE, OPTIONS",
        )?;
        head.insert_header(header::ACCESS_CONTROL_MAX_AGE, "86400")?;
    }
    write(facts, session, head, Bytes::new()).await
}

/// Passes on an upstream's answer that was held.
///
/// # Errors
/// When the client is gone.
pub async fn held(
    facts: &mut Facts,
    session: &mut Session,
    mut head: ResponseHeader,
    body: Bytes,
) -> Result<()> {
    head.remove_header(&header::TRANSFER_ENCODING);
    head.insert_header(header::CONTENT_LENGTH, body.len())?;
    adopt(&mut head, facts)?;
    write(facts, session, head, body).await
}

/// Makes an upstream's head ours.
///
/// # Errors
/// Never in practice: the values are our own.
pub fn adopt(head: &mut ResponseHeader, facts: &Facts) -> Result<()> {
    let doomed: Vec<HeaderName> = head
        .headers
        .keys()
        .filter(|name| stays_behind(name))
        .cloned()
        .collect();
    for name in doomed {
        head.remove_header(&name);
    }
    stamp(head, facts)
}

fn head(facts: &Facts, status: StatusCode, length: usize) -> Result<ResponseHeader> {
    let mut head = ResponseHeader::build(status, Some(8))?;
    head.insert_header(header::CONTENT_TYPE, "application/json")?;
    head.insert_header(header::CONTENT_LENGTH, length)?;
    stamp(&mut head, facts)?;
    Ok(head)
}

/// The request's id on every answer; and, where a page asks, leave to read it: credentials are headers here, never cookies, so any
/// origin may.
fn stamp(head: &mut ResponseHeader, facts: &Facts) -> Result<()> {
    head.insert_header(REQUEST_ID, facts.id_text.as_str())?;
    if facts.is_cross_origin {
        head.insert_header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")?;
        head.insert_header(header::ACCESS_CONTROL_EXPOSE_HEADERS, "*")?;
    }
    Ok(())
}

async fn write(
    facts: &mut Facts,
    session: &mut Session,
    head: ResponseHeader,
    body: Bytes,
) -> Result<()> {
    facts.answer.status = head.status.as_u16();
    facts.answer.first_byte = Some(Instant::now());
    let has_body = !body.is_empty() && session.req_header().method != http::Method::HEAD;
    session
        .write_response_header(Box::new(head), !has_body)
        .await?;
    if has_body {
        facts.answer.bytes = body.len() as u64;
        session.write_response_body(Some(body), true).await?;
    }
    Ok(())
}
