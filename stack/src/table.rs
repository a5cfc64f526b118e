//! The 4-tuple that names a connection, and the table that finds it.
//!
//! Addresses are kept as 16 octets, IPv4 mapped into IPv6, so that a tuple is 36 octets and one
//! hash serves both families. The hash is keyed with the stack's secret: a peer that picks its
//! ports can't make them collide.

use core::hash::{Hash, Hasher};
use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use foldhash::quality::FixedState;
use indexmap::IndexMap;

/// One end: an address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    address: [u8; 16],
    pub(crate) port: u16,
}

impl End {
    pub(crate) fn new(ip: IpAddr, port: u16) -> Self {
        let address = match ip {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        };
        Self { address, port }
    }

    pub(crate) fn ip(self) -> IpAddr {
        Ipv6Addr::from(self.address).to_canonical()
    }

    pub(crate) fn socket_addr(self) -> SocketAddr {
        SocketAddr::new(self.ip(), self.port)
    }

    /// Address and port as three words, for hashes.
    pub(crate) fn words(self) -> (u64, u64, u64) {
        let bits = u128::from_be_bytes(self.address);
        ((bits >> 64) as u64, bits as u64, u64::from(self.port))
    }
}

/// Both ends of a connection, seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FourTuple {
    pub(crate) local: End,
    pub(crate) remote: End,
}

impl Hash for FourTuple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (local_high, local_low, local_port) = self.local.words();
        let (remote_high, remote_low, remote_port) = self.remote.words();
        state.write_u64(local_low);
        state.write_u64(remote_low);
        state.write_u64(local_port << 16 | remote_port);
        // The upper halves of mapped IPv4 addresses are zero and tell nothing.
        if local_high | remote_high != 0 {
            state.write_u64(local_high);
            state.write_u64(remote_high);
        }
    }
}

/// What a tuple leads to: keys of the stack's slabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Connection(u32),
    TimeWait(u32),
}

/// Every connection and TIME-WAIT record by its tuple.
pub(crate) type Table = IndexMap<FourTuple, Entry, FixedState>;

/// An empty table with a hash keyed by `secret`.
pub(crate) fn new_table(secret: &[u8; 32]) -> Table {
    let (key, _) = secret.split_first_chunk::<8>().expect("32 octets hold 8");
    IndexMap::with_hasher(FixedState::with_seed(u64::from_le_bytes(*key)))
}
