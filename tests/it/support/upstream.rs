//! The fake upstream, in this process.

use switchyard::mock::{MockUpstream, Recorder, Seen};
use tokio::sync::oneshot;

use super::LIMIT;

/// A fake upstream that runs until dropped.
pub struct Upstream {
    base: String,
    recorder: Recorder,
    _stop: oneshot::Sender<()>,
}

impl Upstream {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let mock = MockUpstream::bind(([127, 0, 0, 1], 0).into())
            .await
            .unwrap();
        let base = format!("http://{}", mock.addr());
        let recorder = mock.recorder();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(mock.run(async {
            let _ = stopped.await;
        }));
        Self {
            base,
            recorder,
            _stop: stop,
        }
    }

    /// Its address, scripted: see the table in `switchyard::mock`.
    pub fn url(&self, script: &str) -> String {
        if script.is_empty() {
            self.base.clone()
        } else {
            format!("{}/~{script}", self.base)
        }
    }

    /// What it has seen.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The only request it has seen, waited for.
    pub async fn only_seen(&self) -> Seen {
        let seen = self.recorder.wait_for(1, LIMIT).await.unwrap();
        assert_eq!(seen.len(), 1, "the upstream saw more than one request");
        seen.into_iter().next().unwrap()
    }
}
