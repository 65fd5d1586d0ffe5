//! Latency where nothing waits: a few requests a second, whether or not the last one is answered, on either side in turns.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::MissedTickBehavior;

use crate::Outcome;
use crate::client::Connection;
use crate::closed::nanos;
use crate::options::Options;
use crate::payload;
use crate::side::Pair;
use crate::stats::Tail;

/// Turns last so long: short enough that both sides see the same weather.
const TURN: Duration = Duration::from_secs(1);
const BODY: usize = 1024;

/// Microseconds from a request's first byte to the answer's last.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    pub rate: u32,
    pub direct: Tail,
    pub bare: Tail,
    pub gateway: Tail,
    /// Requests the generator itself was late with, by more than 2 ms.
    pub late: usize,
}

/// Asks one address.
struct Client {
    address: SocketAddr,
    request: Rc<[u8]>,
    idle: Rc<RefCell<Vec<Connection>>>,
    latencies: Vec<u64>,
    late: usize,
}

/// Measures the provider alone, bare and gateway, a second each in turns.
pub async fn run(options: &Options, pair: &mut Pair) -> Outcome<Latency> {
    let mut direct = Client::of(pair.upstream, "none");
    let mut bare = Client::of(pair.bare.address, &pair.bare.credential);
    let mut gateway = Client::of(pair.gateway.address, &pair.gateway.credential);
    for client in [&mut direct, &mut bare, &mut gateway] {
        client.turn(options.rate).await?;
        client.latencies.clear();
        client.late = 0;
    }
    for second in 1..=options.seconds() {
        eprintln!("latency, second {second} of {}", options.seconds());
        for client in [&mut direct, &mut bare, &mut gateway] {
            client.turn(options.rate).await?;
        }
    }
    Ok(Latency {
        rate: options.rate,
        late: direct.late + bare.late + gateway.late,
        direct: Tail::of(&mut direct.latencies),
        bare: Tail::of(&mut bare.latencies),
        gateway: Tail::of(&mut gateway.latencies),
    })
}

// === impl Client ===

impl Client {
    fn of(address: SocketAddr, credential: &str) -> Self {
        let request = payload::request(&address.to_string(), credential, BODY, false, 0);
        Self {
            address,
            request: request.into(),
            idle: Rc::default(),
            latencies: Vec::new(),
            late: 0,
        }
    }

    async fn turn(&mut self, rate: u32) -> Outcome<()> {
        const LATE: Duration = Duration::from_millis(2);
        let mut clock = tokio::time::interval(TURN / rate.max(1));
        clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut tasks = JoinSet::new();
        LocalSet::new()
            .run_until(async {
                for _ in 0..rate {
                    let due = clock.tick().await;
                    self.late += usize::from(due.elapsed() > LATE);
                    tasks.spawn_local(ask(self.address, self.request.clone(), self.idle.clone()));
                }
                while let Some(done) = tasks.join_next().await {
                    self.latencies.push(done??);
                }
                Ok(())
            })
            .await
    }
}

async fn ask(
    address: SocketAddr,
    request: Rc<[u8]>,
    idle: Rc<RefCell<Vec<Connection>>>,
) -> Outcome<u64> {
    let kept = idle.borrow_mut().pop();
    let mut connection = match kept {
        Some(connection) => connection,
        None => Connection::open(address).await?,
    };
    let start = Instant::now();
    connection.exchange(&request, |_| {}).await?;
    let taken = nanos(start);
    idle.borrow_mut().push(connection);
    Ok(taken)
}
