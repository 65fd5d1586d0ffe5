//! Many concurrent streams: what one costs, what it holds, and how late its events arrive.
//!
//! The streams start spread over a second and a half and each lives for four, so there is a plateau during which all are live: memory and
//! the CPU of a passing event are read there, where no request begins and none ends. An event carries the time at which the provider
//! sent it; what the client adds to that by being late itself is the same on both sides, and is shown by the run without a proxy.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use memchr::memmem;
use serde::Serialize;
use tokio::task::{JoinSet, LocalSet};

use crate::Outcome;
use crate::client::Connection;
use crate::meter::Cpu;
use crate::options::Options;
use crate::payload;
use crate::side::{Pair, Side};
use crate::stats::{Tail, micros};
use crate::upstream::{MARK, now};

/// Bytes of the body that starts a stream.
const BODY: usize = 55 * 1024;
const RAMP: Duration = Duration::from_millis(1500);
const LOOK: Duration = Duration::from_millis(100);
const WARM_UP: usize = 20;

/// All rounds, and one without a proxy.
#[derive(Debug, Serialize)]
pub struct Streams {
    pub streams: usize,
    pub events: usize,
    pub bare: Vec<Round>,
    pub gateway: Vec<Round>,
    /// Microseconds from the provider's write to the client's read, with nothing between.
    pub direct: Tail,
}

/// What one side took for one round.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Round {
    /// Microseconds of CPU for each stream, from request to settled.
    pub cpu: f64,
    /// Of these, on the threads named `data…`.
    pub cpu_data: f64,
    /// Microseconds of CPU for each event while all streams were live; without pauses a stream's by its events.
    pub cpu_event: f64,
    /// Resident memory for each live stream above what it was before, in bytes.
    pub memory: f64,
    /// Microseconds from the provider's write to the client's read.
    pub lag: Tail,
}

/// What the clients have seen so far.
#[derive(Default)]
struct Seen {
    live: usize,
    lags: Vec<u64>,
}

/// A look at a side while the streams run.
#[derive(Clone, Copy)]
struct Look {
    live: usize,
    events: usize,
    cpu: Cpu,
    memory: u64,
}

/// Finds the events in a stream however it is cut.
#[derive(Default)]
struct Events {
    carry: Vec<u8>,
    is_complete: bool,
}

/// Measures both sides, in turns.
pub async fn run(options: &Options, pair: &mut Pair) -> Outcome<Streams> {
    let mut done = Streams {
        streams: options.streams,
        events: options.events,
        bare: Vec::new(),
        gateway: Vec::new(),
        direct: direct(options, pair.upstream).await?,
    };
    for side in pair.sides() {
        let seen = Rc::new(RefCell::new(Seen::default()));
        play(options, side.address, &side.credential, WARM_UP, &seen).await?;
    }
    for round in 1..=options.stream_rounds() {
        eprintln!("streams, round {round} of {}", options.stream_rounds());
        done.bare.push(self::round(options, &mut pair.bare).await?);
        done.gateway
            .push(self::round(options, &mut pair.gateway).await?);
    }
    Ok(done)
}

async fn direct(options: &Options, upstream: SocketAddr) -> Outcome<Tail> {
    let seen = Rc::new(RefCell::new(Seen::default()));
    play(options, upstream, "none", options.streams, &seen).await?;
    let lags = &mut seen.borrow_mut().lags;
    Ok(Tail::of(lags))
}

