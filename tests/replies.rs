//! The reply table, to be checked by eye against RFC 9293 §3.10.7, RFC 5961, RFC 1337 and RFC 6191.
//!
//! After a change that was meant: `INSTA_UPDATE=always cargo test replies`, then read the diff.

use timewait::properties::oracles::replies;

#[test]
fn the_reply_table() {
    insta::assert_snapshot!(replies::table());
}
