use super::*;

const QUESTION: &[u8] = b"\x0312a\x07example\x03org\0\0\x01\0\x01";

fn query(name: &str, record_type: RecordType) -> Option<Vec<u8>> {
    encode_query(0x1234, name.as_bytes(), record_type)
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

fn parse(message: &[u8]) -> Reply {
    let query = query("12A.Example.ORG", RecordType::A).unwrap();
    parse_reply(message, &query, RecordType::A)
}

const HERE: &[u8] = b"\xc0\x0c";
const ALIAS: (&[u8], u16, u32, &[u8]) = (HERE, 5, 60, b"\x03www\xc0\x10");
const ADDRESS: (&[u8], u16, u32, &[u8]) = (b"\x03www\xc0\x10", 1, 300, &[192, 0, 2, 7]);

#[test]
fn answers() {
    let address = |seconds| Reply::Address(IpAddr::from([192, 0, 2, 7]), seconds);
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
        (response(0x8380, &[ALIAS]), Reply::ServerFailure),
        (response(0x8180, &[ALIAS]), Reply::NoAddress),
        (response(0x8180, &[]), Reply::NoAddress),
        (response(0x8183, &[]), Reply::NoAddress),
        (response(0x8183, &[ALIAS]), Reply::NoAddress),
        (response(0x8182, &[]), Reply::ServerFailure),
        (response(0x8185, &[]), Reply::ServerFailure),
        (
            b"\x12\x34\x81\x81\0\0\0\0\0\0\0\0".to_vec(),
            Reply::ServerFailure,
        ),
        (b"\x12\x34\x81\x80\0\0\0\0\0\0\0\0".to_vec(), Reply::NotOurs),
        // A query, another kind of query, and an address of five bytes.
        (response(0x0100, &[ADDRESS]), Reply::NotOurs),
        (response(0xa180, &[ADDRESS]), Reply::NotOurs),
        (response(0x8180, &[(HERE, 1, 1, &[9; 5])]), Reply::NotOurs),
        (
            response(0x8180, &[(b"\x80\0", 1, 1, &[9; 4])]),
            Reply::NotOurs,
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
        let query = encode_query(id, name.as_bytes(), record_type).unwrap();
        let answer = parse_reply(&message, &query, record_type);
        assert_eq!(answer, Reply::NotOurs, "{id} {name} {record_type:?}");
    }
}

#[test]
fn an_ipv6_answer() {
    let mut message = response(0x8180, &[ADDRESS, (HERE, 28, 5, &[0x20; 16])]);
    let question_type = 12 + QUESTION.len() - 3;
    message[question_type] = 28;
    let query = query("12a.example.org.", RecordType::Aaaa).unwrap();
    let answer = parse_reply(&message, &query, RecordType::Aaaa);
    assert_eq!(answer, Reply::Address(IpAddr::from([0x20u8; 16]), 5));
}

#[test]
fn damaged_answers_are_never_an_address_of_their_own() {
    let message = response(0x8180, &[ALIAS, ADDRESS]);
    let records = message.len() - 11;
    for length in 0..message.len() {
        let expected = if length < records {
            Reply::NotOurs
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
