//! Whether a caller may use a model, and call with a program.

use crate::domain::caller::Caller;
use crate::domain::client::{Client, admits};
use crate::domain::refusal::{Reason, Refusal};

/// Checks the model against the user's list; an empty list allows every model.
///
/// # Errors
/// Names the model that is not allowed.
pub fn permit_model(caller: &Caller, model: Option<&str>) -> Result<(), Refusal> {
    let allowed = &caller.key.user.allowed_models;
    match model {
        Some(model) if !allowed.is_empty() && !allowed.iter().any(|m| m == model) => {
            Err(Refusal::new(
                Reason::ModelNotAllowed,
                format!("The model {model:?} is not allowed for this user."),
            ))
        }
        _ => Ok(()),
    }
}

/// Checks the program that calls against the user's lists.
///
/// # Errors
/// When it is not for this user.
pub fn permit_client(caller: &Caller, user_agent: Option<&str>) -> Result<(), Refusal> {
    let user = &caller.key.user;
    if user.allowed_clients.is_empty() && user.blocked_clients.is_empty() {
        return Ok(());
    }
    let client = user_agent.and_then(Client::new);
    if admits(
        &user.allowed_clients,
        &user.blocked_clients,
        client.as_ref(),
    ) {
        return Ok(());
    }
    let message = match user_agent {
        Some(name) => format!("The client {name:?} is not allowed for this user."),
        None => "A client that does not say who it is is not allowed for this user.".to_owned(),
    };
    Err(Refusal::new(Reason::ClientNotAllowed, message))
}
