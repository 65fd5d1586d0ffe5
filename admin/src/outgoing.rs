//! What the program asks of the world by itself, apart from clients' requests: tables of prices, messages to people. Whatever an address's name
//! resolves to is bound by the egress policy, and no proxy of the environment is used.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use entity::value::{EgressPolicy, Secret, check_address, check_whole_url};
use reqwest::{
    Client, ClientBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
    header::RETRY_AFTER,
    redirect,
};
use serde_json::Value;

/// How long one message may take.
const DEADLINE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);
/// How much of an answer to a message is read, in bytes.
const MOST: usize = 16 * 1024;

/// What a message was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How long the other side asks to be left alone, as it says it.
    pub retry_after: Option<String>,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

/// Resolves names to addresses the policy permits.
struct Permitted(EgressPolicy);

/// Sends JSON, follows nothing, and waits ten seconds at most.
///
/// # Errors
/// Says what went wrong, without the address, which is secret.
pub async fn post(
    policy: EgressPolicy,
    url: &Secret,
    headers: &[(String, Secret)],
    body: &Value,
) -> Result<Answer, String> {
    check_whole_url(url.expose(), policy).map_err(|why| format!("the address {why}"))?;
    let work = deliver(policy, url, headers, body);
    match tokio::time::timeout(DEADLINE, work).await {
        Ok(answer) => answer.map_err(|e| in_words(e.without_url())),
        Err(_) => Err("no answer within ten seconds".to_owned()),
    }
}

async fn deliver(
    policy: EgressPolicy,
    url: &Secret,
    headers: &[(String, Secret)],
    body: &Value,
) -> reqwest::Result<Answer> {
    let client = client(policy)
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .build()?;
    let mut request = client
        .post(url.expose())
        .header("content-type", "application/json; charset=utf-8")
        .header("user-agent", "switchyard");
    for (name, value) in headers {
        request = request.header(name, value.expose());
    }
    let mut response = request.body(body.to_string()).send().await?;
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok());
    let mut answer = Answer {
        status: response.status().as_u16(),
        retry_after: retry_after.map(str::to_owned),
        body: Vec::new(),
    };
    while let Some(chunk) = response.chunk().await? {
        let room = MOST - answer.body.len();
        answer
            .body
            .extend_from_slice(&chunk[..chunk.len().min(room)]);
        if answer.body.len() == MOST {
            break;
        }
    }
    Ok(answer)
}

/// A client that goes where the policy permits.
pub fn client(policy: EgressPolicy) -> ClientBuilder {
    Client::builder()
        .dns_resolver(Arc::new(Permitted(policy)))
        .no_proxy()
}

/// An error with its causes, of which the last says most.
pub fn in_words(error: impl std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

// === impl Permitted ===

impl Resolve for Permitted {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            for address in &found {
                check_address(address.ip(), policy)?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
