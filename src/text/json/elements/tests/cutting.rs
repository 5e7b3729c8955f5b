//! Elements longer than the capacity.

use super::*;
use crate::limits::CUT_RESERVE_BYTES;
use crate::text::json::text;

/// The members of an element, with the text of their values.
fn walk(raw: &[u8], cut: Option<&Cut>) -> (Vec<(String, String, bool)>, bool) {
    let mut walk = members(raw, cut);
    let found = walk
        .by_ref()
        .map(|member| {
            let text = String::from_utf8_lossy(text(&member.value)).into_owned();
            (
                String::from_utf8_lossy(member.key).into_owned(),
                text,
                member.complete,
            )
        })
        .collect();
    (found, walk.ended_well())
}

#[test]
fn an_element_as_long_as_the_capacity_is_whole() {
    let body = format!("[{{\"a\":\"{}\"}}]", "x".repeat(2040));
    let length = body.len() - 2;
    assert_eq!(
        any_chunking(body.as_bytes(), length).0,
        [(body.as_bytes()[1..=length].to_vec(), None)]
    );
    let (raw, cut) = any_chunking(body.as_bytes(), length - 1).0.remove(0);
    let limit = length - 1 - CUT_RESERVE_BYTES;
    assert_eq!(
        cut,
        Some(Cut {
            at: limit,
            original_bytes: 2042
        })
    );
    assert_eq!(
        raw,
        format!("{{\"a\":\"{}\"}}", "x".repeat(limit - 6)).as_bytes()
    );
    // A number has no last byte of its own; nothing is dropped of one that just fits.
    let number = format!("[{},2]", "1".repeat(2000));
    assert_eq!(
        texts(&any_chunking(number.as_bytes(), 2000)),
        ["1".repeat(2000).as_str(), "2"]
    );
}

