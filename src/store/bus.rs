//! Redis as the bell between nodes: who changes the configuration rings, the others look at the revision at once. On a second channel
//! nodes tell each other what they should know ([`Notice`]).
//!
//! Nothing depends on it. A bell that is not heard costs the second until the next poll, so a publication has a short deadline and is
//! not repeated, and the connection is made and made again in the background.

use std::time::Duration;

use fred::clients::{Client, SubscriberClient};
use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use fred::types::Builder;
use fred::types::Message;
use fred::types::config::{Config, Options, ReconnectPolicy};
use rustls::crypto::CryptoProvider;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;
use uuid::Uuid;

use super::watch::Watch;
use super::{Stop, stopped};
use entity::value::Secret;

/// The channel of revision numbers.
pub const CHANNEL: &str = "switchyard:revision";
/// The channel of notices.
pub const NOTICES: &str = "switchyard:notices";
/// The longest notice that is sent or read, in bytes.
pub const LONGEST_NOTICE: usize = 8_192;

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const PUBLISH_LIMIT: Duration = Duration::from_millis(500);
const QUIT_LIMIT: Duration = Duration::from_secs(1);
/// Notices that wait for who listens; of more, the oldest are lost.
const WAITING: usize = 1_024;
/// How notices are written. A node passes over those of another version: old and new ones run side by side during an update.
const VERSION: u32 = 1;

/// A connection to publish on and one to listen on.
#[derive(Debug)]
pub struct Bus {
    publisher: Client,
    subscriber: SubscriberClient,
    node: Uuid,
    notices: broadcast::Sender<Notice>,
}

/// Something another node wants known. It may be lost, so nothing may depend on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// What it is about.
    pub kind: String,
    /// What it says.
    pub body: Value,
}

/// A notice on its way.
#[derive(Serialize, Deserialize)]
struct Envelope {
    version: u32,
    node: Uuid,
    kind: String,
    body: Value,
}

/// Why there can be no bus. That Redis is away is not among it.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The URL is none that Redis can have.
    #[error("REDIS_URL is not usable: {0}")]
    Url(fred::error::Error),
    /// TLS is asked for and the process has not chosen who provides it.
    #[error("REDIS_URL asks for TLS and no TLS provider is installed")]
    NoTls,
}

// === impl Bus ===

impl Bus {
    /// Begins to connect in the background and answers at once. Must be called within a runtime, whose tasks the connections are.
    ///
    /// # Errors
    /// When the URL is not usable.
    pub fn connect(url: &Secret) -> Result<Self, BusError> {
        let url = url.expose();
        // Asked for here because the client's TLS would panic where there is none. It uses the process's, it installs no other.
        if url.starts_with("rediss") && CryptoProvider::get_default().is_none() {
            return Err(BusError::NoTls);
        }
        let mut config = Config::from_url(url).map_err(BusError::Url)?;
        config.fail_fast = false;
        let mut builder = Builder::from_config(config);
        builder
            .set_policy(ReconnectPolicy::new_exponential(0, 100, 5_000, 2))
            .with_connection_config(|connection| {
                connection.connection_timeout = CONNECT_LIMIT;
                connection.internal_command_timeout = CONNECT_LIMIT;
                connection.max_command_attempts = 1;
                connection.max_command_buffer_len = 1_000;
            })
            .with_performance_config(|performance| {
                performance.default_command_timeout = CONNECT_LIMIT;
            });
        let publisher = builder.build().map_err(BusError::Url)?;
        let subscriber = builder.build_subscriber_client().map_err(BusError::Url)?;
        // Dropping the handles leaves the connections' tasks to run.
        drop(publisher.connect());
        drop(subscriber.connect());
        Ok(Self {
            publisher,
            subscriber,
            node: Uuid::new_v4(),
            notices: broadcast::Sender::new(WAITING),
        })
    }

