//! The address of a request's client, also behind proxies.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, HeaderName, HeaderValue},
};

use crate::access::Networks;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client of a request. Its address is computed only when it is asked for: a callback with a valid token needs none of it.
#[derive(Clone, Copy)]
pub(in crate::http) struct Caller<'r> {
    /// The peer of the connection, which the listener attaches to each request.
    peer: Option<IpAddr>,
    headers: &'r HeaderMap,
    trusted: &'r Networks,
}

impl<'r> Caller<'r> {
    pub fn of(extensions: &Extensions, headers: &'r HeaderMap, trusted: &'r Networks) -> Self {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        Self { peer: peer.map(|ConnectInfo(peer)| peer.ip().to_canonical()), headers, trusted }
    }

    /// The client's address: the peer's or, if the peer is a trusted proxy, the rightmost hop of `X-Forwarded-For` that is not a
    /// trusted proxy. None if that hop is no address: hops further left can be forged.
    pub fn address(&self) -> Option<IpAddr> {
        let mut address = self.peer?;
        let mut hops = self.headers.get_all(X_FORWARDED_FOR).iter().rev().flat_map(hops_from_the_right);
        while self.trusted.contain(address) {
            match hops.next() {
                // Every hop is a trusted proxy: the first of them is the client.
                None => break,
                Some(hop) => address = hop?,
            }
        }
        Some(address)
    }

    /// The address that rate limits count: the client's or, where that is unknown, the peer's.
    pub fn counted(&self) -> IpAddr {
        self.address().or(self.peer).unwrap_or(IpAddr::from([0; 4]))
    }
}

/// The hops of one header line; none for each that is no address.
fn hops_from_the_right(line: &HeaderValue) -> impl Iterator<Item = Option<IpAddr>> {
    line.as_bytes().rsplit(|&byte| byte == b',').map(|hop| address(std::str::from_utf8(hop).ok()?.trim()))
}

/// An address, as proxies write it: some add the port, and then brackets to IPv6.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|hop| hop.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn caller(peer: &str, trusted: &[&str], lines: &[&str]) -> Option<String> {
        let trusted =
            Networks::read(&trusted.iter().map(|&text| text.to_owned()).collect::<Vec<_>>()).unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)));
        Caller::of(&extensions, &headers, &trusted).address().map(|address| address.to_string())
    }

    #[test]
    fn without_a_trusted_proxy_the_header_changes_nothing() {
        for lines in [&[][..], &["203.0.113.9"], &["203.0.113.9, 127.0.0.1"], &["nonsense"]] {
            assert_eq!(caller("198.51.100.1", &[], lines).as_deref(), Some("198.51.100.1"), "{lines:?}");
            assert_eq!(caller("198.51.100.1", &["10.0.0.0/8"], lines).as_deref(), Some("198.51.100.1"));
        }
    }

    #[test]
    fn behind_trusted_proxies_it_is_the_rightmost_hop_that_is_none_of_them() {
        let behind = |lines: &[&str]| caller("10.0.0.1", &["10.0.0.0/8", "fd00::/8"], lines);
        for (lines, expected) in [
            (&["203.0.113.9"][..], Some("203.0.113.9")),
            (&["1.2.3.4, 203.0.113.9"], Some("203.0.113.9")),
            (&["1.2.3.4", "203.0.113.9,10.0.0.7"], Some("203.0.113.9")),
            (&["1.2.3.4, 203.0.113.9", "10.0.0.7", "fd00::1"], Some("203.0.113.9")),
            (&["::ffff:203.0.113.9, ::ffff:10.0.0.7"], Some("203.0.113.9")),
            (&["203.0.113.9:1234 , [fd00::1]:80,[fd00::2]"], Some("203.0.113.9")),
            (&["2001:db8::7"], Some("2001:db8::7")),
            (&[], Some("10.0.0.1")),
            (&["10.0.0.8, 10.0.0.7"], Some("10.0.0.8")),
            (&["203.0.113.9, unknown"], None),
            (&["203.0.113.9, unknown, 10.0.0.7"], None),
            (&["203.0.113.9", ""], None),
            (&["203.0.113.9,"], None),
            (&["203.0.113.9 10.0.0.7"], None),
            (&["\u{ff}", "203.0.113.9"], Some("203.0.113.9")),
        ] {
            assert_eq!(behind(lines).as_deref(), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_peer_that_is_mapped_to_ipv6_is_itself() {
        assert_eq!(
            caller("::ffff:10.0.0.1", &["10.0.0.0/8"], &["203.0.113.9"]).as_deref(),
            Some("203.0.113.9")
        );
        assert_eq!(caller("::ffff:192.0.2.1", &[], &[]).as_deref(), Some("192.0.2.1"));
    }

    proptest! {
        #[test]
        fn an_address_that_no_trusted_proxy_wrote_never_wins(
            forged in vec("[ -~]{0,20}|203\\.0\\.113\\.[0-9]{1,2}|10\\.0\\.0\\.[0-9]", 0..4),
            proxies in vec("10\\.0\\.0\\.[0-9]", 0..4),
            lines in vec(any::<bool>(), 9),
        ) {
            // What the caller wrote, then the caller's address as the first proxy saw it, then the proxies'.
            let hops: Vec<&str> =
                forged.iter().map(String::as_str).chain(["198.51.100.1"]).chain(proxies.iter().map(String::as_str)).collect();
            let mut header: Vec<String> = vec![String::new()];
            for (hop, begins_a_line) in hops.iter().zip(lines) {
                match header.last_mut() {
                    Some(line) if !begins_a_line && !line.is_empty() => line.extend([", ", hop]),
                    _ => header.push((*hop).to_owned()),
                }
            }
            let header: Vec<&str> = header.iter().map(String::as_str).collect();
            for peer in ["10.9.9.9", "198.51.100.1"] {
                let caller = caller(peer, &["10.0.0.0/8"], &header);
                prop_assert_eq!(caller.as_deref(), Some("198.51.100.1"));
            }
        }
    }
}
