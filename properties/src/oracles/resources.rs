//! `resources` \[I\]: a stack holds what its connections need and no more.
//!
//! - At any time: the SYN queue of a listener within the configuration (RFC 4987 §2.2) and its
//!   accept queue within the backlog, blocks out of order within the configuration, buffered octets
//!   within SO_RCVBUF and SO_SNDBUF, the TIME-WAIT table within its limit; of the scoreboard of loss
//!   recovery its segments, and how many of them one ACK makes it look at. A buffer that the user
//!   makes smaller may hold what the larger one has taken or promised (SHLD-14).
//! - What all ends of a host hold and have promised by windows is within `Config::memory_max`
//!   (`memory.rs`).
//! - SO_RCVBUF and SO_SNDBUF are what the user has set.
//! - Whenever somebody looks: as many listeners, connections (half-open ones, and ones that wait
//!   to be accepted) and TIME-WAIT records as there are lives. A record whose SYN is put to the
//!   proof waits inside the new connection. Timer entries: a few for each of these.
//! - After all are CLOSED and all users have left: sockets, ports, timer entries, queue entries
//!   and octets are those of the listeners alone.
//!
//! What a host holds is in no event: the driver shows it ([`Judge::sample`]), at least at the
//! end. Half-open connections are counted from the events, as they come: listeners are mostly gone
//! by the end. No other work per segment is counted yet.

mod memory;

use std::collections::BTreeMap;
use timewait_sim::{Finding, Instant, NodeId, Observation};
use timewait_stack::config::Config;
use timewait_stack::event::Cause;
use timewait_stack::status::{NetstatRow, Usage};
use timewait_stack::{Event, State, Vars};

use crate::event::{HostEvent, UserEvent};
use crate::facts::{Ending, Facts, Life};
use crate::label::Incarnation;
use crate::oracle::{Judge, Sample};
use crate::oracles::report::Report;
use crate::scenario::Buffers;

/// The oracle `resources`.
#[derive(Debug, Default)]
pub struct Resources {
    /// Children in SYN-RECEIVED by host and port of their listener.
    half_open: BTreeMap<(NodeId, u16), u32>,
    /// The largest buffers that each connection has had.
    buffers: BTreeMap<Incarnation, Buffers>,
    memory: memory::Memory,
}

impl Judge for Resources {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(
        &mut self,
        now: Instant,
        seen: &Observation<'_, HostEvent>,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        let Observation::Node { node, event, .. } = *seen else {
            return;
        };
        let event = match event {
            HostEvent::Stack(event) => event,
            HostEvent::Crashed => {
                self.half_open.retain(|(host, _), _| *host != node);
                self.memory.crashed(node);
                return;
            }
            HostEvent::User(UserEvent::Received {
                connection, octets, ..
            }) => {
                let who = facts.name(node, *connection);
                return self.memory.read(who, octets.len() as u64);
            }
            HostEvent::User(_) | HostEvent::Rebooted { .. } | HostEvent::Box(_) => return,
        };
        match event {
            // A user may set another buffer before the first snapshot.
            Event::Segment(arrival) if arrival.after.state != State::Closed => {
                if let Some(connection) = arrival.connection {
                    self.largest_buffers(facts.name(node, connection), &arrival.after);
                }
            }
            Event::Snapshot(snapshot) => {
                let Some(config) = facts.circumstances().config(node) else {
                    return;
                };
                let who = facts.name(node, snapshot.connection);
                let mut report = Report {
                    oracle: NAME,
                    who,
                    now,
                    facts,
                    findings,
                };
                let buffers = self.largest_buffers(who, &snapshot.vars);
                let mut wrong = beyond_bounds(&snapshot.vars, config, buffers);
                wrong.extend(not_as_set(who, &snapshot.vars, facts));
                wrong.extend(self.memory.snapshot(who, &snapshot.vars, config.memory_max));
                report.violations_unless_damaged(wrong);
            }
            Event::Transition {
                connection,
                from,
                to,
                cause,
            } => {
                let who = facts.name(node, *connection);
                if *to == State::Closed {
                    self.buffers.remove(&who);
                }
                if matches!(to, State::Closed | State::Listen | State::TimeWait) {
                    self.memory.ended(who);
                }
                let life = facts.life(who);
                let wrong = life.and_then(|life| self.moved(life, (*from, *to), *cause, facts));
                findings.extend(wrong.map(|wrong| violation(now, node, &wrong)));
            }
            _ => {}
        }
    }

    fn sample(
        &mut self,
        now: Instant,
        sample: &Sample<'_>,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        let Some(config) = facts.circumstances().config(sample.node) else {
            return;
        };
        let lives = Lives::on(sample.node, facts);
        let mut wrong = lives.differences(sample.usage);
        let each = facts.circumstances().largest_buffers(sample.node);
        let each = each.map_or(0, |it| u64::from(it.receive) + u64::from(it.send));
        wrong.extend(over_limits(sample.usage, config, each));
        wrong.extend(over_backlog(sample.netstat));
        if lives.all_gone {
            wrong.extend(lives.leaks(sample.usage));
        }
        let wrong = wrong.iter().map(|wrong| violation(now, sample.node, wrong));
        findings.extend(wrong);
    }
}

