//! Networks, such as those whose proxies are believed about whom they forward for.

use std::{net::IpAddr, str::FromStr};

/// A list of networks; empty at first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    /// Leading bits that count.
    bits: u32,
}

/// A text that is no list of networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is neither an address nor a network such as 10.0.0.0/8")]
pub struct BadNetworks(String);

// === impl Networks ===

impl Networks {
    /// Whether an address is in one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }

    /// Who the client is when `peer` is who connected and `forwarded` are the values of `X-Forwarded-For`: each proxy adds the address it was
    /// connected from at the end, so the last one that no proxy of ours has is the client, and what is before it may be anybody's invention.
    #[must_use]
    pub fn client(&self, peer: IpAddr, forwarded: &[&str]) -> IpAddr {
        let mut client = peer.to_canonical();
        let hops = forwarded.iter().rev().flat_map(|value| value.rsplit(','));
        for hop in hops {
            if !self.contains(client) {
                break;
            }
            match read_hop(hop) {
                Some(address) => client = address,
                None => break,
            }
        }
        client
    }
}

/// An address, which some proxies write with a port.
fn read_hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.trim_matches(['[', ']']).parse().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|at| at.ip());
    bare.or_else(with_port)
        .map(|address: IpAddr| address.to_canonical())
}

/// Separated by commas or spaces.
impl FromStr for Networks {
    type Err = BadNetworks;

    fn from_str(text: &str) -> Result<Self, BadNetworks> {
        let parts = text.split([',', ' ']).filter(|part| !part.is_empty());
        let networks = parts.map(|part| Network::read(part).ok_or(BadNetworks(part.to_owned())));
        networks.collect::<Result<_, _>>().map(Self)
    }
}

// === impl Network ===

impl Network {
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.leading_zeros() >= self.bits
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differing = own.to_bits() ^ other.to_bits();
                differing.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_hold_what_begins_as_they_do() {
        let networks: Networks = "10.0.0.0/8, 192.0.2.7 fd00::/8".parse().unwrap();
        for (address, is_in) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("fd12::1", true),
            ("fe80::1", false),
            ("::ffff:10.1.1.1", true),
        ] {
            assert_eq!(networks.contains(ip(address)), is_in, "{address}");
        }
        assert!(
            "0.0.0.0/0"
                .parse::<Networks>()
                .unwrap()
                .contains(ip("1.2.3.4"))
        );
        assert!(!Networks::default().contains(ip("1.2.3.4")));
        for bad in ["10.0.0.0/33", "nothing", "10.0.0/8", "::/129", "10.0.0.0/"] {
            assert!(bad.parse::<Networks>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_client_is_the_last_one_that_is_no_proxy_of_ours() {
        let ours: Networks = "10.0.0.0/8".parse().unwrap();
        for (peer, forwarded, client) in [
            ("10.0.0.1", &["203.0.113.9"][..], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            (
                "10.0.0.1",
                &["1.1.1.1", "203.0.113.9, 10.0.0.2"],
                "203.0.113.9",
            ),
            ("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", &["unknown"], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("203.0.113.9", &["1.1.1.1"], "203.0.113.9"),
        ] {
            assert_eq!(
                ours.client(ip(peer), forwarded),
                ip(client),
                "{forwarded:?}"
            );
        }
    }
}
