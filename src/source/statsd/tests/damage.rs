//! Datagrams that were damaged on the way, or are none: every line is accounted for, and nothing panics.

use super::clients::datagrams;
use super::said;
use crate::random::Numbers;

fn all() -> Vec<Vec<u8>> {
    let clients = ["py-statsd", "py-datadog-unbuffered", "py-datadog-buffered"];
    clients.into_iter().flat_map(datagrams).collect()
}

/// Lines that are not empty: as long as none has several values, each is taken or counted.
fn lines(datagram: &[u8]) -> usize {
    let lines = datagram.split(|byte| *byte == b'\n');
    lines.filter(|line| !matches!(line, [] | [b'\r'])).count()
}

fn outcomes(datagram: &[u8]) -> usize {
    let (said, malformed) = said(datagram);
    said.len() + malformed as usize
}

#[test]
fn truncated_at_every_byte() {
    for datagram in all() {
        let (whole, _) = said(&datagram);
        for end in 0..=datagram.len() {
            let part = &datagram[..end];
            assert_eq!(outcomes(part), lines(part), "{}", part.escape_ascii());
            // All but the last line are as they were; the logs stand behind.
            let metrics = said(part).0;
            let metrics: Vec<_> = metrics
                .iter()
                .filter(|short| !short.starts_with("log "))
                .collect();
            let before = metrics.len().saturating_sub(1);
            assert!(
                metrics[..before]
                    .iter()
                    .zip(&whole)
                    .all(|(part, whole)| *part == whole)
            );
        }
    }
}

#[test]
fn any_byte_replaced() {
    for datagram in all() {
        for at in 0..datagram.len() {
            for byte in [b'|', b'#', b'\n', 0xff] {
                let mut damaged = datagram.clone();
                damaged[at] = byte;
                assert_eq!(
                    outcomes(&damaged),
                    lines(&damaged),
                    "{}",
                    damaged.escape_ascii()
                );
            }
        }
    }
}

/// Lines know nothing of each other: one by one they say the same.
#[test]
fn garbage() {
    let pieces: [&[u8]; 24] = [
        b"a:1",
        b"b:-2.5",
        b"users:x",
        b":3",
        b":",
        b"|",
        b"|c",
        b"|g",
        b"|ms",
        b"|s",
        b"|@0.5",
        b"|#b:c,d",
        b"|T9",
        b"|d:9",
        b"|m:x",
        b"|h:y",
        b",",
        b"\n",
        b"\n",
        b"\r\n",
        b"_e{1,2}:a|\\n",
        b"_sc|a|1",
        b"\xff\xfe",
        b"nan",
    ];
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut taken = 0;
    for _ in 0..20_000 {
        let count = numbers.below(20);
        let datagram: Vec<u8> = (0..count)
            .flat_map(|_| pieces[numbers.below(pieces.len())].to_vec())
            .collect();
        let (mut metrics, mut logs, mut malformed) = (Vec::new(), Vec::new(), 0);
        for line in datagram.split(|byte| *byte == b'\n') {
            let (said, count) = said(line);
            let (of_line, metrics_of_line): (Vec<_>, Vec<_>) = said
                .into_iter()
                .partition(|short| short.starts_with("log "));
            logs.extend(of_line);
            metrics.extend(metrics_of_line);
            malformed += count;
        }
        metrics.append(&mut logs);
        taken += metrics.len();
        assert_eq!(
            said(&datagram),
            (metrics, malformed),
            "{}",
            datagram.escape_ascii()
        );
    }
    assert!(taken > 1_000, "{taken}");
}