fn violation(at: Instant, node: NodeId, what: &str) -> Finding {
    Finding::violation(NAME, at, format!("h{}: {what}", node.0))
}

impl Resources {
    fn largest_buffers(&mut self, who: Incarnation, vars: &Vars) -> Buffers {
        let now = buffers_of(vars);
        let largest = self.buffers.entry(who).or_insert(now);
        *largest = largest.max(now);
        *largest
    }

    /// Counts the children of listeners: no more than the configuration says may be half-open.
    fn moved(
        &mut self,
        life: &Life,
        (from, to): (State, State),
        cause: Cause,
        facts: &Facts,
    ) -> Option<String> {
        let passive = matches!(from, State::Listen) && cause == Cause::Segment;
        let key = (life.name.host, life.local.port());
        if to == State::SynReceived && passive {
            let count = self.half_open.entry(key).or_default();
            *count += 1;
            let (now, port) = (*count, key.1);
            let config = facts.circumstances().config(key.0)?;
            let most = u32::from(config.syn_queue_max.max(1));
            return (now > most && listeners(key, facts) <= 1)
                .then(|| format!("{now} half-open connections on port {port}, {most} may be"));
        } else if from == State::SynReceived && was_child(life) {
            let count = self.half_open.entry(key).or_default();
            *count = count.saturating_sub(1);
        }
        None
    }
}

/// Queues for `accept` that are longer than the backlog.
fn over_backlog(netstat: &[NetstatRow]) -> impl Iterator<Item = String> {
    let full = |row: &&NetstatRow| row.state == State::Listen && row.receive_queue > row.send_queue;
    netstat.iter().filter(full).map(|row| {
        let (waiting, backlog, port) = (row.receive_queue, row.send_queue, row.local.port());
        format!("{waiting} connections wait on port {port}, {backlog} may")
    })
}

/// How many listeners share a port, perhaps on several addresses.
fn listeners((host, port): (NodeId, u16), facts: &Facts) -> usize {
    let here = |life: &&Life| {
        let at = life.name.host == host && life.local.port() == port;
        at && life.is_listener() && life.is_alive()
    };
    facts.lives().filter(here).count()
}

/// It came from LISTEN.
fn was_child(life: &Life) -> bool {
    life.history
        .first()
        .is_some_and(|step| step.from == State::Listen)
}

/// It came from LISTEN or out of TIME-WAIT.
fn is_passive(life: &Life) -> bool {
    life.history
        .first()
        .is_some_and(|step| step.from != State::Closed)
}

/// Buffers of one connection that hold more than they may.
fn beyond_bounds(vars: &Vars, config: &Config, buffers: Buffers) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut bound = |what: &str, is: u64, most: u64| {
        if is > most {
            wrong.push(format!("{is} {what}, {most} at most"));
        }
    };
    let blocks = u64::from(vars.out_of_order_blocks);
    bound(
        "blocks out of order",
        blocks,
        u64::from(config.reassembly_blocks_max),
    );
    let received = u64::from(vars.unread) + u64::from(vars.out_of_order);
    bound("octets to be read", received, u64::from(buffers.receive));
    if let Some(sack) = vars.sack {
        let most = 2 * u64::from(config.scoreboard_segments_max.max(1));
        bound("segments on the scoreboard", sack.segments.into(), most);
        // What an ACK removes, four blocks, and the search for losses may each walk over all.
        bound("segments looked at for one ACK", sack.work.into(), 6 * most);
    }
    // SYN and FIN have sequence numbers and take no room.
    let to_send = u64::from(vars.snd_nxt - vars.snd_una) + u64::from(vars.unsent);
    bound("octets to be sent", to_send, u64::from(buffers.send) + 2);
    wrong
}

