//! The guard: stands before the whole of `/api` and lets through what the contract allows. Deny by default: an address the
//! document does not know is refused, and an operation that declares nothing is the admin's.
//!
//! Also the three ways a handler says what it needs: take [`ForKey`], [`ForUser`] or [`ForAdmin`] and the document says so, and
//! so does the guard, which reads the document.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_lc_rs::constant_time;
use poem::{
    Endpoint, Request, RequestBody, Response, Result,
    http::{Method, StatusCode, header},
};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::{
    COOKIE, CSRF_HEADER,
    identity::{self, Identity},
    once,
    peer::peer,
    session,
};
use crate::{
    Admin,
    contract::{Contract, Found, Need, Operation},
    problem::Problem,
    service::audit::{self, Action, Subject},
};

/// Whoever holds a key that works.
pub struct ForKey(pub Identity);
/// Whoever may log in to the dashboard; what is not theirs stays hidden.
pub struct ForUser(pub Identity);
/// Admins.
pub struct ForAdmin(pub Identity);

/// The guard before `inner`.
pub struct Guard<E> {
    /// What is guarded.
    pub inner: E,
    /// For the identities.
    pub admin: Arc<Admin>,
    /// What may be asked.
    pub contract: Arc<Contract>,
}

/// What a request brings along to prove who sends it.
enum Credential {
    None,
    Secret(String),
    Cookie(String),
}

// === impl Guard ===

impl<E: Endpoint<Output = Response>> Endpoint for Guard<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let path = request.uri().path().to_owned();
        let operation = match self.contract.find(request.method().as_str(), &path) {
            Found::Operation(operation) => operation,
            Found::OtherMethods(methods) => return Ok(other_methods(&methods)),
            Found::Nothing => return Err(nothing_here().into()),
        };
        let mut claim = None;
        if operation.need > Need::Nothing {
            let mut identity = self.admit(&request, operation).await?;
            identity.peer = peer(&request, &self.admin.trusted_proxies);
            if operation.is_once {
                claim = once::claim(&self.admin, &identity, &mut request).await?;
                identity.claim.clone_from(&claim);
            }
            request.extensions_mut().insert(identity);
        }
        let query: Vec<(String, String)> = request.params().unwrap_or_default();
        let mistakes = self.contract.check_parameters(operation, &path, &query);
        if !mistakes.is_empty() {
            return Err(Problem::invalid(mistakes).into());
        }
        request.extensions_mut().insert(self.contract.clone());
        match claim {
            None => self.inner.call(request).await,
            Some(claim) => once::carry_out(&self.admin, &claim, self.inner.call(request)).await,
        }
    }
}

impl<E> Guard<E> {
    async fn admit(&self, request: &Request, operation: &Operation) -> Result<Identity, Problem> {
        let identity = self.identify(request).await?;
        let is_safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
        if let Some(session) = identity.session.as_ref().filter(|_| !is_safe) {
            let token = request.header(CSRF_HEADER).unwrap_or_default();
            constant_time::verify_slices_are_equal(token.as_bytes(), session.csrf.as_bytes())
                .map_err(|_| wrong_csrf())?;
        }
        if !identity.may(operation.need) {
            return Err(Problem::forbidden(format!(
                "This needs the role {}.",
                operation.need.name()
            )));
        }
        Ok(identity)
    }

    async fn identify(&self, request: &Request) -> Result<Identity, Problem> {
        match credential(request)? {
            Credential::None => Err(unauthenticated(
                "missing_credential",
                "Send the admin token or a key as a bearer token, or log in.",
            )),
            Credential::Cookie(cookie) => session::identify(&self.admin, &cookie)
                .await?
                .ok_or_else(|| unauthenticated("session_over", "The session is over. Log in.")),
            Credential::Secret(secret) => identify_secret(&self.admin, request, &secret).await,
        }
    }
}

