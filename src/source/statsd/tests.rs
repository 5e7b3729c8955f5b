use super::*;
use crate::limits::DATAGRAM_BYTES_MAX;

mod clients;
mod damage;
mod logs;

/// A measurement in short: `name kind value [unit] {tag=value …} [@seconds]`.
fn short(measurement: &Measurement<'_, '_>) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let tags: Vec<_> = measurement
        .attributes
        .iter()
        .map(|(key, value)| format!("{}={}", text(key), text(value)))
        .collect();
    assert!(!measurement.is_escaped);
    let change = match measurement.change {
        Change::Add {
            value,
            is_monotonic: false,
        } => format!("add {value}"),
        Change::Set(value) => format!("set {value}"),
        Change::Adjust(value) => format!("adjust {value}"),
        Change::Observe {
            value,
            times,
            bounds: Bounds::Default,
        } => format!("observe {value}x{times}"),
        Change::Member(member) => format!("member {}", text(member)),
        other => panic!("{other:?}"),
    };
    let mut short = format!("{} {change}", text(measurement.name));
    if !measurement.unit.is_empty() {
        short += &format!(" {}", text(measurement.unit));
    }
    if !tags.is_empty() {
        short += &format!(" {{{}}}", tags.join(" "));
    }
    if measurement.time_unix_nano > 0 {
        short += &format!(" @{}", measurement.time_unix_nano as f64 / 1e9);
    }
    short
}

/// What a datagram says: its measurements in short, its logs as `log title`, and how much of it was malformed.
fn said(datagram: &[u8]) -> (Vec<String>, u64) {
    let mut measurements = Vec::new();
    let mut logs = Vec::new();
    let malformed = read(
        &[datagram],
        &mut |measurement| {
            measurements.push(short(measurement));
            // As the table does.
            measurement.attributes.sort_by_key(|(key, _)| *key);
        },
        &mut |log| logs.push(format!("log {}", String::from_utf8_lossy(log.title))),
    );
    measurements.extend(logs);
    (measurements, malformed)
}

