//! The flags of single SEND and RECEIVE calls, by the names of the BSD API.

use bitflags::bitflags;

bitflags! {
    /// How one [`send_with`](crate::Stack::send_with) differs from a plain
    /// [`send`](crate::Stack::send).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct SendFlags: u8 {
        /// MSG_OOB, the URGENT flag of RFC 9293 §3.9.1.2: the octets taken are the end of the
        /// urgent data (MUST-30). The peer gets them in line (RFC 6093 §6). New applications
        /// should do without (SHLD-13).
        const URGENT = 1;
        /// MSG_MORE: more follows soon, so what does not fill a segment waits for it. It goes with
        /// the next `send` without this flag, with the FIN, or when the override timer runs out
        /// (MUST-60).
        const MORE = 2;
    }
}

bitflags! {
    /// How one [`recv_with`](crate::Stack::recv_with) differs from a plain
    /// [`recv`](crate::Stack::recv).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct RecvFlags: u8 {
        /// MSG_PEEK: the octets stay, and the next call returns them again.
        const PEEK = 1;
    }
}
