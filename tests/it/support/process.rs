//! The real binary as a process of its own, for what only the end of a process shows.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Front, eventually, http};

/// A gateway that runs; killed when dropped.
pub struct Process {
    child: Child,
    front: Front,
}

// === impl Process ===

impl Process {
    /// Starts one on a free port and waits until it is ready.
    pub async fn start(data: &Path, environment: &[(&str, &str)]) -> Self {
        Self::spawn(data, environment, Stdio::null()).await
    }

    /// The same, with what it logs in a file.
    pub async fn logged(data: &Path, environment: &[(&str, &str)], log: &Path) -> Self {
        let log = std::fs::File::create(log).unwrap();
        Self::spawn(data, environment, log.into()).await
    }

    async fn spawn(data: &Path, environment: &[(&str, &str)], log: Stdio) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new(env!("CARGO_BIN_EXE_switchyard"))
            .arg("serve")
            .current_dir(data)
            .env_clear()
            .env("DATA_DIR", data)
            .env("ADMIN_TOKEN", Front::TOKEN)
            .env("APP_PORT", port.to_string())
            .env("HOSTNAME", "127.0.0.1")
            .env("RUST_LOG", "warn")
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let front = Front::new(base.clone());
        let process = Self { child, front };
        let client = http().build().unwrap();
        let ready = format!("{base}/api/health/ready");
        eventually("readiness", || async {
            let answer = client.get(&ready).send().await.ok()?;
            (answer.status() == 200).then_some(())
        })
        .await;
        process
    }

    /// How it is talked to.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
