//! The defaults of common systems, as plain data: what differs from the book.
//!
//! The values are those of current releases as their documentation gives them (`tcp(7)` and
//! `ip-sysctl` of Linux, `tcp(4)` of FreeBSD). Not all of it is by the book: both systems give up a
//! SYN before the three minutes of MUST-23, and have an RTO below the second of RFC 6298 §2.4.

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use crate::config::{
    Config, CongestionControl, EcnUse, GiveUp, InitialWindow, RtoBounds, SynCookies,
};
use crate::time::Duration;
use crate::wire::OptionOrder;

/// Whose defaults a stack has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Profile {
    /// The RFCs'.
    #[default]
    Rfc,
    /// Those of Linux.
    Linux,
    /// Those of FreeBSD.
    FreeBsd,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::Rfc, Self::Linux, Self::FreeBsd];

    /// Its name: `rfc`, `linux`, `freebsd`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rfc => "rfc",
            Self::Linux => "linux",
            Self::FreeBsd => "freebsd",
        }
    }

    /// The settings of a host with these addresses and this secret.
    pub fn config(self, addresses: Vec<IpAddr>, secret: [u8; 32]) -> Config {
        let book = Config::new(addresses, secret);
        match self {
            Self::Rfc => book,
            Self::Linux => linux(book),
            Self::FreeBsd => freebsd(book),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// `TCP_TIMEWAIT_LEN` 60 s, `TCP_RTO_MIN` 200 ms, `TCP_RTO_MAX` 120 s, `tcp_retries2` 15,
/// `tcp_syn_retries` 6, `tcp_synack_retries` 5, `tcp_fin_timeout` 60 s.
fn linux(book: Config) -> Config {
    Config {
        msl: millis(30_000),
        rto: RtoBounds {
            min: millis(200),
            max: millis(120_000),
            ..book.rto
        },
        persist_max: millis(120_000),
        delayed_ack: millis(40),
        r2: GiveUp::Retransmissions(15),
        r2_syn: GiveUp::Retransmissions(6),
        r2_syn_ack: GiveUp::Retransmissions(5),
        fin_wait_2: Some(millis(60_000)),
        ephemeral_ports: (32_768, 60_999),
        syn_cookies: SynCookies::WhenFull,
        require_timestamps: false,
        black_hole: None,
        ecn: EcnUse::Accept,
        congestion_control: CongestionControl::Cubic,
        initial_window: InitialWindow::Rfc6928,
        slow_start_limit: 2,
        option_order: OptionOrder::Linux,
        ..book
    }
}

/// `net.inet.tcp`: `msl` 30 s, `rexmit_min` 30 ms, `TCPTV_REXMTMAX` 64 s, `delacktime` 40 ms,
/// `TCP_MAXRXTSHIFT` 12, `keepinit` 75 s, `finwait2_timeout` 60 s, `abc_l_var` 2.
fn freebsd(book: Config) -> Config {
    Config {
        msl: millis(30_000),
        rto: RtoBounds {
            min: millis(30),
            max: millis(64_000),
            ..book.rto
        },
        persist_max: millis(60_000),
        delayed_ack: millis(40),
        r2: GiveUp::Retransmissions(12),
        r2_syn: GiveUp::Elapsed(millis(75_000)),
        r2_syn_ack: GiveUp::Retransmissions(3),
        fin_wait_2: Some(millis(60_000)),
        ephemeral_ports: (10_000, 65_535),
        syn_cookies: SynCookies::WhenFull,
        require_timestamps: false,
        black_hole: None,
        tail_loss_probe: false,
        frto: false,
        ecn: EcnUse::Accept,
        congestion_control: CongestionControl::Cubic,
        initial_window: InitialWindow::Rfc6928,
        slow_start_limit: 2,
        option_order: OptionOrder::FreeBsd,
        ..book
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;
    use crate::config::Config;
    use alloc::vec;

    #[test]
    fn the_first_profile_is_the_book() {
        let secret = [3; 32];
        let book = Config::new(vec![], secret);
        assert_eq!(Profile::default().config(vec![], secret), book);
        for profile in [Profile::Linux, Profile::FreeBsd] {
            let config = profile.config(vec![], secret);
            assert!(config != book && config.secret == secret, "{profile}");
        }
    }

    #[test]
    fn no_profile_breaks_a_bound_of_its_settings() {
        for profile in Profile::ALL {
            let config = profile.config(vec![], [0; 32]);
            assert!(config.rto.min <= config.rto.initial, "{profile}");
            assert!(config.rto.max.as_secs() >= 60, "RFC 6298 §2.5");
            assert!(config.delayed_ack.as_millis() < 500, "MUST-40");
            let (first, last) = config.ephemeral_ports;
            assert!(first < last, "{profile}");
        }
    }
}
