//! A request's JSON body, checked for every mistake at once.
//!
//! poem-openapi's own payload stops at the first mistake. Here the body is first held against the document's schema, which
//! names them all; then the type's own rules judge what is left of it, so that a bad number in one field does not hide a bad
//! address in another; only then is it parsed.

use std::sync::Arc;

use poem::{
    Request, RequestBody, Result,
    http::{StatusCode, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::ParseFromJSON,
};
use serde_json::Value;

use crate::{
    contract::{Contract, Found},
    problem::{Mistake, Problem},
};

/// A checked body.
pub struct Body<T>(pub T);

/// What a body may be.
pub trait Input: ParseFromJSON {
    /// The same with nothing required: what is left when the fields with mistakes are taken out.
    type Loose: ParseFromJSON;

    /// Largest body.
    const MAX_BYTES: usize = 1024 * 1024;

    /// Mistakes a schema cannot name. `out` holds those it named.
    fn rules(loose: &Self::Loose, out: &mut Vec<Mistake>);

    /// What of a body is looked at beside mistakes the schema named: the fields without any.
    fn without(value: &Value, mistakes: &[Mistake]) -> Value {
        let mut value = value.clone();
        if let Some(fields) = value.as_object_mut() {
            fields.retain(|name, _| !mistakes.iter().any(|m| top(&m.path) == name));
        }
        value
    }
}

impl<'a, T: Input + 'static> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: None,
            content: vec![MetaMediaType {
                content_type: "application/json",
                schema: T::schema_ref(),
            }],
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        must_be_json(request)?;
        let bytes = body
            .take()?
            .into_bytes_limit(T::MAX_BYTES)
            .await
            .map_err(|e| Problem::from_error(&e.into()))?;
        let value = serde_json::from_slice(&bytes).map_err(|e| not_json(&e))?;
        Ok(Self(read::<T>(request, value)?))
    }
}

fn read<T: Input>(request: &Request, value: Value) -> Result<T, Problem> {
    let mut mistakes = check(request, &value);
    let loose = T::Loose::parse_from_json(Some(T::without(&value, &mistakes)));
    match loose {
        Ok(loose) => T::rules(&loose, &mut mistakes),
        Err(e) if mistakes.is_empty() => mistakes.push(unreadable(e.into_message())),
        Err(_) => {}
    }
    if !mistakes.is_empty() {
        return Err(Problem::invalid(mistakes));
    }
    T::parse_from_json(Some(value))
        .map_err(|e| Problem::invalid(vec![unreadable(e.into_message())]))
}

/// Every mistake the schema names. Without the guard there is no contract and nothing passes.
fn check(request: &Request, value: &Value) -> Vec<Mistake> {
    let contract = request.extensions().get::<Arc<Contract>>();
    let path = request.uri().path();
    let found = contract.map(|c| (c, c.find(request.method().as_str(), path)));
    match found {
        Some((contract, Found::Operation(operation))) => contract.check_body(operation, value),
        _ => vec![unreadable("is not expected here".into())],
    }
}

/// `timeouts.connectMs` is in `timeouts`, `tags[0]` in `tags`.
fn top(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

fn must_be_json(request: &Request) -> Result<(), Problem> {
    let content_type = request.header(header::CONTENT_TYPE).unwrap_or_default();
    let media = content_type.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "Send the body as application/json.",
    ))
}

fn not_json(error: &serde_json::Error) -> Problem {
    let mut problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "malformed_json",
        format!("The body is not JSON: {error}."),
    );
    problem.mistakes = vec![Mistake::new("body", "malformed_json", error.to_string())];
    problem
}

fn unreadable(message: String) -> Mistake {
    Mistake::new("body", "invalid", message)
}
