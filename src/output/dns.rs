//! Messages of a stub resolver, and the two files that steer it: bytes in, values out.
//!
//! Enough of RFC 1035 to turn one host name into one address: a query with recursion desired, and the first address
//! of the wanted type in the answer. Names in answers are skipped, not followed, so no compression pointer can loop.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::clock::Wall;
use crate::limits::{
    DNS_LABEL_BYTES_MAX, DNS_NAME_BYTES_MAX, RESOLVED_ADDRESSES_MAX, RESOLVED_MS_MAX,
    RESOLVED_MS_MIN,
};

/// Size of the buffers that [`encode_query`] and [`Answer`] are about.
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
pub enum Answer {
    /// The first address of the type, and for how many seconds it may be kept: the least of the records up to it.
    Address(IpAddr, u32),
    /// There is no such name, or it has no record of the type.
    NoAddress,
    /// The server cannot or will not answer, or not in one datagram: ask another one.
    ServerFailure,
    /// Another id or question, or malformed: ignore it and keep waiting.
    NotOurs,
}

/// Addresses found by name, each with the name it was found for: what is meant for one host must never reach another.
#[derive(Default)]
pub struct Known {
    entries: Vec<KnownAddress>,
}

struct KnownAddress {
    name: String,
    ip: IpAddr,
    /// When it was found, and how long it is taken from then on.
    found: Wall,
    kept_ms: u64,
}

impl Known {
    /// The address of this very name, while it may be taken. A clock that was set back ends that, too.
    #[must_use]
    pub fn get(&self, name: &str, now: Wall) -> Option<IpAddr> {
        let entry = self.entries.iter().rfind(|entry| entry.name == name)?;
        (now.0.wrapping_sub(entry.found.0) < entry.kept_ms).then_some(entry.ip)
    }

    /// Keeps an address for its time to live, within [`RESOLVED_MS_MIN`] and [`RESOLVED_MS_MAX`]. When there are
    /// [`RESOLVED_ADDRESSES_MAX`], they are forgotten first.
    pub fn put(&mut self, name: &str, ip: IpAddr, found: Wall, ttl_ms: u64) {
        if self.entries.len() >= RESOLVED_ADDRESSES_MAX {
            self.entries.clear();
        }
        self.entries.push(KnownAddress {
            name: name.into(),
            ip,
            found,
            kept_ms: ttl_ms.clamp(RESOLVED_MS_MIN, RESOLVED_MS_MAX),
        });
    }
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
    for label in name.split(|&byte| byte == b'.') {
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
pub fn parse_answer(message: &[u8], id: u16, name: &[u8], record_type: RecordType) -> Answer {
    Message { rest: message }
        .answer(id, name, record_type)
        .unwrap_or(Answer::NotOurs)
}

/// What is still to be read of a message. Everything here is `None` when the message ends too early.
struct Message<'a> {
    rest: &'a [u8],
}

impl<'a> Message<'a> {
    fn answer(&mut self, id: u16, name: &[u8], record_type: RecordType) -> Option<Answer> {
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
            return Some(Answer::ServerFailure);
        }
        let is_same = questions == 1
            && self.name_is(name.strip_suffix(b".").unwrap_or(name))?
            && self.u16()? == record_type.code()
            && self.u16()? == CLASS_INTERNET;
        match code {
            _ if !is_same => None,
            0 => match self.first_address(answers, record_type)? {
                Answer::NoAddress if truncated => Some(Answer::ServerFailure),
                answer => Some(answer),
            },
            3 => Some(Answer::NoAddress),
            _ => Some(Answer::ServerFailure),
        }
    }

