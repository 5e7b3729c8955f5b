//! What the members of a plain object claim to be.

use crate::format::OWN_KEYS;
use crate::source::event::claims::{LEVEL, MESSAGE, REQUEST_ID, TIMESTAMP};
use crate::text::equal::equal;

/// What a member of an object says of the record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Level,
    Time,
    Message,
    RequestId,
    /// It is an attribute.
    Nothing,
    /// CloudWatch's metrics, or a key that is kinglet's own or none.
    Unusual,
}

/// The usual ones first.
const CLAIMS: [(&[u8], Claim); 12] = [
    (MESSAGE, Claim::Message),
    (LEVEL, Claim::Level),
    (TIMESTAMP, Claim::Time),
    (REQUEST_ID[0], Claim::RequestId),
    (REQUEST_ID[1], Claim::RequestId),
    (REQUEST_ID[2], Claim::RequestId),
    (b"_aws", Claim::Unusual),
    (b"", Claim::Unusual),
    (OWN_KEYS[0], Claim::Unusual),
    (OWN_KEYS[1], Claim::Unusual),
    (OWN_KEYS[2], Claim::Unusual),
    (OWN_KEYS[3], Claim::Unusual),
];

/// A bit for each length that one of them has.
const CLAIM_LENGTHS: u32 = {
    let mut lengths = 0;
    let mut rest: &[(&[u8], Claim)] = &CLAIMS;
    while let [(key, _), behind @ ..] = rest {
        lengths |= 1 << key.len();
        rest = behind;
    }
    lengths
};

/// `key`: at most 31 bytes.
pub(super) fn claim(key: &[u8]) -> Claim {
    if CLAIM_LENGTHS >> key.len() & 1 == 0 {
        return Claim::Nothing;
    }
    let found = CLAIMS.iter().find(|(known, _)| equal(known, key));
    found.map_or(Claim::Nothing, |(_, claim)| *claim)
}
