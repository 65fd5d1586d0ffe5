//! Fetches a public table of prices. The address is an admin's, so it is bound as a provider's is: its text, and every address its name
//! resolves to, and every address it is sent on to.

use std::time::Duration;

use entity::value::{EgressPolicy, check_url};
use reqwest::{Client, redirect};

use crate::{
    outgoing,
    problem::{Mistake, Problem},
};

/// LiteLLM's table.
pub const DEFAULT_URL: &str =
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json";

/// Largest table. LiteLLM's has about 2 MB.
const MAX_BYTES: usize = 50 * 1024 * 1024;
/// Below the deadline every answer of ours has.
const DEADLINE: Duration = Duration::from_secs(25);
const CONNECT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 3;

/// The text at `url`.
///
/// # Errors
/// 422 when the address is not allowed, or does not answer with a text in time.
pub async fn fetch(url: &str, policy: EgressPolicy) -> Result<String, Problem> {
    check_url(url, policy).map_err(refused)?;
    let client = client(policy).map_err(|e| refused(in_words(&e)))?;
    match tokio::time::timeout(DEADLINE, download(&client, url)).await {
        Ok(text) => text.map_err(refused),
        Err(_) => Err(refused("did not answer in time".into())),
    }
}

fn client(policy: EgressPolicy) -> reqwest::Result<Client> {
    let redirects = redirect::Policy::custom(move |attempt| {
        if attempt.previous().len() > MAX_REDIRECTS {
            return attempt.error("is redirected too often");
        }
        match check_url(attempt.url().as_str(), policy) {
            Ok(()) => attempt.follow(),
            Err(why) => attempt.error(format!("is redirected to what {why}")),
        }
    });
    outgoing::client(policy)
        .redirect(redirects)
        .connect_timeout(CONNECT)
        .build()
}

async fn download(client: &Client, url: &str) -> Result<String, String> {
    let mut response = client
        .get(url)
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(|e| in_words(&e))?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| in_words(&e))? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err("answers with more than 50 MB".into());
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| "does not answer with a text".into())
}

fn in_words(error: &reqwest::Error) -> String {
    format!("could not be fetched: {}", outgoing::in_words(error))
}

fn refused(why: String) -> Problem {
    Problem::invalid(vec![Mistake::new("url", "not_fetched", why)])
}
