//! Explicit congestion notification at both ends (RFC 3168 §6.1).
//!
//! Only what is sent for the first time and carries text is marked as ECN-capable: no SYN, no bare
//! ACK, no retransmission and no probe (RFC 3168 §6.1.1, §6.1.4 to §6.1.6).

use bitflags::bitflags;

use super::Connection;
use crate::config::EcnUse;
use crate::context::Context;
use crate::protection::Protection;
use crate::stack::Ecn;
use crate::state::State;
use crate::time::Instant;
use crate::wire::{Flags, Segment};

bitflags! {
    /// Where a connection stands with ECN.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct EcnState: u8 {
        /// Our SYN was an ECN-setup SYN, at least once.
        const OFFERED = 1;
        /// The peer agreed: marks that come are echoed.
        const ON = 2;
        /// Our SYN was also sent as a plain one, so nothing of ours is marked as ECN-capable.
        const PLAIN = 16;
        /// A congestion mark came, and the peer has not said yet that it has heard: ECE on every
        /// acknowledgment.
        const ECHO = 4;
        /// cwnd was reduced: the next new text says so with CWR.
        const REDUCED = 8;
    }
}

/// The two flags that negotiate (RFC 3168 §6.1.1).
const SETUP: Flags = Flags::ECE.union(Flags::CWR);

impl Connection {
    /// The peer's SYN or SYN-ACK arrived. An ECN-setup SYN has both flags, an ECN-setup SYN-ACK
    /// only ECE: one that reflects both is of a host that knows nothing of it (R3168-01).
    pub(crate) fn take_ecn_setup(&mut self, syn: &Segment<'_>, cx: &Context<'_>) {
        let said = syn.flags & SETUP;
        let agreed = if syn.flags.contains(Flags::ACK) {
            self.ecn.contains(EcnState::OFFERED) && said == Flags::ECE
        } else {
            cx.config.ecn >= EcnUse::Accept && said == SETUP
        };
        self.ecn.set(EcnState::ON, agreed);
    }

    /// The SYN that started this connection came again. A plain one takes back what an ECN-setup
    /// SYN before it has offered (RFC 3168 §6.1.1).
    pub(crate) fn take_ecn_setup_again(&mut self, syn: &Segment<'_>) {
        if syn.flags & SETUP != SETUP {
            self.ecn.remove(EcnState::ON);
        }
    }

    /// What we send may be marked as ECN-capable (R3168-03).
    fn sends_ecn(&self) -> bool {
        self.ecn & (EcnState::ON | EcnState::PLAIN) == EcnState::ON
    }

    /// The flags of our SYN or SYN-ACK. A SYN that nobody answered is sent again as a plain one:
    /// some boxes drop what they do not know (RFC 3168 §6.1.1.1; R3168-10).
    pub(super) fn ecn_setup_flags(&mut self, first: bool, cx: &Context<'_>) -> Flags {
        if self.state != State::SynSent {
            return if self.ecn.contains(EcnState::ON) {
                Flags::ECE
            } else {
                Flags::empty()
            };
        }
        if first && cx.config.ecn == EcnUse::Offer {
            self.ecn.insert(EcnState::OFFERED);
            SETUP
        } else {
            self.ecn.insert(EcnState::PLAIN);
            Flags::empty()
        }
    }

    /// A segment was accepted whose IP header had this codepoint. A receiver that sees CE echoes
    /// it until the sender says CWR (RFC 3168 §6.1.3; R3168-04); who says CWR may have met the next
    /// mark with the same segment.
    pub(crate) fn take_ecn_mark(&mut self, segment: &Segment<'_>, cx: &Context<'_>) {
        if !self.ecn.contains(EcnState::ON) || segment.text.is_empty() {
            return;
        }
        if segment.flags.contains(Flags::CWR) {
            self.ecn.remove(EcnState::ECHO);
        }
        if cx.ecn == Ecn::Ce {
            self.ecn.insert(EcnState::ECHO);
        }
    }

    /// A valid ACK with ECE: the network is congested. The answer is that to a loss, without a
    /// loss, once for a window of text (RFC 3168 §6.1.2; R3168-05). `ack` was SND.UNA or moved it.
    pub(crate) fn take_ecn_echo(&mut self, segment: &Segment<'_>, cx: &Context<'_>) {
        if !self.is_ecn_echo(segment) {
            return;
        }
        let (nxt, smss) = (self.send.nxt, u32::from(self.send.smss));
        let flight = self.send.outstanding();
        // What was sent after the last reduction is acknowledged, or there was none yet.
        if segment.ack.after(self.congestion.reduced) {
            let one = self.congestion.cwnd <= smss;
            self.congestion.reduce_once(cx.config, flight, nxt, smss);
            if one && cx.protects(Protection::LossResponse) {
                self.hold(cx);
            }
        }
        // A reduction for whatever reason is one that the peer wants to hear of, once.
        if self.congestion.has_reduced() && !self.congestion.told {
            self.congestion.told = true;
            self.ecn.insert(EcnState::REDUCED);
        }
    }

    /// cwnd is one segment and cannot be less, and yet the network is congested: to send less than
    /// a segment in a round trip, nothing new goes for as long as a retransmission would wait
    /// (RFC 3168 §6.1.2; R3168-11).
    fn hold(&mut self, cx: &Context<'_>) {
        self.timers.hold = cx.now + self.rtt.rto();
        if self.timers.retransmit != Instant::MAX {
            self.arm_retransmit(cx);
        }
    }

    /// It says that the network is congested.
    pub(crate) fn is_ecn_echo(&self, segment: &Segment<'_>) -> bool {
        self.sends_ecn() && segment.flags & (Flags::ECE | Flags::SYN) == Flags::ECE
    }

    /// What new text says: that cwnd was reduced, once (RFC 3168 §6.1.2; R3168-06).
    pub(super) fn ecn_of_new_text(&mut self) -> Flags {
        let reduced = self.ecn.contains(EcnState::REDUCED);
        self.ecn.remove(EcnState::REDUCED);
        if reduced { Flags::CWR } else { Flags::empty() }
    }

    /// The codepoint of a segment (R3168-02, R3168-03, R3168-07, R3168-08, R3168-09).
    pub(super) fn codepoint(&self, new_text: bool) -> Ecn {
        if new_text && self.sends_ecn() {
            Ecn::Ect0
        } else {
            Ecn::NotEct
        }
    }

    /// ECE, on whatever acknowledges, while a mark waits to be heard.
    pub(super) fn ecn_echo(&self) -> Flags {
        if self.ecn.contains(EcnState::ECHO) {
            Flags::ECE
        } else {
            Flags::empty()
        }
    }
}