/// Buffers that are not what the user of this connection has set, or, where it has set none, larger
/// than any that the host or its users choose.
fn not_as_set(who: Incarnation, vars: &Vars, facts: &Facts) -> Option<String> {
    let is = buffers_of(vars);
    let set = facts.life(who).and_then(|life| life.user.buffers);
    let largest = facts.circumstances().largest_buffers(who.host)?;
    let fine = match set {
        Some(set) => is == set,
        None => is.max(largest) == largest,
    };
    (!fine).then(|| {
        let octets = |buffers: Buffers| (buffers.receive, buffers.send);
        let (is, whose) = (octets(is), octets(set.unwrap_or(largest)));
        format!("buffers of {is:?} octets, set are {whose:?}")
    })
}

fn buffers_of(vars: &Vars) -> Buffers {
    Buffers {
        receive: vars.receive_buffer,
        send: vars.send_buffer,
    }
}

/// `each`: octets that one connection may hold in its buffers.
fn over_limits(usage: &Usage, config: &Config, each: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    if usage.time_waits > config.time_wait_max {
        let (is, most) = (usage.time_waits, config.time_wait_max);
        wrong.push(format!("{is} TIME-WAIT records, {most} at most"));
    }
    let lives = usage.connections + usage.time_waits;
    let most = TIMER_ENTRIES_SPARE + TIMER_ENTRIES_EACH * lives;
    if usage.timer_entries > most {
        let is = usage.timer_entries;
        wrong.push(format!("{is} timer entries, {most} at most"));
    }
    let most = u64::from(usage.connections) * each;
    if usage.buffered > most {
        wrong.push(format!(
            "{} octets buffered, {most} at most",
            usage.buffered
        ));
    }
    wrong
}

/// The lives on one host.
#[derive(Clone, Copy, Debug)]
struct Lives {
    listeners: u32,
    connections: u32,
    time_waits: u32,
    half_open: u32,
    /// Established, and no user has accepted them yet.
    waiting: u32,
    /// No connection lives, and no user holds one that has ended.
    all_gone: bool,
}

impl Lives {
    fn on(host: NodeId, facts: &Facts) -> Self {
        let zero = Self {
            listeners: 0,
            connections: 0,
            time_waits: 0,
            half_open: 0,
            waiting: 0,
            all_gone: true,
        };
        let of_host = facts.lives().filter(|life| life.name.host == host);
        of_host.fold(zero, Self::with)
    }

    fn with(mut self, life: &Life) -> Self {
        let held = !life.is_listener()
            && life.user.opened_at.is_some()
            && life.user.closed_at.is_none()
            && life.user.aborted_at.is_none()
            && life.end.is_none_or(|end| end.ending != Ending::Crashed);
        self.all_gone &= !held && (life.is_listener() || !life.is_alive());
        if life.is_alive() {
            match life.state {
                _ if life.is_listener() => self.listeners += 1,
                State::TimeWait => self.time_waits += u32::from(life.reopened_by.is_none()),
                state => {
                    self.connections += 1;
                    let half_open = state == State::SynReceived;
                    let waits = !half_open && life.user.opened_at.is_none();
                    self.half_open += u32::from(half_open && was_child(life));
                    self.waiting += u32::from(waits && is_passive(life));
                }
            }
        }
        self
    }

    /// Where the stack's count differs from that of its events.
    fn differences(&self, usage: &Usage) -> Vec<String> {
        [
            ("listeners", usage.listeners, self.listeners),
            ("connections", usage.connections, self.connections),
            ("TIME-WAIT records", usage.time_waits, self.time_waits),
            ("half-open connections", usage.half_open, self.half_open),
            ("connections to be accepted", usage.waiting, self.waiting),
        ]
        .into_iter()
        .filter(|(_, holds, live)| holds != live)
        .map(|(what, holds, live)| format!("holds {holds} {what}, {live} live"))
        .collect()
    }

    /// What is left although all connections have ended and all users have left.
    fn leaks(&self, usage: &Usage) -> Vec<String> {
        [
            (
                "sockets",
                u64::from(usage.sockets),
                u64::from(self.listeners),
            ),
            ("ports", u64::from(usage.ports), u64::from(self.listeners)),
            ("timer entries", u64::from(usage.timer_entries), 0),
            ("octets", usage.buffered, 0),
        ]
        .into_iter()
        .filter(|(_, holds, needs)| holds > needs)
        .map(|(what, holds, needs)| {
            format!("holds {holds} {what} after everything has ended, {needs} at most")
        })
        .collect()
    }
}

const NAME: &str = "resources";
/// Timer entries that may be stale however few connections there are, in both queues.
const TIMER_ENTRIES_SPARE: u32 = 128;
/// Timer entries of one connection or record, stale ones included, in both queues.
const TIMER_ENTRIES_EACH: u32 = 4;

#[cfg(test)]
mod tests;
