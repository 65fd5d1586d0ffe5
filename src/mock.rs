//! `switchyard mock-upstream`: a scriptable fake provider for every protocol the gateway speaks.
//!
//! The tests run it in process, the benches as a process of its own, and a reader tries the gateway out with it. It
//! answers by path, streaming where the request asks for it, in event sequences the real clients accept:
//!
//! | path | answer |
//! |---|---|
//! | `/v1/messages`, `/v1/messages/count_tokens` | Anthropic Messages |
//! | `/v1/responses`, `/v1/responses/compact` | `OpenAI` Responses |
//! | `/v1/chat/completions`, `/v1/completions`, `/v1/embeddings` | `OpenAI` |
//! | `/v1beta/models/{model}:generateContent`, `:streamGenerateContent`, `:countTokens`, `:embedContent`, `:batchEmbedContents` | Gemini |
//! | `/v1internal:generateContent`, `:streamGenerateContent`, `:countTokens` | Code Assist |
//! | `/v1/models`, `/v1beta/models` and single models | the caller's dialect |
//! | anything else | `{method, path, bodyLen, bodySha256}` |
//!
//! A [`Behaviour`] changes the answer. It is chosen by the first segment of the path, so that a provider's base URL
//! alone scripts it: `/~status=429;retryAfter=2;times=1` states it inline, `/b/{name}` names one that was set with
//! `PUT /_mock/behaviours/{name}` or [`Stage::set`]; the name `default` applies to paths with neither.
//!
//! | key | value | effect |
//! |---|---|---|
//! | `status` | 200..=999 | status; from 400 on the body is the protocol's error |
//! | `headers` | object; inline `header.NAME=VALUE` | headers added or replaced |
//! | `retryAfter` | seconds | `retry-after` header |
//! | `body` | text | literal body |
//! | `bodyKind` | `error`, `html`, `empty`, `notJson`, `garbage` | body of that kind, with any status |
//! | `errorType`, `errorCode`, `errorMessage` | text | words of the error, in a body or an event |
//! | `errorStatus` | 200..=999 | status an error event stands for (503) |
//! | `delayMs` | ms | wait before the head |
//! | `firstEventDelayMs` | ms | wait between head and first event |
//! | `contentDelayMs` | ms | wait before the first delta |
//! | `chunkDelayMs` | ms | wait before each further delta |
//! | `text` | text | text answered (`PONG`) |
//! | `chunks` | number | deltas the text is cut into (2); each is the whole text when it is too short for that |
//! | `chunkBytes` | bytes | size of each delta, by repeating or cutting the text |
//! | `input`, `output`, `cacheRead`, `cacheWrite5m`, `cacheWrite1h`, `reasoning` | tokens | usage, in disjoint buckets except that `reasoning` is part of `output` (25, 5, 0, 0, 0, 0) |
//! | `noContent` | bool | a well-formed answer that says nothing and cost no output |
//! | `noStream` | bool | a whole answer to a request for a stream |
//! | `omitUsage` | bool | no usage at all |
//! | `gzip` | bool | compressed body, whether the client accepts it or not |
//! | `closeBeforeHead`, `resetBeforeHead`, `hangBeforeHead` | bool | no answer: FIN, RST, silence |
//! | `closeAfterEvents`, `resetAfterEvents`, `stallAfterEvents` | number | FIN, RST, silence after so many events (a whole answer is one event) |
//! | `endAfterEvents` | number | a good end after so many events |
//! | `pingAfterEvents` | number | nothing but pings after so many events, one every `pingMs` (100) |
//! | `garbageAfterEvents` | number | bytes that are no event after so many events, and the end |
//! | `errorEventFirst` | bool | 200, then the protocol's error event and the end |
//! | `errorEventAfter` | number | the same after so many events |
//! | `headerBytes` | number | a header of so many bytes |
//! | `wrongContentType` | bool | `text/plain` |
//! | `truncated` | bool | half of the announced length, or of the last event, then FIN |
//! | `times` | number | so for the first requests, then normally |
//!
//! Control: `GET /_mock/health`; `GET` and `DELETE /_mock/requests`; `GET` and `DELETE /_mock/behaviours`; `PUT` and
//! `DELETE /_mock/behaviours/{name}`. A script that cannot be read is answered 501 with `x-mock-problem`.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

mod anthropic;
mod ask;
mod behaviour;
mod connection;
mod control;
mod cut;
mod fault;
mod gemini;
mod models;
mod openai;
mod percent;
mod play;
mod provider;
mod recorder;
mod reply;
mod responses;
mod schema;
mod score;
mod stage;
#[cfg(test)]
mod tests;
mod turn;

pub use behaviour::{BadScript, Behaviour, BodyKind};
pub use recorder::{Recorder, Seen, TooFew};
pub use stage::Stage;

use provider::Provider;

/// A fake provider that listens.
pub struct MockUpstream {
    listener: TcpListener,
    addr: SocketAddr,
    provider: Arc<Provider>,
}

/// `switchyard mock-upstream`: a scriptable fake provider for trying the gateway out.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9100")]
    pub listen: SocketAddr,
}

/// The text answered by default.
const TEXT: &str = "PONG";
/// A pause when connections cannot be accepted, most often for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Runs the mock until it is interrupted or terminated.
///
/// # Errors
///
/// The address cannot be listened on.
pub async fn main(options: Options) -> io::Result<()> {
    let mock = MockUpstream::bind(options.listen).await?;
    let addr = mock.addr();
    tracing::info!("mock upstream listens on http://{addr}");
    tracing::info!("provider URL that answers PONG: http://{addr}");
    tracing::info!("provider URL that streams slowly: http://{addr}/~chunks=50;chunkDelayMs=100");
    tracing::info!(
        "provider URL that refuses once, then answers: http://{addr}/~status=429;retryAfter=2;times=1"
    );
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    mock.run(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
    .await;
    Ok(())
}

// === impl MockUpstream ===

impl MockUpstream {
    /// Listens; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// The address cannot be listened on.
    pub async fn bind(addr: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        Ok(Self {
            addr: listener.local_addr()?,
            listener,
            provider: Provider::new(),
        })
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A handle to what arrives.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        self.provider.recorder.clone()
    }

    /// A handle to its behaviours.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.provider.stage.clone()
    }

    /// Serves until `stop` resolves, then ends every connection.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(connection::serve(stream, self.provider.clone()));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "connection not accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        connections.shutdown().await;
    }
}
