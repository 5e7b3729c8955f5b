//! Small crates that break one rule each, and such as only seem to.

use super::*;

/// A crate of these files. What stands in no `lib` of its own is made of one that has all of them.
fn tree(files: &[(&str, &str)]) -> Tree {
    let mut texts: std::collections::BTreeMap<_, _> = files
        .iter()
        .map(|(name, text)| (String::from(*name), String::from(*text)))
        .collect();
    if !texts.contains_key("lib") {
        let mut lib = String::new();
        for (name, _) in files {
            let (folder, file) = name.split_once('/').unwrap_or((name, ""));
            match file {
                "" | "mod" => lib += &format!("mod {folder};\n"),
                file => {
                    let text = texts.entry(format!("{folder}/mod")).or_insert_with(|| {
                        lib += &format!("mod {folder};\n");
                        String::new()
                    });
                    *text += &format!("mod {file};\n");
                }
            }
        }
        texts.insert("lib".into(), lib);
    }
    Tree::read(&texts)
}

/// One file in a folder.
fn file(text: &str) -> Tree {
    tree(&[("record/line", text)])
}

#[track_caller]
fn assert_found(found: &[String], expected: &[&str]) {
    assert_eq!(found, expected);
}

#[test]
fn the_world_is_seen_however_it_is_named() {
    for (text, found) in [
        ("use std::net::TcpStream;", "std::net::TcpStream"),
        ("use ::std::net::TcpStream;", "std::net::TcpStream"),
        ("use std::{fmt, net};", "std::net"),
        ("use std::{fmt, net as n};", "std::net"),
        (
            "use std::{collections::{BTreeMap}, fs::{self, File}};",
            "std::fs",
        ),
        ("use std::*;", "std::*"),
        ("use std as s;", "std"),
        ("extern crate std as s;", "extern"),
        (
            "fn f() -> std::io::Result<()> { Ok(()) }",
            "std::io::Result",
        ),
        (
            "fn f() { if true { std::process::abort() } }",
            "std::process::abort",
        ),
        ("fn f() { g!(h(std::thread::sleep)) }", "std::thread::sleep"),
        (
            "macro_rules! m { () => { std::env::args() } }",
            "std::env::args",
        ),
        ("use std::time::{Duration, Instant};", "std::time::Instant"),
        (
            "fn f() { now(std::time::SystemTime::UNIX_EPOCH) }",
            "std::time::SystemTime::UNIX_EPOCH",
        ),
        ("use std::os::fd::RawFd as R;", "std::os::fd::RawFd"),
        ("fn f() { println!(\"\") }", "println"),
        ("use ureq::http::Uri;", "ureq::http::Uri"),
        ("use crate::sys;", "crate::sys"),
        ("use crate::sys::{self, scan};", "crate::sys"),
        ("use crate::{limits, sys::clocks};", "crate::sys::clocks"),
        (
            "use super::super::sys::clocks;",
            "super::super::sys::clocks",
        ),
        (
            "mod inner { use super::super::super::sys::clocks; }",
            "super::super::super::sys::clocks",
        ),
        ("use crate::*;", "crate::*"),
        ("#[cfg(not(test))] use std::fs;", "std::fs"),
        ("#[cfg(any(test, unix))] use std::fs;", "std::fs"),
    ] {
        let offenders = impurities(&file(text), &[]);
        let seen = offenders
            .iter()
            .any(|offender| offender.split_once(' ').unwrap().1 == found);
        assert!(seen, "{text} {offenders:?}");
    }
}

#[test]
fn what_is_pure_may_be_named() {
    for text in [
        "use core::net::{IpAddr, SocketAddr};",
        "use std::{collections::BTreeMap, fmt::{self, Write}};",
        "use crate::sys::scan;",
        "use crate::sys::scan::{self, copy};",
        "use super::sys;",
        "/// As `std::net` has it.\nfn net() { let sys = \"std::net\"; f(sys) } // std::net",
        "fn f(print: bool) -> bool { print != true }",
        "use std::time::Duration;",
        "#[cfg(test)] use std::fs;",
        "#[cfg(all(unix, test))] mod tests { use std::net; }",
        "struct A { #[cfg(test)] at: std::time::Instant }",
        "fn f() { #[cfg(test)] let a = std::fs::read(b); }",
        "impl A { #[cfg(test)] fn f() { std::fs::read(b) } }",
    ] {
        assert_found(&impurities(&file(text), &[]), &[]);
    }
}

