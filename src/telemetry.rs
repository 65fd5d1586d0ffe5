//! Floor 1: logging and metrics. Log lines go to standard error, so that what a command prints stays its own.
//!
//! Pingora and sqlx log through the `log` crate; their records arrive here too, under the same filter.

pub mod metrics;

use std::io::IsTerminal;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, registry, reload};

#[cfg(test)]
mod tests;

/// Crates that talk more than they say. A target that is named in the filter itself is logged as it says there.
///
/// Pingora's connectors report as errors what reaches us as errors anyway, and a race for a pooled connection that is none.
/// The entry of `sea_orm` is more than taste: below `info` it notes its statements' values.
const QUIET: [&str; 11] = [
    "fred=error",
    "h2=warn",
    "hyper=warn",
    "pingora=warn",
    "pingora_core=warn",
    "pingora_core::connectors=off",
    "pingora_proxy=warn",
    "rustls=warn",
    "sea_orm=warn",
    "sea_orm_migration=warn",
    "sqlx=warn",
];

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The filter is none.
    #[error("the log filter is not one: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Somebody else in this process was first.
    #[error("logging is set up already: {0}")]
    Taken(#[from] tracing_subscriber::util::TryInitError),
}

/// What is logged, to be read and changed while the process runs.
#[derive(Clone)]
pub struct LogControl {
    handle: reload::Handle<EnvFilter, Registry>,
    /// As it was given, without the quiet crates.
    directives: Arc<Mutex<String>>,
}

/// Sets up logging for the process: what `filter` lets through, as JSON lines or as text; without a choice JSON, except on a terminal.
/// Answers with what changes the filter later.
///
/// # Errors
/// When the filter does not parse, or logging is set up already.
pub fn init(filter: &str, is_json: Option<bool>) -> Result<LogControl, InitError> {
    let is_terminal = std::io::stderr().is_terminal();
    let is_json = is_json.unwrap_or(!is_terminal);
    let (subscriber, control) = subscriber(filter, is_json, is_terminal, std::io::stderr)?;
    subscriber.try_init()?;
    Ok(control)
}

/// The subscriber [`init`] installs, writing to `writer`.
fn subscriber<W>(
    directives: &str,
    is_json: bool,
    is_terminal: bool,
    writer: W,
) -> Result<(impl Subscriber + Send + Sync + use<W>, LogControl), InitError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = if is_json {
        fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(writer)
            .boxed()
    } else {
        fmt::layer()
            .with_ansi(is_terminal)
            .with_writer(writer)
            .boxed()
    };
    let (filter, handle) = reload::Layer::new(filter(directives)?);
    let control = LogControl {
        handle,
        directives: Arc::new(Mutex::new(directives.to_owned())),
    };
    Ok((registry().with(filter).with(layer), control))
}

// === impl LogControl ===

impl LogControl {
    /// What is logged now.
    #[must_use]
    pub fn filter(&self) -> String {
        self.directives.lock().clone()
    }

    /// Logs what `directives` let through from now on.
    ///
    /// # Errors
    /// When they do not parse, or the process's logging is gone.
    pub fn set_filter(&self, directives: &str) -> Result<(), String> {
        let filter = filter(directives).map_err(|e| e.to_string())?;
        self.handle.reload(filter).map_err(|e| e.to_string())?;
        directives.clone_into(&mut self.directives.lock());
        Ok(())
    }
}

/// The quiet crates first: a later directive for the same target replaces the earlier.
fn filter(directives: &str) -> Result<EnvFilter, InitError> {
    Ok(EnvFilter::try_new(format!(
        "{},{directives}",
        QUIET.join(",")
    ))?)
}
