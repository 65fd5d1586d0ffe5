//! The closed loop: some connections, each asking again as soon as it has its answer.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use serde::Serialize;
use tokio::task::JoinSet;

use crate::Outcome;
use crate::client::Connection;
use crate::options::{Options, Part};
use crate::payload;
use crate::side::{Pair, Side};
use crate::stats::{Tail, micros};

/// One size of body, all rounds.
#[derive(Debug, Serialize)]
pub struct Closed {
    pub part: Part,
    /// Of each round.
    pub requests: usize,
    pub bare: Vec<Round>,
    pub gateway: Vec<Round>,
}

/// What one side took for one round.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Round {
    /// Microseconds of CPU for each request, background work after the round included.
    pub cpu: f64,
    /// Of these, on the threads named `data…`.
    pub cpu_data: f64,
    /// Requests a second while the round ran.
    pub rate: f64,
    /// Microseconds from the request's first byte to the answer's last.
    pub latency: Tail,
    /// Resident memory after the round, in bytes.
    pub memory: u64,
}

/// Measures one size on both sides, in turns.
pub async fn run(options: &Options, pair: &mut Pair, part: Part) -> Outcome<Closed> {
    let requests = options.requests(part);
    let mut done = Closed {
        part,
        requests,
        bare: Vec::new(),
        gateway: Vec::new(),
    };
    for side in pair.sides() {
        let images = images(options, side, part);
        fire(side, &images, requests / 2).await?;
        side.settled().await?;
    }
    for round in 1..=options.rounds() {
        eprintln!("{part:?}, round {round} of {}", options.rounds());
        // Who goes first alternates, so that going second is nobody's advantage.
        if round % 2 == 1 {
            done.bare.push(turn(options, &mut pair.bare, part).await?);
        }
        done.gateway
            .push(turn(options, &mut pair.gateway, part).await?);
        if round % 2 == 0 {
            done.bare.push(turn(options, &mut pair.bare, part).await?);
        }
    }
    Ok(done)
}

async fn turn(options: &Options, side: &mut Side, part: Part) -> Outcome<Round> {
    let requests = options.requests(part);
    let images = images(options, side, part);
    let before = side.cpu()?;
    let start = Instant::now();
    let mut latencies = fire(side, &images, requests).await?;
    let seconds = start.elapsed().as_secs_f64();
    let used = side.settled().await? - before;
    Ok(Round {
        cpu: micros(used.total) / requests as f64,
        cpu_data: micros(used.data) / requests as f64,
        rate: requests as f64 / seconds,
        latency: Tail::of(&mut latencies),
        memory: side.memory()?,
    })
}

/// One request for each connection, each in a session of its own.
fn images(options: &Options, side: &Side, part: Part) -> Vec<Vec<u8>> {
    let length = part.body().unwrap_or(0);
    let host = side.address.to_string();
    (0..options.connections)
        .map(|connection| payload::request(&host, &side.credential, length, false, connection))
        .collect()
}

/// Makes so many requests, one connection for each image; answers their latencies in nanoseconds.
async fn fire(side: &Side, images: &[Vec<u8>], requests: usize) -> Outcome<Vec<u64>> {
    let left = Rc::new(Cell::new(requests));
    let mut tasks = JoinSet::new();
    let local = tokio::task::LocalSet::new();
    for image in images {
        let mut connection = Connection::open(side.address).await?;
        let (left, image) = (left.clone(), image.clone());
        tasks.spawn_local_on(
            async move {
                let mut latencies = Vec::new();
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    let start = Instant::now();
                    connection.exchange(&image, |_| {}).await?;
                    latencies.push(nanos(start));
                }
                Outcome::Ok(latencies)
            },
            &local,
        );
    }
    let name = side.name;
    local
        .run_until(async {
            let mut all = Vec::with_capacity(requests);
            while let Some(done) = tasks.join_next().await {
                all.extend(done?.map_err(|e| format!("{name}: {e}"))?);
            }
            Ok(all)
        })
        .await
}

/// Nanoseconds since then.
pub fn nanos(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
