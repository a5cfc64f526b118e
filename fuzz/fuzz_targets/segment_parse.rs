//! Any octets into the segment parser.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/segment_parse_body.rs"]
mod body;

fuzz_target!(|bytes: &[u8]| body::segment_parse(bytes));
