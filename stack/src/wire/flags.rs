//! The control bits (RFC 9293 §3.1, RFC 3168 §6.1).

use bitflags::bitflags;
use core::fmt;

bitflags! {
    /// The control bits, in the order of the header.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Flags: u8 {
        /// No more data from the sender.
        const FIN = 0x01;
        /// Synchronize sequence numbers.
        const SYN = 0x02;
        /// Reset the connection.
        const RST = 0x04;
        /// Push.
        const PSH = 0x08;
        /// The acknowledgment field counts.
        const ACK = 0x10;
        /// The urgent pointer counts.
        const URG = 0x20;
        /// ECN echo (RFC 3168).
        const ECE = 0x40;
        /// Congestion window reduced (RFC 3168).
        const CWR = 0x80;
    }
}

/// As in the figures of RFC 9293: `SYN,ACK`, `FIN,ACK`; `-` when none is set.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("-");
        }
        for (count, (name, _)) in self.iter_names().enumerate() {
            if count > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::Flags;

    #[test]
    fn flags_are_shown_as_the_rfc_writes_them() {
        assert_eq!((Flags::ACK | Flags::SYN).to_string(), "SYN,ACK");
        assert_eq!((Flags::ACK | Flags::FIN).to_string(), "FIN,ACK");
        assert_eq!(Flags::RST.to_string(), "RST");
        assert_eq!(Flags::empty().to_string(), "-");
        assert_eq!(Flags::all().to_string(), "FIN,SYN,RST,PSH,ACK,URG,ECE,CWR");
    }
}
