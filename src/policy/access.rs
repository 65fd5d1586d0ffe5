//! Whether a caller may use a model.

use crate::domain::caller::Caller;
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
