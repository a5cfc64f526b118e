//! ICMP errors about a connection's segments (RFC 9293 §3.9.2.2, RFC 1122 §4.2.3.9).
//!
//! A forger who sees nothing must guess a sequence number that is on its way (RFC 5927 §4.1).
//! Soft errors only inform. Hard ones (IPv4 unreachable 2 and 3; 4 is path MTU discovery's now)
//! end a connection that is still opening, and no other unless the profile says so: RFC 9293
//! SHLD-26 would have them end every one, but Linux and the BSDs do not let a stranger's word weigh
//! more than the peer's silence (RFC 5461 §2.1 and RFC 5927 §5.2 tell of it).

use crate::config::HardErrors;
use crate::connection::{Connection, TooBig};
use crate::context::Context;
use crate::error::Errno;
use crate::event::{Cause, IcmpDrop, IcmpVerdict, Ready};
use crate::protection::Protection;
use crate::state::State;
use crate::wire::{IcmpKind, IcmpMessage, Quote};

/// How an error is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    Soft(Errno),
    Hard(Errno),
    TooBig(u32),
    Nothing,
}

impl Connection {
    /// Takes an error about this connection (MUST-54).
    pub(crate) fn icmp_arrives(
        &mut self,
        message: &IcmpMessage,
        cx: &mut Context<'_>,
    ) -> IcmpVerdict {
        let IcmpMessage { kind, quote } = message;
        let careful = cx.protects(Protection::Rfc5927);
        if careful && !self.is_outstanding(quote) {
            return IcmpVerdict::Ignored(IcmpDrop::NotOutstanding);
        }
        match weigh(*kind, self.is_v4()) {
            Weight::Nothing => IcmpVerdict::Ignored(IcmpDrop::SourceQuench),
            Weight::TooBig(mtu) => match self.too_big(mtu, quote.length, quote.seq, careful, cx) {
                TooBig::Taken(mtu) => IcmpVerdict::PathMtu(mtu),
                TooBig::Waits => IcmpVerdict::Unconfirmed,
                TooBig::Useless => IcmpVerdict::Ignored(IcmpDrop::NothingNew),
            },
            Weight::Hard(error) if self.gives_way(cx) => {
                self.abort_by_icmp(error, cx);
                IcmpVerdict::Aborted(error)
            }
            Weight::Hard(error) | Weight::Soft(error) => {
                self.take_soft_error(error, cx);
                IcmpVerdict::SoftError(error)
            }
        }
    }

    /// SND.UNA =< SEQ < SND.NXT (RFC 5927 §4.1).
    fn is_outstanding(&self, quote: &Quote) -> bool {
        quote.seq.within(self.send.una, self.send.outstanding())
    }

    /// Whether a hard error ends this connection (SHLD-26, RFC 5461 §2.1).
    fn gives_way(&self, cx: &Context<'_>) -> bool {
        match cx.config.hard_errors {
            HardErrors::Inform => false,
            HardErrors::FailOpen => matches!(self.state, State::SynSent | State::SynReceived),
            HardErrors::Abort => true,
        }
    }

    fn abort_by_icmp(&mut self, error: Errno, cx: &mut Context<'_>) {
        if self.state == State::SynReceived {
            self.fail_handshake(error, Cause::Icmp, cx);
        } else {
            self.close_with(Some(error), Cause::Icmp, cx);
        }
    }

    /// The user may know, and the connection goes on (MUST-56, MUST-47, SHLD-25), told of it
    /// unless it does not want to be (SHLD-20).
    fn take_soft_error(&mut self, error: Errno, cx: &mut Context<'_>) {
        self.soft_error = Some(error);
        if self.options.error_reports {
            self.tell(Ready::SoftError(error), cx);
        }
    }
}

/// RFC 9293 §3.9.2.2, with the error numbers of Linux; what it does not name informs only.
fn weigh(kind: IcmpKind, v4: bool) -> Weight {
    use Weight::{Hard, Soft};
    match (kind, v4) {
        (IcmpKind::TooBig { mtu }, _) => Weight::TooBig(mtu),
        (IcmpKind::SourceQuench, _) => Weight::Nothing, // MUST-55
        (IcmpKind::TimeExceeded { .. }, _) => Soft(Errno::EHOSTUNREACH),
        (IcmpKind::ParameterProblem { .. }, _) => Soft(Errno::EPROTO),
        (IcmpKind::Unreachable { code: 0 }, _) => Soft(Errno::ENETUNREACH),
        (IcmpKind::Unreachable { code: 2 }, true) => Hard(Errno::ENOPROTOOPT),
        (IcmpKind::Unreachable { code: 3 }, true) => Hard(Errno::ECONNREFUSED),
        // RFC 5927 §5.1: prohibited, and no port there.
        (IcmpKind::Unreachable { code: 1 }, false) => Hard(Errno::EACCES),
        (IcmpKind::Unreachable { code: 4 }, false) => Hard(Errno::ECONNREFUSED),
        (IcmpKind::Unreachable { .. }, _) => Soft(Errno::EHOSTUNREACH),
    }
}
