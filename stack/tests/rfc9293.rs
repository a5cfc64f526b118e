//! The stack against the text of RFC 9293 and its companions, segment by segment: each test plays the peer by hand.

#[path = "rfc9293/peer.rs"]
mod peer;
#[path = "rfc9293/router.rs"]
mod router;

#[path = "rfc9293/addresses.rs"]
mod addresses;
#[path = "rfc9293/attacks.rs"]
mod attacks;
#[path = "rfc9293/batches.rs"]
mod batches;
#[path = "rfc9293/buffers.rs"]
mod buffers;
#[path = "rfc9293/calls.rs"]
mod calls;
#[path = "rfc9293/closing.rs"]
mod closing;
#[path = "rfc9293/congestion.rs"]
mod congestion;
#[path = "rfc9293/ecn.rs"]
mod ecn;
#[path = "rfc9293/frto.rs"]
mod frto;
#[path = "rfc9293/icmp.rs"]
mod icmp;
#[path = "rfc9293/ip_fields.rs"]
mod ip_fields;
#[path = "rfc9293/listening.rs"]
mod listening;
#[path = "rfc9293/memory.rs"]
mod memory;
#[path = "rfc9293/opening.rs"]
mod opening;
#[path = "rfc9293/options.rs"]
mod options;
#[path = "rfc9293/path_mtu.rs"]
mod path_mtu;
#[path = "rfc9293/ports.rs"]
mod ports;
#[path = "rfc9293/quiet_time.rs"]
mod quiet_time;
#[path = "rfc9293/rack_tlp.rs"]
mod rack_tlp;
#[path = "rfc9293/receiving.rs"]
mod receiving;
#[path = "rfc9293/reopening.rs"]
mod reopening;
#[path = "rfc9293/sack.rs"]
mod sack;
#[path = "rfc9293/scaling.rs"]
mod scaling;
#[path = "rfc9293/sending.rs"]
mod sending;
#[path = "rfc9293/socket_options.rs"]
mod socket_options;
#[path = "rfc9293/syn_cookies.rs"]
mod syn_cookies;
#[path = "rfc9293/timestamps.rs"]
mod timestamps;
#[path = "rfc9293/urgent.rs"]
mod urgent;
#[path = "rfc9293/user_timeout.rs"]
mod user_timeout;
#[path = "rfc9293/windows.rs"]
mod windows;
