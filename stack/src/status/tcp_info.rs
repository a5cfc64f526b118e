//! TCP_INFO: what a connection knows of its path, with Linux's fields.

use crate::connection::Connection;
use crate::event::CaState;
use crate::state::State;
use crate::time::Duration;

/// The `struct tcp_info` of Linux, as far as this stack has the matter. Windows and counts of what
/// is under way are in segments of `snd_mss` octets, rounded up, as there; times are durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpInfo {
    /// `tcpi_state`.
    pub state: State,
    /// `tcpi_ca_state`.
    pub ca_state: CaState,
    /// `tcpi_retransmits`: expiries of the retransmission timer without progress.
    pub retransmits: u32,
    /// `tcpi_probes`: zero-window probes without an answer.
    pub probes: u32,
    /// `tcpi_options`: timestamps are on (RFC 7323 §3.2).
    pub timestamps: bool,
    /// `tcpi_options`: SACK is on.
    pub sack: bool,
    /// `tcpi_options`: both SYNs had a window scale (RFC 7323 §2.2).
    pub wscale: bool,
    /// `tcpi_options`: ECN is on.
    pub ecn: bool,
    /// `tcpi_snd_wscale`: the shift of the windows that the peer offers, 0 to 14.
    pub snd_wscale: u8,
    /// `tcpi_rcv_wscale`: that of the windows that we offer, 0 to 14.
    pub rcv_wscale: u8,
    /// `tcpi_rto`.
    pub rto: Duration,
    /// `tcpi_rtt`, smoothed; zero before the first sample.
    pub rtt: Duration,
    /// `tcpi_rttvar`.
    pub rttvar: Duration,
    /// `tcpi_min_rtt`: the least round trip that RACK has measured, if it has (RFC 8985 §6.2).
    pub min_rtt: Option<Duration>,
    /// `tcpi_pmtu`: the largest datagram that is sent, IP header included.
    pub pmtu: u16,
    /// `tcpi_snd_mss`.
    pub snd_mss: u32,
    /// `tcpi_rcv_mss`: the largest text that came in one segment.
    pub rcv_mss: u32,
    /// `tcpi_advmss`.
    pub advmss: u32,
    /// `tcpi_snd_cwnd`.
    pub snd_cwnd: u32,
    /// `tcpi_snd_ssthresh`.
    pub snd_ssthresh: u32,
    /// `tcpi_unacked`.
    pub unacked: u32,
    /// `tcpi_sacked`.
    pub sacked: u32,
    /// `tcpi_lost`.
    pub lost: u32,
    /// `tcpi_retrans`: retransmissions under way.
    pub retrans: u32,
    /// `tcpi_reordering`: by how many segments one was overtaken at most, as SACK tells; 3, of which
    /// nothing is known, to 300.
    pub reordering: u32,
    /// `tcpi_reord_seen`: reordering was seen.
    pub reord_seen: bool,
    /// `tcpi_notsent_bytes`: octets that wait to be sent.
    pub notsent_bytes: u32,
    /// `tcpi_snd_wnd`: octets that the peer offers.
    pub snd_wnd: u32,
    /// `tcpi_rcv_wnd`: octets that we offer.
    pub rcv_wnd: u32,
}

impl From<&Connection> for TcpInfo {
    fn from(connection: &Connection) -> Self {
        let vars = connection.vars();
        let sack = vars.sack.unwrap_or_default();
        let smss = u32::from(vars.smss).max(1);
        let segments = |octets: u32| octets.div_ceil(smss);
        Self {
            state: vars.state,
            ca_state: vars.ca_state,
            retransmits: vars.retransmissions,
            probes: connection.timers.probes,
            timestamps: connection.timestamps.is_some(),
            sack: vars.sack.is_some(),
            wscale: connection.scaling,
            ecn: vars.ecn,
            snd_wscale: vars.snd_shift,
            rcv_wscale: vars.rcv_shift,
            rto: vars.rto,
            rtt: vars.srtt.unwrap_or_default(),
            rttvar: connection.rtt.rttvar(),
            min_rtt: connection.memory.rack.min_rtt(),
            pmtu: vars.path_mtu,
            snd_mss: smss,
            rcv_mss: connection.receive.largest(),
            advmss: u32::from(vars.rmss),
            snd_cwnd: segments(vars.cwnd),
            snd_ssthresh: segments(vars.ssthresh),
            unacked: segments(vars.snd_nxt - vars.snd_una),
            sacked: segments(sack.sacked),
            lost: segments(sack.lost),
            retrans: segments(sack.resent),
            reordering: u32::from(connection.memory.rack.reordering()),
            reord_seen: sack.reordering_seen,
            notsent_bytes: vars.unsent,
            snd_wnd: vars.snd_wnd,
            rcv_wnd: vars.rcv_adv.saturating_since(vars.rcv_nxt),
        }
    }
}
