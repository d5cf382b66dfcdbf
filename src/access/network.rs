//! Networks as CIDR ranges: of callers, and of trusted proxies.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Networks; addresses are compared in their canonical form, so `::ffff:192.0.2.1` is `192.0.2.1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// A text that is not a network.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no network; write one such as 203.0.113.0/24 or 2001:db8::/32, or a single address")]
pub struct BadNetwork(String);

impl Networks {
    /// Reads ranges and single addresses.
    ///
    /// # Errors
    /// [`BadNetwork`] names the first text that is neither.
    pub fn read(texts: &[String]) -> Result<Self, BadNetwork> {
        texts.iter().map(|text| network(text)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them holds `address`.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn network(text: &str) -> Result<IpNet, BadNetwork> {
    let bad = || BadNetwork(text.chars().take(64).collect());
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address.to_canonical()),
        Err(_) => text.parse().map_err(|_| bad())?,
    };
    // A range of IPv4-mapped IPv6 addresses becomes the IPv4 range, as addresses become canonical before the
    // comparison.
    let mapped = match network {
        IpNet::V6(range) if range.prefix_len() >= 96 => range.addr().to_ipv4_mapped(),
        _ => None,
    };
    match mapped {
        Some(address) => Ipv4Net::new(address, network.prefix_len() - 96).map(IpNet::V4).map_err(|_| bad()),
        None => Ok(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Result<Networks, BadNetwork> {
        Networks::read(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn ranges_and_addresses_hold_what_they_say_in_either_spelling() {
        let held = networks(&[
            "10.1.2.3/8",
            "192.0.2.7",
            "2001:db8::/32",
            "::ffff:198.51.100.0/120",
            "::ffff:203.0.113.9",
        ]);
        let held = held.unwrap();
        for inside in
            ["10.255.0.1", "192.0.2.7", "::ffff:192.0.2.7", "2001:db8:1::1", "198.51.100.200", "203.0.113.9"]
        {
            assert!(held.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.8", "2001:db9::1", "198.51.101.1", "::", "0.0.0.0", "::1"] {
            assert!(!held.contain(outside.parse().unwrap()), "{outside}");
        }
        assert!(networks(&[]).unwrap().is_empty() && !Networks::default().contain("::1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_named() {
        for bad in
            ["10.0.0.0/33", "example.com", "10.0.0", "10.0.0.0/", "/8", "2001:db8::/129", "10.0.0.1:80"]
        {
            let error = networks(&["10.0.0.0/8", bad]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{bad}` is no network")), "{error}");
        }
    }
}
