//! Section `[telemetry]`: logging.

use tracing_subscriber::EnvFilter;

use super::reader::{Place, Reader};

/// Logging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// `filter`, `RUST_LOG`: what is logged, as `level` or `target=level,…`. Default `info`.
    pub filter: String,
    /// `format`, `LOG_FORMAT`: `text`, `json`, or `auto`. Default `auto`.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

// === impl Telemetry ===

impl Telemetry {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        Self {
            filter: reader
                .read(Place::new("telemetry.filter", "RUST_LOG"), filter)
                .unwrap_or(default.filter),
            format: reader
                .read(Place::new("telemetry.format", "LOG_FORMAT"), format)
                .unwrap_or(default.format),
        }
    }
}

// === impl LogFormat ===

impl LogFormat {
    /// What was chosen: JSON or not; `None` leaves it to whether there is a terminal.
    #[must_use]
    pub fn is_json(self) -> Option<bool> {
        match self {
            Self::Auto => None,
            Self::Text => Some(false),
            Self::Json => Some(true),
        }
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            filter: "info".to_owned(),
            format: LogFormat::Auto,
        }
    }
}

fn filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|e| format!("must be a level or target=level pairs, not \"{text}\" ({e})"))
}

fn format(text: &str) -> Result<LogFormat, String> {
    match text.to_ascii_lowercase().as_str() {
        "auto" => Ok(LogFormat::Auto),
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("must be text, json or auto, not \"{text}\"")),
    }
}
