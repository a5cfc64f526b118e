//! The settings of a host in a file: only those that its profile has otherwise.

use core::net::Ipv4Addr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use timewait_stack::config::{
    BlackHole, CongestionControl, EcnUse, GiveUp, HardErrors, InitialWindow, Keepalive, RtoBounds,
    SynCookies, UserTimeoutBounds, WindowScale,
};
use timewait_stack::wire::OptionOrder;
use timewait_stack::{Config, Disabled, Protection};

use super::names::Span;
use super::off::Off;

/// What a setting of the stack is in a file.
trait Said<T> {
    fn say(value: &T) -> Self;
    fn take(self) -> T;
}

impl<T: Clone> Said<T> for T {
    fn say(value: &T) -> Self {
        value.clone()
    }
    fn take(self) -> T {
        self
    }
}

impl Said<core::time::Duration> for Span {
    fn say(value: &core::time::Duration) -> Self {
        Self(*value)
    }
    fn take(self) -> core::time::Duration {
        self.0
    }
}

impl<T: Clone, S: From<T> + Into<T>> Said<Option<T>> for Off<S> {
    fn say(value: &Option<T>) -> Self {
        value.clone().into()
    }
    fn take(self) -> Option<T> {
        self.into_option()
    }
}

impl Said<Disabled> for Protections {
    fn say(value: &Disabled) -> Self {
        Self(*value)
    }
    fn take(self) -> Disabled {
        self.0
    }
}

/// Protections by name: `["time-wait"]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Protections(Disabled);

impl Serialize for Protections {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Protection::name))
    }
}

impl<'a> Deserialize<'a> for Protections {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let names = Vec::<String>::deserialize(deserializer)?;
        let protection = |name: &String| {
            let unknown = || D::Error::custom(format!("`{name}` is no protection"));
            Protection::from_name(name).ok_or_else(unknown)
        };
        let disabled: Result<Disabled, _> = names.iter().map(protection).collect();
        disabled.map(Self)
    }
}

/// All settings of a stack but its addresses and its secret, each with its type in a file.
macro_rules! settings {
    ($($name:ident: $said:ty,)*) => {
        /// The settings of a host that are not those of its profile.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct Settings {
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                $name: Option<$said>,
            )*
        }

        impl Settings {
            /// Those in which `config` differs from `base`.
            pub(super) fn of(config: &Config, base: &Config) -> Self {
                // Whoever adds a setting to the stack has to add it here.
                let Config { addresses: _, secret: _, $($name,)* } = config;
                Self { $($name: (*$name != base.$name).then(|| Said::say($name)),)* }
            }

            /// `base` with these settings.
            pub(super) fn on(self, mut base: Config) -> Config {
                $(
                    if let Some(said) = self.$name {
                        base.$name = Said::take(said);
                    }
                )*
                base
            }
        }
    };
}

settings! {
    broadcasts: Vec<Ipv4Addr>,
    isn_epoch: u32,
    msl: Span,
    quiet_time: Off<Span>,
    mtu: u16,
    hop_limit: u8,
    diffserv: u8,
    path_mtu_min: u16,
    path_mtu_raise_after: Span,
    black_hole: Off<BlackHole>,
    hard_errors: HardErrors,
    error_reports: bool,
    receive_buffer: u32,
    window_scale: WindowScale,
    timestamps: bool,
    require_timestamps: bool,
    send_buffer: u32,
    rto: RtoBounds,
    persist_max: Span,
    delayed_ack: Span,
    override_timeout: Span,
    r1: u8,
    r2: GiveUp,
    r2_syn: GiveUp,
    r2_syn_ack: GiveUp,
    syn_queue_max: u16,
    user_timeout: Off<Span>,
    announce_user_timeout: bool,
    user_timeout_bounds: UserTimeoutBounds,
    syn_cookies: SynCookies,
    keepalive: Off<Keepalive>,
    fin_wait_2: Off<Span>,
    nagle: bool,
    cork: bool,
    quick_ack: bool,
    max_segment: Off<u16>,
    abort_on_close: bool,
    challenge_interval: Span,
    ephemeral_ports: (u16, u16),
    time_wait_max: u32,
    reassembly_blocks_max: u16,
    sack: bool,
    ecn: EcnUse,
    option_order: OptionOrder,
    tail_loss_probe: bool,
    frto: bool,
    congestion_control: CongestionControl,
    initial_window: InitialWindow,
    slow_start_limit: u8,
    scoreboard_segments_max: u16,
    memory_max: Off<u64>,
    disabled: Protections,
}
