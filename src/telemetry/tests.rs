//! Tests of logging.

use std::io;
use std::sync::{Arc, Mutex};

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn logged(filter: &str, is_json: bool, is_terminal: bool, events: impl FnOnce()) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let (subscriber, _) = subscriber(filter, is_json, is_terminal, move || writer.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, events);
    lines.text()
}

fn say() {
    tracing::info!(part = 7, "ours");
    tracing::info!(target: "sqlx::query", "theirs");
    tracing::error!(target: "pingora_core", "their failure");
}

#[test]
fn json_lines_are_objects_with_fields() {
    let text = logged("info", true, false, say);
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0]["message"], "ours");
    assert_eq!(lines[0]["part"], 7);
    assert_eq!(lines[1]["message"], "their failure");
}

#[test]
fn text_is_for_terminals() {
    let text = logged("info", false, true, say);
    assert!(text.contains("ours") && !text.contains('{'), "{text}");
    let text = logged("info", false, false, say);
    assert!(
        text.contains("ours part=7") && !text.contains('\u{1b}'),
        "{text}"
    );
}

#[test]
fn a_noisy_crate_is_heard_when_it_is_named() {
    assert!(!logged("debug", false, false, say).contains("theirs"));
    assert!(logged("info,sqlx=info", false, false, say).contains("theirs"));
}

#[test]
fn a_wrong_filter_is_refused() {
    assert!(matches!(filter("a=b=c"), Err(InitError::Filter(_))));
}

const CHILD: &str = "SWITCHYARD_TEST_TELEMETRY_CHILD";

/// Not a test: what the next one runs in another process, because logging is the whole process's.
#[test]
#[ignore = "is run by the test below"]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    init("info", Some(true)).unwrap();
    log::error!(target: "pingora_core", "through the log crate");
    log::info!(target: "pingora_core", "of no interest");
    log::info!("ours through the log crate");
    assert!(matches!(init("info", None), Err(InitError::Taken(_))));
}

#[test]
fn records_of_the_log_crate_arrive_under_the_same_filter() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "telemetry::tests::child",
            "--ignored",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0]["message"], "through the log crate");
    assert_eq!(lines[0]["target"], "pingora_core");
    assert_eq!(lines[1]["message"], "ours through the log crate");
}
