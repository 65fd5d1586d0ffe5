//! The machine the numbers were taken on.

use std::fs::read_to_string;
use std::process::Command;

use serde::Serialize;

/// What to know before comparing numbers.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory_gb: f64,
    pub kernel: String,
    pub rustc: String,
    /// Of the checkout.
    pub commit: String,
    pub date: String,
    /// Of the last minute, before the run: other work on the machine shows here.
    pub load: String,
}

// === impl Machine ===

impl Machine {
    pub fn look() -> Self {
        let commit = said("git", &["describe", "--always", "--dirty"]);
        Self {
            processor: field("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gb: kilobytes(&field("/proc/meminfo", "MemTotal")) / 1e6,
            kernel: first_word("/proc/sys/kernel/osrelease"),
            rustc: said("rustc", &["--version"]),
            commit,
            date: chrono::Utc::now().format("%Y-%m-%d %H:%M UTC").to_string(),
            load: first_word("/proc/loadavg"),
        }
    }
}

fn field(path: &str, name: &str) -> String {
    let text = read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or_else(unknown, |(_, value)| value.trim().to_owned())
}

fn kilobytes(text: &str) -> f64 {
    let number = text.split(' ').next().and_then(|n| n.parse().ok());
    number.unwrap_or(0.0)
}

fn first_word(path: &str) -> String {
    let text = read_to_string(path).unwrap_or_default();
    text.split_whitespace()
        .next()
        .map_or_else(unknown, str::to_owned)
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.ok().filter(|output| output.status.success());
    text.map_or_else(unknown, |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}

fn unknown() -> String {
    "unknown".to_owned()
}
