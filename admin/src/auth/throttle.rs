//! Slows down whoever guesses credentials.
//!
//! Failures are counted per peer in a window that starts with the first of them. When the window holds too many, the peer is
//! shut out for a while: even a right credential is refused then, or guessing would simply go on. A success does not clear the
//! count, or the owner of one weak key could guess for ever with a good login in between. The table is bounded: when it is full
//! the entries that are over go first, then the oldest, so an attacker with many addresses costs memory nowhere and can at most
//! make us forget the count of another attacker.
//!
//! Nodes tell each other of failures where there is Redis, and each counts all of them. So nothing is asked on a request's way, and when
//! Redis is away each node counts its own.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Failures in one window before a peer is shut out.
pub const FAILURES: u32 = 20;
/// A window's length.
pub const WINDOW: Duration = Duration::from_secs(5 * 60);
/// How long a peer is shut out.
pub const SHUT_OUT: Duration = Duration::from_secs(10 * 60);
/// Peers kept in mind.
const CAPACITY: usize = 10_000;

/// Failures per peer.
#[derive(Default)]
pub struct Throttle(Mutex<HashMap<Option<IpAddr>, Failures>>);

struct Failures {
    count: u32,
    first: Instant,
    shut_until: Option<Instant>,
}

// === impl Throttle ===

impl Throttle {
    /// How long `peer` is still shut out, if it is.
    pub fn shut_out(&self, peer: Option<IpAddr>, now: Instant) -> Option<Duration> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = table.get(&network(peer))?.shut_until?;
        until.checked_duration_since(now).filter(|d| !d.is_zero())
    }

    /// Counts a failure, of this node or another; whether the peer is shut out by it.
    pub fn failed(&self, peer: Option<IpAddr>, now: Instant) -> bool {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = network(peer);
        if table.len() >= CAPACITY && !table.contains_key(&peer) {
            make_room(&mut table, now);
        }
        let failures = table.entry(peer).or_insert_with(|| Failures::new(now));
        if failures.is_over(now) {
            *failures = Failures::new(now);
        }
        failures.count += 1;
        if failures.count >= FAILURES && failures.shut_until.is_none() {
            failures.shut_until = Some(now + SHUT_OUT);
            tracing::warn!(?peer, "too many wrong credentials: shut out for a while");
            return true;
        }
        false
    }
}

// === impl Failures ===

impl Failures {
    fn new(now: Instant) -> Self {
        Self {
            count: 0,
            first: now,
            shut_until: None,
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        match self.shut_until {
            Some(until) => now >= until,
            None => now.saturating_duration_since(self.first) >= WINDOW,
        }
    }
}

fn make_room(table: &mut HashMap<Option<IpAddr>, Failures>, now: Instant) {
    table.retain(|_, failures| !failures.is_over(now));
    if table.len() >= CAPACITY {
        let oldest = table.iter().min_by_key(|(_, f)| f.first).map(|(p, _)| *p);
        if let Some(oldest) = oldest {
            table.remove(&oldest);
        }
    }
}

/// What counts as one peer: an IPv4 address, or the /64 an IPv6 host can roam in.
fn network(peer: Option<IpAddr>) -> Option<IpAddr> {
    match peer?.to_canonical() {
        IpAddr::V6(v6) => {
            let mut segments = v6.segments();
            segments[4..].fill(0);
            Some(IpAddr::from(segments))
        }
        v4 @ IpAddr::V4(_) => Some(v4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guesser_is_shut_out_and_let_in_again() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let peer = Some("192.0.2.1".parse().unwrap());
        for _ in 1..FAILURES {
            throttle.failed(peer, start);
        }
        assert_eq!(throttle.shut_out(peer, start), None);
        throttle.failed(peer, start);
        assert_eq!(throttle.shut_out(peer, start), Some(SHUT_OUT));
        assert_eq!(throttle.shut_out(None, start), None);
        assert_eq!(throttle.shut_out(peer, start + SHUT_OUT), None);
        throttle.failed(peer, start + SHUT_OUT);
        assert_eq!(throttle.shut_out(peer, start + SHUT_OUT), None);
    }

    #[test]
    fn failures_far_apart_do_not_add_up() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for i in 0..FAILURES * 2 {
            let now = start + WINDOW / 10 * i;
            throttle.failed(None, now);
            assert_eq!(throttle.shut_out(None, now), None, "{i}");
        }
    }

    #[test]
    fn one_ipv6_host_is_one_peer_and_the_table_is_bounded() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for i in 0..FAILURES {
            let host = format!("2001:db8::{i}").parse().unwrap();
            throttle.failed(Some(host), now);
        }
        let other = Some("2001:db8::ffff".parse().unwrap());
        assert!(throttle.shut_out(other, now).is_some());
        for i in 0..(CAPACITY as u32 + 500) {
            throttle.failed(Some(IpAddr::V4(i.into())), now + Duration::from_secs(1));
        }
        assert!(throttle.0.lock().unwrap().len() <= CAPACITY);
    }
}
