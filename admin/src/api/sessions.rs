//! `/auth/sessions`: who is logged in to the dashboard.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Tag,
    answers::{DeleteRefused, Deleted, ListRefused},
};
use crate::{
    Admin,
    auth::{guard::ForUser, identity::Identity},
    query::page::Window,
    service::sessions::{self, Found},
};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// A session of the dashboard.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct LoginSession {
    /// Id.
    pub id: Uuid,
    /// Whether this request was sent in it.
    pub is_current: bool,
    /// The key it was opened with; null for the admin token.
    #[oai(nullable)]
    pub key_id: Option<i64>,
    /// The key's name; null for the admin token.
    #[oai(nullable)]
    pub key_name: Option<String>,
    /// The key's user; null for the admin token.
    #[oai(nullable)]
    pub user_id: Option<i64>,
    /// The user's name; null for the admin token.
    #[oai(nullable)]
    pub user_name: Option<String>,
    /// The address it was opened from, where that is known.
    #[oai(nullable)]
    pub peer: Option<String>,
    /// The browser, as it called itself.
    #[oai(nullable)]
    pub user_agent: Option<String>,
    /// When opened.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
}

/// A page of sessions.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct LoginSessionList {
    /// The sessions, in no order of time.
    pub items: Vec<LoginSession>,
    /// The `cursor` of the next page; null at the end.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
}

/// Sessions that were ended.
#[derive(Debug, Object)]
pub struct SessionsEnded {
    /// How many.
    pub ended: u64,
}

#[OpenApi(prefix_path = "/api/v1/auth/sessions", tag = "Tag::Identity")]
impl Api {
    /// List sessions
    ///
    /// An admin sees all, a user those of the user's own keys.
    #[oai(path = "/", method = "get", operation_id = "listLoginSessions")]
    async fn list(
        &self,
        caller: ForUser,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<LoginSessionList>, ListRefused> {
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let page = sessions::list(&self.0, &caller.0, window).await?;
        let page = page.map(|found| LoginSession::new(&caller.0, found));
        Ok(Json(LoginSessionList {
            items: page.items,
            next_cursor: page.next,
        }))
    }

    /// End one's other sessions
    ///
    /// Those of the same key, or of the admin token; the one in use goes on.
    #[oai(path = "/", method = "delete", operation_id = "endOtherLoginSessions")]
    async fn end_others(&self, caller: ForUser) -> Result<Json<SessionsEnded>, ListRefused> {
        let ended = sessions::end_others(&self.0, &caller.0).await?;
        Ok(Json(SessionsEnded { ended }))
    }

    /// End a session
    #[oai(path = "/:id", method = "delete", operation_id = "endLoginSession")]
    async fn end(
        &self,
        caller: ForUser,
        /// The session.
        id: Path<Uuid>,
    ) -> Result<Deleted, DeleteRefused> {
        sessions::end(&self.0, &caller.0, id.0).await?;
        Ok(Deleted::Deleted)
    }
}

// === impl LoginSession ===

impl LoginSession {
    fn new(caller: &Identity, (session, of): Found) -> Self {
        let current = caller.session.as_ref().map(|session| session.id);
        let (key, user) = of.unzip();
        let user = user.flatten();
        Self {
            id: session.id,
            is_current: current == Some(session.id),
            key_id: session.key_id,
            key_name: key.map(|key| key.name),
            user_id: user.as_ref().map(|user| user.id),
            user_name: user.map(|user| user.name),
            peer: session.peer,
            user_agent: session.user_agent,
            created_at: session.created_at,
            expires_at: session.expires_at,
        }
    }
}
