//! Whose fault an upstream's failure is, from its status and its words.
//!
//! A status alone is not enough, because providers and relays use 400 for everything: an account without money, a model they do not
//! serve, a disk that is full. Taken for the client's fault, such an answer ends a request that the next provider would have
//! served. Taken for the provider's, a request nobody can serve is tried everywhere, and every provider gets a bad name for
//! it. So the built-in knowledge is narrow: a status that speaks for itself is believed; of a 400 only words that cannot
//! mean the request move it on; all that is unknown is the client's, who gets to read it.
//!
//! What an operator's rules say comes before all of it.

use crate::domain::fault::Fault;
use crate::wire::judge::complaint::Complaint;
use crate::wire::judge::is_page;

use super::fault_of_status;

/// Whose fault a failure is, and what the client is told in place of the upstream's words: a rule's verdict, or the built-in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blame {
    /// Whose fault.
    pub fault: Fault,
    /// The status the client gets, where a rule names one.
    pub override_status: Option<u16>,
    /// The message the client gets, where a rule has one.
    pub override_message: Option<String>,
}

/// Our credential, or the account behind it.
const KEY: &[&str] = &[
    "credit balance is too low",
    "insufficient_quota",
    "insufficient_user_quota",
    "insufficient balance",
    "insufficient credit",
    "exceeded your current quota",
    "billing_hard_limit",
    "billing_not_active",
    "account_deactivated",
    "organization has been disabled",
    "invalid_api_key",
    "api_key_invalid",
    "api key not valid",
    "api key expired",
    "余额不足",
    "额度不足",
];
/// The model is not served here, by this account or by a relay's own providers.
const MODEL: &[&str] = &[
    "model_not_found",
    "model_not_available",
    "no available channel",
    "no available account",
    "not supported by any configured account",
    "does not have access to model",
    "unknown model",
    "no such model",
    "unsupported model:",
    "无可用渠道",
    "无可用账号",
    "模型不存在",
];
/// What the provider says of itself.
const PROVIDER: &[&str] = &[
    "disk storage",
    "disk free-space floor",
    "user location is not supported",
];
/// As [`PROVIDER`], as types and codes.
const PROVIDER_KINDS: &[&str] = &[
    "overloaded_error",
    "server_is_overloaded",
    "rate_limit_error",
    "rate_limit_exceeded",
    "api_error",
    "server_error",
    "internal_server_error",
    "timeout_error",
];
/// A 404 about something the client named, which other providers know just as little.
const CLIENT_404: &[&str] = &[
    "previous_response",
    "previous response",
    "item with id",
    "no such file",
    "file_not_found",
];
/// What may stand between a model's name and what is the matter with it.
const LINKS: &[&str] = &["is ", "was ", "does ", "currently ", "is currently "];
const MISSING: &[&str] = &[
    "not exist",
    "not found",
    "not supported",
    "not available",
    "unsupported",
    "unavailable",
    "不存在",
];

/// Whose fault a failure is that came with a status and (an excerpt of) a body; of a good status that turned out bad, an
/// [`Flaw`](crate::wire::judge::Flaw), the status it should have had. `rule` is asked for the verdict of the operator's rules on
/// a text.
pub fn classify(status: u16, body: &[u8], mut rule: impl FnMut(&str) -> Option<Blame>) -> Blame {
    let text = String::from_utf8_lossy(body);
    let ruled = if text.trim().is_empty() {
        None
    } else {
        rule(&text)
    };
    ruled.unwrap_or_else(|| Blame {
        fault: built_in(status, body),
        override_status: None,
        override_message: None,
    })
}

fn built_in(status: u16, body: &[u8]) -> Fault {
    let by_status = fault_of_status(status).unwrap_or(Fault::Provider);
    let is_refusal = (400..=499).contains(&status);
    // A firewall in front of the provider, or a relay that is gone. A path that is not there is no model that is.
    if is_refusal && status != 404 && is_page(body) {
        return Fault::Provider;
    }
    let complaint = Complaint::read(body);
    let says = |words: &[&str]| words.iter().any(|words| complaint.says(words));
    match status {
        413 => Fault::Client,
        404 if says(CLIENT_404) => Fault::Client,
        402 | 404 => by_status,
        401 | 403 if says(MODEL) => Fault::Model,
        429 if says(KEY) => Fault::Key,
        429 | 500..=599 if says(MODEL) => Fault::Model,
        400 | 405..=499 if by_status == Fault::Client => of_words(&complaint).unwrap_or(by_status),
        _ => by_status,
    }
}

/// Whose fault a refusal is though its status says it is the client's.
fn of_words(complaint: &Complaint) -> Option<Fault> {
    let says = |words: &[&str]| words.iter().any(|words| complaint.says(words));
    if says(KEY) {
        return Some(Fault::Key);
    }
    if says(MODEL) || lacks_model(complaint.text()) {
        return Some(Fault::Model);
    }
    let is_own = PROVIDER_KINDS.iter().any(|kind| complaint.is_kind(kind));
    (is_own || says(PROVIDER)).then_some(Fault::Provider)
}

/// Whether a text in lower case says that a model is not there: "model", perhaps its name, and then at once what is the matter, so
/// that a parameter which is not supported *with this model* is not taken for one.
fn lacks_model(text: &str) -> bool {
    let is_quote = |c: char| c.is_whitespace() || "'\"`:,/\\“”".contains(c);
    text.match_indices("model").any(|(at, word)| {
        let rest = &text[at + word.len()..];
        let rest = rest
            .strip_prefix('s')
            .unwrap_or(rest)
            .trim_start_matches(is_quote);
        let after_name = rest
            .split_once(|c: char| c.is_whitespace() || "'\"`,“”".contains(c))
            .map_or("", |(_, after)| after.trim_start_matches(is_quote));
        is_missing(rest) || is_missing(after_name)
    })
}

fn is_missing(text: &str) -> bool {
    let links = LINKS.iter().filter_map(|link| text.strip_prefix(link));
    let mut texts = links.chain([text]);
    texts.any(|text| MISSING.iter().any(|what| text.starts_with(what)))
}

#[cfg(test)]
mod tests;
