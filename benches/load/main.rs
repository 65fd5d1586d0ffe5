//! The load harness: CPU per request of the gateway against a bare Pingora proxy, measured in one run. `benches/README.md` says how.
//!
//! One binary plays all the parts: without a subcommand it generates load and measures, `upstream` is the provider behind both
//! proxies, `bare` is the proxy to compare with. The gateway itself is the release binary.

mod bare;
mod client;
mod closed;
mod framing;
mod gateway;
mod latency;
mod machine;
mod meter;
mod options;
mod payload;
mod process;
mod report;
mod side;
mod stats;
mod streams;
mod upstream;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use options::{Cli, Options, Part, Role};
use report::Report;
use side::{Pair, Stage};

/// The gateway's allocator, so that the bare proxy has the same.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What can go wrong here: nobody handles it, somebody reads it.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.role {
        Some(Role::Upstream(options)) => upstream::main(&options),
        Some(Role::Bare(options)) => bare::main(&options),
        None => drive(&cli.options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("load: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the measurement within its time; however it ends, the processes it started are dropped here and so killed.
fn drive(options: &Options) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            done = measure(options) => done,
            () = tokio::time::sleep(Duration::from_secs(options.limit_seconds)) =>
                Err(format!("not done after {} seconds (--limit-seconds)", options.limit_seconds).into()),
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
            _ = terminate.recv() => Err("terminated".into()),
        }
    })
}

async fn measure(options: &Options) -> Outcome<()> {
    let stage = Stage::set(options)?;
    let mut report = Report::new(options);
    let sizes: Vec<Part> = options
        .parts()
        .filter(|part| part.body().is_some())
        .collect();
    if !sizes.is_empty() {
        let mut pair = Pair::start(&stage).await?;
        report.idle = Some(pair.idle().await?);
        for part in sizes {
            report
                .closed
                .push(closed::run(options, &mut pair, part).await?);
        }
        report.noted(pair.last_row().await?);
    }
    if options.parts().any(|part| part == Part::Sse) {
        // Fresh processes: memory that earlier rounds left mapped would hide what a live stream costs.
        let mut pair = Pair::start(&stage).await?;
        report.streams = Some(streams::run(options, &mut pair).await?);
        report.noted(pair.last_row().await?);
    }
    if options.parts().any(|part| part == Part::Latency) {
        let mut pair = Pair::start(&stage).await?;
        report.latency = Some(latency::run(options, &mut pair).await?);
    }
    let path = report.save(options)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", report.markdown())?;
    writeln!(out, "All rounds: {}", path.display())?;
    Ok(())
}
