//! One request, from its head to the answer's: read, record, look up the script, act.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::ask::Ask;
use super::behaviour::{BadScript, Behaviour};
use super::control;
use super::cut::Cut;
use super::fault::Fault;
use super::play::{Broken, LONGEST, Play, Source};
use super::recorder::{Recorder, Visit};
use super::reply::{self, Reply};
use super::stage::{Cue, Stage};

/// The fake provider behind every connection.
pub(super) struct Provider {
    pub(super) recorder: Recorder,
    pub(super) stage: Stage,
}

/// Larger than any gateway lets through.
const MAX_BODY: usize = 256 * 1024 * 1024;
/// A body must have arrived by then.
const BODY_DEADLINE: Duration = Duration::from_secs(120);
const CONTROL: &str = "/_mock/";

// === impl Provider ===

impl Provider {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            recorder: Recorder::new(),
            stage: Stage::default(),
        })
    }

    /// Answers, or breaks the connection off.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        cut: Arc<Cut>,
    ) -> Result<Response<Play>, Broken> {
        let (head, incoming) = request.into_parts();
        if let Some(path) = head.uri.path().strip_prefix(CONTROL) {
            let body = receive(incoming).await?;
            return Ok(control::answer(
                &self.recorder,
                &self.stage,
                &head.method,
                path,
                &body,
            ));
        }
        let mut visit = self.recorder.enter(&head);
        let body = receive(incoming).await?;
        let digest = visit.arrived(&body);
        let cue = Cue::new(head.uri.path());
        let plan = match self.stage.play(&cue) {
            Ok(plan) => plan,
            Err(refusal) => return Ok(refused(&refusal, visit)),
        };
        before_head(&plan, &mut visit, &cut).await?;
        let reply = match Ask::new(&head, cue.path, &body) {
            Ok(ask) => reply::compose(&head, &ask, cue.path, body.len(), &digest, &plan),
            Err(error) => not_understood(&head, cue.path, &error),
        };
        Ok(send(&head, reply, plan, visit, cut))
    }
}

/// The whole body, bounded in size and time. A client that breaks it off breaks the request off.
async fn receive(incoming: Incoming) -> Result<Bytes, Broken> {
    let collected = Limited::new(incoming, MAX_BODY).collect();
    match tokio::time::timeout(BODY_DEADLINE, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the body did not arrive");
            Err(Broken)
        }
        Err(_) => Err(Broken),
    }
}

async fn before_head(plan: &Behaviour, visit: &mut Visit, cut: &Cut) -> Result<(), Broken> {
    tokio::time::sleep(Duration::from_millis(plan.delay_ms)).await;
    if plan.hang_before_head {
        tokio::time::sleep(LONGEST).await;
    }
    if plan.reset_before_head {
        cut.reset();
    }
    if plan.reset_before_head || plan.close_before_head || plan.hang_before_head {
        visit.finish();
        return Err(Broken);
    }
    Ok(())
}

/// A script that cannot be played: said plainly, in no protocol, so that it is not taken for a scripted failure.
fn refused(refusal: &BadScript, mut visit: Visit) -> Response<Play> {
    tracing::warn!(%refusal, "script refused");
    visit.finish();
    control::problem(StatusCode::NOT_IMPLEMENTED, &refusal.to_string())
}

fn not_understood(head: &Parts, path: &str, error: &serde_json::Error) -> Reply {
    let fault = Fault::bad_request(format!("The body is not the JSON this call takes: {error}"));
    Reply::error(
        StatusCode::BAD_REQUEST,
        fault.body(Ask::dialect_of(head, path)),
    )
}

fn send(
    head: &Parts,
    reply: Reply,
    plan: Arc<Behaviour>,
    visit: Visit,
    cut: Arc<Cut>,
) -> Response<Play> {
    let mut headers = reply.headers;
    scripted(&mut headers, &plan);
    let mut source = reply.source;
    if let Source::Whole(body) = &mut source {
        if plan.truncated {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        // HTTP has no room for a body here; hyper would drop it unread, which looks as if the client had left.
        let bodiless = matches!(
            reply.status,
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
        if bodiless || head.method == Method::HEAD {
            *body = Bytes::new();
        }
    }
    let mut response = Response::new(Play::new(source, plan, visit, cut));
    *response.status_mut() = reply.status;
    *response.headers_mut() = headers;
    response
}

/// The headers a behaviour adds or falsifies. Names and values were checked when it was read; what a behaviour made
/// in process got wrong is left out.
fn scripted(headers: &mut HeaderMap, plan: &Behaviour) {
    if plan.wrong_content_type {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    }
    if plan.gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Some(seconds) = plan.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(padding) = plan.header_bytes
        && let Ok(padding) = HeaderValue::try_from("x".repeat(padding))
    {
        headers.insert(HeaderName::from_static("x-mock-padding"), padding);
    }
    for (name, value) in &plan.headers {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => {
                headers.insert(name, value);
            }
            _ => tracing::warn!(%name, "header cannot be sent"),
        }
    }
}
