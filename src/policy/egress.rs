//! Which addresses a request may be sent to.
//!
//! Checked after DNS, on the address that is about to be connected to, so that a public name pointing at a private
//! address gains nothing. Link-local and cloud-metadata addresses are refused under every policy: nobody runs a model there, and
//! they hand out the machine's own credentials.

use std::net::IpAddr;

use entity::value::{EgressPolicy, check_address};

/// Whether the policy lets a request go to `address`.
#[must_use]
pub fn permits(policy: EgressPolicy, address: IpAddr) -> bool {
    check_address(address, policy).is_ok()
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
            "64:ff9b::169.254.169.254",
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
