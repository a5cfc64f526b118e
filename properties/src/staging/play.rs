//! Scenes that many tests need: a handshake, text, a close, and what each does to the variables.

use timewait_sim::Packet;
use timewait_stack::event::{Call, Cause as Why};
use timewait_stack::wire::Flags;
use timewait_stack::{Event, SeqNumber, State, Vars};

use super::{Stage, WINDOW, other, seg};
use crate::event::UserEvent;
use crate::facts::SegmentHeader;
use crate::label::Incarnation;

impl Stage {
    /// A SYN comes to a listener, which makes a child with this ISS.
    pub(crate) fn child(&mut self, listener: Incarnation, syn: &Packet, iss: u32) -> Incarnation {
        self.deliver(syn);
        let f = self.opened(listener.host);
        *self.vars(f) = half_open(iss, syn);
        self.transition(f, State::Listen, State::SynReceived, Why::Segment);
        let before = self.vars(listener).clone();
        self.arrival(Some(listener), listener.host, before.clone(), before);
        self.snapshot(f);
        f
    }

    /// A SYN comes to a listener, which answers by a cookie with this ISS, and a client on the other
    /// host takes it. Returns the client and the acknowledgment that it has sent.
    pub(crate) fn cookie(
        &mut self,
        listener: Incarnation,
        irs: u32,
        iss: u32,
    ) -> (Incarnation, Packet) {
        let client = self.connect(other(listener.host), irs);
        let syn = self.send(client, seg(Flags::SYN).seq(irs));
        self.pass_ms(1);
        self.deliver(&syn);
        self.judged(listener, |_| {});
        let syn_ack = seg(Flags::SYN | Flags::ACK).seq(iss).ack(irs + 1);
        let syn_ack = self.echo(&syn, syn_ack);
        self.pass_ms(1);
        self.take(client, &syn_ack, |v| established(v, irs + 1, iss));
        let ack = self.send(client, seg(Flags::ACK).seq(irs + 1).ack(iss + 1));
        self.pass_ms(1);
        (client, ack)
    }

    /// The acknowledgment of a cookie makes a connection out of nothing.
    pub(crate) fn by_cookie(&mut self, listener: Incarnation, ack: &Packet) -> Incarnation {
        self.by_cookie_with(listener, ack, |_| {})
    }

    /// The same; `tune` says what follows for its variables.
    pub(crate) fn by_cookie_with(
        &mut self,
        listener: Incarnation,
        ack: &Packet,
        tune: impl FnOnce(&mut Vars),
    ) -> Incarnation {
        self.deliver(ack);
        let f = self.opened(listener.host);
        let header = SegmentHeader::decode(ack.payload.octets()).expect("an acknowledgment");
        *self.vars(f) = fresh(header.ack.back(1).0);
        established(self.vars(f), header.ack.0, header.seq.back(1).0);
        self.vars(f).snd_wl1 = header.seq;
        self.vars(f).state = State::Established;
        tune(self.vars(f));
        self.transition(f, State::Listen, State::Established, Why::Segment);
        let before = self.vars(f).clone();
        self.arrival(Some(f), f.host, before.clone(), before);
        self.snapshot(f);
        f
    }

    /// A SYN comes to a TIME-WAIT record and reopens it with this ISS.
    pub(crate) fn reopen(&mut self, old: Incarnation, syn: &Packet, iss: u32) -> Incarnation {
        self.deliver(syn);
        let new = self.opened(old.host);
        *self.vars(new) = half_open(iss, syn);
        self.event(
            old.host,
            Event::Reopened {
                old: old.connection,
                new: new.connection,
            },
        );
        self.transition(new, State::TimeWait, State::SynReceived, Why::Segment);
        let before = self.vars(old).clone();
        self.arrival(Some(old), old.host, before.clone(), before);
        self.snapshot(new);
        new
    }

    /// A whole three-way handshake between a new client on [`A`] and a new child on [`B`]; one
    /// millisecond each way.
    pub(crate) fn handshake(
        &mut self,
        listener: Incarnation,
        client_iss: u32,
        server_iss: u32,
    ) -> (Incarnation, Incarnation) {
        self.handshake_with(listener, client_iss, server_iss, &[], |_| {})
    }

