//! The named scenarios of a campaign.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::choose::Choose;
use crate::scenario::Scenario;

mod ailing;
mod attack;
mod bystander;
mod churn;
mod flood;
mod middlebox;
mod path_mtu;
mod reboot;
mod rogue;
mod swarm;
mod two_hosts;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// A named kind of scenario; a seed makes one scenario of it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[doc = $doc])* $variant,)* }

        impl Kind {
            /// Every kind, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name by which the command line calls it, such as `half-close`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One line that says what happens in it.
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)*).trim_ascii_start(),)* }
            }
        }
    };
}

kinds! {
    /// One connection is opened and closed again while SYN, SYN-ACK and ACK get lost.
    Handshake = "handshake",
    /// A few octets each way, then an orderly close that loses its FINs and ACKs.
    Close = "close",
    /// Both ends open towards each other at the same time.
    SimultaneousOpen = "simultaneous-open",
    /// Both ends close at the same time.
    SimultaneousClose = "simultaneous-close",
    /// One end shuts its sending side and goes on reading.
    HalfClose = "half-close",
    /// Nobody listens on the port.
    Refused = "refused",
    /// One end aborts in the middle.
    Abort = "abort",
    /// Much data over a link that loses, reorders, copies and damages.
    Bulk = "bulk",
    /// The last ACK of a close is lost, so TIME-WAIT has to answer the FIN again.
    LastAckLost = "last-ack-lost",
    /// Everything is drawn: hosts, topology, applications, MSL, and each family of faults.
    Swarm = "swarm",
    /// One 4-tuple is used again and again while routers keep copies of its old datagrams.
    Churn = "churn",
    /// A link on the way carries less than the hosts believe, and routers say so or keep silent.
    PathMtu = "path-mtu",
    /// Somebody who knows the ports sends blind RSTs, SYNs, ACKs and data into a connection.
    Attack = "attack",
    /// A listener is flooded with SYNs from addresses that nobody has, while clients call it.
    Flood = "flood",
    /// An attack on one connection, from which another one at the same hosts must feel nothing.
    Bystander = "bystander",
    /// A host crashes in the middle and boots again, while its peer knows nothing of it.
    Reboot = "reboot",
    /// A NAT, a firewall, or a box that meddles with options or segments stands between the hosts.
    Middlebox = "middlebox",
    /// Hosts stand still for a while, have clocks that are wrong, and little memory.
    Ailing = "ailing",
    /// A network keeps copies for longer than the MSL: what follows is a hazard, no violation.
    Rogue = "rogue",
}

/// An address that no host has, in the network of one that has.
fn beyond(host: IpAddr) -> IpAddr {
    const HOSTS_MAX: u16 = 200;
    match host {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() + u32::from(HOSTS_MAX))),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() + u128::from(HOSTS_MAX))),
    }
}

impl Kind {
    /// A scenario of this kind.
    pub(crate) fn generate(self, choose: &mut dyn Choose) -> Scenario {
        match self {
            Self::Ailing => ailing::generate(choose),
            Self::Attack => attack::generate(choose),
            Self::Flood => flood::generate(choose),
            Self::Bystander => bystander::generate(choose),
            Self::Churn => churn::generate(choose),
            Self::Middlebox => middlebox::generate(choose),
            Self::PathMtu => path_mtu::generate(choose),
            Self::Reboot => reboot::generate(choose),
            Self::Rogue => rogue::generate(choose),
            Self::Swarm => swarm::generate(choose),
            _ => two_hosts::generate(self, choose),
        }
    }

    /// The kind called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn every_name_leads_back_to_its_kind() {
        for &kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
            assert!(kind.description().ends_with('.'), "{}", kind.description());
        }
        assert_eq!(Kind::from_name("no-such-thing"), None);
    }
}
