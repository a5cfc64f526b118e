//! The flags of single SEND calls, by the names of the BSD API.

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
    }
}
