//! The live view as server-sent events: everything once, then what changed.
//!
//! The gateway is asked once a second for as long as somebody looks on, so that requests pay nothing for being looked at. Lookers-on are
//! few, and none stays longer than an hour: a browser comes back by itself, and shows its credential again.

use std::{
    collections::HashMap,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::Utc;
use futures_util::{Stream, stream};
use poem::{Body, IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse,
    registry::{MetaResponses, MetaSchema, MetaSchemaRef, Registry},
    types::{ToJSON, Type},
};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::object::{LiveEvent, LiveEventKind, LiveRequest};
use crate::{Admin, api::answers::success, auth::identity::Identity};

/// How often it is looked.
const TICK: Duration = Duration::from_secs(1);
/// After so many looks without a change the connection is shown to be alive.
const HEARTBEAT: u32 = 15;
/// How long one stream lasts.
const LONGEST: Duration = Duration::from_secs(3600);
/// Requests shown at most.
pub const MOST: usize = 1_000;

/// Events on their way.
pub struct Events {
    body: Body,
}

struct View {
    admin: Arc<Admin>,
    caller: Identity,
    shown: HashMap<Uuid, LiveRequest>,
    is_begun: bool,
    quiet: u32,
    until: Instant,
    _seat: OwnedSemaphorePermit,
}

/// The requests under way that `caller` may see, the oldest; and how many there are.
pub fn visible(admin: &Admin, caller: &Identity) -> (Vec<LiveRequest>, u64) {
    let mut requests = admin.gateway.live_requests();
    if let Some(own) = caller.only_user() {
        requests.retain(|request| request.user_id == own);
    }
    let total = requests.len() as u64;
    requests.truncate(MOST);
    let requests = requests.into_iter();
    let told = requests.map(|request| LiveRequest::new(caller, request));
    (told.collect(), total)
}

/// The live view for `caller`, who has a seat.
pub fn events(admin: Arc<Admin>, caller: Identity, seat: OwnedSemaphorePermit) -> Events {
    let view = View {
        admin,
        caller,
        shown: HashMap::new(),
        is_begun: false,
        quiet: 0,
        until: Instant::now() + LONGEST,
        _seat: seat,
    };
    Events {
        body: Body::from_bytes_stream(view.pieces()),
    }
}

// === impl View ===

impl View {
    fn pieces(self) -> impl Stream<Item = io::Result<String>> + Send + 'static {
        stream::unfold(self, |mut view| async move {
            loop {
                if view.is_begun {
                    tokio::time::sleep(TICK).await;
                }
                // A stop waits for what is under way, and this never ends by itself.
                if Instant::now() >= view.until || view.admin.gateway.health().stopping {
                    return None;
                }
                if let Some(text) = view.look() {
                    view.quiet = 0;
                    return Some((Ok(text), view));
                }
                view.quiet += 1;
                if view.quiet >= HEARTBEAT {
                    view.quiet = 0;
                    return Some((Ok(": alive\n\n".to_owned()), view));
                }
            }
        })
    }

    /// What there is to tell.
    fn look(&mut self) -> Option<String> {
        let (now, total) = visible(&self.admin, &self.caller);
        let mut gone = std::mem::take(&mut self.shown);
        let mut news = Vec::new();
        for request in now {
            if gone.remove(&request.id).as_ref() != Some(&request) {
                news.push(request.clone());
            }
            self.shown.insert(request.id, request);
        }
        let kind = if self.is_begun {
            LiveEventKind::Change
        } else {
            LiveEventKind::Snapshot
        };
        if self.is_begun && news.is_empty() && gone.is_empty() {
            return None;
        }
        self.is_begun = true;
        let event = LiveEvent {
            kind,
            at: Utc::now(),
            requests: news,
            ended: gone.into_keys().collect(),
            total,
        };
        let name = match kind {
            LiveEventKind::Snapshot => "snapshot",
            LiveEventKind::Change => "change",
        };
        Some(format!(
            "event: {name}\ndata: {}\n\n",
            event.to_json_string()
        ))
    }
}

// === impl Events ===

impl IntoResponse for Events {
    fn into_response(self) -> Response {
        Response::builder()
            .header(header::CONTENT_TYPE, "text/event-stream")
            .header("x-accel-buffering", "no")
            .body(self.body)
    }
}

impl ApiResponse for Events {
    fn meta() -> MetaResponses {
        let events = MetaSchemaRef::Inline(Box::new(MetaSchema {
            items: Some(Box::new(LiveEvent::schema_ref())),
            ..MetaSchema::new_with_format("array", "event-stream")
        }));
        success(
            "Events, each with one object as its data.",
            "text/event-stream",
            events,
        )
    }

    fn register(registry: &mut Registry) {
        LiveEvent::register(registry);
    }
}