#[test]
fn a_long_string_is_cut_between_characters_and_escapes() {
    const CAPACITY: usize = 1500;
    for unit in [
        "x",
        "é",
        "€",
        "😀",
        r"\n",
        r"\\",
        r#"\""#,
        r"\u00e9",
        r"\ud83d\ude00",
        r"\ud83d",
        r"\\n\ud83d\ude00é",
    ] {
        for shift in 0..13 {
            let text = format!("{}{}", "-".repeat(shift), unit.repeat(2500 / unit.len()));
            let body =
                format!(r#"[ {{"t":1, "record" : "{text}" , "type":"function"}} , {{"next":2}}]"#);
            let chunkings = [whole(body.as_bytes(), CAPACITY), {
                split(
                    &mut Elements::new(CAPACITY),
                    body.as_bytes().chunks(1 + shift),
                )
            }];
            assert_eq!(chunkings[0], chunkings[1]);
            let (found, end) = &chunkings[0];
            assert_eq!((found.len(), *end), (2, Ok(())));
            let (raw, cut) = &found[0];
            let cut = cut.as_ref().unwrap();
            assert_eq!(cut.original_bytes, text.len() + 2);
            assert_eq!(raw[cut.at], b'"');
            let limit = CAPACITY - CUT_RESERVE_BYTES;
            assert!(
                cut.at <= limit && cut.at + unit.len() > limit,
                "{unit} {shift}"
            );
            let (members, well) = walk(raw, Some(cut));
            assert!(well);
            let [time, record, kind] = &members[..] else {
                panic!("{members:?}")
            };
            assert_eq!(time, &("t".into(), "1".into(), true));
            assert_eq!(kind, &("type".into(), "function".into(), true));
            assert!(text.starts_with(&record.1) && !record.2);
            let units = record.1.trim_start_matches('-');
            assert!(
                unit.len() > 12 || units.len().is_multiple_of(unit.len()),
                "{unit} {shift}"
            );
            if unit != r"\ud83d" {
                serde_json::from_slice::<serde_json::Value>(raw).unwrap();
            }
            assert_eq!(found[1], (b"{\"next\":2}".to_vec(), None));
        }
    }
    let body = format!(
        r#"[{{"record":"{}","type":"function"}}]"#,
        r"\ud83d\ude00é€\n".repeat(120)
    );
    assert_eq!(any_chunking(body.as_bytes(), CAPACITY).1, Ok(()));
}

#[test]
fn a_long_nested_value_is_cut_and_the_members_after_it_are_found() {
    let inside = format!(
        r#"{{"level":"INFO","list":[{{"a":[1,"}}"]}}],"message":"{}"}}"#,
        r"text\u00e9\n".repeat(250)
    );
    let body = format!(r#"[{{"time":"now","record":{inside},"type":"function"}},2]"#);
    let (found, end) = any_chunking(body.as_bytes(), 1500);
    assert_eq!((found.len(), end), (2, Ok(())));
    let (raw, cut) = &found[0];
    let cut = cut.as_ref().unwrap();
    assert_eq!(cut.original_bytes, inside.len());
    let (outer, well) = walk(raw, Some(cut));
    assert!(well);
    assert_eq!(outer[0], ("time".into(), "now".into(), true));
    assert_eq!(outer[2], ("type".into(), "function".into(), true));
    let (key, record, complete) = &outer[1];
    assert_eq!((key.as_str(), *complete), ("record", false));
    assert!(inside.starts_with(record) && record.len() > 400);
    let (inner, well) = walk(record.as_bytes(), None);
    assert!(!well);
    assert_eq!(inner[0], ("level".into(), "INFO".into(), true));
    assert_eq!(inner[1], ("list".into(), r#"[{"a":[1,"}"]}]"#.into(), true));
    let (key, message, complete) = &inner[2];
    assert_eq!((key.as_str(), *complete), ("message", false));
    assert!(
        ["text", r"text\u00e9", r"\n"]
            .iter()
            .any(|end| message.ends_with(end) || message.ends_with("tex"))
    );
}

#[test]
fn a_value_that_ends_in_the_reserve_gives_way_to_those_after_it() {
    let tail = format!(r#""type":"function","more":"{}"}}"#, "y".repeat(700));
    for (value, closing) in [
        (format!("\"{}\"", "x".repeat(800)), "\""),
        (format!("[{}]", "1,".repeat(400)), ""),
    ] {
        let body = format!("[{{\"record\":{value},{tail}]");
        let (found, end) = any_chunking(body.as_bytes(), 1500);
        assert_eq!(end, Ok(()));
        let (raw, cut) = &found[0];
        assert_eq!(
            cut,
            &Some(Cut {
                at: 476,
                original_bytes: value.len()
            })
        );
        let expected = format!("{{\"record\":{}{closing},{tail}", &value[..476 - 10]);
        assert_eq!(str::from_utf8(raw), Ok(expected.as_str()));
        let (members, well) = walk(raw, cut.as_ref());
        assert!(well && members.len() == 3);
        assert_eq!(members[1], ("type".into(), "function".into(), true));
    }
}

#[test]
fn what_overflows_the_reserve_is_dropped_and_the_rest_stays_walkable() {
    let long = "y".repeat(2000);
    for (body, count, cut_kept) in [
        (
            format!(r#"[{{"a":"{long}","b":"{long}","c":1}},2]"#),
            2,
            true,
        ),
        (
            format!(r#"[{{"a":[{}],"{long}":1}},2]"#, "[],".repeat(700)),
            1,
            true,
        ),
        // Every member is small, and none can be cut so that it helps.
        (
            format!(r#"[{{{}"z":1}},2]"#, r#""key":12345,"#.repeat(300)),
            125,
            true,
        ),
        // No members.
        (format!("[\"{long}\",2]"), 0, false),
        (format!("[[{}],2]", "1,".repeat(1000)), 0, false),
        (format!(r#"[{{"{long}":1}},2]"#), 0, false),
        // A long number is cut like a nested value.
        (
            format!(r#"[{{"n":{},"b":1}},2]"#, "1".repeat(5000)),
            2,
            true,
        ),
    ] {
        let (found, end) = any_chunking(body.as_bytes(), 1500);
        assert_eq!((found.len(), end), (2, Ok(())), "{body}");
        let (raw, cut) = &found[0];
        assert!(raw.len() <= 1500);
        assert_eq!(cut.is_some(), cut_kept, "{body}");
        let (members, _) = walk(raw, cut.as_ref());
        assert_eq!(members.len(), count, "{body} {members:?}");
        assert_eq!(found[1].0, b"2");
    }
}

#[test]
fn every_capacity_holds() {
    let body = format!(
        r#"[{{"a":"é\n\ud83d\ude00","n":[1,{{"b":2}}],"c":{},"d":"{}"}},2]"#,
        "1".repeat(30),
        "z".repeat(1100)
    );
    for capacity in (0..130).chain(1020..1260) {
        let (found, end) = whole(body.as_bytes(), capacity);
        assert_eq!(found.len(), 2);
        assert_eq!(end, Ok(()));
        assert!(found[0].0.len() <= capacity);
        walk(&found[0].0, found[0].1.as_ref());
        for size in [1, 7, 64] {
            let chunked = split(&mut Elements::new(capacity), body.as_bytes().chunks(size));
            assert_eq!(chunked.0, found, "{capacity} {size}");
        }
    }
}
