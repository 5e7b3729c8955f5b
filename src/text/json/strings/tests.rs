use super::*;
use crate::text::json::random::Numbers;

#[test]
fn what_is_clean_is_found_and_nothing_else() {
    for (raw, clean) in [
        ("plain \\t \\u00e9 é \\ud83d\\ude00".as_bytes(), true),
        (b"", true),
        (b"a\\", false),
        (b"a\\x", false),
        (b"a\nb", false),
        (b"\xff", false),
        (b"\\ud83d", false),
    ] {
        let text = [raw, b"\" and more"].concat();
        assert_eq!(clean_string(&text), clean.then_some(raw));
        assert_eq!(clean_string(&text[..raw.len()]), None);
    }
}

#[test]
fn raw_strings_become_valid() {
    for (raw, expected) in [
        (&b""[..], ""),
        (b"plain", "plain"),
        (
            b"a longer plain text without anything",
            "a longer plain text without anything",
        ),
        (br#"\"\\\/\b\f\n\r\t\u00e9"#, r#"\"\\\/\b\f\n\r\t\u00e9"#),
        (br"\ud83d\ude00", r"\ud83d\ude00"),
        (br"\ud83d", r"\ufffd"),
        (br"\ude00 \uD83Dx", r"\ufffd \ufffdx"),
        (br"\ud83d\ud83d\ude00", r"\ufffd\ud83d\ude00"),
        (br"\ud83d\n", r"\ufffd\n"),
        (br"\x41", r"\\x41"),
        (br"\u12", r"\\u12"),
        (br"\u12g4", r"\\u12g4"),
        (br"\U0041\u+041", r"\\U0041\\u+041"),
        (b"12345678\\", r"12345678\\"),
        (b"a\"b", r#"a\"b"#),
        (
            b"\0\x01\x1f\x7f\n\r\t\\\n",
            "\\u0000\\u0001\\u001f\x7f\\n\\r\\t\\\\\\n",
        ),
        ("é€😀\u{7ff}".as_bytes(), "é€😀\u{7ff}"),
        (b"\xff\xfe", "\u{fffd}\u{fffd}"),
        (b"caf\xe9 and \xc3\xa9", "caf\u{fffd} and é"),
        (b"cut \xf0\x9f\x98", "cut \u{fffd}"),
        (
            b"\xe2\x82\\n\xed\xa0\x80",
            "\u{fffd}\\n\u{fffd}\u{fffd}\u{fffd}",
        ),
    ] {
        let mut out = b">".to_vec();
        assert!(!append_raw_string(&mut out, raw, usize::MAX));
        assert_eq!(str::from_utf8(&out[1..]), Ok(expected), "{raw:?}");
    }
}

type Append = fn(&mut Vec<u8>, &[u8], usize) -> bool;

#[test]
fn strings_keep_their_meaning_and_their_limit() {
    let pieces: [&[u8]; 21] = [
        b"a",
        b"plain text of some length",
        b"\\n",
        b"\\\"",
        b"\\\\",
        b"\\u00e9",
        b"\\ud83d\\ude00",
        b"\\ud83d",
        b"\\ude00",
        b"\\",
        b"\\u1",
        b"\"",
        b"\n",
        b"\x01",
        "é".as_bytes(),
        "€".as_bytes(),
        "😀".as_bytes(),
        b"\xff",
        b"\xe2\x82",
        b"\x80",
        b"u",
    ];
    let functions: [(Append, bool); 3] = [
        (append_raw_string, true),
        (append_escaped, true),
        (append_unescaped, false),
    ];
    let mut numbers = Numbers(42);
    for round in 0..3000 {
        let text = numbers.text(&pieces, 12);
        let mut decoded = Vec::new();
        for (append, is_json) in functions {
            let mut full = Vec::new();
            assert!(!append(&mut full, &text, usize::MAX), "{text:?}");
            let full = String::from_utf8(full).unwrap();
            decoded.push(if is_json {
                serde_json::from_str(&format!("\"{full}\"")).unwrap()
            } else {
                full.clone()
            });
            for limit in 0..=full.len() {
                let mut out = Vec::new();
                assert_eq!(
                    append(&mut out, &text, limit),
                    limit < full.len(),
                    "{text:?} {limit}"
                );
                assert!(out.len() <= limit && out.len() + 12 > limit);
                let out = String::from_utf8(out).unwrap();
                assert!(full.starts_with(&out));
                if is_json {
                    let kept: String = serde_json::from_str(&format!("\"{out}\"")).unwrap();
                    assert!(decoded.last().unwrap().starts_with(&kept));
                }
            }
        }
        let [raw, escaped, unescaped] = &decoded[..] else {
            panic!()
        };
        assert_eq!(raw, unescaped, "{text:?} {round}");
        assert_eq!(*escaped, String::from_utf8_lossy(&text), "{text:?}");
    }
}

#[test]
fn equal_keys_have_one_canonical_form() {
    for (raw, expected) in [
        ("plain.key", "plain.key"),
        (r"\u0070l\u0061in", "plain"),
        (r"a\/b", "a/b"),
        (r"\u0022\u005c\u000A\u0001", r#"\"\\\n\u0001"#),
        (r"\ud83d\ude00", "😀"),
        (r"\uD83D", "\u{fffd}"),
        (r"\x", r"\\x"),
        ("two words é", "two words é"),
        ("", ""),
    ] {
        let (mut room, mut again) = (b"old".to_vec(), Vec::new());
        let canonical = canonical(raw.as_bytes(), &mut room);
        assert_eq!(String::from_utf8_lossy(canonical), expected, "{raw}");
        // It is its own canonical form.
        assert_eq!(super::canonical(canonical, &mut again), canonical);
    }
    let mut out = Vec::new();
    let text = br#"{"\u0061":["b\/",{"c":"\"\u0064"}], "e":1, "cut\u00"#;
    append_canonical_strings(&mut out, text);
    let expected = r#"{"a":["b/",{"c":"\"d"}], "e":1, "cut\u00"#;
    assert_eq!(String::from_utf8_lossy(&out), expected);
}