    /// The same with timestamps in all three segments: the client's clock shows 100, the server's
    /// 200. What follows is not stamped by itself.
    pub(crate) fn handshake_stamped(
        &mut self,
        listener: Incarnation,
        client_iss: u32,
        server_iss: u32,
    ) -> (Incarnation, Incarnation) {
        let client = self.connect(other(listener.host), client_iss);
        let syn = self.send(client, seg(Flags::SYN).seq(client_iss).stamp(100, 0));
        self.pass_ms(1);
        let server = self.child(listener, &syn, server_iss);
        let syn_ack = seg(Flags::SYN | Flags::ACK)
            .seq(server_iss)
            .ack(client_iss + 1)
            .stamp(200, 100);
        let syn_ack = self.send(server, syn_ack);
        self.pass_ms(1);
        self.take(client, &syn_ack, |v| {
            established(v, client_iss + 1, server_iss);
            v.ts_recent = Some(200);
        });
        let ack = seg(Flags::ACK)
            .seq(client_iss + 1)
            .ack(server_iss + 1)
            .stamp(100, 200);
        let ack = self.send(client, ack);
        self.pass_ms(1);
        self.take(server, &ack, |v| established(v, server_iss + 1, client_iss));
        (client, server)
    }

    /// The same with these options in both SYNs; `tune` says what follows for the variables of
    /// both ends once they are established.
    pub(crate) fn handshake_with(
        &mut self,
        listener: Incarnation,
        client_iss: u32,
        server_iss: u32,
        options: &[u8],
        tune: fn(&mut Vars),
    ) -> (Incarnation, Incarnation) {
        let client = self.connect(other(listener.host), client_iss);
        let syn = seg(Flags::SYN).seq(client_iss).options(options);
        let syn = self.send(client, syn);
        self.pass_ms(1);
        let server = self.child(listener, &syn, server_iss);
        let syn_ack = self.send(
            server,
            seg(Flags::SYN | Flags::ACK)
                .seq(server_iss)
                .ack(client_iss + 1)
                .options(options),
        );
        self.pass_ms(1);
        self.take(client, &syn_ack, |v| {
            established(v, client_iss + 1, server_iss);
        });
        let ack = self.send(
            client,
            seg(Flags::ACK).seq(client_iss + 1).ack(server_iss + 1),
        );
        self.pass_ms(1);
        self.take(server, &ack, |v| {
            established(v, server_iss + 1, client_iss);
            tune(v);
        });
        (client, server)
    }

    /// Both close, `first` first, without loss: `first` ends in TIME-WAIT, `second` in CLOSED.
    pub(crate) fn close_in_turn(&mut self, first: Incarnation, second: Incarnation) {
        let fin = self.fin(first, State::FinWait1);
        self.pass_ms(1);
        self.take(second, &fin, |v| {
            v.state = State::CloseWait;
            took_fin(v);
        });
        let ack = self.send_ack(second);
        self.pass_ms(1);
        self.take(first, &ack, |v| {
            v.state = State::FinWait2;
            acked_all(v);
        });
        let fin = self.fin(second, State::LastAck);
        self.pass_ms(1);
        self.take(first, &fin, |v| {
            v.state = State::TimeWait;
            took_fin(v);
        });
        let ack = self.send_ack(first);
        self.pass_ms(1);
        self.take(second, &ack, |v| {
            v.state = State::Closed;
            acked_all(v);
        });
    }

    /// The user of `f` closes, and `f` sends its FIN.
    pub(crate) fn fin(&mut self, f: Incarnation, to: State) -> Packet {
        self.by_user();
        self.user(
            f.host,
            UserEvent::Closed {
                connection: f.connection,
                unread: 0,
            },
        );
        self.goes(f, to, Why::User(Call::Close));
        let fin = {
            let v = self.vars(f);
            v.fin_queued = true;
            v.fin_sent = true;
            v.orphan = true;
            v.snd_nxt += 1;
            seg(Flags::FIN | Flags::ACK)
                .seq((v.snd_nxt.back(1)).0)
                .ack(v.rcv_nxt.0)
        };
        let packet = self.send(f, fin);
        self.snapshot(f);
        packet
    }

