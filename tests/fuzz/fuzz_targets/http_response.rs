//! A response's head is harmless, and whatever is behind it can be taken as its body.
#![no_main]
use kinglet::http::body::{Body, Framing};
use kinglet::http::head::{self, Parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Parse::Complete(head) = head::response(bytes) else {
        return;
    };
    assert!(head.keep_alive <= (head.framing != Framing::UntilClose));
    assert!(
        head.identifier
            .is_none_or(|identifier| identifier.len() < head.bytes)
    );
    let mut input = &bytes[head.bytes..];
    let mut body = Body::new(head.framing);
    while let Ok([_, ..]) = body.take(&mut input) {}
});
