use super::*;
use crate::text::json::members::members;
use crate::text::json::random::Numbers;
use crate::text::json::{Value, append_unescaped, number_is_valid};

mod cutting;

/// What a body gave: its elements, and how it ended.
type Outcome = (Vec<(Vec<u8>, Option<Cut>)>, Result<(), Malformed>);

fn split<'a>(elements: &mut Elements, chunks: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut found = Vec::new();
    let mut broken = false;
    for mut chunk in chunks {
        loop {
            match elements.next(&mut chunk) {
                Ok(Some(element)) => found.push((element.raw.to_vec(), element.cut)),
                Ok(None) => break assert!(chunk.is_empty()),
                Err(Malformed) => break broken = true,
            }
            assert!(elements.assembly.capacity() <= elements.capacity);
        }
    }
    let end = elements.finish();
    assert!(!broken || end.is_err());
    (found, end)
}

fn whole(body: &[u8], capacity: usize) -> Outcome {
    split(&mut Elements::new(capacity), [body].into_iter())
}

/// The body split at every position, and into chunks of one to nine bytes, gives what it gives whole.
fn any_chunking(body: &[u8], capacity: usize) -> Outcome {
    let expected = whole(body, capacity);
    let mut elements = Elements::new(capacity);
    for at in 0..=body.len() {
        let (first, second) = body.split_at(at);
        assert_eq!(
            split(&mut elements, [first, second].into_iter()),
            expected,
            "split at {at}"
        );
    }
    for size in 1..10 {
        assert_eq!(
            split(&mut elements, body.chunks(size)),
            expected,
            "chunks of {size}"
        );
    }
    expected
}

fn texts(outcome: &Outcome) -> Vec<&str> {
    outcome
        .0
        .iter()
        .map(|(raw, _)| str::from_utf8(raw).unwrap())
        .collect()
}