#[test]
fn nothing_hides_behind_tests() {
    let text = "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n\nuse std::net;\n";
    assert_found(
        &impurities(&file(text), &[]),
        &["src/record/line.rs:6 std::net"],
    );
    let text = "#[cfg(test)]\nfn f() {}\nfn g() { unsafe { h() } }";
    assert_found(
        &unsafe_places(&file(text), "sys"),
        &["src/record/line.rs:3 unsafe"],
    );
    // A module that is shipped, below one that is not, and the other way around.
    let found = tree(&[
        (
            "lib",
            "mod a;\n#[cfg(test)]\nmod b;\n#[cfg(test)]\nmod c { mod d; }",
        ),
        ("a", "mod e;\n#[cfg(test)]\nmod tests;"),
        ("a/e", "use std::fs;"),
        ("a/tests", "mod f;\nuse std::fs;"),
        ("a/tests/f", "use std::fs;"),
        ("b", "use std::fs;"),
        ("c/d", "use std::fs;"),
    ]);
    assert_found(&found.lost, &[]);
    assert_found(&impurities(&found, &[]), &["src/a/e.rs:1 std::fs"]);
}

#[test]
fn every_file_is_of_a_module() {
    let found = tree(&[
        ("lib", "mod a;\nmod b;\n#[path = \"c.rs\"]\nmod d;"),
        ("a", ""),
        ("a/e", ""),
    ]);
    let expected = [
        "src/lib.rs: where is b?",
        "src/lib.rs: where is d?",
        "src/a/e.rs is of no module",
    ];
    assert_found(&found.lost, &expected);
}

#[test]
fn a_list_of_what_touches_the_world_is_kept() {
    let files = [("queue/a", "use std::fs;"), ("queue/b", "fn f() {}")];
    assert_found(&impurities(&tree(&files), &["queue"]), &[]);
    let found = impurities(&tree(&files), &["queue/a", "queue/b", "sys"]);
    assert_found(
        &found,
        &["queue/b is pure, or gone", "sys is pure, or gone"],
    );
    // Nobody else names anything of them but what is only a value.
    let files = [
        ("queue/a", "use std::fs;"),
        (
            "record/a",
            "use crate::queue::a::{BYTES_MAX, b};\nuse crate::queue::ab;",
        ),
        ("record/b", "fn f() { crate::queue::a::c() }"),
    ];
    let found = impurities(&tree(&files), &["queue/a"]);
    let expected = [
        "src/record/a.rs:1 crate::queue::a::b",
        "src/record/b.rs:1 crate::queue::a::c",
    ];
    assert_found(&found, &expected);
    // Not what only begins so.
    let found = impurities(&tree(&[("queue/ab", "use std::fs;")]), &["queue/a"]);
    assert_found(
        &found,
        &["src/queue/ab.rs:1 std::fs", "queue/a is pure, or gone"],
    );
}

#[test]
fn unsafe_in_every_form() {
    for text in [
        "fn f() { unsafe { g() } }",
        "unsafe fn f() {}",
        "unsafe impl Sync for A {}",
        "unsafe trait A {}",
        "unsafe extern \"C\" { fn f(); }",
        "#[unsafe(no_mangle)] fn f() {}",
        "static A: unsafe fn() = f;",
        "fn f() { m!(a, { unsafe { g() } }) }",
    ] {
        assert_found(
            &unsafe_places(&file(text), "sys"),
            &["src/record/line.rs:1 unsafe"],
        );
        assert_found(&unsafe_places(&tree(&[("sys/poll", text)]), "sys"), &[]);
    }
    assert_found(
        &unsafe_places(&file("/// unsafe\nfn f() { g(\"unsafe\") }"), "sys"),
        &[],
    );
}

#[test]
fn imports_run_down() {
    let ranks: &[&[&str]] = &[&["main"], &["source"], &["metric", "record"], &["text"]];
    for (name, text, found) in [
        ("record/a", "use crate::text::json;", None),
        (
            "record/a",
            "use crate::record::b; use super::c; use std::source;",
            None,
        ),
        ("record/a", "#[cfg(test)] use crate::source::b;", None),
        ("record/a", "fn f(source: u8) { source.text() }", None),
        (
            "record/a",
            "use crate::source::b;",
            Some("crate::source::b"),
        ),
        (
            "record/a",
            "use crate::{text::b, source};",
            Some("crate::source"),
        ),
        (
            "record/a",
            "use super::super::source::b;",
            Some("super::super::source::b"),
        ),
        (
            "record/a",
            "fn f() { crate::source::b() }",
            Some("crate::source::b"),
        ),
        (
            "record/a",
            "fn f() { g!(crate::source::b()) }",
            Some("crate::source::b"),
        ),
        (
            "record/a",
            "/// [`b`]\nfn f(a: crate::metric::A) {}",
            Some("crate::metric::A"),
        ),
        (
            "record/mod",
            "pub use crate::source::b;",
            Some("crate::source::b"),
        ),
        ("text/a", "use crate::record::b;", Some("crate::record::b")),
    ] {
        let rest = ["source/z", "metric/z", "record/z", "text/z"].map(|name| (name, ""));
        let main = [("main", "use kinglet::source;"), (name, text)];
        let offenders = climbs(&tree(&[&rest[..], &main].concat()), ranks);
        let offenders: Vec<_> = offenders
            .iter()
            .filter_map(|place| place.split_once(' '))
            .collect();
        let offenders: Vec<_> = offenders.iter().map(|(_, what)| *what).collect();
        assert_eq!(
            offenders,
            found.into_iter().collect::<Vec<_>>(),
            "{name} {text}"
        );
    }
    let found = climbs(&tree(&[("span/a", "")]), &[&["text"]]);
    assert_found(
        &found,
        &["span has no rank", "span has no rank", "text is gone"],
    );
}

