//! Wrong credentials of the admin side, told from node to node: each counts all of them, so that who guesses has no more tries at many
//! nodes than at one. Without Redis, and while it is away, each node counts its own.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::runtime::Stop;
use crate::store::bus::{Bus, Notice};

/// What such a notice is about.
const KIND: &str = "wrong-credential";

/// Tells the other nodes that `peer` sent a wrong credential.
pub async fn tell(bus: &Bus, peer: Option<IpAddr>) {
    let is_told = bus.tell(KIND, json!({ "peer": peer })).await;
    if !is_told {
        tracing::debug!("Redis did not take the news of a wrong credential");
    }
}

/// Counts what other nodes tell until told to stop.
pub async fn run(bus: Arc<Bus>, admin: Arc<admin::Admin>, mut stop: Stop) {
    let mut notices = bus.notices();
    loop {
        let notice = tokio::select! {
            // An error means that nobody is left who could say stop.
            _ = stop.wait_for(|stop| *stop) => return,
            notice = notices.recv() => notice,
        };
        match notice {
            Ok(notice) => {
                if let Some(peer) = read(&notice) {
                    admin.throttle.failed(peer, Instant::now());
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// The peer a notice tells of; none when it tells of something else.
fn read(notice: &Notice) -> Option<Option<IpAddr>> {
    if notice.kind != KIND {
        return None;
    }
    match notice.body.get("peer")? {
        Value::Null => Some(None),
        peer => Some(Some(peer.as_str()?.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_says_who_failed_and_others_are_passed_over() {
        let notice = |kind: &str, body| Notice {
            kind: kind.to_owned(),
            body,
        };
        let peer: IpAddr = "192.0.2.1".parse().unwrap();
        let told = notice(KIND, json!({ "peer": Some(peer) }));
        assert_eq!(read(&told), Some(Some(peer)));
        let unknown = notice(KIND, json!({ "peer": None::<IpAddr> }));
        assert_eq!(read(&unknown), Some(None));
        assert_eq!(read(&notice("breaker", json!({ "peer": null }))), None);
        assert_eq!(read(&notice(KIND, json!({ "peer": "nobody" }))), None);
        assert_eq!(read(&notice(KIND, json!(1))), None);
    }
}
