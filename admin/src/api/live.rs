//! What runs now: requests under way, the sessions of clients, and the view of it that follows.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use poem::http::StatusCode;
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};
use tokio::sync::Semaphore;

use super::{
    Tag,
    answers::{ListRefused, ReadRefused},
};
use crate::{
    Admin,
    auth::{
        guard::{ForAdmin, ForUser},
        identity::Identity,
    },
    problem::{Mistake, Problem},
    query::{
        page::{Page, Window},
        requests::{self, Names},
        sessions::{self, SessionKey, Totals},
    },
};

mod object;
mod stream;

use object::{
    LiveRequest, LiveRequestList, LiveSession, LiveSessionDetail, LiveSessionList, SessionEnd,
};
use stream::Events;

/// Those who may look on at once.
const SEATS: usize = 16;

/// Minutes that recent sessions go back, if not given.
const RECENT_MINUTES: i64 = 30;

/// The operations.
pub struct Api {
    admin: Arc<Admin>,
    seats: Arc<Semaphore>,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Live")]
impl Api {
    /// List requests under way
    ///
    /// On this node, oldest first. A user sees the user's own.
    #[oai(
        path = "/requests/live",
        method = "get",
        operation_id = "listLiveRequests"
    )]
    async fn requests(&self, caller: ForUser) -> Result<Json<LiveRequestList>, ListRefused> {
        let (items, total) = stream::visible(&self.admin, &caller.0);
        Ok(Json(LiveRequestList { items, total }))
    }

    /// Follow requests under way
    ///
    /// Server-sent events: a `snapshot`, then a `change` for each second in which something changed. A comment every 15 seconds shows that
    /// it is alive. Ends after an hour, and when the gateway stops: connect again. At most 16 at once.
    #[oai(path = "/live", method = "get", operation_id = "followLive")]
    async fn follow(&self, _caller: ForAdmin) -> Result<Events, ListRefused> {
        let seat = self.seats.clone().try_acquire_owned().map_err(|_| full())?;
        let caller = Identity::admin_token();
        Ok(stream::events(self.admin.clone(), caller, seat))
    }

    /// List sessions
    ///
    /// Those with a request under way, and those that had one lately, seen last first; sums are of the newest 5000 requests in that time. A
    /// user sees the user's own.
    #[oai(
        path = "/sessions",
        method = "get",
        operation_id = "listClientSessions"
    )]
    async fn list(
        &self,
        caller: ForUser,
        /// How far back is lately, in minutes; 30 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "10080")))]
        minutes: Query<Option<i64>>,
        /// Only those with a request under way.
        #[oai(name = "liveOnly")]
        live_only: Query<Option<bool>>,
        /// The `nextCursor` of the page before.
        cursor: Query<Option<String>>,
        /// Entries of the page, 50 if not given.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u64>>,
    ) -> Result<Json<LiveSessionList>, ListRefused> {
        let window = Window::<String>::new(cursor.0.as_deref(), limit.0)?;
        let after = window.after.as_deref().map(place_of).transpose()?;
        let since = Utc::now() - TimeDelta::minutes(minutes.0.unwrap_or(RECENT_MINUTES));
        let only_user = caller.0.only_user();
        let past = sessions::recent(&self.admin.db, since, only_user).await?;
        let (live, _) = stream::visible(&self.admin, &caller.0);
        let names = requests::names(&self.admin.db, only_user).await?;
        let mut all = together(&caller.0, past, live, &names);
        if live_only.0 == Some(true) {
            all.retain(|session| session.in_flight > 0);
        }
        all.retain(|session| after.as_ref().is_none_or(|after| place(session) < *after));
        all.truncate(usize::try_from(window.fetch()).unwrap_or(usize::MAX));
        let page = Page::cut(&window, all, |session| {
            let (at, id, key) = place(session);
            format!("{} {key} {id}", at.timestamp_micros())
        });
        Ok(Json(LiveSessionList {
            items: page.items,
            next_cursor: page.next,
        }))
    }

    /// Read a session
    ///
    /// Sums are of its newest 5000 requests. A user sees the user's own.
    #[oai(
        path = "/sessions/:id",
        method = "get",
        operation_id = "getClientSession"
    )]
    async fn read(
        &self,
        caller: ForUser,
        /// The session, as the client names it.
        id: Path<String>,
    ) -> Result<Json<LiveSessionDetail>, ReadRefused> {
        let only_user = caller.0.only_user();
        let past = sessions::one(&self.admin.db, &id.0, only_user).await?;
        let (mut live, _) = stream::visible(&self.admin, &caller.0);
        live.retain(|request| request.session_id.as_deref() == Some(&id.0));
        let names = requests::names(&self.admin.db, only_user).await?;
        let sessions = together(&caller.0, past, live.clone(), &names);
        if sessions.is_empty() {
            return Err(Problem::not_found("session").into());
        }
        Ok(Json(LiveSessionDetail { sessions, live }))
    }

    /// End a session
    ///
    /// Its requests under way on this node are cut: a stream ends with an error event of its protocol, a request without an answer is refused
    /// with 403 `session_ended`. Its place among concurrent sessions is free at once, on every node, and this node forgets which provider it
    /// was served by. Nothing keeps the client from asking again. A user ends the user's own.
    #[oai(
        path = "/sessions/:id/end",
        method = "post",
        operation_id = "endClientSession"
    )]
    async fn end(
        &self,
        caller: ForUser,
        /// The session, as the client names it.
        id: Path<String>,
    ) -> Result<Json<SessionEnd>, ReadRefused> {
        let only_user = caller.0.only_user();
        let past = sessions::one(&self.admin.db, &id.0, only_user).await?;
        let keys: Vec<i64> = past.keys().map(|session| session.key_id).collect();
        let gateway = &self.admin.gateway;
        let ended = gateway.end_session(&id.0, only_user, &keys).await;
        if ended == 0 && past.is_empty() {
            return Err(Problem::not_found("session").into());
        }
        tracing::info!(session = id.0, ended, "a session was ended by hand");
        Ok(Json(SessionEnd {
            ended_requests: ended as u64,
        }))
    }
}

