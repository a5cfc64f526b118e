//! Any octets into the parser of ICMP errors.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/icmp_parse_body.rs"]
mod body;

fuzz_target!(|bytes: &[u8]| body::icmp_parse(bytes));
