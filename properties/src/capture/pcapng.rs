//! The file: section header, interfaces, packets (draft-ietf-opsawg-pcapng).

use core::time::Duration;
use std::borrow::Cow;
use std::io::{self, Write};

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness, PcapError};

use super::interfaces::Interface;
use super::tape::{Direction, Frame, Tape};

/// `if_tsresol`: 10^-9 s.
const NANOSECONDS: u8 = 9;

/// `epb_flags`: inbound, outbound.
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

pub(super) fn write(tape: &Tape, out: impl Write) -> io::Result<()> {
    let section = SectionHeaderBlock {
        endianness: Endianness::Little,
        options: vec![SectionHeaderOption::UserApplication(Cow::Borrowed(
            "timewait",
        ))],
        ..SectionHeaderBlock::default()
    };
    let mut file = PcapNgWriter::with_section_header(out, section).map_err(cause)?;
    for interface in tape.interfaces().iter() {
        file.write_pcapng_block(description(interface))
            .map_err(cause)?;
    }
    for frame in tape.frames() {
        file.write_pcapng_block(packet(frame)).map_err(cause)?;
    }
    file.into_inner().flush()
}

fn description(interface: &Interface) -> InterfaceDescriptionBlock<'_> {
    let mut options = vec![
        InterfaceDescriptionOption::IfName(Cow::Borrowed(&interface.name)),
        InterfaceDescriptionOption::IfDescription(Cow::Borrowed(&interface.about)),
        InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
    ];
    options.extend(interface.speed.map(InterfaceDescriptionOption::IfSpeed));
    InterfaceDescriptionBlock {
        linktype: DataLink::RAW,
        snaplen: 0,
        options,
    }
}

fn packet(frame: &Frame) -> EnhancedPacketBlock<'_> {
    let comments = frame.comments.iter();
    let mut options: Vec<_> = comments
        .map(|text| EnhancedPacketOption::Comment(Cow::Borrowed(text.as_str())))
        .collect();
    options.extend(frame.direction.map(|direction| {
        EnhancedPacketOption::Flags(match direction {
            Direction::In => INBOUND,
            Direction::Out => OUTBOUND,
        })
    }));
    EnhancedPacketBlock {
        interface_id: frame.interface,
        timestamp: Duration::from_nanos(frame.at.as_nanos()),
        original_len: frame.octets.len() as u32,
        data: Cow::Borrowed(&frame.octets),
        options,
    }
}

fn cause(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