async fn round(options: &Options, side: &mut Side) -> Outcome<Round> {
    let before = side.settled().await?;
    let memory = side.memory()?;
    let (address, credential) = (side.address, side.credential.clone());
    let seen = Rc::new(RefCell::new(Seen::default()));
    let streams = play(options, address, &credential, options.streams, &seen);
    let mut looks = Vec::new();
    tokio::select! {
        done = streams => done.map_err(|e| format!("{}: {e}", side.name))?,
        broken = watch(side, &seen, &mut looks) => broken?,
    }
    let used = side.settled().await? - before;
    looks.retain(|look: &Look| look.live == options.streams);
    let each = options.streams as f64;
    let (cpu_event, held) = match (looks.first(), looks.last()) {
        (Some(first), Some(last)) if options.event_ms > 0 => {
            let held: f64 = looks.iter().map(|look| look.memory as f64).sum();
            let events = (last.events - first.events).max(1) as f64;
            let used = micros((last.cpu - first.cpu).total);
            (used / events, held / looks.len() as f64)
        }
        // Without a pause a stream is over before the next begins.
        _ if options.event_ms == 0 => {
            let used = micros(used.total) / each;
            (used / options.events as f64, memory as f64)
        }
        _ => return Err("the streams were never all live: more events, or fewer streams".into()),
    };
    let lags = &mut seen.borrow_mut().lags;
    Ok(Round {
        cpu: micros(used.total) / each,
        cpu_data: micros(used.data) / each,
        cpu_event,
        memory: (held - memory as f64) / each,
        lag: Tail::of(lags),
    })
}

/// Looks again and again; ends only when it cannot.
async fn watch(side: &mut Side, seen: &RefCell<Seen>, looks: &mut Vec<Look>) -> Outcome<()> {
    let mut clock = tokio::time::interval(LOOK);
    loop {
        clock.tick().await;
        let (cpu, memory) = (side.cpu()?, side.memory()?);
        let seen = seen.borrow();
        looks.push(Look {
            live: seen.live,
            events: seen.lags.len(),
            cpu,
            memory,
        });
    }
}

/// Starts so many streams and sees each to its proper end.
async fn play(
    options: &Options,
    address: SocketAddr,
    credential: &str,
    streams: usize,
    seen: &Rc<RefCell<Seen>>,
) -> Outcome<()> {
    let host = address.to_string();
    let images: Vec<Rc<[u8]>> = (0..options.connections)
        .map(|session| {
            let path = &options.path;
            payload::request_to(path, &host, credential, BODY, true, session).into()
        })
        .collect();
    let local = LocalSet::new();
    let mut tasks = JoinSet::new();
    let gap = RAMP / u32::try_from(streams.max(1))?;
    for (number, image) in images.iter().cycle().take(streams).enumerate() {
        let (image, seen) = (image.clone(), seen.clone());
        let (wait, expected) = (gap * u32::try_from(number)?, options.events);
        tasks.spawn_local_on(
            async move {
                tokio::time::sleep(wait).await;
                one(address, &image, expected, &seen).await
            },
            &local,
        );
    }
    local
        .run_until(async {
            while let Some(done) = tasks.join_next().await {
                done??;
            }
            Ok(())
        })
        .await
}

async fn one(
    address: SocketAddr,
    request: &[u8],
    expected: usize,
    seen: &RefCell<Seen>,
) -> Outcome<()> {
    let mut connection = Connection::open(address).await?;
    let (mut events, mut got) = (Events::default(), 0);
    let exchange = connection.exchange(request, |piece| {
        events.push(piece, |sent| {
            let seen = &mut *seen.borrow_mut();
            // Live from the first event on: the request has left the proxy by then.
            seen.live += usize::from(got == 0);
            seen.lags.push(now().saturating_sub(sent));
            got += 1;
            seen.live -= usize::from(got == expected);
        });
    });
    exchange.await?;
    if got != expected || !events.is_complete {
        return Err(format!("a stream ended after {got} of {expected} events").into());
    }
    Ok(())
}

// === impl Events ===

impl Events {
    /// Hands over the time each event was sent at.
    fn push(&mut self, piece: &[u8], mut each: impl FnMut(u64)) {
        self.carry.extend_from_slice(piece);
        let mut used = 0;
        while let Some(end) = memmem::find(&self.carry[used..], b"\n\n") {
            let event = &self.carry[used..used + end];
            used += end + 2;
            if let Some(sent) = sent(event) {
                each(sent);
            }
            self.is_complete |= event.starts_with(b"event: message_stop");
        }
        self.carry.drain(..used);
    }
}

fn sent(event: &[u8]) -> Option<u64> {
    let text = &event[memchr::memchr(MARK, event)? + 1..];
    let digits = &text[..memchr::memchr(MARK, text)?];
    std::str::from_utf8(digits).ok()?.parse().ok()
}
