//! One error type to HTTP: RFC 9457 `application/problem+json` with a stable code.
//!
//! Use [`Problem`] wherever something is refused. A handler's error type is one of the sets of [`crate::api::answers`], which
//! say in the document which statuses the operation may answer. Whatever else fails inside poem is put in the same shape by
//! [`Problem::from_error`], in the one place that turns errors into answers (`router`).

use poem::{
    Body, Response,
    error::{Error, ResponseError},
    http::{StatusCode, header},
};
use poem_openapi::{Object, types::ToJSON};
use sea_orm::{DbErr, RuntimeErr, SqlErr, error::SqlxError};

/// A refusal or a failure, as the caller reads it.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'static str,
    /// What is wrong and what to do, in words.
    pub detail: String,
    /// Every mistake in the input.
    pub mistakes: Vec<Mistake>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
}

/// One mistake in the input.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Mistake {
    /// Where: `name`, `timeouts.connectMs`, `modelRedirects[0].source`; a parameter by its name.
    pub path: String,
    /// A stable code, such as `required`, `unknown_field`, `wrong_type`, `out_of_range`, `invalid`.
    pub code: String,
    /// What is wrong, in words.
    pub message: String,
}

/// A problem as it is written: RFC 9457, with a stable code and the mistakes of the input.
#[derive(Debug, Object)]
#[oai(rename = "Problem")]
pub struct ProblemDocument {
    /// `urn:switchyard:problem:` and the code.
    pub r#type: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// The stable code programs can tell problems apart by.
    pub code: String,
    /// What is wrong and what to do, in words.
    pub detail: String,
    /// Every mistake in the input; absent when the input is not the matter.
    #[oai(skip_serializing_if_is_none)]
    pub errors: Option<Vec<Mistake>>,
}

/// The content type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

// === impl Mistake ===

impl Mistake {
    /// A mistake at `path`.
    pub fn new(path: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

// === impl Problem ===

impl Problem {
    /// A problem without mistakes.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            mistakes: Vec::new(),
            retry_after: None,
        }
    }

    /// 404: there is no such thing, or it is not the caller's to see.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("There is no such {what}."),
        )
    }

    /// 502: a provider that was asked something did not answer as it should.
    pub fn bad_upstream(why: &str) -> Self {
        let detail = format!("The provider was asked and did not answer as it should: {why}.");
        Self::new(StatusCode::BAD_GATEWAY, "upstream_failed", detail)
    }

    /// 403.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 422 with every mistake; the list must not be empty.
    pub fn invalid(mistakes: Vec<Mistake>) -> Self {
        let named: Vec<_> = mistakes
            .iter()
            .map(|m| format!("{} {}", m.path, m.message))
            .collect();
        let mut problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "validation_failed",
            format!("The input has mistakes: {}.", named.join("; ")),
        );
        problem.mistakes = mistakes;
        problem
    }

    /// 409: `path` must be unique and is taken.
    pub fn taken(path: &str, what: &str) -> Self {
        let mut problem = Self::new(
            StatusCode::CONFLICT,
            "conflict",
            format!("There is already a {what} with this {path}."),
        );
        problem.mistakes = vec![Mistake::new(path, "taken", "is taken")];
        problem
    }

    /// A database error where `taken` is the answer to a broken uniqueness.
    pub fn unless_taken(error: DbErr, path: &str, what: &str) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::taken(path, what),
            _ => error.into(),
        }
    }

    /// Puts an error poem made into the same shape.
    pub fn from_error(error: &Error) -> Self {
        let status = error.status();
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => ("not_found", "There is nothing at this address.".into()),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method_not_allowed",
                "The address does not know this method.".into(),
            ),
            StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "The body is too large.".into()),
            s if s.is_client_error() => ("invalid_request", error.to_string()),
            _ => {
                tracing::error!(error = %error, "an admin request failed");
                ("internal_error", "Something went wrong on our side.".into())
            }
        };
        Self::new(status, code, detail)
    }
}

impl From<DbErr> for Problem {
    fn from(error: DbErr) -> Self {
        tracing::error!(error = %error, "the database refused an admin request");
        if is_away(&error) {
            return Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "database_unavailable",
                "The database does not answer. Try again.",
            );
        }
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "The database did not take this. The log says more.",
        )
    }
}

/// Whether the database could not be reached, rather than refused.
fn is_away(error: &DbErr) -> bool {
    match error {
        DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => {
            matches!(
                **e,
                SqlxError::Io(_) | SqlxError::PoolTimedOut | SqlxError::PoolClosed
            )
        }
        _ => false,
    }
}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn as_response(&self) -> Response {
        let document = ProblemDocument {
            r#type: format!("urn:switchyard:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            code: self.code.to_owned(),
            detail: self.detail.clone(),
            errors: (!self.mistakes.is_empty()).then(|| self.mistakes.clone()),
        };
        let mut response = Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, CONTENT_TYPE);
        if let Some(seconds) = self.retry_after {
            response = response.header(header::RETRY_AFTER, seconds);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response = response.header(header::WWW_AUTHENTICATE, "Bearer");
        }
        response.body(Body::from(document.to_json_string()))
    }
}
