//! A request's head is harmless, and its body is the same in any chunking.
#![no_main]
use kinglet::http::body::{Body, Framing};
use kinglet::http::head::{self, Parse};

fn read(framing: Framing, bytes: &[u8], chunk: usize) -> Option<(Vec<u8>, bool)> {
    let mut body = Body::new(framing);
    let mut found = Vec::new();
    for mut input in bytes.chunks(chunk) {
        while let run @ [_, ..] = body.take(&mut input).ok()? {
            found.extend_from_slice(run);
        }
        assert!(input.is_empty() || body.is_done());
    }
    Some((found, body.is_done()))
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut framing = Framing::Chunked;
    let mut body = bytes;
    if let Parse::Complete(head) = head::request(bytes) {
        assert_ne!(head.framing, Framing::UntilClose);
        framing = head.framing;
        body = &bytes[head.bytes..];
    }
    let whole = read(framing, body, usize::MAX);
    assert_eq!(read(framing, body, 1), whole);
    assert_eq!(read(framing, body, 7), whole);
});
