//! Messages of a stub resolver: bytes in, values out.
//!
//! Enough of RFC 1035 to turn one host name into one address: a query with recursion desired, and the first address
//! of the wanted type in the answer. Names in answers are skipped, not followed, so no compression pointer can loop.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::limits::{DNS_LABEL_BYTES_MAX, DNS_NAME_BYTES_MAX};
use crate::text::delimited::parts;

/// Size of the buffers that [`encode_query`] and [`parse_reply`] are about.
pub use crate::limits::DNS_MESSAGE_BYTES_MAX as MESSAGE_BYTES_MAX;

/// The class IN.
const CLASS_INTERNET: u16 = 1;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordType {
    A,
    Aaaa,
}

impl RecordType {
    const fn code(self) -> u16 {
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

/// Encodes a query with recursion desired. A dot at the end of the name is ignored. `None` if the name cannot be
/// encoded: it or a label of it is empty or too long.
pub fn encode_query<'b>(
    buffer: &'b mut [u8; MESSAGE_BYTES_MAX],
    id: u16,
    name: &[u8],
    record_type: RecordType,
) -> Option<&'b [u8]> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    if name.len() > DNS_NAME_BYTES_MAX {
        return None;
    }
    let mut free = buffer.as_mut_slice();
    let [id_high, id_low] = id.to_be_bytes();
    // Recursion desired; one question; no other records.
    put(&mut free, &[id_high, id_low, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    for label in parts(name, b'.') {
        if label.is_empty() || label.len() > DNS_LABEL_BYTES_MAX {
            return None;
        }
        put(&mut free, &[u8::try_from(label.len()).ok()?])?;
        put(&mut free, label)?;
    }
    put(&mut free, &[0])?;
    put(&mut free, &record_type.code().to_be_bytes())?;
    put(&mut free, &CLASS_INTERNET.to_be_bytes())?;
    let length = MESSAGE_BYTES_MAX.checked_sub(free.len())?;
    buffer.get(..length)
}

fn put(free: &mut &mut [u8], bytes: &[u8]) -> Option<()> {
    let (target, behind) = core::mem::take(free).split_at_mut_checked(bytes.len())?;
    target.copy_from_slice(bytes);
    *free = behind;
    Some(())
}

/// Reads a datagram that came from the server asked. CNAMEs are followed by taking the first address of the type:
/// a recursive server sends the whole chain.
pub fn parse_reply(message: &[u8], id: u16, name: &[u8], record_type: RecordType) -> Reply {
    Unread { rest: message }
        .answer(id, name, record_type)
        .unwrap_or(Reply::NotOurs)
}

/// What is still to be read of a message. Everything here is `None` when the message ends too early.
struct Unread<'a> {
    rest: &'a [u8],
}

impl<'a> Unread<'a> {
    fn answer(&mut self, id: u16, name: &[u8], record_type: RecordType) -> Option<Reply> {
        let is_ours = self.u16()? == id;
        let flags = self.u16()?;
        let questions = self.u16()?;
        let answers = self.u16()?;
        self.bytes(4)?;
        // A response, to a standard query.
        if !is_ours || flags & 0xf800 != 0x8000 {
            return None;
        }
        let truncated = flags & 0x0200 != 0;
        let code = flags & 0xf;
        // A server that could not read the question need not repeat it.
        if questions == 0 && code != 0 {
            return Some(Reply::ServerFailure);
        }
        let is_same = questions == 1
            && self.name_is(name.strip_suffix(b".").unwrap_or(name))?
            && self.u16()? == record_type.code()
            && self.u16()? == CLASS_INTERNET;
        match code {
            _ if !is_same => None,
            0 => match self.first_address(answers, record_type)? {
                Reply::NoAddress if truncated => Some(Reply::ServerFailure),
                answer => Some(answer),
            },
            3 => Some(Reply::NoAddress),
            _ => Some(Reply::ServerFailure),
        }
    }

    fn first_address(&mut self, answers: u16, record_type: RecordType) -> Option<Reply> {
        let mut ttl_least = u32::MAX;
        // Every turn takes at least eleven bytes of the message.
        for _ in 0..answers {
            self.skip_name()?;
            let found = self.u16()?;
            let class = self.u16()?;
            let ttl = u32::from(self.u16()?) << 16 | u32::from(self.u16()?);
            let length = self.u16()?;
            let data = self.bytes(usize::from(length))?;
            // RFC 2181, section 8: the highest bit is to be read as zero seconds.
            ttl_least = ttl_least.min(if ttl >> 31 == 0 { ttl } else { 0 });
            if found != record_type.code() || class != CLASS_INTERNET {
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

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }

    fn u8(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from(self.u8()?) << 8 | u16::from(self.u8()?))
    }

    /// Reads the question's name, which is never compressed, and compares it without regard to case.
    fn name_is(&mut self, name: &[u8]) -> Option<bool> {
        for label in parts(name, b'.') {
            let length = usize::from(self.u8()?);
            if length != label.len() || !self.bytes(length)?.eq_ignore_ascii_case(label) {
                return Some(false);
            }
        }
        Some(self.u8()? == 0)
    }

    /// Passes over a name: labels up to the empty one or a compression pointer, which always is the last part.
    fn skip_name(&mut self) -> Option<()> {
        loop {
            match self.u8()? {
                0 => return Some(()),
                length @ 1..=63 => self.bytes(usize::from(length))?,
                0xc0.. => return self.u8().map(|_| ()),
                _ => return None,
            };
        }
    }
}

#[cfg(test)]
mod tests;
