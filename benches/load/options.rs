//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;

/// Measures the gateway against a bare Pingora proxy.
#[derive(Debug, Parser)]
#[command(name = "load")]
pub struct Cli {
    #[command(subcommand)]
    pub role: Option<Role>,
    #[command(flatten)]
    pub options: Options,
}

/// The parts the binary plays for itself in processes of their own.
#[derive(Debug, Subcommand)]
pub enum Role {
    /// The provider behind both proxies.
    Upstream(Upstream),
    /// The proxy to compare with.
    Bare(Bare),
}

/// How the provider behaves.
#[derive(Debug, Args)]
pub struct Upstream {
    /// Events a streamed answer has.
    pub events: usize,
    /// Milliseconds between two of them.
    pub event_ms: u64,
}

/// Where the bare proxy stands.
#[derive(Debug, Args)]
pub struct Bare {
    pub port: u16,
    pub upstream: SocketAddr,
    pub threads: usize,
}

/// What is measured, and how long.
#[derive(Debug, Args, Serialize)]
pub struct Options {
    /// A short run: fewer rounds, half the requests.
    #[arg(long)]
    pub quick: bool,
    /// Only these parts.
    #[arg(long, value_delimiter = ',', value_name = "PARTS")]
    pub only: Vec<Part>,
    /// The gateway's binary [default: the one built with this bench].
    #[arg(long, value_name = "PATH")]
    pub gateway_bin: Option<PathBuf>,
    /// Puts a second bare proxy in the gateway's place: shows what noise alone does to the ratios.
    #[arg(long)]
    pub null: bool,
    /// Rounds of each size [default: 5, quick 3].
    #[arg(long)]
    pub rounds: Option<usize>,
    /// Requests of each round, in percent of the usual.
    #[arg(long, default_value_t = 100)]
    pub scale: usize,
    /// Keep-alive connections of the closed loop.
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// Worker threads of either proxy [default: one a core].
    #[arg(long)]
    pub threads: Option<usize>,
    /// Concurrent streams.
    #[arg(long, default_value_t = 500)]
    pub streams: usize,
    /// Events of a stream.
    #[arg(long, default_value_t = 40)]
    pub events: usize,
    /// Milliseconds between two events; 0 for streams as fast as they go, one after another.
    #[arg(long, default_value_t = 100)]
    pub event_ms: u64,
    /// Where streams are asked for. `/v1/messages/batches` is passed through unmetered: shows what metering costs.
    #[arg(long, default_value = crate::payload::MESSAGES)]
    pub path: String,
    /// Requests a second when latency is measured.
    #[arg(long, default_value_t = 200)]
    pub rate: u32,
    /// Seconds of that, for each side [default: 10, quick 4].
    #[arg(long)]
    pub seconds: Option<u64>,
    /// After so many seconds everything is killed.
    #[arg(long, default_value_t = 600)]
    pub limit_seconds: u64,
    /// Where the numbers of all rounds go [default: target/bench/load.json].
    #[arg(long, value_name = "PATH")]
    pub json: Option<PathBuf>,
    /// Cargo says so.
    #[arg(long, hide = true)]
    #[serde(skip)]
    bench: bool,
}

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    #[value(name = "1k")]
    Small,
    #[value(name = "60k")]
    Medium,
    #[value(name = "400k")]
    Large,
    Sse,
    Latency,
}

// === impl Options ===

impl Options {
    /// What is to be measured, in order.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        Part::value_variants()
            .iter()
            .copied()
            .filter(|part| self.only.is_empty() || self.only.contains(part))
    }

    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 }).max(1)
    }

    /// Rounds of the streams, which take long.
    pub fn stream_rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 3 }).max(1)
    }

    /// Requests in one round of bodies this long.
    pub fn requests(&self, part: Part) -> usize {
        let usual = match part {
            Part::Small => 8_000,
            Part::Medium => 2_000,
            _ => 600,
        };
        let quick = if self.quick { 2 } else { 1 };
        (usual * self.scale / 100 / quick).max(self.connections)
    }

    pub fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(cores).max(1)
    }

    pub fn seconds(&self) -> u64 {
        self.seconds
            .unwrap_or(if self.quick { 4 } else { 10 })
            .max(1)
    }
}

// === impl Part ===

impl Part {
    /// Bytes of the body, for a part of the closed loop.
    pub fn body(self) -> Option<usize> {
        match self {
            Self::Small => Some(1024),
            Self::Medium => Some(60 * 1024),
            Self::Large => Some(400 * 1024),
            Self::Sse | Self::Latency => None,
        }
    }
}
