//! A process this run started, killed when dropped.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::Outcome;

/// How long a process may take until it accepts connections: the gateway's first start lays out a database.
const START: Duration = Duration::from_secs(30);
/// Raises the limit on open files as far as it may go, for 500 streams need over 1,000 of them in a proxy; leaves somebody behind who
/// kills the process when our end of its standard input closes, however we went; then becomes the program.
const LAUNCH: &str = r#"
ulimit -n "$(ulimit -Hn)"
exec 3<&0
(cat <&3; kill -9 $$) >/dev/null 2>&1 &
exec "$0" "$@" 3<&- </dev/null
"#;

/// A running process.
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

// === impl Process ===

impl Process {
    /// Starts a program with nothing of this environment; what it writes to standard error goes to a file in `home`.
    pub fn start(
        name: &'static str,
        program: &Path,
        arguments: &[String],
        environment: &BTreeMap<&str, String>,
        home: &Path,
    ) -> Outcome<Self> {
        let log = home.join(format!("{name}.log"));
        let child = Command::new("sh")
            .args(["-c", LAUNCH])
            .arg(program)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(environment)
            .current_dir(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .map_err(|e| format!("cannot start {name}, {}: {e}", program.display()))?;
        Ok(Self { name, child, log })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The first line it writes.
    pub fn first_line(&mut self) -> Outcome<String> {
        let out = self.child.stdout.take().ok_or("no standard output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Waits until it accepts connections.
    pub async fn accepts(&mut self, address: SocketAddr) -> Outcome<()> {
        let connect = async {
            while TcpStream::connect(address).await.is_err() {
                if let Ok(Some(status)) = self.child.try_wait() {
                    return Err(format!("it ended: {status}"));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok(())
        };
        let done = tokio::time::timeout(START, connect).await;
        match done.unwrap_or_else(|_| Err(format!("not within {} s", START.as_secs()))) {
            Ok(()) => Ok(()),
            Err(why) => Err(format!(
                "{} does not accept connections, {why}\n{}",
                self.name,
                self.last_words()
            )
            .into()),
        }
    }

    /// The end of what it wrote to standard error.
    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either fails only when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> Outcome<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}
