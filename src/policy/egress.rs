//! Which addresses a request may be sent to.
//!
//! Checked after DNS, on the address that is about to be connected to, so that a public name pointing at a private
//! address gains nothing. Link-local and cloud-metadata addresses are refused under every policy: nobody runs a model there, and
//! they hand out the machine's own credentials.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use entity::value::EgressPolicy;

/// Metadata services outside the link-local ranges: AWS over IPv6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);
/// The same over IPv4: Alibaba Cloud, Azure, Oracle Cloud.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// Whether the policy lets a request go to `address`.
#[must_use]
pub fn permits(policy: EgressPolicy, address: IpAddr) -> bool {
    let address = address.to_canonical();
    !is_never_a_provider(address) && (policy == EgressPolicy::AllowPrivate || !is_private(address))
}

fn is_never_a_provider(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_link_local()
                || METADATA_V4.contains(&v4)
                || v4.is_unspecified()
                || v4.is_multicast()
                || v4.is_broadcast()
        }
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local()
                || v6 == METADATA_V6
                || v6.is_unspecified()
                || v6.is_multicast()
        }
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private() || v4.is_loopback() || a == 0 || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn metadata_is_refused_under_every_policy() {
        for bad in [
            "169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "::ffff:169.254.169.254",
            "0.0.0.0",
        ] {
            assert!(!permits(EgressPolicy::AllowPrivate, ip(bad)), "{bad}");
        }
    }

    #[test]
    fn private_addresses_depend_on_the_policy() {
        for private in [
            "10.0.0.1",
            "127.0.0.1",
            "192.168.1.1",
            "::1",
            "fd12::1",
            "100.64.0.1",
        ] {
            assert!(
                permits(EgressPolicy::AllowPrivate, ip(private)),
                "{private}"
            );
            assert!(!permits(EgressPolicy::PublicOnly, ip(private)), "{private}");
        }
        assert!(permits(EgressPolicy::PublicOnly, ip("1.1.1.1")));
    }
}
