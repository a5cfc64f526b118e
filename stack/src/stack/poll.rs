//! Time passes, and segments leave.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::{Alarm, Ecn, Stack, Transmit};
use crate::config::Config;
use crate::context::{Reply, shrink_empty};
use crate::event::{Cause, Event, Interest, Snapshot, Timer};
use crate::socket_options::IpFields;
use crate::time::Instant;
use crate::time_wait::TimeWait;
use crate::wire::{Header, finish_checksum};

impl Stack {
    /// Does what timers have made due by `now`. Harmless when nothing is.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.quiet.notice(now, &self.config);
        while let Some(&Reverse((at, alarm))) = self.alarms.peek() {
            if at > now {
                break;
            }
            self.alarms.pop();
            match alarm {
                Alarm::Connection(key) => self.wake(now, at, key),
                Alarm::TimeWait(key) => self.expire_time_wait(now, key),
            }
        }
        while let Some((at, key)) = self.time_waits.earliest()
            && at <= now
        {
            self.expire_time_wait(now, key);
        }
        self.sweep_timers();
    }

    fn wake(&mut self, now: Instant, at: Instant, key: u32) {
        let (connections, mut cx) = self.split(now);
        let Some(connection) = connections.get_mut(key as usize) else {
            return;
        };
        if connection.times.scheduled != at {
            return; // A later arming made this entry stale, or it was of a former connection.
        }
        connection.times.scheduled = Instant::MAX;
        if connection.next_timeout() <= now {
            connection.handle_timeout(&mut cx);
            self.after(now, key);
        } else {
            self.reschedule(key);
        }
    }

    fn expire_time_wait(&mut self, now: Instant, key: u32) {
        let over = |record: &&TimeWait| { record.expires } <= now;
        if let Some(record) = self.time_waits.get(key).filter(over) {
            self.events.timer(record.id, Timer::TimeWait, 1);
            self.end_time_wait(key, Cause::Timer(Timer::TimeWait));
        }
    }

    /// Appends the next segment to `buf` and says where it goes; `None`: nothing to send now.
    /// The only way anything leaves.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.quiet.notice(now, &self.config);
        if let Some(reply) = self.replies.pop_front() {
            return Some(emit_reply(&reply, &self.config, buf));
        }
        while let Some(&key) = self.transmit_queue.front() {
            let (connections, cx) = self.split(now);
            // A connection that is gone, or another in its place that was served already.
            if let Some(connection) = connections.get_mut(key as usize).filter(|c| c.queued) {
                if let Some(transmit) = connection.output(buf, &cx) {
                    self.account(key);
                    return Some(transmit);
                }
                connection.queued = false;
                let cold = !connection.warm;
                self.reschedule(key);
                self.show(key);
                if cold {
                    self.keep_warm(now, key);
                }
            }
            self.transmit_queue.pop_front();
        }
        shrink_empty(&mut self.replies);
        shrink_empty(&mut self.transmit_queue);
        None
    }

    /// Shows the variables of a connection that has nothing more to send.
    fn show(&mut self, key: u32) {
        let connection = &self.connections[key as usize];
        self.events.push(Interest::SNAPSHOTS, || {
            Event::Snapshot(Box::new(Snapshot {
                connection: connection.id,
                vars: connection.vars(),
            }))
        });
    }
}

fn emit_reply(reply: &Reply, config: &Config, buf: &mut Vec<u8>) -> Transmit {
    let start = buf.len();
    let ip = reply.ip.unwrap_or_else(|| IpFields::defaults(config));
    let header = Header {
        source_port: reply.tuple.local.port,
        destination_port: reply.tuple.remote.port,
        seq: reply.seq,
        ack: reply.ack,
        flags: reply.flags,
        window: reply.window,
        urgent: 0,
        options: reply.options,
    };
    header.write_ordered(config.option_order, buf);
    let (from, to) = (reply.tuple.local.ip(), reply.tuple.remote.ip());
    finish_checksum(from, to, &mut buf[start..]);
    Transmit {
        from,
        to,
        ecn: Ecn::NotEct,
        diffserv: ip.diffserv,
        hop_limit: ip.hop_limit,
        dont_fragment: true,
        connection: reply.connection,
        reset_reply: reply.reset_reply,
    }
}
