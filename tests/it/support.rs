//! What the tests stand on: a gateway in this process, a fake upstream behind it, and clients in front.

mod app;
mod books;
mod freezer;
mod front;
mod process;
mod proxy;
mod random;
mod raw;
mod receiver;
mod store;
mod tls_front;
mod upstream;

pub use app::{ADMIN_TOKEN, TestApp};
pub use books::{Books, Ended, Entry, FIRST_INPUT, Scene, Script, Tokens};
pub use freezer::Freezer;
pub use front::{Front, nano};
pub use process::Process;
pub use proxy::{FakeProxy, Speaks};
pub use random::Random;
pub use raw::RawClient;
pub use receiver::Receiver;
pub use store::{TestStore, needs};
pub use tls_front::TlsFront;
pub use upstream::Upstream;

use std::future::Future;
use std::time::Duration;

/// How long anything may take before a test gives up on it.
pub const LIMIT: Duration = Duration::from_secs(20);

/// A client to build on.
pub fn http() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
}

/// Waits until `probe` has something to say, asking again and again.
///
/// # Panics
/// When it has not within [`LIMIT`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut probe: impl FnMut() -> F,
) -> T {
    let asking = async {
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, asking)
        .await
        .unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// Bytes that look like nothing and are the same every time.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            u8::try_from(state >> 56).unwrap()
        })
        .collect()
}
