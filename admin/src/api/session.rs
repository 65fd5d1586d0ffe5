//! `/auth`: logging in and out.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use poem::{Request, http::StatusCode};
use poem_openapi::{ApiResponse, Object, OpenApi, payload::Json, types::Any};
use serde_json::Value;

use super::{
    Tag,
    answers::{LoginRefused, SelfRefused},
    body::{Body, Input},
    me::{CallerRole, Me},
};
use crate::{
    Admin,
    auth::{
        COOKIE,
        guard::{ForKey, identify_secret},
        identity::{Identity, Role},
        session,
    },
    problem::{Mistake, Problem},
    service::sessions,
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// What one logs in with.
#[derive(Object)]
pub struct Login {
    /// The admin token, or a client key whose `canLoginWebUi` is true.
    #[oai(write_only, validator(min_length = 1, max_length = 1024))]
    pub key: String,
}

/// A session, or who the caller is without one.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct SessionInfo {
    /// What the caller may do.
    pub role: CallerRole,
    /// Who the caller is.
    pub me: Me,
    /// What the header `X-CSRF-Token` must say in requests that change something; null when the caller came without a cookie
    /// and needs none.
    #[oai(nullable)]
    pub csrf_token: Option<String>,
    /// The session's end; null without one.
    #[oai(nullable)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Logged in.
#[derive(ApiResponse)]
pub enum LoggedIn {
    /// The session.
    #[oai(status = 200)]
    LoggedIn(
        Json<SessionInfo>,
        /// The session's cookie.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

/// Logged out.
#[derive(ApiResponse)]
pub enum LoggedOut {
    /// The session is over.
    #[oai(status = 204)]
    LoggedOut(
        /// Takes the cookie back.
        #[oai(header = "Set-Cookie")]
        String,
    ),
}

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Tag::Identity")]
impl Api {
    /// Log in
    ///
    /// Opens a session of seven days and sets its cookie.
    #[oai(path = "/login", method = "post", operation_id = "login")]
    async fn login(&self, request: &Request, body: Body<Login>) -> Result<LoggedIn, LoginRefused> {
        let secret = body.0.key;
        let identity = identify_secret(&self.0, request, &secret).await?;
        if identity.role == Role::ReadOnly {
            return Err(may_not_log_in().into());
        }
        let browser = request.header("user-agent");
        let opened = session::open(&self.0, identity, browser).await?;
        let cookie = self.cookie(&opened.cookie, session::LIFETIME.num_seconds());
        Ok(LoggedIn::LoggedIn(
            Json(SessionInfo::new(&self.0, opened.identity)),
            cookie,
        ))
    }

    /// Log out
    ///
    /// Ends the session of the cookie; without one there is nothing to end and that is fine.
    #[oai(path = "/logout", method = "post", operation_id = "logout")]
    async fn logout(&self, caller: ForKey) -> Result<LoggedOut, SelfRefused> {
        if let Some(session) = &caller.0.session {
            match sessions::end(&self.0, &caller.0, session.id).await {
                // It may have been ended from elsewhere just now.
                Err(problem) if problem.status != StatusCode::NOT_FOUND => {
                    return Err(problem.into());
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(LoggedOut::LoggedOut(self.cookie("", 0)))
    }

    /// Read the session
    ///
    /// Who the caller is and, with a cookie, the CSRF token.
    #[oai(path = "/session", method = "get", operation_id = "getSession")]
    async fn read(&self, caller: ForKey) -> Result<Json<SessionInfo>, SelfRefused> {
        Ok(Json(SessionInfo::new(&self.0, caller.0)))
    }
}

impl Api {
    fn cookie(&self, value: &str, seconds: i64) -> String {
        let secure = if self.0.secure_cookies {
            "; Secure"
        } else {
            ""
        };
        format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }
}

fn may_not_log_in() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "web_ui_not_allowed",
        "This key may not log in. It can read /api/v1/me as a bearer token.",
    )
}

// === impl SessionInfo, Login ===

impl SessionInfo {
    fn new(admin: &Admin, identity: Identity) -> Self {
        let session = identity.session.clone();
        Self {
            role: identity.role.into(),
            me: Me::new(admin, identity),
            csrf_token: session.as_ref().map(|s| s.csrf.clone()),
            expires_at: session.map(|s| s.expires_at),
        }
    }
}

impl Input for Login {
    type Loose = Any<Value>;

    fn rules(_loose: &Any<Value>, _out: &mut Vec<Mistake>) {}
}
