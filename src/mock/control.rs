//! The control endpoints under `/_mock/`.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::behaviour::Behaviour;
use super::percent;
use super::play::Play;
use super::recorder::Recorder;
use super::stage::Stage;

/// Answers a control request for `path`, the part after `/_mock/`.
pub(super) fn answer(
    recorder: &Recorder,
    stage: &Stage,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Response<Play> {
    if let Some(name) = path.strip_prefix("behaviours/") {
        return behaviour(stage, method, &percent::decode(name), body);
    }
    match (method, path) {
        (&Method::GET, "health") => {
            ok(&json!({ "status": "ok", "inFlight": recorder.in_flight() }))
        }
        (&Method::GET, "requests") => ok(&json!({
            "inFlight": recorder.in_flight(),
            "items": recorder.seen(),
        })),
        (&Method::DELETE, "requests") => {
            recorder.clear();
            empty(StatusCode::NO_CONTENT)
        }
        (&Method::GET, "behaviours") => {
            let named = stage.named();
            let named: Map<String, Value> = named
                .into_iter()
                .map(|(name, behaviour)| (name, json!(*behaviour)))
                .collect();
            ok(&Value::Object(named))
        }
        (&Method::DELETE, "behaviours") => {
            stage.clear();
            empty(StatusCode::NO_CONTENT)
        }
        (_, "health" | "requests" | "behaviours") => {
            problem(StatusCode::METHOD_NOT_ALLOWED, "not with this method")
        }
        _ => problem(
            StatusCode::NOT_FOUND,
            "there is health, requests, behaviours and behaviours/{name}",
        ),
    }
}

fn behaviour(stage: &Stage, method: &Method, name: &str, body: &[u8]) -> Response<Play> {
    match *method {
        Method::PUT => match Behaviour::from_json(body) {
            Ok(behaviour) => {
                stage.set(name, behaviour);
                empty(StatusCode::NO_CONTENT)
            }
            Err(refusal) => problem(StatusCode::BAD_REQUEST, &refusal.to_string()),
        },
        Method::DELETE if stage.remove(name) => empty(StatusCode::NO_CONTENT),
        Method::DELETE => problem(StatusCode::NOT_FOUND, "there is no behaviour of that name"),
        _ => problem(StatusCode::METHOD_NOT_ALLOWED, "PUT or DELETE"),
    }
}

/// A refusal by the mock itself, marked so that it is never mistaken for a scripted failure.
pub(super) fn problem(status: StatusCode, message: &str) -> Response<Play> {
    let mut response = json(status, &json!({ "mockUpstream": message }));
    response
        .headers_mut()
        .insert("x-mock-problem", HeaderValue::from_static("true"));
    response
}

fn ok(body: &Value) -> Response<Play> {
    json(StatusCode::OK, body)
}

fn json(status: StatusCode, body: &Value) -> Response<Play> {
    let mut response = Response::new(Play::plain(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

fn empty(status: StatusCode) -> Response<Play> {
    let mut response = Response::new(Play::plain(Bytes::new()));
    *response.status_mut() = status;
    response
}
