//! The 4-tuple that names a connection, and the table that finds it.
//!
//! Addresses are kept as 16 octets, IPv4 mapped into IPv6, so that a tuple is 36 octets and one
//! hash serves both families. The hash is keyed with the stack's secret: a peer that picks its
//! ports can't make them collide.

use core::hash::{BuildHasher, Hash, Hasher};
use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use foldhash::quality::FixedState;
use hashbrown::HashTable;

use crate::config::Config;

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

/// A tuple of this host in 22 octets instead of 36: the local address is a number. For what many
/// have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnTuple {
    pub(crate) remote: End,
    pub(crate) local_port: u16,
    /// Which of [`Config::addresses`].
    local_address: u16,
}

impl OwnTuple {
    /// `None`: the local address is not one of the host's first 65,536.
    #[inline]
    pub(crate) fn of(config: &Config, tuple: &FourTuple) -> Option<Self> {
        let FourTuple { local, remote } = *tuple;
        let mut addresses = config.addresses.iter();
        let place = addresses.position(|address| End::new(*address, local.port) == local)?;
        Some(Self {
            remote,
            local_port: local.port,
            local_address: u16::try_from(place).ok()?,
        })
    }

    /// # Panics
    ///
    /// If the local address is not one of the host's first 65,536.
    pub(crate) fn new(config: &Config, tuple: &FourTuple) -> Self {
        Self::of(config, tuple).expect("connections have local addresses")
    }

    /// Both ends in full.
    #[inline]
    pub(crate) fn full(&self, config: &Config) -> FourTuple {
        let address = config.addresses[usize::from(self.local_address)];
        FourTuple {
            local: End::new(address, self.local_port),
            remote: self.remote,
        }
    }
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

/// An [`Entry`] in half the room: the key, and whether it is that of a TIME-WAIT record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot(u32);

impl From<Entry> for Slot {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Connection(key) => Self(key << 1),
            Entry::TimeWait(key) => Self(key << 1 | 1),
        }
    }
}

impl From<Slot> for Entry {
    fn from(Slot(bits): Slot) -> Self {
        match bits & 1 {
            0 => Self::Connection(bits >> 1),
            _ => Self::TimeWait(bits >> 1),
        }
    }
}

/// Every connection and TIME-WAIT record by its tuple.
///
/// The tuple stands in the connection or record and nowhere else: those who look something up or
/// put something in say how to get at it (`has_tuple`, `tuple_of`). The order of the table is
/// nobody's business, nothing ever walks through it.
#[derive(Debug)]
pub(crate) struct Table {
    slots: HashTable<Slot>,
    hasher: FixedState,
}

impl Table {
    /// An empty table with a hash keyed by `secret`.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        let (key, _) = secret.split_first_chunk::<8>().expect("32 octets hold 8");
        Self {
            slots: HashTable::new(),
            hasher: FixedState::with_seed(u64::from_le_bytes(*key)),
        }
    }

    #[inline]
    pub(crate) fn find(
        &self,
        tuple: &FourTuple,
        has_tuple: impl Fn(Entry) -> bool,
    ) -> Option<Entry> {
        let hash = self.hasher.hash_one(tuple);
        let found = self.slots.find(hash, |slot| has_tuple(Entry::from(*slot)));
        found.map(|slot| Entry::from(*slot))
    }

    /// Puts in an entry whose tuple leads to nothing yet.
    pub(crate) fn insert(
        &mut self,
        tuple: &FourTuple,
        entry: Entry,
        tuple_of: impl Fn(Entry) -> FourTuple,
    ) {
        let Self { slots, hasher } = self;
        let hash = |slot: &Slot| hasher.hash_one(tuple_of(Entry::from(*slot)));
        slots.insert_unique(hasher.hash_one(tuple), entry.into(), hash);
    }

    /// The tuple leads to `new`, where it led to `old`.
    pub(crate) fn replace(&mut self, tuple: &FourTuple, old: Entry, new: Entry) {
        let (hash, old) = (self.hasher.hash_one(tuple), Slot::from(old));
        if let Some(slot) = self.slots.find_mut(hash, |slot| *slot == old) {
            *slot = new.into();
        }
    }

    /// Takes out an entry, and gives back memory once there is much too much of it.
    pub(crate) fn remove(
        &mut self,
        tuple: &FourTuple,
        entry: Entry,
        tuple_of: impl Fn(Entry) -> FourTuple,
    ) {
        let Self { slots, hasher } = self;
        let (hash, old) = (hasher.hash_one(tuple), Slot::from(entry));
        if let Ok(slot) = slots.find_entry(hash, |slot| *slot == old) {
            slot.remove();
        }
        if slots.capacity() > SPARE_MAX && slots.len() < slots.capacity() / 8 {
            let hash = |slot: &Slot| hasher.hash_one(tuple_of(Entry::from(*slot)));
            slots.shrink_to(2 * slots.len(), hash);
        }
    }
}

/// So many places may be spare, whatever is in use.
const SPARE_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::{End, Entry, FourTuple, SPARE_MAX, Table};
    use core::net::{IpAddr, Ipv4Addr};

    fn tuple_of(entry: Entry) -> FourTuple {
        let (Entry::Connection(key) | Entry::TimeWait(key)) = entry;
        let end = |port| End::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        FourTuple {
            local: end(key as u16),
            remote: end(80),
        }
    }

    fn find(table: &Table, entry: Entry) -> Option<Entry> {
        let tuple = tuple_of(entry);
        table.find(&tuple, |found| tuple_of(found) == tuple)
    }

    #[test]
    fn a_tuple_leads_to_what_was_put_in_or_replaced_it() {
        let mut table = Table::new(&[7; 32]);
        for key in 0..1000 {
            table.insert(
                &tuple_of(Entry::Connection(key)),
                Entry::Connection(key),
                tuple_of,
            );
        }
        let (old, new) = (Entry::Connection(9), Entry::TimeWait(9));
        table.replace(&tuple_of(old), old, new);
        assert_eq!(find(&table, old), Some(new));
        assert_eq!(find(&table, Entry::Connection(1000)), None);
        table.remove(&tuple_of(old), new, tuple_of);
        assert_eq!(find(&table, old), None);
        assert_eq!(
            find(&table, Entry::Connection(8)),
            Some(Entry::Connection(8))
        );
    }

    #[test]
    fn a_table_that_has_become_empty_is_small() {
        let mut table = Table::new(&[7; 32]);
        let entries = || (0..10_000).map(Entry::TimeWait);
        for entry in entries() {
            table.insert(&tuple_of(entry), entry, tuple_of);
        }
        for entry in entries() {
            table.remove(&tuple_of(entry), entry, tuple_of);
        }
        assert!(table.slots.capacity() <= SPARE_MAX);
    }
}
