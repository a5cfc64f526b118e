//! Where initial sequence numbers lie: a third near 2^32, where they wrap, a third near 2^31,
//! where a signed comparison turns over, and a third anywhere.
//!
//! The ISN of RFC 6528 is a keyed hash of the tuple plus a clock. What the hash gives is asked of
//! a stack with the same settings that is thrown away afterwards; then the clock's epoch is set.

use core::net::SocketAddr;
use core::time::Duration;

use timewait_sim::Instant;
use timewait_stack::wire::Segment;
use timewait_stack::{Config, SeqNumber, SocketOption, Stack};

use super::{Call, Churn, HostPlan, Role, Scenario};
use crate::choose::Choose;
use crate::clock::Clock;

/// An incarnation that sends a lot begins so far before the wrap at most.
const REACH: u64 = 512 << 10;

/// How far the clock has gone in this time: it ticks once in 4 us (RFC 9293 §3.4.1).
pub(crate) fn ticks(passed: Duration) -> u32 {
    (passed.as_nanos() / 4_000) as u32
}

/// What a clock shows so long after the start of the run.
fn shown(clock: Clock, passed: Duration) -> Duration {
    let at = clock.shows(Instant::ZERO + passed);
    at.saturating_since(Instant::ZERO)
}

/// Sets the epoch of each host so that the ISN of its first connection lies where it was drawn.
/// A host that has no connection keeps its epoch.
pub(crate) fn aim(choose: &mut dyn Choose, scenario: &mut Scenario) {
    for host in 0..scenario.hosts.len() as u16 {
        let back = choose.below(REACH) as u32;
        let target = match choose.below(3) {
            0 => choose.below(1 << 32) as u32,
            1 => 0_u32.wrapping_sub(back),
            _ => (1_u32 << 31).wrapping_sub(back),
        };
        let Some((start, local, remote)) = first_tuple(scenario, host) else {
            continue;
        };
        let HostPlan { config, clock, .. } = &scenario.hosts[usize::from(host)];
        let start = shown(*clock, start);
        let config = Config {
            isn_epoch: 0,
            ..config.clone()
        };
        if let Some((_, iss)) = opening(config, Some(local), remote) {
            let epoch = target.wrapping_sub(iss.0).wrapping_sub(ticks(start));
            set_epoch(scenario, host, epoch);
        }
    }
}

/// The ISS of a connection between these ends that `host` opens or accepts at `start`.
pub(super) fn at(
    scenario: &Scenario,
    host: u16,
    local: SocketAddr,
    remote: SocketAddr,
    start: Duration,
) -> Option<u32> {
    let HostPlan { config, clock, .. } = scenario.hosts.get(usize::from(host))?;
    let start = shown(*clock, start);
    let (_, iss) = opening(config.clone(), Some(local), remote)?;
    Some(iss.0.wrapping_add(ticks(start)))
}

/// Sets the clock of a host, and that of its later boots by as much.
fn set_epoch(scenario: &mut Scenario, host: u16, epoch: u32) {
    let first = &mut scenario.hosts[usize::from(host)].config.isn_epoch;
    let by = epoch.wrapping_sub(*first);
    *first = epoch;
    let later = scenario.crashes.iter_mut();
    for crash in later.filter(|crash| crash.host == host) {
        crash.config.isn_epoch = crash.config.isn_epoch.wrapping_add(by);
    }
}

/// When the first connection of a host begins, and its two ends as the host sees them.
fn first_tuple(scenario: &Scenario, host: u16) -> Option<(Duration, SocketAddr, SocketAddr)> {
    let address = scenario.address(host)?;
    let called = (0..scenario.hosts.len() as u16)
        .filter_map(|other| first_call(scenario, other))
        .filter(|(_, _, callee)| callee.ip() == address)
        .map(|(start, caller, callee)| (start, callee, caller));
    let all = first_call(scenario, host).into_iter().chain(called);
    all.min_by_key(|(start, ..)| *start)
}

