//! Whatever comes in, what is appended is valid string content, within its limit, and means the same both ways.
#![no_main]
use kinglet::text::json::{append_escaped, append_raw_string, append_unescaped};

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| {
    let (limit, text) = input;
    for limit in [usize::from(limit), usize::MAX] {
        let [raw, escaped] = [append_raw_string, append_escaped].map(|append| {
            let mut out = b"\"".to_vec();
            append(&mut out, text, limit);
            assert!(out.len() - 1 <= limit);
            out.push(b'"');
            serde_json::from_slice::<String>(&out).unwrap().into_bytes()
        });
        let mut unescaped = Vec::new();
        append_unescaped(&mut unescaped, text, limit);
        assert!(unescaped.len() <= limit && str::from_utf8(&unescaped).is_ok());
        // Escapes are never shorter than what they stand for.
        assert!(
            unescaped.starts_with(&raw)
                && String::from_utf8_lossy(text)
                    .as_bytes()
                    .starts_with(&escaped)
        );
        if limit == usize::MAX {
            assert_eq!(
                (unescaped, escaped),
                (raw, String::from_utf8_lossy(text).as_bytes().to_vec())
            );
        }
    }
});
