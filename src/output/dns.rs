//! Messages of a stub resolver: bytes in, values out.
//!
//! Enough of RFC 1035 to turn one host name into one address: a query with recursion desired, and the first address
//! of the wanted type in the answer. Names in answers are skipped, not followed, so no compression pointer can loop.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::limits::{DNS_LABEL_BYTES_MAX, DNS_NAME_BYTES_MAX};
use crate::text::delimited::parts;

/// Size of the buffers that [`parse_reply`] is about.
pub use crate::limits::DNS_MESSAGE_BYTES_MAX as MESSAGE_BYTES_MAX;

/// The class IN.
const CLASS_INTERNET: u8 = 1;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordType {
    A,
    Aaaa,
}

impl RecordType {
    const fn code(self) -> u8 {
        match self {
            RecordType::A => 1,
            RecordType::Aaaa => 28,
        }
    }
}

/// What a datagram says to a query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    /// The first address of the type, and for how many seconds it may be kept: the least of the records up to it.
    Address(IpAddr, u32),
    /// There is no such name, or it has no record of the type.
    NoAddress,
    /// The server cannot or will not answer, or not in one datagram: ask another one.
    ServerFailure,
    /// Another id or question, or malformed: ignore it and keep waiting.
    NotOurs,
}

/// The bytes of a message before its question.
const HEAD_BYTES: usize = 12;

/// Encodes a query with recursion desired. A dot at the end of the name is ignored. `None` if the name cannot be
/// encoded: it or a label of it is empty or too long.
#[must_use]
pub fn encode_query(id: u16, name: &[u8], record_type: RecordType) -> Option<Vec<u8>> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    if name.len() > DNS_NAME_BYTES_MAX {
        return None;
    }
    let mut query = Vec::with_capacity(MESSAGE_BYTES_MAX);
    query.extend_from_slice(&id.to_be_bytes());
    // Recursion desired; one question; no other records.
    query.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in parts(name, b'.') {
        if label.is_empty() || label.len() > DNS_LABEL_BYTES_MAX {
            return None;
        }
        query.push(label.len() as u8);
        query.extend_from_slice(label);
    }
    query.extend_from_slice(&[0, 0, record_type.code(), 0, CLASS_INTERNET]);
    Some(query)
}

/// Reads a datagram that came from the server asked. CNAMEs are followed by taking the first address of the type:
/// a recursive server sends the whole chain.
#[must_use]
pub fn parse_reply(message: &[u8], query: &[u8], record_type: RecordType) -> Reply {
    reply(message, query, record_type).unwrap_or(Reply::NotOurs)
}

/// `None` when the message ends too early or is not about the query, as everywhere here.
fn reply(message: &[u8], query: &[u8], record_type: RecordType) -> Option<Reply> {
    let (head, rest) = message.split_first_chunk::<HEAD_BYTES>()?;
    let [
        id_high,
        id_low,
        kind,
        code,
        questions @ ..,
        a,
        b,
        _,
        _,
        _,
        _,
    ] = *head;
    // A response, to a standard query.
    if !query.starts_with(&[id_high, id_low]) || kind & 0xf8 != 0x80 {
        return None;
    }
    let is_truncated = kind & 2 != 0;
    let code = code & 0xf;
    // A server that could not read the question need not repeat it.
    if questions == [0, 0] && code != 0 {
        return Some(Reply::ServerFailure);
    }
    // Names may come back in other letters. No other byte of a question is a letter.
    let asked = query.get(HEAD_BYTES..)?;
    let (question, records) = rest.split_at_checked(asked.len())?;
    if questions != [0, 1] || !question.eq_ignore_ascii_case(asked) {
        return None;
    }
    Some(match code {
        0 => match first_address(records, u16::from_be_bytes([a, b]), record_type)? {
            Reply::NoAddress if is_truncated => Reply::ServerFailure,
            answer => answer,
        },
        3 => Reply::NoAddress,
        _ => Reply::ServerFailure,
    })
}

fn first_address(mut rest: &[u8], answers: u16, record_type: RecordType) -> Option<Reply> {
    let mut ttl_least = u32::MAX;
    // Every turn takes at least eleven bytes of the message.
    for _ in 0..answers {
        let (head, behind) = behind_name(rest)?.split_first_chunk::<10>()?;
        let [kind @ .., t0, t1, t2, t3, length_high, length_low] = *head;
        let length = u16::from_be_bytes([length_high, length_low]);
        let (data, behind) = behind.split_at_checked(usize::from(length))?;
        rest = behind;
        let ttl = u32::from_be_bytes([t0, t1, t2, t3]);
        // RFC 2181, section 8: the highest bit is to be read as zero seconds.
        ttl_least = ttl_least.min(if ttl >> 31 == 0 { ttl } else { 0 });
        if kind != [0, record_type.code(), 0, CLASS_INTERNET] {
            continue;
        }
        let address = match record_type {
            RecordType::A => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?)),
            RecordType::Aaaa => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?)),
        };
        return Some(Reply::Address(address, ttl_least));
    }
    Some(Reply::NoAddress)
}

/// Passes over a name: labels up to the empty one or a compression pointer, which always is the last part.
fn behind_name(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let (length, behind) = rest.split_first()?;
        rest = match *length {
            0 => return Some(behind),
            length @ 1..=63 => behind.get(usize::from(length)..)?,
            0xc0.. => return behind.get(1..),
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests;