/// The first call that a host makes: when, its own end, and the other.
fn first_call(scenario: &Scenario, host: u16) -> Option<(Duration, SocketAddr, SocketAddr)> {
    let plan = scenario.hosts.get(usize::from(host))?;
    let address = scenario.address(host)?;
    let calls = plan.apps.iter().filter_map(|app| match &app.role {
        Role::Call(Call {
            from, host, port, ..
        }) => Some((app.start, *from, *host, *port)),
        Role::Churn(Churn {
            port,
            host,
            peer_port,
            ..
        }) => Some((app.start, *port, *host, *peer_port)),
        Role::Serve(_) => None,
    });
    let (start, from, to, port) = calls.min_by_key(|(start, ..)| *start)?;
    let remote = SocketAddr::new(scenario.address(to)?, port);
    let local = match from {
        0 => opening(plan.config.clone(), None, remote)?.0,
        from => SocketAddr::new(address, from),
    };
    Some((start, local, remote))
}

/// The local end and the ISS of the first connection that a stack opens, at its clock's zero.
fn opening(
    config: Config,
    local: Option<SocketAddr>,
    remote: SocketAddr,
) -> Option<(SocketAddr, SeqNumber)> {
    let mut stack = Stack::new(config);
    let socket = stack.socket();
    if let Some(local) = local {
        stack
            .set_option(socket, SocketOption::ReuseAddress(true))
            .ok()?;
        stack.bind(socket, local).ok()?;
    }
    let start = timewait_stack::Instant::ZERO;
    stack.connect(start, socket, remote).ok()?;
    let mut octets = Vec::new();
    let transmit = stack.poll_transmit(start, &mut octets)?;
    let syn = Segment::parse(&octets).ok()?;
    Some((SocketAddr::new(transmit.from, syn.source_port), syn.seq))
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;
    use std::rc::Rc;

    use timewait_sim::{Finding, Instant, Observation, Oracle};
    use timewait_stack::wire::{Flags, Segment};

    use super::REACH;
    use crate::check::{Run, Watch};
    use crate::event::HostEvent;
    use crate::scenario::Scenario;
    use crate::scenarios::Kind;

    /// Keeps the sequence number of the first segment with these flags.
    struct First(Flags, Rc<Cell<Option<u32>>>);

    impl Oracle<HostEvent> for First {
        fn name(&self) -> &'static str {
            "first"
        }
        fn observe(&mut self, _: Instant, seen: &Observation<'_, HostEvent>, _: &mut Vec<Finding>) {
            if let Observation::Sent { packet, .. } = seen
                && let Ok(segment) = Segment::parse(packet.payload.octets())
                && segment.flags & (Flags::SYN | Flags::ACK) == self.0
                && self.1.get().is_none()
            {
                self.1.set(Some(segment.seq.0));
            }
        }
    }

    fn place(iss: u32) -> usize {
        let near = |point: u32| u64::from(point.wrapping_sub(iss)) <= REACH;
        if near(0) {
            0
        } else {
            1 + usize::from(!near(1 << 31))
        }
    }

    #[test]
    fn initial_sequence_numbers_lie_near_both_turns_and_anywhere() {
        for (flags, kind) in [(Flags::SYN, Kind::Bulk), (Flags::SYN, Kind::Churn)] {
            let mut places = [0; 3];
            for seed in 0..60 {
                let scenario = Scenario::from_seed(kind, seed);
                let seen = Rc::new(Cell::new(None));
                let first = First(flags, seen.clone());
                let mut run = Run::new(&scenario, Watch::NOTHING, vec![Box::new(first)]);
                while seen.get().is_none() && run.world_mut().step() {}
                places[place(seen.get().expect("somebody opens"))] += 1;
            }
            assert!(
                places.iter().all(|count| *count >= 10),
                "{kind}: {places:?}"
            );
        }
    }
}
