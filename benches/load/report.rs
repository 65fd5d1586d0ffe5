//! What a run found, as Markdown for people and JSON for programs.

use std::fmt::Write;
use std::path::PathBuf;

use serde::Serialize;

use crate::Outcome;
use crate::closed::{Closed, Round};
use crate::latency::Latency;
use crate::machine::Machine;
use crate::options::{Options, Part};
use crate::side::Idle;
use crate::stats::{Spread, Tail};
use crate::streams::{self, Streams};

/// All there is to report.
#[derive(Serialize)]
pub struct Report<'a> {
    machine: Machine,
    options: &'a Options,
    threads: usize,
    pub idle: Option<Idle>,
    pub closed: Vec<Closed>,
    pub streams: Option<Streams>,
    pub latency: Option<Latency>,
    last_rows: Vec<String>,
}

// === impl Report ===

impl<'a> Report<'a> {
    pub fn new(options: &'a Options) -> Self {
        Self {
            machine: Machine::look(),
            options,
            threads: options.threads(),
            idle: None,
            closed: Vec::new(),
            streams: None,
            latency: None,
            last_rows: Vec::new(),
        }
    }

    /// What the request log says about the last request, if there is one.
    pub fn noted(&mut self, row: Option<String>) {
        self.last_rows.extend(row);
    }

    /// Writes everything, every round, to a file.
    pub fn save(&self, options: &Options) -> Outcome<PathBuf> {
        let path = match &options.json {
            Some(path) => path.clone(),
            None => {
                let this = std::env::current_exe()?;
                let target = this.ancestors().nth(3).ok_or("no target directory")?;
                target.join("bench").join("load.json")
            }
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, serde_json::to_vec_pretty(self)?)?;
        Ok(path)
    }

    pub fn markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let machine = &self.machine;
        writeln!(
            out,
            "{}, commit {}. {}, {} cores, {:.0} GB, Linux {}, {}. Load before the run {}. {} worker threads each, {} connections.{}\n",
            machine.date,
            machine.commit,
            machine.processor,
            machine.cores,
            machine.memory_gb,
            machine.kernel,
            machine.rustc,
            machine.load,
            self.threads,
            self.options.connections,
            if self.options.null {
                " **A second bare proxy stands in the gateway's place.**"
            } else {
                ""
            },
        )?;
        if !self.closed.is_empty() {
            closed(out, &self.closed)?;
        }
        if let Some(idle) = &self.idle {
            writeln!(
                out,
                "With nothing to do: bare {:.0} µs, gateway {:.0} µs of CPU a second.\n",
                idle.bare, idle.gateway
            )?;
        }
        if let Some(streams) = &self.streams {
            stream_table(out, streams)?;
        }
        if let Some(latency) = &self.latency {
            latency_table(out, latency)?;
        }
        for row in &self.last_rows {
            writeln!(out, "Last row of the request log: {row}\n")?;
        }
        Ok(())
    }
}

fn closed(out: &mut String, sizes: &[Closed]) -> std::fmt::Result {
    writeln!(
        out,
        "CPU is user and kernel time of the whole process, until its background writers are idle again: the log row is part of the \
         price. Ratios are of each round; all other numbers are medians of the rounds.\n"
    )?;
    writeln!(
        out,
        "| body | rounds x requests | CPU/request bare | gateway | of it data threads | **ratio** (min to max) | requests/s | p50 | p99 | memory |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|---|")?;
    for size in sizes {
        let ratio = ratio(&size.bare, &size.gateway, |round| round.cpu);
        let both = |read: fn(&Round) -> f64| {
            (
                Spread::of(size.bare.iter().map(read)).median,
                Spread::of(size.gateway.iter().map(read)).median,
            )
        };
        let (cpu, data) = (both(|r| r.cpu), both(|r| r.cpu_data));
        let (rate, memory) = (both(|r| r.rate), both(|r| r.memory as f64 / 1e6));
        let (p50, p99) = (both(|r| r.latency.p50), both(|r| r.latency.p99));
        writeln!(
            out,
            "| {} | {} x {} | {:.1} µs | {:.1} µs | {:.1} µs | **{:.2}** ({:.2} to {:.2}) | {:.0} / {:.0} | {:.2} / {:.2} ms | {:.2} / {:.2} ms | {:.0} / {:.0} MB |",
            name(size.part),
            size.bare.len(),
            size.requests,
            cpu.0,
            cpu.1,
            data.1,
            ratio.median,
            ratio.min,
            ratio.max,
            rate.0,
            rate.1,
            p50.0 / 1e3,
            p50.1 / 1e3,
            p99.0 / 1e3,
            p99.1 / 1e3,
            memory.0,
            memory.1,
        )?;
    }
    writeln!(out, "\nPairs are bare / gateway.\n")
}