#[test]
fn elements_of_good_bodies() {
    for (body, expected) in [
        ("[]", vec![]),
        (" [ \r\n\t] ", vec![]),
        ("[{}]", vec!["{}"]),
        ("[{},{}]", vec!["{}", "{}"]),
        (
            " [ {} , [ ] , \"a\" , 1 , -2.5e3 , true , null ] ",
            vec!["{}", "[ ]", "\"a\"", "1", "-2.5e3", "true", "null"],
        ),
        ("[1,2\r,3\n,4\t,5 ]", vec!["1", "2", "3", "4", "5"]),
        (
            r#"[{"a":"]}\"\\"},"\\\\","\""]"#,
            vec![r#"{"a":"]}\"\\"}"#, r#""\\\\""#, r#""\"""#],
        ),
        (
            r#"[[[[{"a":[{}]}]]],[{"b":"é😀"}]]"#,
            vec![r#"[[[{"a":[{}]}]]]"#, r#"[{"b":"é😀"}]"#],
        ),
        (" {\"a\":[1]} ", vec!["{\"a\":[1]}"]),
    ] {
        let outcome = any_chunking(body.as_bytes(), 4096);
        assert_eq!(texts(&outcome), expected, "{body}");
        assert!(outcome.0.iter().all(|(_, cut)| cut.is_none()));
        assert_eq!(outcome.1, Ok(()), "{body}");
    }
}

#[test]
fn bad_bodies_keep_the_elements_before_the_fault() {
    for (body, expected) in [
        ("", vec![]),
        (" ", vec![]),
        ("[", vec![]),
        ("]", vec![]),
        ("x", vec![]),
        ("1", vec![]),
        ("\"a\"", vec![]),
        ("[,]", vec![]),
        ("[x]", vec![]),
        ("[{}", vec!["{}"]),
        ("[{},", vec!["{}"]),
        ("[{},]", vec!["{}"]),
        ("[{} {}]", vec!["{}"]),
        ("[{},{\"a\":1]},{}]", vec!["{}"]),
        ("[{},[{]}]", vec!["{}"]),
        ("[{}]]", vec!["{}"]),
        ("[{}]{}", vec!["{}"]),
        ("{}{}", vec!["{}"]),
        ("{\"a\":1", vec![]),
        ("{},{}", vec!["{}"]),
        ("[1,\"a", vec!["1"]),
        ("[1}", vec!["1"]),
    ] {
        let outcome = any_chunking(body.as_bytes(), 4096);
        assert_eq!(texts(&outcome), expected, "{body}");
        assert_eq!(outcome.1, Err(Malformed), "{body}");
    }
}

#[test]
fn nesting_is_counted_beyond_the_bits() {
    for depth in [63, 64, 65, 1000] {
        let good = format!("[{}{},1]", "[".repeat(depth), "]".repeat(depth));
        let outcome = any_chunking(good.as_bytes(), 4096);
        assert_eq!((outcome.0.len(), outcome.1), (2, Ok(())));
        let bad = format!("[{}{}}},1]", "[".repeat(depth), "]".repeat(depth - 1));
        assert_eq!(whole(bad.as_bytes(), 4096), (vec![], Err(Malformed)));
    }
}

#[test]
fn random_arrays_as_serde_reads_them() {
    let mut numbers = Numbers(7);
    for _ in 0..300 {
        let values: Vec<_> = (0..numbers.below(5)).map(|_| numbers.value(4)).collect();
        let body = format!("[{}]", values.join(" ,\n"));
        serde_json::from_str::<serde_json::Value>(&body).unwrap();
        let outcome = if body.len() < 400 {
            any_chunking(body.as_bytes(), 1 << 20)
        } else {
            split(&mut Elements::new(1 << 20), body.as_bytes().chunks(3))
        };
        assert_eq!(texts(&outcome), values);
        assert_eq!(outcome.1, Ok(()));
        for value in values {
            check_members(&value);
        }
    }
}

fn check_members(object: &str) {
    let mut walk = members(object.as_bytes(), None);
    let found: Vec<_> = walk.by_ref().collect();
    assert_eq!(walk.ended_well(), object.starts_with('{'), "{object}");
    let Ok(serde_json::Value::Object(expected)) = serde_json::from_str(object) else {
        return assert!(found.is_empty());
    };
    for member in &found {
        assert!(member.complete);
        let key: String =
            serde_json::from_str(&format!("\"{}\"", str::from_utf8(member.key).unwrap())).unwrap();
        // Of several members with one name serde keeps the last.
        if found.iter().rev().find(|other| other.key == member.key) == Some(member) {
            assert_eq!(value_of(member.value), expected[&key], "{object}");
        }
    }
}

fn value_of(value: Value) -> serde_json::Value {
    match value {
        Value::String(raw) => {
            let mut text = Vec::new();
            assert!(!append_unescaped(&mut text, raw, usize::MAX));
            String::from_utf8(text).unwrap().into()
        }
        Value::Number(text) => {
            assert!(number_is_valid(text));
            serde_json::from_slice(text).unwrap()
        }
        Value::Nested(text) => serde_json::from_slice(text).unwrap(),
        Value::True => true.into(),
        Value::False => false.into(),
        Value::Null => serde_json::Value::Null,
    }
}

#[test]
fn chunks_after_a_fault_are_refused_until_finish() {
    let mut elements = Elements::new(64);
    for mut chunk in [&b"[x"[..], b"{}", b"]"] {
        assert_eq!(elements.next(&mut chunk), Err(Malformed));
    }
    assert_eq!(elements.finish(), Err(Malformed));
    // Nothing of one body is left when the next begins.
    for (body, count) in [("{}", 1), ("[1,2]", 2), ("{\"a\"", 0), ("[3,4]", 2)] {
        let (found, end) = split(&mut elements, body.as_bytes().chunks(2));
        assert_eq!((found.len(), end.is_ok()), (count, count > 0), "{body}");
    }
}

#[test]
fn whole_elements_are_borrowed_and_long_buffers_given_back() {
    let body = format!("[{{\"a\":\"{}\"}},1]", "x".repeat(100_000));
    let mut elements = Elements::new(256 * 1024);
    let mut input = body.as_bytes();
    let element = elements.next(&mut input).unwrap().unwrap();
    assert_eq!(element.raw.as_ptr(), body.as_bytes()[1..].as_ptr());
    assert_eq!(elements.assembly.capacity(), 0);
    elements.finish().unwrap_err();

    let (mut first, mut second) = body.as_bytes().split_at(50_000);
    assert_eq!(elements.next(&mut first), Ok(None));
    assert_eq!(elements.assembly.capacity(), 49_999);
    assert!(elements.next(&mut second).unwrap().is_some());
    assert!(elements.next(&mut second).unwrap().is_some());
    assert_eq!(elements.assembly.capacity(), 0);
}
