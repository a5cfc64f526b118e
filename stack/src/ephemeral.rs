//! Which ephemeral port comes next: double-hash selection (RFC 6056 §3.3.4, algorithm 4).
//!
//! Each remote end has a place of its own to start from, and it shares a counter with few others.
//! So successive connections to one remote use one port after the other, and none again before all
//! others have been tried; but who sees the ports of its own connections learns neither those of
//! connections to others nor how many there are.

use crate::config::Config;
use crate::keyed::{self, Purpose};
use crate::table::End;

/// Counters; RFC 6056 §3.3.4 thinks of 10 at least.
const TABLE_LENGTH: usize = 64;

/// The counters. They start at zero: the keyed offset hides that.
#[derive(Debug)]
pub(crate) struct EphemeralPorts {
    counters: [u64; TABLE_LENGTH],
}

impl EphemeralPorts {
    pub(crate) fn new() -> Self {
        Self {
            counters: [0; TABLE_LENGTH],
        }
    }

    /// The next suitable port for a connection from `local`, whose port does not matter, to
    /// `remote`. `None`: no port of the range is suitable.
    pub(crate) fn choose(
        &mut self,
        config: &Config,
        local: End,
        remote: End,
        suitable: impl Fn(u16) -> bool,
    ) -> Option<u16> {
        let hash = |purpose| keyed::hash(&config.secret, purpose, local, remote, 0);
        let index = hash(Purpose::EphemeralCounter) % TABLE_LENGTH as u64;
        let counter = &mut self.counters[index as usize];
        let (first, last) = config.ephemeral_ports;
        let count = u64::from(last.saturating_sub(first)) + 1;
        let offset = hash(Purpose::EphemeralPort) % count;
        for _ in 0..count {
            let port = first + ((offset + *counter % count) % count) as u16;
            *counter += 1;
            if suitable(port) {
                return Some(port);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::EphemeralPorts;
    use crate::config::Config;
    use crate::table::End;
    use alloc::vec;
    use alloc::vec::Vec;
    use core::net::{IpAddr, Ipv4Addr};

    fn config() -> Config {
        Config {
            ephemeral_ports: (65_530, 65_535),
            ..Config::new(vec![], [3; 32])
        }
    }

    fn ends() -> (End, End) {
        let end = |last, port| End::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port);
        (end(1, 0), end(2, 80))
    }

    #[test]
    fn every_port_of_the_range_comes_once_around() {
        let (local, remote) = ends();
        let mut ports = EphemeralPorts::new();
        let mut round = || -> Vec<u16> {
            let next = |_| ports.choose(&config(), local, remote, |_| true);
            (0..6).filter_map(next).collect()
        };
        let (first, second) = (round(), round());
        assert_eq!(first, second);
        let mut sorted = first;
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(65_530..=65_535));
    }

    #[test]
    fn the_only_suitable_port_is_found_from_anywhere() {
        let (local, remote) = ends();
        let mut ports = EphemeralPorts::new();
        for _ in 0..7 {
            let port = ports.choose(&config(), local, remote, |port| port == 65_533);
            assert_eq!(port, Some(65_533));
        }
        assert_eq!(ports.choose(&config(), local, remote, |_| false), None);
    }
}
