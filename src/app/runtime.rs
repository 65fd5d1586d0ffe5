//! The two runtimes and the background tasks.
//!
//! The data runtime carries clients' requests and nothing else; the control runtime opens the pools and carries the admin service and
//! the background tasks, so that a slow query or a large batch never stands in a request's way.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The runtimes. Dropping them ends what runs on them, without waiting, from wherever they are dropped.
pub struct Runtimes {
    data: Option<Runtime>,
    control: Option<Runtime>,
    control_handle: Handle,
}

/// Background tasks, told to stop and waited for by name.
pub struct Tasks {
    handle: Handle,
    first: Group,
    last: Group,
}

struct Group {
    stop: watch::Sender<bool>,
    tasks: Vec<(&'static str, JoinHandle<()>)>,
}

/// Turns true when a task is to stop.
pub type Stop = watch::Receiver<bool>;

/// Picks the TLS library's crypto once for the process: the fixed packages bring two, and rustls panics at the first connection unless
/// one is chosen.
pub fn install_crypto() {
    // A second gateway in the process finds it done.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

// === impl Runtimes ===

impl Runtimes {
    /// Builds both. `threads` is for the data runtime; none means one per core.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn build(threads: Option<usize>) -> std::io::Result<Self> {
        let data = Builder::new_multi_thread()
            .worker_threads(threads.unwrap_or_else(cores))
            .thread_name("data")
            .enable_all()
            .build()?;
        let control = Builder::new_multi_thread()
            .worker_threads(cores().min(2))
            .max_blocking_threads(64)
            .thread_name("control")
            .enable_all()
            .build()?;
        Ok(Self {
            control_handle: control.handle().clone(),
            data: Some(data),
            control: Some(control),
        })
    }

    /// Where admin and background work runs.
    pub fn control(&self) -> &Handle {
        &self.control_handle
    }

    /// Where requests run.
    ///
    /// # Panics
    /// After [`Self::cut_data`].
    pub fn data(&self) -> &Handle {
        self.data.as_ref().expect("the data runtime runs").handle()
    }

    /// Ends the data runtime: what still runs on it is dropped.
    pub fn cut_data(&mut self) {
        if let Some(data) = self.data.take() {
            data.shutdown_background();
        }
    }

    /// Ends the control runtime.
    pub fn end(&mut self) {
        if let Some(control) = self.control.take() {
            control.shutdown_background();
        }
    }
}

impl Drop for Runtimes {
    fn drop(&mut self) {
        self.cut_data();
        self.end();
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

// === impl Tasks ===

impl Tasks {
    /// No tasks yet.
    pub fn on(handle: Handle) -> Self {
        let group = || Group {
            stop: watch::Sender::new(false),
            tasks: Vec::new(),
        };
        Self {
            handle,
            first: group(),
            last: group(),
        }
    }

    /// Starts a task that stops with the first.
    pub fn spawn<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        name: &'static str,
        task: impl FnOnce(Stop) -> F,
    ) {
        self.first.spawn(&self.handle, name, task);
    }

    /// Starts a task that stops only when the first ones have.
    pub fn spawn_last<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        name: &'static str,
        task: impl FnOnce(Stop) -> F,
    ) {
        self.last.spawn(&self.handle, name, task);
    }

    /// Stops them all, in order; false when one had to be given up.
    pub async fn stop(self, limit: Duration) -> bool {
        let first = self.first.stop(limit).await;
        let last = self.last.stop(limit).await;
        first && last
    }
}

impl Group {
    fn spawn<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        handle: &Handle,
        name: &'static str,
        task: impl FnOnce(Stop) -> F,
    ) {
        let task = task(self.stop.subscribe());
        self.tasks.push((name, handle.spawn(task)));
    }

    async fn stop(self, limit: Duration) -> bool {
        self.stop.send_replace(true);
        let mut all = true;
        for (name, mut task) in self.tasks {
            if tokio::time::timeout(limit, &mut task).await.is_err() {
                tracing::warn!(task = name, "did not stop in time");
                task.abort();
                all = false;
            }
        }
        all
    }
}