#[track_caller]
fn assert_says(datagram: impl AsRef<[u8]>, expected: &[&str]) {
    let (said, malformed) = said(datagram.as_ref());
    assert_eq!(
        (said.as_slice(), malformed),
        (owned(expected).as_slice(), 0)
    );
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[test]
fn types() {
    for (line, expected) in [
        ("a:1|c", "a add 1"),
        ("a:-2.5|c", "a add -2.5"),
        ("a:3|m", "a add 3"),
        ("a:70|g", "a set 70"),
        ("a:1e3|g", "a set 1000"),
        ("a:320.5|ms", "a observe 320.5x1 ms"),
        ("a:7|h", "a observe 7x1"),
        ("a:-7|d", "a observe -7x1"),
        ("a:u-1|s", "a member u-1"),
    ] {
        assert_says(line, &[expected]);
    }
}

#[test]
fn rates() {
    for (line, expected) in [
        ("a:1|c|@0.1", "a add 10"),
        ("a:3|c|@1", "a add 3"),
        ("a:3|c|@1.0|T60", "a add 3 @60"),
        ("a:3|c|@0.5|T60", "a add 6 @60"),
        ("a:3|c|@1e-9", "a add 3000000000"),
        ("a:2|ms|@0.25", "a observe 2x4 ms"),
        ("a:2|h|@0.3", "a observe 2x3"),
        ("a:2|d|@0.4", "a observe 2x3"),
        ("a:2|d|@0.9", "a observe 2x1"),
        ("a:2|d|@0.6", "a observe 2x2"),
        ("a:2|g|@0.1", "a set 2"),
        ("a:2|s|@0.1", "a member 2"),
    ] {
        assert_says(line, &[expected]);
    }
}

#[test]
fn gauges_move_by_statsds_rule_and_not_by_dogstatsds() {
    for (line, expected) in [
        ("a:+3|g", "a adjust 3"),
        ("a:-3|g", "a adjust -3"),
        ("a:-3|g|@0.5", "a adjust -3"),
        ("a:-3|g|something new", "a adjust -3"),
        ("a:-3|g|#b:c", "a set -3 {b=c}"),
        ("a:-3|g|#", "a set -3"),
        ("a:-3|g|T9", "a set -3 @9"),
        ("a:-3|g|c:ci-83c0a99c", "a set -3"),
        ("a:-3|g|e:it-false", "a set -3"),
        ("a:-3|g|card:low", "a set -3"),
        ("a:+3|g|#b:c", "a adjust 3 {b=c}"),
    ] {
        assert_says(line, &[expected]);
    }
}

#[test]
fn several_values() {
    assert_says("a:1:2:3|c|@0.5", &["a add 2", "a add 4", "a add 6"]);
    let observed = ["a observe 1x1 ms {b=c d=e}", "a observe 2.5x1 ms {b=c d=e}"];
    assert_says("a:1:2.5|ms|#b:c,d:e", &observed);
    assert_says("a:1:-2:+3|g", &["a set 1", "a adjust -2", "a adjust 3"]);
    // But a member is one.
    assert_says("users:a:b|s", &["users member a:b"]);
}

#[test]
fn tags() {
    for (list, expected) in [
        ("b:c", "{b=c}"),
        ("b:c:d", "{b=c:d}"),
        ("b", "{b=}"),
        ("b:", "{b=}"),
        ("b,c:d,", "{b= c=d}"),
        (",,b: c ", "{b= c }"),
        (":d,b:c,:", "{b=c}"),
        ("b:1,c:2,b:3", "{b=1 c=2 b=3}"),
        ("b:1|#c:2,b:3", "{b=1 c=2 b=3}"),
        ("ünï:cödé", "{ünï=cödé}"),
        ("a b\tc:\"\\\u{1}", "{a b\tc=\"\\\u{1}}"),
    ] {
        assert_says(format!("a:1|c|#{list}"), &[&format!("a add 1 {expected}")]);
    }
    for nothing in ["", ",", ":", ",:x,"] {
        assert_says(format!("a:1|c|#{nothing}"), &["a add 1"]);
    }
}

#[test]
fn tags_that_are_too_many_are_left_out() {
    let list = |count: usize| {
        let tags: Vec<_> = (0..count).map(|tag| format!("k{tag}:v")).collect();
        tags.join(",")
    };
    let most = list(METRIC_ATTRIBUTES_MAX);
    let expected = format!("a add 1 {{{}}}", most.replace(',', " ").replace(':', "="));
    for count in [METRIC_ATTRIBUTES_MAX, METRIC_ATTRIBUTES_MAX + 1, 1000] {
        assert_says(format!("a:1|c|#{}", list(count)), &[&expected]);
    }
}

#[test]
fn parts_stand_in_any_order() {
    let parts = [
        "@0.5",
        "#b:c,d",
        "T1656581400",
        "c:ci-1",
        "e:x",
        "card:none",
        "new=1",
        "",
    ];
    let mut order = parts.to_vec();
    for turn in 0..parts.len() * parts.len() {
        order.swap(turn % parts.len(), turn * 7 % parts.len());
        let line = format!("a:1|c|{}", order.join("|"));
        assert_says(line, &["a add 2 {b=c d=} @1656581400"]);
    }
    // Only counts and gauges have a time.
    assert_says(
        "a:1|ms|T9\na:1|s|T9\na:1|g|T9",
        &["a observe 1x1 ms", "a member 1", "a set 1 @9"],
    );
}

#[test]
fn lines() {
    for nothing in ["", "\n", "\n\n\n", "\r\n"] {
        assert_says(nothing, &[]);
    }
    let both = ["a add 1", "b set 2"];
    for datagram in [
        "a:1|c\nb:2|g",
        "a:1|c\nb:2|g\n",
        "\na:1|c\n\nb:2|g\n\n",
        "a:1|c\r\nb:2|g\r\n",
    ] {
        assert_says(datagram, &both);
    }
    // What is before and behind a malformed line is taken, and tags stay in theirs.
    let (measurements, malformed) = said(b"a:1|c|#b:c\nwhat\nb:2|g\n:\n");
    assert_eq!(
        (measurements, malformed),
        (owned(&["a add 1 {b=c}", "b set 2"]), 2)
    );
}

#[test]
fn malformed_lines() {
    let long = "9".repeat(DATAGRAM_BYTES_MAX);
    let lines = [
        "a",
        "a:",
        "a:1",
        "a:1|",
        "a:1||",
        "a:|c",
        "|",
        ":",
        "a|c",
        "a|1:c",
        ":1|c",
        "a|b:1|c",
        "a:1|x",
        "a:1|C",
        "a:1|msx",
        "a:1|m s",
        "a:|s",
        "a: 1|c",
        "a:1 |c",
        "a:1,5|c",
        "a:0x10|c",
        "a:+|g",
        "a:-|g",
        "a:+-5|g",
        "a:++5|g",
        "a:--5|g",
        "a:one|c",
        "a:True|c",
        "a:1e|c",
        "a:.|c",
        "a:NaN|c",
        "a:nan|g",
        "a:inf|c",
        "a:-inf|g",
        "a:Infinity|h",
        "a:1e400|c",
        "a:-1e400|g",
        "a:1e308|c|@0.01",
        "a:1|c|@",
        "a:1|c|@0",
        "a:1|c|@0.0",
        "a:1|c|@-0.5",
        "a:1|c|@1.1",
        "a:1|c|@2",
        "a:1|c|@1e300",
        "a:1|c|@1e400",
        "a:1|c|@nan",
        "a:1|c|@0,5",
        "a:1|ms|@1e-10",
        "a:1|g|@0",
        "a:1|c|T",
        "a:1|c|T0",
        "a:1|c|T-5",
        "a:1|c|T1.5",
        "a:1|c|Tx",
        "a:1|c|T18446744074",
        "\u{0}",
        "_e{",
        "_sc|",
    ];
    let long_ones = [
        long.clone(),
        format!("a:{long}|c"),
        format!("a:1|{long}"),
        format!("a:1|c|@{long}"),
        format!("a:1|c|T{long}"),
    ];
    for line in lines.into_iter().map(String::from).chain(long_ones) {
        let start = &line[..line.len().min(60)];
        assert_eq!(said(line.as_bytes()), (vec![], 1), "{start}");
        let (others, malformed) = said(format!("b:1|c\n{line}\nc:2|g").as_bytes());
        assert_eq!(
            (others, malformed),
            (owned(&["b add 1", "c set 2"]), 1),
            "{start}"
        );
    }
}

#[test]
fn malformed_values_in_a_list() {
    for (line, expected, malformed) in [
        ("a:1:x:3|c", vec!["a add 1", "a add 3"], 1),
        ("a:::|c", vec![], 3),
        ("a:1:|c", vec!["a add 1"], 1),
        ("a::nan:1e400|c", vec![], 3),
    ] {
        assert_eq!(
            said(line.as_bytes()),
            (owned(&expected), malformed),
            "{line}"
        );
    }
}

#[test]
fn a_value_may_be_long() {
    let zeros = "0".repeat(DATAGRAM_BYTES_MAX - 10);
    assert_says(format!("a:{zeros}7|c"), &["a add 7"]);
    assert_says(format!("a:7.{zeros}|g"), &["a set 7"]);
    assert_says(format!("a:{zeros}|s"), &[&format!("a member {zeros}")]);
}

/// They cost nothing here; the table refuses them.
#[test]
fn names_and_tags_may_be_long() {
    let long = "n".repeat(DATAGRAM_BYTES_MAX);
    assert_says(format!("{long}:1|c"), &[&format!("{long} add 1")]);
    let says = format!("a add 1 {{{long}={long}}}");
    assert_says(format!("a:1|c|#{long}:{long}"), &[&says]);
}

#[test]
fn a_name_of_ours_is_told_apart() {
    for (name, told) in [
        ("faas.invocations", "function.faas.invocations"),
        ("FAAS.x", "function.FAAS.x"),
        ("aws.lambda.x", "function.aws.lambda.x"),
        ("kinglet.", "function.kinglet."),
        ("aws.sqs.x", "aws.sqs.x"),
        ("faas", "faas"),
        ("kingletx", "kingletx"),
        ("function.faas.x", "function.faas.x"),
    ] {
        assert_says(
            format!("{name}:1:2|c"),
            &[&format!("{told} add 1"), &format!("{told} add 2")],
        );
    }
}

#[test]
fn names_are_anybodys_bytes() {
    let mut name = Vec::new();
    let malformed = read(
        &[b"\xff \x00/\"#@,\xc3:1|c|#\xfe:\x80"],
        &mut |measurement| {
            name = measurement.name.to_vec();
            assert_eq!(
                measurement.attributes,
                [(b"\xfe".as_slice(), b"\x80".as_slice())]
            );
        },
        &mut |log| panic!("{log:?}"),
    );
    assert_eq!(
        (name.as_slice(), malformed),
        (b"\xff \x00/\"#@,\xc3".as_slice(), 0)
    );
    assert_says(
        "_e:1|c\n_scale:2|c\n_s:3|c",
        &["_e add 1", "_scale add 2", "_s add 3"],
    );
}
