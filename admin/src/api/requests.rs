//! `/requests`: the request log.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Tag,
    answers::{ListRefused, ReadRefused},
};
use crate::{
    Admin,
    auth::{guard::ForUser, identity::Identity},
    problem::Problem,
    query::{page::Window, requests},
};

mod chain;
mod object;

use object::RequestDetail;
pub use object::{RequestList, RequestRow};

/// The operations.
pub struct Api(pub Arc<Admin>);

#[OpenApi(prefix_path = "/api/v1/requests", tag = "Tag::Requests")]
impl Api {
    /// List requests
    ///
    /// Newest first. A user sees the user's own, without what is the operator's: which provider served them.
    #[oai(path = "/", method = "get", operation_id = "listRequests")]
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument is one documented filter"
    )]
    async fn list(
        &self,
        caller: ForUser,
        /// Of this user.
        #[oai(name = "userId")]
        user_id: Query<Option<i64>>,
        /// With this key.
        #[oai(name = "keyId")]
        key_id: Query<Option<i64>>,
        /// Answered by this provider.
        #[oai(name = "providerId")]
        provider_id: Query<Option<i64>>,
        /// For this model, as asked for or as sent on.
        model: Query<Option<String>>,
        /// With this status.
        status: Query<Option<i32>>,
        /// From this time on.
        from: Query<Option<DateTime<Utc>>>,
        /// Before this time.
        to: Query<Option<DateTime<Utc>>>,
        /// Of this session.
        #[oai(name = "sessionId")]
        session_id: Query<Option<String>>,
        /// With this text in method and path.
        endpoint: Query<Option<String>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<RequestList>, ListRefused> {
        let filter = requests::Filter {
            user_id: own_or(&caller.0, user_id.0, provider_id.0)?,
            key_id: key_id.0,
            provider_id: provider_id.0,
            model: model.0,
            status: status.0,
            session_id: session_id.0,
            endpoint: endpoint.0,
            from: from.0,
            to: to.0,
        };
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        let page = requests::list(&self.0.db, filter, window).await?;
        let page = page.map(|row| RequestRow::new(&caller.0, &row));
        Ok(Json(RequestList {
            items: page.items,
            next_cursor: page.next,
        }))
    }

    /// Read a request
    ///
    /// With its decision chain, for admins: what was tried, in order, and why.
    #[oai(path = "/:id", method = "get", operation_id = "getRequest")]
    async fn read(
        &self,
        caller: ForUser,
        /// The request, as in `x-request-id`.
        id: Path<Uuid>,
    ) -> Result<Json<RequestDetail>, ReadRefused> {
        let row = requests::find(&self.0.db, id.0).await?;
        let row = row.ok_or_else(|| Problem::not_found("request"))?;
        let owner = row.user_id.unwrap_or_default();
        caller.0.must_own(owner, "request")?;
        Ok(Json(RequestDetail::new(&caller.0, &row)))
    }
}

/// The user whose requests are listed. A user who names another, or asks by provider, is refused rather than answered emptily.
fn own_or(
    caller: &Identity,
    user_id: Option<i64>,
    provider_id: Option<i64>,
) -> Result<Option<i64>, Problem> {
    match caller.only_user() {
        None => Ok(user_id),
        Some(own) if user_id.is_some_and(|id| id != own) => {
            Err(Problem::forbidden("These requests are another user's."))
        }
        Some(_) if provider_id.is_some() => {
            Err(Problem::forbidden("Only an admin may ask by provider."))
        }
        Some(own) => Ok(Some(own)),
    }
}