fn stream_table(out: &mut String, all: &Streams) -> std::fmt::Result {
    writeln!(
        out,
        "{} concurrent streams of {} events, each started with 55 KB; {} rounds, all streams complete. Memory is of the first round: \
         later ones find pages that are mapped already.\n",
        all.streams,
        all.events,
        all.bare.len(),
    )?;
    writeln!(out, "| | bare | gateway | ratio (min to max) |")?;
    writeln!(out, "|---|---|---|---|")?;
    let mut row = |what: &str, unit: &str, read: fn(&streams::Round) -> f64| {
        let bare = Spread::of(all.bare.iter().map(read)).median;
        let gateway = Spread::of(all.gateway.iter().map(read)).median;
        let ratio = ratio(&all.bare, &all.gateway, read);
        writeln!(
            out,
            "| {what} | {bare:.1} {unit} | {gateway:.1} {unit} | **{:.2}** ({:.2} to {:.2}) |",
            ratio.median, ratio.min, ratio.max
        )
    };
    row("CPU per stream", "µs", |r| r.cpu)?;
    row("CPU per event, all streams live", "µs", |r| r.cpu_event)?;
    row("delay of events, p50", "µs", |r| r.lag.p50)?;
    row("delay of events, p99", "µs", |r| r.lag.p99)?;
    if let (Some(bare), Some(gateway)) = (all.bare.first(), all.gateway.first()) {
        writeln!(
            out,
            "| memory per live stream | {:.1} KB | {:.1} KB | {:.2} |",
            bare.memory / 1e3,
            gateway.memory / 1e3,
            gateway.memory / bare.memory,
        )?;
    }
    writeln!(
        out,
        "\nDelay without a proxy: p50 {:.0} µs, p99 {:.0} µs.\n",
        all.direct.p50, all.direct.p99
    )
}

fn latency_table(out: &mut String, latency: &Latency) -> std::fmt::Result {
    writeln!(
        out,
        "Latency of 1 KB requests at {} a second; the generator was late with {}.\n",
        latency.rate, latency.late
    )?;
    writeln!(out, "| | direct | bare | gateway | gateway adds to bare |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    let mut row = |what: &str, read: fn(&Tail) -> f64| {
        let (bare, gateway) = (read(&latency.bare), read(&latency.gateway));
        let direct = read(&latency.direct);
        writeln!(
            out,
            "| {what} | {direct:.0} µs | {bare:.0} µs | {gateway:.0} µs | {:.0} µs |",
            gateway - bare
        )
    };
    row("p50", |tail| tail.p50)?;
    row("p99", |tail| tail.p99)?;
    writeln!(out)
}

fn ratio<T>(bare: &[T], gateway: &[T], read: fn(&T) -> f64) -> Spread {
    Spread::of(
        bare.iter()
            .zip(gateway)
            .map(|(bare, gateway)| read(gateway) / read(bare)),
    )
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Small => "1 KB",
        Part::Medium => "60 KB",
        Part::Large => "400 KB",
        Part::Sse => "streams",
        Part::Latency => "latency",
    }
}