/// Whose credential it is, with guessing slowed down.
///
/// # Errors
/// 401 when it is nobody's, 429 when this peer was wrong too often.
pub async fn identify_secret(
    admin: &Admin,
    request: &Request,
    secret: &str,
) -> Result<Identity, Problem> {
    let peer = peer(request, &admin.trusted_proxies);
    let throttle = &admin.throttle;
    if let Some(rest) = throttle.shut_out(peer, Instant::now()) {
        return Err(shut_out(rest));
    }
    match identity::of_secret(admin, secret).await? {
        Some(identity) => Ok(Identity { peer, ..identity }),
        None => {
            failed(admin, peer).await?;
            Err(unauthenticated(
                "invalid_credential",
                "The credential is wrong, switched off or expired.",
            ))
        }
    }
}

/// Counts a wrong credential, here and on the other nodes; that a peer is shut out is in the audit, once.
async fn failed(admin: &Admin, peer: Option<IpAddr>) -> Result<(), Problem> {
    let is_new = admin.throttle.failed(peer, Instant::now());
    admin.gateway.tell_failure(peer).await;
    if is_new {
        let nobody = Identity {
            peer,
            ..Identity::nobody()
        };
        let name = peer.map_or_else(String::new, |peer| peer.to_string());
        let subject = Subject::new("peer", &name, "");
        audit::tell(admin, &nobody, Action::ShutOut, subject, None).await?;
    }
    Ok(())
}

fn credential(request: &Request) -> Result<Credential, Problem> {
    let bearer = request
        .header(header::AUTHORIZATION)
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let api_key = request.header("x-api-key").map(str::trim);
    match (bearer, api_key) {
        (Some(a), Some(b)) if a != b => Err(unauthenticated(
            "conflicting_credentials",
            "Two different credentials were sent.",
        )),
        (Some(secret), _) | (None, Some(secret)) => Ok(Credential::Secret(secret.to_owned())),
        (None, None) => Ok(cookie(request).map_or(Credential::None, Credential::Cookie)),
    }
}

fn cookie(request: &Request) -> Option<String> {
    let cookies = request.headers().get_all(header::COOKIE).iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value.to_owned())
}

fn unauthenticated(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
}

fn wrong_csrf() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "csrf_token_wrong",
        "A change asked for with a cookie needs the session's X-CSRF-Token.",
    )
}

fn shut_out(rest: Duration) -> Problem {
    let mut problem = Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_failures",
        "Too many wrong credentials from this address.",
    );
    problem.retry_after = Some(rest.as_secs() + 1);
    problem
}

fn nothing_here() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "There is nothing at this address. The document is at /api/v1/openapi.json.",
    )
}

fn other_methods(methods: &[&str]) -> Response {
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("This address knows {}.", methods.join(", ")),
    );
    let mut response = poem::Error::from(problem).into_response();
    if let Ok(value) = methods.join(", ").parse() {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

// === impl ForKey, ForUser, ForAdmin ===

/// The identity the guard found, checked once more: a handler mounted beside the guard gets nothing.
fn identity(request: &Request, need: Need) -> Result<Identity> {
    let identity = request.extensions().get::<Identity>();
    identity
        .filter(|identity| identity.may(need))
        .cloned()
        .ok_or_else(|| Problem::forbidden("Nobody vouched for this request.").into())
}

macro_rules! needs {
    ($extractor:ident, $need:ident, $role:literal, |$identity:ident| $build:expr) => {
        impl<'a> ApiExtractor<'a> for $extractor {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn security_schemes() -> Vec<&'static str> {
                vec![
                    concat!("bearer:", $role),
                    concat!("apiKey:", $role),
                    concat!("session:", $role),
                ]
            }

            async fn from_request(
                request: &'a Request,
                _body: &mut RequestBody,
                _options: ExtractParamOptions<()>,
            ) -> Result<Self> {
                let $identity = identity(request, Need::$need)?;
                Ok($build)
            }
        }
    };
}

needs!(ForKey, Key, "key", |identity| Self(identity));
needs!(ForUser, User, "user", |identity| Self(identity));
needs!(ForAdmin, Admin, "admin", |identity| Self(identity));
