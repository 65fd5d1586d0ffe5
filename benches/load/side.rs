//! The two sides of the comparison, and the provider behind them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;
use tempfile::TempDir;

use crate::meter::{Cpu, Meter};
use crate::options::Options;
use crate::process::{Process, free_port};
use crate::{Outcome, gateway};

/// A side counts as idle after so many looks in a row that saw next to no CPU used.
const QUIET_LOOKS: usize = 3;
const LOOK: Duration = Duration::from_millis(250);
const QUIET: u64 = 2_000_000;
/// No background writer should need longer than this for one round.
const SETTLE: Duration = Duration::from_secs(20);

/// What both sides need: the provider, a place for their files, how to start them.
pub struct Stage {
    pub upstream: SocketAddr,
    pub threads: usize,
    /// None puts a second bare proxy in the gateway's place.
    pub gateway: Option<PathBuf>,
    this: PathBuf,
    home: TempDir,
    _upstream: Process,
}

/// A proxy under load, or no proxy at all.
pub struct Side {
    pub name: &'static str,
    pub address: SocketAddr,
    /// What clients present.
    pub credential: String,
    meter: Meter,
    process: Process,
    _home: Option<TempDir>,
}

/// Bare and gateway, started together.
pub struct Pair {
    pub bare: Side,
    pub gateway: Side,
    pub upstream: SocketAddr,
    admin: Option<gateway::Admin>,
}

/// CPU used with nothing to do, in microseconds a second.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Idle {
    pub bare: f64,
    pub gateway: f64,
}

// === impl Stage ===

impl Stage {
    pub fn set(options: &Options) -> Outcome<Self> {
        let this = std::env::current_exe()?;
        let home = TempDir::new()?;
        let arguments = [
            "upstream".to_owned(),
            options.events.to_string(),
            options.event_ms.to_string(),
        ];
        let mut upstream =
            Process::start("upstream", &this, &arguments, &BTreeMap::new(), home.path())?;
        let address = upstream.first_line()?.parse()?;
        let gateway = if options.null {
            None
        } else {
            Some(gateway::binary(options)?)
        };
        Ok(Self {
            upstream: address,
            threads: options.threads(),
            gateway,
            this,
            home,
            _upstream: upstream,
        })
    }

    async fn bare(&self, name: &'static str) -> Outcome<Side> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let arguments = [
            "bare".to_owned(),
            address.port().to_string(),
            self.upstream.to_string(),
            self.threads.to_string(),
        ];
        let home = self.home.path();
        let process = Process::start(name, &self.this, &arguments, &BTreeMap::new(), home)?;
        Side::ready(name, address, process).await
    }
}

// === impl Side ===

impl Side {
    /// Waits until the process accepts connections.
    pub async fn ready(
        name: &'static str,
        address: SocketAddr,
        mut process: Process,
    ) -> Outcome<Self> {
        process.accepts(address).await?;
        Ok(Self {
            name,
            address,
            credential: "sk-nobody-looks-at-this".to_owned(),
            meter: Meter::of(process.id()),
            process,
            _home: None,
        })
    }

    /// Gives it a directory that goes with it, and the credential it accepts.
    pub fn with(mut self, home: TempDir, credential: String) -> Self {
        self._home = Some(home);
        self.credential = credential;
        self
    }

    pub fn cpu(&mut self) -> Outcome<Cpu> {
        let cpu = self.meter.cpu();
        Ok(cpu.map_err(|e| format!("{} is gone: {e}\n{}", self.name, self.process.last_words()))?)
    }

    pub fn memory(&self) -> Outcome<u64> {
        Ok(self.meter.memory()?)
    }

    /// Waits until background work is done, and answers the CPU used until then. The looks that find out that it is done are not in it,
    /// but for the first: what a side uses doing nothing would pull the ratio of short rounds towards one.
    pub async fn settled(&mut self) -> Outcome<Cpu> {
        let limit = Instant::now() + SETTLE;
        let mut last = self.cpu()?;
        let mut settled = last;
        let mut looks = 0;
        while looks < QUIET_LOOKS && Instant::now() < limit {
            tokio::time::sleep(LOOK).await;
            let now = self.cpu()?;
            let is_quiet = (now - last).total < QUIET;
            looks = if is_quiet { looks + 1 } else { 0 };
            if looks <= 1 {
                settled = now;
            }
            last = now;
        }
        if looks < QUIET_LOOKS {
            eprintln!(
                "{} is still busy {} s after its round",
                self.name,
                SETTLE.as_secs()
            );
        }
        Ok(settled)
    }
}

// === impl Pair ===

impl Pair {
    pub async fn start(stage: &Stage) -> Outcome<Self> {
        let bare = stage.bare("bare").await?;
        let (gateway, admin) = match &stage.gateway {
            Some(binary) => {
                let (side, admin) = gateway::start(stage, binary).await?;
                (side, Some(admin))
            }
            None => (stage.bare("bare again").await?, None),
        };
        Ok(Self {
            bare,
            gateway,
            upstream: stage.upstream,
            admin,
        })
    }

    /// Both, in the order in which they take turns.
    pub fn sides(&mut self) -> [&mut Side; 2] {
        [&mut self.bare, &mut self.gateway]
    }

    /// What they use when nobody asks anything.
    pub async fn idle(&mut self) -> Outcome<Idle> {
        const WATCHED: Duration = Duration::from_secs(3);
        for side in self.sides() {
            side.settled().await?;
        }
        let (bare, gateway) = (self.bare.cpu()?, self.gateway.cpu()?);
        tokio::time::sleep(WATCHED).await;
        let rate = |used: Cpu| used.total as f64 / 1e3 / WATCHED.as_secs_f64();
        Ok(Idle {
            bare: rate(self.bare.cpu()? - bare),
            gateway: rate(self.gateway.cpu()? - gateway),
        })
    }

    /// What the gateway's request log says about the last request; none without a gateway.
    pub async fn last_row(&self) -> Outcome<Option<String>> {
        match &self.admin {
            Some(admin) => Ok(Some(admin.last_row().await?)),
            None => Ok(None),
        }
    }
}
