//! Starts the gateway on an empty data directory and sets it up through its admin API.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Outcome;
use crate::client::Connection;
use crate::options::Options;
use crate::process::{Process, free_port};
use crate::side::{Side, Stage};

const TOKEN: &str = "a-token-for-the-load-harness";
/// A change by the admin API is live within a second; some more for a slow machine.
const LIVE: Duration = Duration::from_secs(10);

/// Speaks to the admin API.
pub struct Admin {
    address: SocketAddr,
}

/// The gateway's binary: the one asked for, else the one that cargo built with this bench, else the one beside it.
pub fn binary(options: &Options) -> Outcome<PathBuf> {
    let built = option_env!("CARGO_BIN_EXE_switchyard").map(PathBuf::from);
    let beside = || {
        let this = std::env::current_exe().ok()?;
        Some(this.parent()?.parent()?.join("switchyard"))
    };
    let path = options.gateway_bin.clone().or(built).or_else(beside);
    path.filter(|path| path.is_file())
        .map(|path| path.canonicalize().unwrap_or(path))
        .ok_or_else(|| "no gateway to measure: name one with --gateway-bin".into())
}

/// Starts it, with one provider, one user and one key.
pub async fn start(stage: &Stage, binary: &Path) -> Outcome<(Side, Admin)> {
    let home = TempDir::new()?;
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let environment = BTreeMap::from([
        ("ADMIN_TOKEN", TOKEN.to_owned()),
        ("APP_PORT", address.port().to_string()),
        ("DATA_DIR", home.path().join("data").display().to_string()),
        ("HOSTNAME", address.ip().to_string()),
        ("RUST_LOG", "warn".to_owned()),
        ("WORKER_THREADS", stage.threads.to_string()),
    ]);
    let arguments = ["serve".to_owned()];
    let process = Process::start("gateway", binary, &arguments, &environment, home.path())?;
    let side = Side::ready("gateway", address, process).await?;
    let admin = Admin { address };
    admin.answers().await?;
    let key = admin.set_up(stage.upstream).await?;
    let side = side.with(home, key);
    first_answer(&side).await?;
    Ok((side, admin))
}

/// Waits until the configuration is live.
async fn first_answer(side: &Side) -> Outcome<()> {
    let request = crate::payload::request("gateway", &side.credential, 1024, false, 0);
    let limit = Instant::now() + LIVE;
    loop {
        let mut connection = Connection::open(side.address).await?;
        match connection.exchange(&request, |_| {}).await {
            Ok(()) => return Ok(()),
            Err(e) if Instant::now() > limit => {
                return Err(format!("the gateway does not serve: {e}").into());
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

// === impl Admin ===

impl Admin {
    /// Waits until the admin API answers: the public port may accept connections a moment before that.
    async fn answers(&self) -> Outcome<()> {
        let limit = Instant::now() + LIVE;
        while let Err(e) = self.ask("GET", "/api/v1/users?limit=1", None).await {
            if Instant::now() > limit {
                return Err(format!("the admin API does not answer: {e}").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Answers the client key.
    async fn set_up(&self, upstream: SocketAddr) -> Outcome<String> {
        let provider = json!({
            "name": "upstream",
            "type": "claude",
            "url": format!("http://{upstream}"),
            "apiKey": "sk-ant-api03-nobody-looks-at-this",
        });
        self.ask("POST", "/api/v1/providers", Some(&provider))
            .await?;
        let user = self
            .ask("POST", "/api/v1/users", Some(&json!({"name": "load"})))
            .await?;
        let keys = format!("/api/v1/users/{}/keys", user["id"]);
        let key = self
            .ask("POST", &keys, Some(&json!({"name": "load"})))
            .await?;
        let key = key["key"].as_str().ok_or("an answer without the key")?;
        Ok(key.to_owned())
    }

    /// What the request log holds about the last request: proof that what was measured did the gateway's work.
    pub async fn last_row(&self) -> Outcome<String> {
        let list = self.ask("GET", "/api/v1/requests?limit=1", None).await?;
        let row = &list["items"][0];
        Ok(format!(
            "status {}, stream {}, usage {}",
            row["status"], row["isStream"], row["usage"]
        ))
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Outcome<Value> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let mut answer = Vec::new();
        let mut connection = Connection::open(self.address).await?;
        connection
            .exchange(request.as_bytes(), |piece| answer.extend_from_slice(piece))
            .await
            .map_err(|e| format!("{method} {path}: {e}"))?;
        Ok(serde_json::from_slice(&answer)?)
    }
}
