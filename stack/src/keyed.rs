//! The stack's random-looking choices: SipHash of the secret, a purpose and the matter at hand.
//!
//! A hash is not drawn but computed, so a run repeats exactly, and an outsider who does not know
//! the secret can't predict it (RFC 6528 §3, MUST-9).

use core::hash::Hasher;
use siphasher::sip::SipHasher24;

use crate::table::End;

/// What a hash is for: different purposes never share a value.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(crate) enum Purpose {
    InitialSequenceNumber = 1,
    EphemeralPort = 2,
    RandomSequenceNumber = 3,
    EphemeralCounter = 4,
    TimestampOffset = 5,
    Cookie = 6,
    CookieMask = 7,
}

/// The keyed hash of two ends and a counter for one purpose.
pub(crate) fn hash(
    secret: &[u8; 32],
    purpose: Purpose,
    local: End,
    remote: End,
    counter: u64,
) -> u64 {
    let (key, tweak) = secret.split_at(16);
    let key: [u8; 16] = key.try_into().expect("16 octets");
    let mut hasher = SipHasher24::new_with_key(&key);
    hasher.write(tweak);
    let (local_high, local_low, local_port) = local.words();
    let (remote_high, remote_low, remote_port) = remote.words();
    let words = [local_high, local_low, remote_high, remote_low];
    for word in words
        .into_iter()
        .chain([local_port << 16 | remote_port, purpose as u64, counter])
    {
        hasher.write(&word.to_le_bytes());
    }
    hasher.finish()
}