    /// `<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`, with the cause at hand.
    pub(crate) fn send_ack(&mut self, f: Incarnation) -> Packet {
        let (seq, ack) = (self.vars(f).snd_nxt.0, self.vars(f).rcv_nxt.0);
        self.send(f, seg(Flags::ACK).seq(seq).ack(ack))
    }

    /// Text that continues the stream of `f`: it is sent, SND.NXT goes on, the user had given it.
    pub(crate) fn send_text(&mut self, f: Incarnation, octets: u32) -> Packet {
        self.by_user();
        let (seq, ack, iss) = (
            self.vars(f).snd_nxt.0,
            self.vars(f).rcv_nxt.0,
            self.vars(f).iss,
        );
        let offset = u64::from(SeqNumber(seq) - (iss + 1));
        self.user(
            f.host,
            UserEvent::Sent {
                connection: f.connection,
                offset,
                octets,
            },
        );
        let mut text = vec![0; octets as usize];
        crate::content::fill(f, offset, &mut text);
        let packet = self.send(f, seg(Flags::ACK).seq(seq).ack(ack).text(text));
        self.vars(f).snd_nxt += octets;
        self.snapshot(f);
        packet
    }
}

/// The variables of a connection before its SYN is answered.
pub(crate) fn fresh(iss: u32) -> Vars {
    let iss = SeqNumber(iss);
    Vars {
        iss,
        snd_una: iss,
        snd_nxt: iss + 1,
        rcv_free: WINDOW,
        receive_buffer: WINDOW,
        send_buffer: 65_536,
        path_mtu: 1500,
        ..Vars::default()
    }
}

fn half_open(iss: u32, syn: &Packet) -> Vars {
    let header = SegmentHeader::decode(syn.payload.octets()).unwrap();
    let irs = header.seq;
    Vars {
        passive: true,
        irs,
        rcv_nxt: irs + 1,
        rcv_adv: irs + 1 + WINDOW,
        snd_wnd: u32::from(header.window),
        max_snd_wnd: u32::from(header.window),
        snd_wl1: irs,
        ts_recent: header.timestamps.map(|(value, _)| value),
        ..fresh(iss)
    }
}

/// What the segment that establishes a connection does to it.
pub(crate) fn established(v: &mut Vars, ack: u32, irs: u32) {
    v.snd_wl1 = if v.state == State::SynSent {
        SeqNumber(irs)
    } else {
        v.rcv_nxt
    };
    v.state = State::Established;
    v.snd_una = SeqNumber(ack);
    v.snd_wl2 = SeqNumber(ack);
    v.snd_wnd = WINDOW;
    v.max_snd_wnd = WINDOW;
    v.irs = SeqNumber(irs);
    v.rcv_nxt = SeqNumber(irs) + 1;
    v.rcv_adv = v.rcv_nxt + WINDOW;
}

/// RCV.NXT moves over text, which waits for the reader; the segment starts at RCV.NXT.
pub(crate) fn took_text(v: &mut Vars, octets: u32) {
    v.snd_wl1 = v.rcv_nxt;
    v.rcv_nxt += octets;
    v.unread += octets;
    v.rcv_free -= octets;
}

/// RCV.NXT moves over a FIN that stands alone at RCV.NXT.
pub(crate) fn took_fin(v: &mut Vars) {
    v.snd_wl1 = v.rcv_nxt;
    v.fin_received = true;
    v.rcv_nxt += 1;
}

/// A segment at RCV.NXT acknowledges all that was sent.
pub(crate) fn acked_all(v: &mut Vars) {
    v.snd_wl1 = v.rcv_nxt;
    v.snd_una = v.snd_nxt;
    v.snd_wl2 = v.snd_nxt;
}
