//! Any datagram and any of the two files are harmless, and a query is never its own answer.
#![no_main]
use kinglet::output::dns::{RecordType, Reply, encode_query, parse_reply};
use kinglet::text::hosts;

libfuzzer_sys::fuzz_target!(|input: (&[u8], &[u8])| {
    let (name, message) = input;
    let id = message
        .first_chunk()
        .map_or(0, |id| u16::from_be_bytes(*id));
    for record_type in [RecordType::A, RecordType::Aaaa] {
        if let Some(query) = encode_query(id, name, record_type) {
            let _ = parse_reply(message, &query, record_type);
            assert_eq!(parse_reply(&query, &query, record_type), Reply::NotOurs);
            // As a response it is to this question, without an answer; the records are what came in.
            let mut response = query.clone();
            response[2] |= 0x80;
            assert_eq!(
                parse_reply(&response, &query, record_type),
                Reply::NoAddress
            );
            response[7] = 3;
            response.extend_from_slice(message);
            let _ = parse_reply(&response, &query, record_type);
        }
    }
    let _ = hosts::lookup(message, name);
    let _ = hosts::nameservers(message);
});
