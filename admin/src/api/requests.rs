//! `/requests`: the request log.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use sea_orm::{DatabaseConnection, DbErr};
use uuid::Uuid;

use super::{
    Tag,
    answers::{ListRefused, ReadRefused},
    csv::Csv,
    usage::ClientName,
};
use crate::{
    Admin,
    auth::{guard::ForUser, identity::Identity},
    problem::Problem,
    query::{
        page::{Window, cursor as cursor_after},
        requests,
    },
};

mod chain;
mod choices;
mod export;
mod filter;
mod object;

use choices::RequestChoices;

use filter::{Asked, RequestProtocol, StatusClass};
use object::RequestDetail;
pub use object::{RequestList, RequestRow};

/// The operations.
pub struct Api(pub Arc<Admin>);

/// Rows of an export, if not given.
const EXPORT_ROWS: u64 = 100_000;

/// Days that choices go back, if not given.
const CHOICE_DAYS: i64 = 30;

#[OpenApi(prefix_path = "/api/v1/requests", tag = "Tag::Requests")]
impl Api {
    /// List requests
    ///
    /// Newest first. Filters may be combined at will. A page is answered within a fraction of a second however large the log is: where few
    /// requests pass the filter, it may hold fewer than `limit`, even none, and still have a `nextCursor`, from which the search goes on;
    /// `searchedTo` then says how far it came. The end of the log is where `nextCursor` is null. A user sees the user's own, without
    /// what is the operator's: which provider served them.
    #[oai(path = "/", method = "get", operation_id = "listRequests")]
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument is one documented filter"
    )]
    async fn list(
        &self,
        caller: ForUser,
        /// From this time on.
        from: Query<Option<DateTime<Utc>>>,
        /// Before this time.
        to: Query<Option<DateTime<Utc>>>,
        /// Of this user.
        #[oai(name = "userId")]
        user_id: Query<Option<i64>>,
        /// With this key.
        #[oai(name = "keyId")]
        key_id: Query<Option<i64>>,
        /// Answered by this provider; for admins.
        #[oai(name = "providerId")]
        provider_id: Query<Option<i64>>,
        /// For this model, as asked for or as sent on.
        model: Query<Option<String>>,
        /// With this status.
        status: Query<Option<i32>>,
        /// With a status of this class.
        #[oai(name = "statusClass")]
        status_class: Query<Option<StatusClass>>,
        /// Of this session.
        #[oai(name = "sessionId")]
        session_id: Query<Option<String>>,
        /// In this protocol.
        protocol: Query<Option<RequestProtocol>>,
        /// With this text in method and path.
        endpoint: Query<Option<String>>,
        /// Of this program.
        client: Query<Option<ClientName>>,
        /// Answered as a stream, or not.
        #[oai(name = "isStream")]
        is_stream: Query<Option<bool>>,
        /// With this error code.
        #[oai(name = "errorCode")]
        error_code: Query<Option<String>>,
        /// That cost this much or more, a decimal of USD.
        #[oai(name = "minCostUsd")]
        min_cost_usd: Query<Option<String>>,
        /// That cost this much or less, a decimal of USD.
        #[oai(name = "maxCostUsd")]
        max_cost_usd: Query<Option<String>>,
        /// That took this many milliseconds or more.
        #[oai(name = "minDurationMs")]
        min_duration_ms: Query<Option<i64>>,
        /// That took this many milliseconds or less.
        #[oai(name = "maxDurationMs")]
        max_duration_ms: Query<Option<i64>>,
        /// With this text in method and path, model, session, error, address or `User-Agent`; or with this id.
        #[oai(validator(min_length = 1, max_length = 200))]
        text: Query<Option<String>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<RequestList>, ListRefused> {
        let filter = Asked {
            from: from.0,
            to: to.0,
            user_id: user_id.0,
            key_id: key_id.0,
            provider_id: provider_id.0,
            model: model.0,
            status: status.0,
            class: status_class.0,
            session_id: session_id.0,
            protocol: protocol.0,
            endpoint: endpoint.0,
            client: client.0,
            is_stream: is_stream.0,
            error_code: error_code.0,
            min_cost_usd: min_cost_usd.0,
            max_cost_usd: max_cost_usd.0,
            min_duration_ms: min_duration_ms.0,
            max_duration_ms: max_duration_ms.0,
            text: text.0,
        };
        let filter = filter.of(&caller.0)?;
        let window = Window::new(cursor.0.as_deref(), limit.0)?;
        Ok(Json(list(&self.0.db, &caller.0, &filter, &window).await?))
    }

    /// Export requests as CSV
    ///
    /// Newest first, with the filters of the list. RFC 4180 with a header row; money is USD. A text that a spreadsheet would take for a
    /// formula begins with an apostrophe. Sent as it is read; where it breaks off in the middle, the connection does too.
    #[oai(path = "/export", method = "get", operation_id = "exportRequests")]
    #[expect(
        clippy::too_many_arguments,
        reason = "one argument is one documented filter"
    )]
    async fn export(
        &self,
        caller: ForUser,
        /// From this time on.
        from: Query<Option<DateTime<Utc>>>,
        /// Before this time.
        to: Query<Option<DateTime<Utc>>>,
        /// Of this user.
        #[oai(name = "userId")]
        user_id: Query<Option<i64>>,
        /// With this key.
        #[oai(name = "keyId")]
        key_id: Query<Option<i64>>,
        /// Answered by this provider; for admins.
        #[oai(name = "providerId")]
        provider_id: Query<Option<i64>>,
        /// For this model, as asked for or as sent on.
        model: Query<Option<String>>,
        /// With this status.
        status: Query<Option<i32>>,
        /// With a status of this class.
        #[oai(name = "statusClass")]
        status_class: Query<Option<StatusClass>>,
        /// Of this session.
        #[oai(name = "sessionId")]
        session_id: Query<Option<String>>,
        /// In this protocol.
        protocol: Query<Option<RequestProtocol>>,
        /// With this text in method and path.
        endpoint: Query<Option<String>>,
        /// Of this program.
        client: Query<Option<ClientName>>,
        /// Answered as a stream, or not.
        #[oai(name = "isStream")]
        is_stream: Query<Option<bool>>,
        /// With this error code.
        #[oai(name = "errorCode")]
        error_code: Query<Option<String>>,
        /// That cost this much or more, a decimal of USD.
        #[oai(name = "minCostUsd")]
        min_cost_usd: Query<Option<String>>,
        /// That cost this much or less, a decimal of USD.
        #[oai(name = "maxCostUsd")]
        max_cost_usd: Query<Option<String>>,
        /// That took this many milliseconds or more.
        #[oai(name = "minDurationMs")]
        min_duration_ms: Query<Option<i64>>,
        /// That took this many milliseconds or less.
        #[oai(name = "maxDurationMs")]
        max_duration_ms: Query<Option<i64>>,
        /// With this text in method and path, model, session, error, address or `User-Agent`; or with this id.
        #[oai(validator(min_length = 1, max_length = 200))]
        text: Query<Option<String>>,
        /// Rows at most, 100000 if not given.
        #[oai(
            name = "maxRows",
            validator(minimum(value = "1"), maximum(value = "1000000"))
        )]
        max_rows: Query<Option<u64>>,
    ) -> Result<Csv, ListRefused> {
        let filter = Asked {
            from: from.0,
            to: to.0,
            user_id: user_id.0,
            key_id: key_id.0,
            provider_id: provider_id.0,
            model: model.0,
            status: status.0,
            class: status_class.0,
            session_id: session_id.0,
            protocol: protocol.0,
            endpoint: endpoint.0,
            client: client.0,
            is_stream: is_stream.0,
            error_code: error_code.0,
            min_cost_usd: min_cost_usd.0,
            max_cost_usd: max_cost_usd.0,
            min_duration_ms: min_duration_ms.0,
            max_duration_ms: max_duration_ms.0,
            text: text.0,
        };
        let filter = filter.of(&caller.0)?;
        let rows = max_rows.0.unwrap_or(EXPORT_ROWS);
        Ok(export::export(&self.0, &caller.0, filter, rows).await?)
    }

    /// Read what requests can be filtered by
    ///
    /// What occurs, from the sums of each hour, those with most requests first; at most 1000 of each. A user sees the user's own.
    #[oai(path = "/filters", method = "get", operation_id = "getRequestFilters")]
    async fn filters(
        &self,
        caller: ForUser,
        /// From this time on; the last 30 days if not given.
        from: Query<Option<DateTime<Utc>>>,
    ) -> Result<Json<RequestChoices>, ListRefused> {
        let from = from
            .0
            .unwrap_or_else(|| Utc::now() - TimeDelta::days(CHOICE_DAYS));
        let found = requests::choices(&self.0.db, from, caller.0.only_user()).await?;
        Ok(Json(found.into()))
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

/// A page of what a search finds, as `caller` may see it.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: &DatabaseConnection,
    caller: &Identity,
    filter: &requests::Filter,
    window: &Window<Uuid>,
) -> Result<RequestList, DbErr> {
    let found = requests::search(db, filter, window.after, window.limit).await?;
    let rows = requests::rows(db, found.ids).await?;
    let items = rows.iter().map(|row| RequestRow::new(caller, row));
    Ok(RequestList {
        items: items.collect(),
        next_cursor: found.next.map(cursor_after),
        searched_to: found.searched_to,
    })
}
