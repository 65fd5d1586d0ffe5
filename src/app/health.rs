//! `switchyard health`: a container's health check without another program in the image.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::error::StartError;

const LIMIT: Duration = Duration::from_secs(4);

/// Options of `switchyard health`.
#[derive(Debug, Args)]
pub struct Options {
    /// Where the gateway listens, without TLS [default: the configured public port on loopback].
    #[arg(long, value_name = "ADDRESS")]
    address: Option<SocketAddr>,
}

/// Asks for readiness.
///
/// # Errors
/// When nobody answers in time.
pub async fn check(options: &Options, listen: SocketAddr) -> Result<ExitCode, StartError> {
    let mut address = options.address.unwrap_or(listen);
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let status = tokio::time::timeout(LIMIT, ask(address))
        .await
        .map_err(|_| "no answer within 4 s")??;
    writeln!(std::io::stdout(), "{status}")?;
    Ok(if status.contains(" 200 ") {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The status line of the answer.
async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("GET /api/health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer).await?;
    Ok(answer.lines().next().unwrap_or_default().to_owned() + " ")
}
