//! The bound on all buffers of a host together (`Config::memory_max`): what is held, and what windows
//! have promised.

use std::collections::BTreeMap;

use timewait_sim::NodeId;
use timewait_stack::State;
use timewait_stack::event::Vars;

use crate::label::Incarnation;

/// What each end on a host with a bound holds, as last seen.
#[derive(Debug, Default)]
pub(super) struct Memory {
    hosts: BTreeMap<NodeId, BTreeMap<Incarnation, u64>>,
}

impl Memory {
    /// The variables of an end at the end of a batch; says what is wrong with the sum.
    pub(super) fn snapshot(
        &mut self,
        who: Incarnation,
        vars: &Vars,
        memory_max: Option<u64>,
    ) -> Option<String> {
        let most = memory_max?;
        let host = self.hosts.entry(who.host).or_default();
        host.insert(who, held(vars));
        let sum: u64 = host.values().sum();
        (sum > most)
            .then(|| format!("{sum} octets are held or promised by the host, {most} at most"))
    }

    /// A user has read so much: no snapshot need tell of it.
    pub(super) fn read(&mut self, who: Incarnation, octets: u64) {
        let host = self.hosts.get_mut(&who.host);
        if let Some(held) = host.and_then(|host| host.get_mut(&who)) {
            *held = held.saturating_sub(octets);
        }
    }

    pub(super) fn ended(&mut self, who: Incarnation) {
        if let Some(host) = self.hosts.get_mut(&who.host) {
            host.remove(&who);
        }
    }

    pub(super) fn crashed(&mut self, host: NodeId) {
        self.hosts.remove(&host);
    }
}

/// Octets to be read, those to come in the window that was told, and those to be acknowledged. SYN and
/// FIN take no memory.
fn held(vars: &Vars) -> u64 {
    let window = match vars.state {
        State::SynSent => vars.receive_buffer.min(u16::MAX.into()),
        _ if vars.fin_received => 0,
        _ => vars.rcv_adv.saturating_since(vars.rcv_nxt),
    };
    let syn = u32::from(vars.snd_una == vars.iss);
    let fin = u32::from(vars.fin_sent && vars.snd_una != vars.snd_nxt);
    let outstanding = (vars.snd_nxt - vars.snd_una).saturating_sub(syn + fin);
    let parts = [
        vars.unread,
        window.max(vars.out_of_order),
        outstanding,
        vars.unsent,
    ];
    parts.into_iter().map(u64::from).sum()
}

#[cfg(test)]
mod tests {
    use timewait_sim::NodeId;
    use timewait_stack::event::Vars;
    use timewait_stack::{ConnectionId, SeqNumber, State};

    use super::Memory;
    use crate::label::Incarnation;

    fn end(connection: u64) -> Incarnation {
        Incarnation {
            host: NodeId(0),
            boot: 0,
            connection: ConnectionId(connection),
        }
    }

    /// 100 octets unread, a window of 300, 50 outstanding beside the FIN, 7 unsent: 457.
    fn vars() -> Vars {
        Vars {
            state: State::FinWait1,
            unread: 100,
            rcv_nxt: SeqNumber(u32::MAX),
            rcv_adv: SeqNumber(299),
            snd_una: SeqNumber(10),
            snd_nxt: SeqNumber(61),
            fin_sent: true,
            unsent: 7,
            ..Vars::default()
        }
    }

    #[test]
    fn all_ends_of_a_host_share_one_bound() {
        let mut memory = Memory::default();
        assert_eq!(memory.snapshot(end(1), &vars(), None), None, "no bound");
        assert_eq!(memory.snapshot(end(1), &vars(), Some(457)), None);
        assert!(memory.snapshot(end(1), &vars(), Some(456)).is_some());
        let said = memory.snapshot(end(2), &vars(), Some(913));
        assert!(said.is_some_and(|said| said.contains("914 octets")));
        memory.read(end(1), 1);
        assert_eq!(memory.snapshot(end(2), &vars(), Some(913)), None);
        memory.ended(end(1));
        assert_eq!(memory.snapshot(end(2), &vars(), Some(457)), None);
        memory.crashed(NodeId(0));
        assert_eq!(memory.snapshot(end(3), &vars(), Some(457)), None);
    }

    #[test]
    fn a_window_is_promised_until_the_fin_and_from_the_syn_on() {
        let mut memory = Memory::default();
        let over = Vars {
            fin_received: true,
            ..vars()
        };
        assert_eq!(memory.snapshot(end(1), &over, Some(157)), None);
        let opening = Vars {
            state: State::SynSent,
            receive_buffer: 500,
            snd_nxt: SeqNumber(1),
            ..Vars::default()
        };
        assert_eq!(memory.snapshot(end(1), &opening, Some(500)), None);
        assert!(memory.snapshot(end(1), &opening, Some(499)).is_some());
    }
}