    fn first_address(&mut self, answers: u16, record_type: RecordType) -> Option<Answer> {
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
            return Some(Answer::Address(address, ttl_least));
        }
        Some(Answer::NoAddress)
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
        for label in name.split(|&byte| byte == b'.') {
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
mod tests {
    use super::*;

    const QUESTION: &[u8] = b"\x0312a\x07example\x03org\0\0\x01\0\x01";

    fn query(name: &str, record_type: RecordType) -> Option<Vec<u8>> {
        let mut buffer = [0xaa; MESSAGE_BYTES_MAX];
        encode_query(&mut buffer, 0x1234, name.as_bytes(), record_type).map(<[u8]>::to_vec)
    }

    #[test]
    fn queries() {
        let head = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0";
        let expected = [&head[..], QUESTION].concat();
        assert_eq!(
            query("12a.example.org", RecordType::A),
            Some(expected.clone())
        );
        assert_eq!(query("12a.example.org.", RecordType::A), Some(expected));
        let expected = [&head[..], b"\x01x\0\0\x1c\0\x01"].concat();
        assert_eq!(query("x", RecordType::Aaaa), Some(expected));

        let label = "l".repeat(DNS_LABEL_BYTES_MAX);
        let longest = format!("{label}.{label}.{label}.{}", "l".repeat(61));
        assert_eq!(longest.len(), DNS_NAME_BYTES_MAX);
        assert_eq!(
            query(&longest, RecordType::A).map(|bytes| bytes.len()),
            Some(12 + 255 + 4)
        );
        for name in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "a..",
            &format!("{label}l"),
            &format!("{longest}l"),
        ] {
            assert_eq!(query(name, RecordType::A), None, "{name}");
        }
    }

    #[test]
    fn an_address_is_kept_with_its_name() {
        let [logs, metrics] = [IpAddr::from([127, 0, 0, 2]), IpAddr::from([127, 0, 0, 3])];
        let found = Wall(1_000_000);
        let mut known = Known::default();
        known.put("logs.test", logs, found, 60_000);
        assert_eq!(known.get("logs.test", found), Some(logs));
        for other in ["metrics.test", "logs.tes", "logs.test.", "ogs.test", ""] {
            assert_eq!(known.get(other, found), None, "{other}");
        }
        known.put("metrics.test", metrics, found, 0);
        assert_eq!(known.get("logs.test", found), Some(logs));
        assert_eq!(known.get("metrics.test", found), Some(metrics));
        // Found again: it is the new address.
        known.put("metrics.test", logs, found.plus(1), 0);
        assert_eq!(known.get("metrics.test", found.plus(1)), Some(logs));
    }

    #[test]
    fn an_address_is_kept_for_its_time() {
        let (ip, found) = (IpAddr::from([127, 0, 0, 2]), Wall(1_000_000));
        for (ttl_ms, kept_ms) in [
            (0, RESOLVED_MS_MIN),
            (60_000, 60_000),
            (u64::MAX, RESOLVED_MS_MAX),
        ] {
            let mut known = Known::default();
            known.put("x", ip, found, ttl_ms);
            assert_eq!(known.get("x", found.plus(kept_ms - 1)), Some(ip));
            assert_eq!(known.get("x", found.plus(kept_ms)), None);
            // Set back by a second, or by an hour: it is looked up again.
            assert_eq!(known.get("x", Wall(found.0 - 1_000)), None);
        }
    }

    #[test]
    fn addresses_are_few_and_never_of_another_name() {
        let mut known = Known::default();
        let names: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let ip = |number: usize| IpAddr::from([0, 0, 0, number as u8]);
        for (number, name) in names.iter().enumerate() {
            known.put(name, ip(number), Wall(0), 60_000);
            assert!(known.entries.len() <= RESOLVED_ADDRESSES_MAX);
            assert_eq!(known.get(name, Wall(0)), Some(ip(number)));
            for (number, name) in names.iter().enumerate() {
                let found = known.get(name, Wall(0));
                assert!(found.is_none_or(|found| found == ip(number)), "{name}");
            }
        }
    }

    /// A response to the question above; each record is its owner, type, seconds and data.
    fn response(flags: u16, records: &[(&[u8], u16, u32, &[u8])]) -> Vec<u8> {
        let mut message = b"\x12\x34".to_vec();
        message.extend(flags.to_be_bytes());
        message.extend([0, 1, 0, records.len() as u8, 0, 0, 0, 1]);
        message.extend(QUESTION);
        for (owner, code, seconds, data) in records {
            message.extend(*owner);
            message.extend(code.to_be_bytes());
            message.extend([0, 1]);
            message.extend(seconds.to_be_bytes());
            message.extend((data.len() as u16).to_be_bytes());
            message.extend(*data);
        }
        // An OPT record in the additional section, which nobody reads.
        message.extend(b"\0\0\x29\x04\xd0\0\0\0\0\0\0");
        message
    }

    fn parse(message: &[u8]) -> Answer {
        parse_answer(message, 0x1234, b"12A.Example.ORG", RecordType::A)
    }

    const HERE: &[u8] = b"\xc0\x0c";
    const ALIAS: (&[u8], u16, u32, &[u8]) = (HERE, 5, 60, b"\x03www\xc0\x10");
    const ADDRESS: (&[u8], u16, u32, &[u8]) = (b"\x03www\xc0\x10", 1, 300, &[192, 0, 2, 7]);

    #[test]
    fn answers() {
        let address = |seconds| Answer::Address(IpAddr::from([192, 0, 2, 7]), seconds);
        for (message, expected) in [
            (response(0x8180, &[ADDRESS]), address(300)),
            (
                response(0x8180, &[ADDRESS, (HERE, 1, 1, &[9; 4])]),
                address(300),
            ),
            (response(0x8180, &[ALIAS, ADDRESS]), address(60)),
            (
                response(0x8180, &[(b"\0", 28, 9, &[1; 16]), ADDRESS]),
                address(9),
            ),
            (
                response(0x8180, &[(HERE, 1, 0x8000_0000, &[192, 0, 2, 7])]),
                address(0),
            ),
            (response(0x8380, &[ADDRESS]), address(300)),
            (response(0x8380, &[ALIAS]), Answer::ServerFailure),
            (response(0x8180, &[ALIAS]), Answer::NoAddress),
            (response(0x8180, &[]), Answer::NoAddress),
            (response(0x8183, &[]), Answer::NoAddress),
            (response(0x8183, &[ALIAS]), Answer::NoAddress),
            (response(0x8182, &[]), Answer::ServerFailure),
            (response(0x8185, &[]), Answer::ServerFailure),
            (
                b"\x12\x34\x81\x81\0\0\0\0\0\0\0\0".to_vec(),
                Answer::ServerFailure,
            ),
            (
                b"\x12\x34\x81\x80\0\0\0\0\0\0\0\0".to_vec(),
                Answer::NotOurs,
            ),
            // A query, another kind of query, and an address of five bytes.
            (response(0x0100, &[ADDRESS]), Answer::NotOurs),
            (response(0xa180, &[ADDRESS]), Answer::NotOurs),
            (response(0x8180, &[(HERE, 1, 1, &[9; 5])]), Answer::NotOurs),
            (
                response(0x8180, &[(b"\x80\0", 1, 1, &[9; 4])]),
                Answer::NotOurs,
            ),
        ] {
            assert_eq!(parse(&message), expected, "{message:?}");
        }
        let message = response(0x8180, &[ADDRESS]);
        for (id, name, record_type) in [
            (0x1235, "12a.example.org", RecordType::A),
            (0x1234, "12a.example.com", RecordType::A),
            (0x1234, "12a.example", RecordType::A),
            (0x1234, "12a.example.org.x", RecordType::A),
            (0x1234, "12a", RecordType::A),
            (0x1234, "12a.example.org", RecordType::Aaaa),
        ] {
            let answer = parse_answer(&message, id, name.as_bytes(), record_type);
            assert_eq!(answer, Answer::NotOurs, "{id} {name} {record_type:?}");
        }
    }

    #[test]
    fn an_ipv6_answer() {
        let mut message = response(0x8180, &[ADDRESS, (HERE, 28, 5, &[0x20; 16])]);
        let question_type = 12 + QUESTION.len() - 3;
        message[question_type] = 28;
        let answer = parse_answer(&message, 0x1234, b"12a.example.org.", RecordType::Aaaa);
        assert_eq!(answer, Answer::Address(IpAddr::from([0x20u8; 16]), 5));
    }

    #[test]
    fn damaged_answers_are_never_an_address_of_their_own() {
        let message = response(0x8180, &[ALIAS, ADDRESS]);
        let records = message.len() - 11;
        for length in 0..message.len() {
            let expected = if length < records {
                Answer::NotOurs
            } else {
                parse(&message)
            };
            assert_eq!(parse(&message[..length]), expected, "{length}");
        }
        // Every bit of the head and question counts, but for the other flags and counts.
        for at in 12..12 + QUESTION.len() {
            for bit in 0..8 {
                let mut damaged = message.clone();
                damaged[at] ^= 1 << bit;
                let case = bit == 5 && message[at].is_ascii_alphabetic();
                assert_eq!(parse(&damaged) == parse(&message), case, "{at} {bit}");
            }
        }
        // Anything may come; nothing may panic or loop.
        let mut state = 1u64;
        for _ in 0..20_000 {
            let mut damaged = message.clone();
            for _ in 0..4 {
                state = state
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                let at = (state >> 33) as usize % damaged.len();
                damaged[at] = (state >> 56) as u8;
            }
            parse(&damaged);
        }
    }
}
