//! What requests can be filtered by.

use poem_openapi::Object;

use super::filter::RequestProtocol;
use crate::query::requests::Choices;

/// A text that occurs.
#[derive(Debug, Object)]
pub struct NamedChoice {
    /// The text.
    pub name: String,
    /// Requests with it.
    pub requests: i64,
}

/// Somebody that occurs.
#[derive(Debug, Object)]
pub struct IdChoice {
    /// Whose id.
    pub id: i64,
    /// The name; empty for one that is gone for good.
    pub name: String,
    /// Requests with it.
    pub requests: i64,
}

/// What occurs, those with most requests first.
#[derive(Debug, Object)]
pub struct RequestChoices {
    /// Models.
    pub models: Vec<NamedChoice>,
    /// Programs that called.
    pub clients: Vec<NamedChoice>,
    /// Users.
    pub users: Vec<IdChoice>,
    /// Keys.
    pub keys: Vec<IdChoice>,
    /// Providers; for admins.
    pub providers: Vec<IdChoice>,
    /// Methods and paths of the newest 2000 requests.
    pub endpoints: Vec<String>,
    /// Every protocol there is.
    pub protocols: Vec<RequestProtocol>,
}

impl From<Choices> for RequestChoices {
    fn from(choices: Choices) -> Self {
        let named = |counted: Vec<(String, i64)>| {
            let counted = counted.into_iter();
            counted
                .map(|(name, requests)| NamedChoice { name, requests })
                .collect()
        };
        let ids = |counted: Vec<(i64, String, i64)>| {
            let counted = counted.into_iter();
            counted
                .map(|(id, name, requests)| IdChoice { id, name, requests })
                .collect()
        };
        Self {
            models: named(choices.models),
            clients: named(choices.clients),
            users: ids(choices.users),
            keys: ids(choices.keys),
            providers: ids(choices.providers),
            endpoints: choices.endpoints,
            protocols: RequestProtocol::ALL.to_vec(),
        }
    }
}
