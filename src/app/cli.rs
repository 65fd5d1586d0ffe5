//! The command line.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use super::error::StartError;
use super::{App, health, import};
use crate::mock;
use crate::settings::{Environment, Settings, Telemetry};
use crate::store::database;
use crate::telemetry::{self, LogControl};

/// A self-hosted gateway for AI coding traffic.
#[derive(Debug, Parser)]
#[command(name = "switchyard", version, about)]
struct Cli {
    /// Configuration file [default: conf/switchyard.toml, if it is there].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the gateway (the default).
    Serve,
    /// Brings the database's tables up to date, and ends.
    Migrate,
    /// Reads the configuration, reports every mistake in it, and ends.
    CheckConfig,
    /// Takes over another gateway's database, or only tells what that would do, and ends.
    Import(import::Options),
    /// Asks a running gateway whether it is ready, and ends: 0 if it is.
    Health(health::Options),
    /// Runs a scriptable fake provider, for trying the gateway out.
    MockUpstream(mock::Options),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime
        .map_err(StartError::from)
        .and_then(|runtime| runtime.block_on(run(cli)));
    match done {
        Ok(code) => code,
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "switchyard: {e}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode, StartError> {
    let load = || Settings::load(cli.config.as_deref(), &Environment);
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(load()?).await,
        Command::Migrate => {
            let settings = load()?;
            start_logging(&settings.telemetry)?;
            super::runtime::install_crypto();
            let db = database::connect(&settings.database, &settings.data_dir).await?;
            database::migrate(&db).await?;
            say("The database is up to date.")
        }
        Command::CheckConfig => {
            load()?;
            say("The configuration is good.")
        }
        Command::Import(options) => {
            let settings = load()?;
            start_logging(&settings.telemetry)?;
            super::runtime::install_crypto();
            say(import::run(&options, &settings).await?.trim_end())
        }
        Command::Health(options) => health::check(&options, load()?.server.listen).await,
        Command::MockUpstream(options) => {
            start_logging(&Telemetry::default())?;
            mock::main(options).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn serve(settings: Settings) -> Result<ExitCode, StartError> {
    let log = start_logging(&settings.telemetry)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let app = App::start_logged(settings, Some(log)).await?;
    greet(&app)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    let stopped = tokio::select! {
        stopped = app.stop() => stopped,
        _ = interrupt.recv() => false,
    };
    Ok(if stopped {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Says where it listens and, at the very first start, the token and what to do next.
fn greet(app: &App) -> Result<(), StartError> {
    let address = app.address();
    let host = if address.ip().is_unspecified() {
        "127.0.0.1".to_owned()
    } else {
        address.ip().to_string()
    };
    let base = format!("http://{host}:{}", address.port());
    let mut out = std::io::stdout().lock();
    if let Some(token) = app.generated_token() {
        writeln!(
            out,
            "\nThis is the first start. The admin token is shown once, keep it:\n\n  ADMIN_TOKEN={token}\n\n\
             Next, add a provider, then a user with a key:\n\n  \
             curl -sS {base}/api/v1/providers -H \"Authorization: Bearer {token}\" -H 'Content-Type: application/json' \\\n    \
             -d '{{\"name\": \"anthropic\", \"type\": \"claude\", \"url\": \"https://api.anthropic.com\", \"apiKey\": \"YOUR-PROVIDER-KEY\"}}'\n\n  \
             curl -sS {base}/api/v1/users -H \"Authorization: Bearer {token}\" -H 'Content-Type: application/json' -d '{{\"name\": \"me\"}}' && \\\n  \
             curl -sS {base}/api/v1/users/1/keys -H \"Authorization: Bearer {token}\" -H 'Content-Type: application/json' -d '{{\"name\": \"laptop\"}}'\n\n\
             Then point a client at it with the key of the last answer:\n\n  \
             ANTHROPIC_BASE_URL={base} ANTHROPIC_AUTH_TOKEN=sk-... claude\n",
            token = token.expose(),
        )?;
    }
    if std::io::stdout().is_terminal() || app.generated_token().is_some() {
        writeln!(
            out,
            "Switchyard listens at {base}; the API is documented at {base}/api/v1/scalar\n"
        )?;
    }
    Ok(out.flush()?)
}

fn start_logging(settings: &Telemetry) -> Result<LogControl, StartError> {
    Ok(telemetry::init(
        &settings.filter,
        settings.format.is_json(),
    )?)
}

fn say(what: &str) -> Result<ExitCode, StartError> {
    writeln!(std::io::stdout(), "{what}")?;
    Ok(ExitCode::SUCCESS)
}
