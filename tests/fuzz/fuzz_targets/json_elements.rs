//! A body in any chunking gives the elements that it gives whole, and walking them is harmless.
#![no_main]
use kinglet::text::json::{Cut, Elements, members};

fn split(body: &[u8], capacity: usize, chunk: usize) -> (Vec<(Vec<u8>, Option<Cut>)>, bool) {
    let mut elements = Elements::new(capacity);
    let mut found = Vec::new();
    for mut input in body.chunks(chunk) {
        while let Ok(Some(element)) = elements.next(&mut input) {
            assert!(element.raw.len() <= capacity);
            members(element.raw, element.cut.as_ref()).for_each(drop);
            found.push((element.raw.to_vec(), element.cut));
        }
    }
    (found, elements.finish().is_ok())
}

libfuzzer_sys::fuzz_target!(|input: (u16, u8, &[u8])| {
    let (capacity, chunk, body) = input;
    let capacity = usize::from(capacity) % 2048;
    let whole = split(body, capacity, usize::MAX);
    assert_eq!(split(body, capacity, 1 + usize::from(chunk)), whole);
    assert_eq!(split(body, capacity, 1), whole);
    if serde_json::from_slice::<Vec<serde_json::Value>>(body).is_ok() {
        assert!(whole.1);
    }
});
