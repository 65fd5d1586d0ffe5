//! The answers operations have in common, as types, so that the document lists them.

use poem::Error;
use poem_openapi::{
    ApiResponse,
    payload::Json,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry},
    types::{ToJSON, Type},
};
use sea_orm::DbErr;

use crate::problem::{CONTENT_TYPE, Problem, ProblemDocument};

/// One thing and its version.
#[derive(ApiResponse)]
pub enum One<T: ToJSON> {
    /// The thing.
    #[oai(status = 200)]
    Found(
        Json<T>,
        /// Its version, for `If-Match`.
        #[oai(header = "ETag")]
        String,
    ),
}

/// Something was created.
#[derive(ApiResponse)]
pub enum Created<T: ToJSON> {
    /// What was created.
    #[oai(status = 201)]
    Created(
        Json<T>,
        /// Where it is.
        #[oai(header = "Location")]
        String,
        /// Its version, for `If-Match`.
        #[oai(header = "ETag")]
        String,
    ),
}

/// Something was deleted.
#[derive(ApiResponse)]
pub enum Deleted {
    /// It is gone.
    #[oai(status = 204)]
    Deleted,
}

/// A set of refusals: which statuses an operation may answer beside its success.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $($status:literal)+;)+) => {$(
        $(#[$doc])*
        pub struct $name(Problem);

        impl From<Problem> for $name {
            fn from(problem: Problem) -> Self {
                Self(problem)
            }
        }

        impl From<DbErr> for $name {
            fn from(error: DbErr) -> Self {
                Self(error.into())
            }
        }

        impl From<$name> for Error {
            fn from(refusal: $name) -> Self {
                refusal.0.into()
            }
        }

        impl ApiResponse for $name {
            fn meta() -> MetaResponses {
                MetaResponses {
                    responses: vec![$(response($status)),+],
                }
            }

            fn register(registry: &mut Registry) {
                ProblemDocument::register(registry);
            }
        }
    )+};
}

refusals! {
    /// Of reading a list.
    ListRefused: 401 403 422 429 500 503;
    /// Of reading one thing.
    ReadRefused: 401 403 404 422 429 500 503;
    /// Of creating.
    CreateRefused: 400 401 403 404 409 413 415 422 429 500 503;
    /// Of changing.
    ChangeRefused: 400 401 403 404 409 412 413 415 422 429 500 503;
    /// Of deleting.
    DeleteRefused: 401 403 404 412 422 429 500 503;
    /// Of trying something out.
    TryRefused: 400 401 403 413 415 422 429 500 503;
    /// Of asking a provider something.
    UpstreamRefused: 401 403 404 422 429 500 502 503;
    /// Of reading about oneself.
    SelfRefused: 401 403 422 429 500 503;
    /// Of logging in.
    LoginRefused: 400 401 403 413 415 422 429 500 503;
}

/// The success of an operation whose answer is no JSON.
pub fn success(
    description: &'static str,
    content_type: &'static str,
    schema: MetaSchemaRef,
) -> MetaResponses {
    MetaResponses {
        responses: vec![MetaResponse {
            description,
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType {
                content_type,
                schema,
            }],
            headers: Vec::new(),
        }],
    }
}

fn response(status: u16) -> MetaResponse {
    MetaResponse {
        description: match status {
            400 => "The body is not JSON.",
            401 => "No credential, or one that is wrong, switched off or over.",
            403 => "The caller may not do this.",
            404 => "There is no such thing, or it is not the caller's to see.",
            409 => "It collides with something there is.",
            412 => "It was changed meanwhile: the version in `If-Match` is not the current one.",
            413 => "The body is too large.",
            415 => "The body is not `application/json`.",
            422 => "The input has mistakes; `errors` lists every one.",
            429 => "Too many wrong credentials from this address.",
            502 => "The provider did not answer as it should.",
            503 => "The database does not answer.",
            _ => "Something went wrong on our side.",
        },
        status: Some(status),
        status_range: None,
        content: vec![MetaMediaType {
            content_type: CONTENT_TYPE,
            schema: ProblemDocument::schema_ref(),
        }],
        headers: Vec::new(),
    }
}