    /// This process's name among the nodes: drawn at its start.
    pub fn node(&self) -> Uuid {
        self.node
    }

    /// Tells the other nodes of a revision; false when Redis did not take it within half a second.
    pub async fn announce(&self, revision: i64) -> bool {
        self.publish(CHANNEL, revision.to_string()).await
    }

    /// Tells the other nodes something; false when it is too long or Redis did not take it within half a second.
    pub async fn tell(&self, kind: &str, body: Value) -> bool {
        let envelope = Envelope {
            version: VERSION,
            node: self.node,
            kind: kind.to_owned(),
            body,
        };
        match serde_json::to_string(&envelope) {
            Ok(text) if text.len() <= LONGEST_NOTICE => self.publish(NOTICES, text).await,
            Ok(_) | Err(_) => false,
        }
    }

    /// What other nodes tell from now on.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    async fn publish(&self, channel: &str, message: String) -> bool {
        let options = Options {
            fail_fast: true,
            max_attempts: Some(1),
            timeout: Some(PUBLISH_LIMIT),
            ..Options::default()
        };
        let publisher = self.publisher.with_options(&options);
        let published = publisher.publish::<(), _, _>(channel, message);
        matches!(timeout(PUBLISH_LIMIT, published).await, Ok(Ok(())))
    }

    /// Whether the connection to publish on stands.
    pub fn is_connected(&self) -> bool {
        self.publisher.is_connected()
    }

    /// Pokes `watch` for every announcement, and after every connection, because something may have been missed before it. Hands
    /// notices on to [`Bus::notices`].
    pub async fn run(&self, watch: &Watch, mut stop: Stop) {
        let mut messages = self.subscriber.message_rx();
        let mut connections = self.subscriber.reconnect_rx();
        let mut errors = self.subscriber.error_rx();
        let mut is_away = !self.subscriber.is_connected();
        if !is_away {
            self.listen(watch).await;
        }
        loop {
            tokio::select! {
                () = stopped(&mut stop) => break,
                message = messages.recv() => match message {
                    Ok(message) if message.channel == NOTICES => self.hear(&message),
                    Ok(_) | Err(RecvError::Lagged(_)) => watch.poke(),
                    Err(RecvError::Closed) => break,
                },
                connected = connections.recv() => {
                    if matches!(connected, Err(RecvError::Closed)) {
                        break;
                    }
                    if is_away {
                        tracing::info!("Redis is connected");
                    }
                    is_away = false;
                    self.listen(watch).await;
                }
                failed = errors.recv() => {
                    if let (Ok((error, _)), false) = (failed, is_away) {
                        is_away = true;
                        tracing::warn!(%error, "Redis is away, changes of other nodes arrive by polling");
                    }
                }
            }
        }
        let _ = timeout(QUIT_LIMIT, self.subscriber.quit()).await;
        let _ = timeout(QUIT_LIMIT, self.publisher.quit()).await;
    }

    async fn listen(&self, watch: &Watch) {
        match timeout(
            CONNECT_LIMIT,
            self.subscriber.subscribe(vec![CHANNEL, NOTICES]),
        )
        .await
        {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "cannot listen for revisions yet"),
            Err(_) => tracing::debug!("cannot listen for revisions yet"),
        }
        watch.poke();
    }

    /// Hands a notice on, unless it is this node's own or not understood.
    fn hear(&self, message: &Message) {
        let text = message.value.as_bytes().unwrap_or_default();
        if text.len() > LONGEST_NOTICE {
            return;
        }
        let Ok(envelope) = serde_json::from_slice::<Envelope>(text) else {
            tracing::debug!("a notice is not understood");
            return;
        };
        if envelope.version == VERSION && envelope.node != self.node {
            let Envelope { kind, body, .. } = envelope;
            // An error says that nobody listens.
            let _ = self.notices.send(Notice { kind, body });
        }
    }
}

#[cfg(test)]
mod tests;