impl Api {
    /// The operations, and the seats of those who look on.
    pub fn new(admin: Arc<Admin>) -> Self {
        Self {
            admin,
            seats: Arc::new(Semaphore::new(SEATS)),
        }
    }
}

fn full() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too_many_streams",
        "As many look on already as may. Try again.",
    )
}

/// Sessions of the log and sessions under way, seen last first.
fn together(
    caller: &Identity,
    mut past: HashMap<SessionKey, Totals>,
    live: Vec<LiveRequest>,
    names: &Names,
) -> Vec<LiveSession> {
    let mut by_session = HashMap::<SessionKey, Vec<LiveRequest>>::new();
    for request in live {
        if let Some(session_id) = request.session_id.clone() {
            let key_id = request.key_id;
            let key = SessionKey { session_id, key_id };
            by_session.entry(key).or_default().push(request);
        }
    }
    let mut all = Vec::new();
    for (key, live) in by_session {
        let totals = past.remove(&key);
        all.push(LiveSession::new(caller, key, totals, &live, names));
    }
    for (key, totals) in past {
        all.push(LiveSession::new(caller, key, Some(totals), &[], names));
    }
    all.sort_by_cached_key(|session| Reverse(place(session)));
    all
}

type Place = (DateTime<Utc>, String, i64);

fn place(session: &LiveSession) -> Place {
    (
        session.last_seen_at,
        session.session_id.clone(),
        session.key_id,
    )
}

fn place_of(cursor: &str) -> Result<Place, Problem> {
    let mut parts = cursor.splitn(3, ' ');
    let mut read = || {
        let at = DateTime::from_timestamp_micros(parts.next()?.parse().ok()?)?;
        let key = parts.next()?.parse().ok()?;
        Some((at, parts.next()?.to_owned(), key))
    };
    read().ok_or_else(|| {
        let message = "is not a cursor of this list";
        Problem::invalid(vec![Mistake::new("cursor", "invalid", message)])
    })
}