#[test]
fn files_are_short_without_their_tests() {
    let lines = |count: usize| "// a\n".repeat(count);
    let tests = format!(
        "\n/// Of it.\n#[cfg(test)]\nmod tests {{\n{}}}\n",
        lines(20)
    );
    for (text, lines) in [
        (lines(10), None),
        (lines(11), Some(11)),
        (lines(9) + &tests, None),
        (lines(9) + &tests + "fn f() {}\n", Some(11)),
    ] {
        let offenders = long_files(&file(&text), 10);
        let expected = lines.map(|lines| format!("src/record/line.rs: {lines} lines"));
        assert_eq!(
            offenders,
            expected.into_iter().collect::<Vec<_>>(),
            "{text}"
        );
    }
}

#[test]
fn functions_are_short() {
    let body = |lines: usize| "    a();\n".repeat(lines);
    for (text, name) in [
        (format!("fn f() {{\n{}}}", body(3)), None),
        (format!("fn f() {{\n{}}}", body(4)), Some("f")),
        (format!("fn f(\n    a: u8,\n) {{\n{}}}", body(2)), Some("f")),
        (
            format!("impl A {{\npub(super) const fn g()\n{{\n{}}}\n}}", body(3)),
            Some("g"),
        ),
        (
            format!("trait A {{ fn h();\nfn i() {{\n{}}} }}", body(4)),
            Some("i"),
        ),
        (format!("fn f() {{ fn g() {{\n{}}} }}", body(3)), None),
        (format!("#[cfg(test)]\nfn f() {{\n{}}}", body(9)), None),
        (
            format!("#[cfg(test)]\nmod tests {{ fn f() {{\n{}}} }}", body(9)),
            None,
        ),
    ] {
        let found = long_functions(&file(&text), 5);
        let names: Vec<_> = found
            .iter()
            .map(|place| place.split([' ', ':']).nth(3).unwrap())
            .collect();
        assert_eq!(names, name.into_iter().collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn bounds_are_kept_to() {
    let limits = "pub const A: u8 = 1;\npub const B: u8 = A;\npub const C: u8 = 2;\npub const D: u8 = C;\n/// Not `A`.\npub const fn e() -> u8 { D }\n#[cfg(test)]\nconst F: u8 = A;\nconst _: () = assert!(A < B);";
    for (text, unused) in [
        ("use crate::limits::{B, e};", &[][..]),
        ("fn f() { m!(crate::limits::e()) }", &["A", "B"]),
        ("use crate::limits::A;", &["B", "C", "D", "e"]),
        (
            "#[cfg(test)] use crate::limits::A;",
            &["A", "B", "C", "D", "e"],
        ),
    ] {
        let found = unused_bounds(&tree(&[("limits", limits), ("record/a", text)]), "limits");
        assert_eq!(found, unused, "{text}");
    }
}

#[test]
fn dependencies_stand_in_one_place() {
    let manifest = "[package]\nname = \"a\"\n[dependencies]\nc = \"1\"\nb = { version = \"1\" }\n[dev-dependencies]\nd = \"1\"";
    assert_eq!(dependencies(manifest), Ok(vec!["b".into(), "c".into()]));
    for hidden in [
        "[build-dependencies]",
        "[dependencies.e]",
        "[target.'cfg(unix)'.dependencies]",
    ] {
        let manifest = format!("{manifest}\n{hidden}\n");
        assert_eq!(dependencies(&manifest), Err(hidden.into()));
    }
}

#[test]
fn what_is_undone_is_seen() {
    let text = ["a\n// TO", "DO: b\n#[ig", "nore = \"c\"]\nx FIX", "ME"].concat();
    assert_eq!(left_undone(&text).len(), 3);
    assert_found(&left_undone("to do"), &[]);
}
