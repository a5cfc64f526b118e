//! For whom an ICMP error is (RFC 9293 §3.9.2.2).

use core::net::IpAddr;

use super::{Stack, is_unicast};
use crate::event::{ConnectionId, Event, IcmpArrival, IcmpDrop, IcmpVerdict, Interest, Vars};
use crate::table::{End, Entry, FourTuple};
use crate::time::Instant;
use crate::wire::{IcmpMessage, Quote};

impl Stack {
    /// Handles a message of ICMP, or of ICMPv6 if `to` is an IPv6 address, that arrived in an IP
    /// datagram from `from` to `to`; `bytes` is what follows the IP header. Like a segment it is
    /// never an error to the caller: [`Event::Icmp`] says what became of it.
    pub fn handle_icmp(&mut self, now: Instant, from: IpAddr, to: IpAddr, bytes: &[u8]) {
        let message = match self.check_icmp(now, from, to, bytes) {
            Ok(message) => message,
            Err(verdict) => {
                self.report_icmp(None, None, verdict, None, None);
                return;
            }
        };
        match self.find(&tuple_of(&message.quote)) {
            Some(Entry::Connection(key)) if message.quote.from == to => {
                self.hand_icmp_to_connection(now, key, &message);
            }
            // In TIME-WAIT everything is acknowledged: nothing sent can be in error any more.
            Some(Entry::TimeWait(key)) if message.quote.from == to => {
                let id = Some(self.time_waits[key].id);
                let verdict = IcmpVerdict::Ignored(IcmpDrop::NotOutstanding);
                let vars = self.time_waits[key].vars();
                self.report_icmp(id, Some(message), verdict, Some(vars.clone()), Some(vars));
            }
            _ => {
                let verdict = IcmpVerdict::Ignored(IcmpDrop::NoConnection);
                self.report_icmp(None, Some(message), verdict, None, None);
            }
        }
    }

    fn check_icmp(
        &mut self,
        now: Instant,
        from: IpAddr,
        to: IpAddr,
        bytes: &[u8],
    ) -> Result<IcmpMessage, IcmpVerdict> {
        if self.keeps_quiet(now) {
            return Err(IcmpVerdict::Ignored(IcmpDrop::QuietTime));
        }
        if !is_unicast(from) || !self.is_local(to) || from.is_ipv4() != to.is_ipv4() {
            return Err(IcmpVerdict::Ignored(IcmpDrop::BadAddress));
        }
        if !IcmpMessage::verify_checksum(from, to, bytes) {
            return Err(IcmpVerdict::Ignored(IcmpDrop::BadChecksum));
        }
        IcmpMessage::parse(to.is_ipv4(), bytes).map_err(IcmpVerdict::Malformed)
    }

    fn hand_icmp_to_connection(&mut self, now: Instant, key: u32, message: &IcmpMessage) {
        let wanted = self.events.wants(Interest::SEGMENTS);
        let (connections, mut cx) = self.split(now);
        let connection = &mut connections[key as usize];
        let id = connection.id;
        let before = wanted.then(|| connection.vars());
        let verdict = connection.icmp_arrives(message, &mut cx);
        let after = wanted.then(|| connection.vars());
        self.after(now, key);
        self.report_icmp(Some(id), Some(*message), verdict, before, after);
    }

    fn report_icmp(
        &mut self,
        connection: Option<ConnectionId>,
        message: Option<IcmpMessage>,
        verdict: IcmpVerdict,
        before: Option<Vars>,
        after: Option<Vars>,
    ) {
        self.events.push(Interest::SEGMENTS, || {
            Event::Icmp(alloc::boxed::Box::new(IcmpArrival {
                connection,
                message,
                verdict,
                before: before.unwrap_or_default(),
                after: after.unwrap_or_default(),
            }))
        });
    }
}

/// The connection that sent what is quoted: its source is the local end (MUST-54).
fn tuple_of(quote: &Quote) -> FourTuple {
    FourTuple {
        local: End::new(quote.from, quote.source_port),
        remote: End::new(quote.to, quote.destination_port),
    }
}
