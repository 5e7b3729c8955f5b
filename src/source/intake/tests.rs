//! The decoder on the streams that sandboxes send, and on such as they do not, in any chunking.

use super::*;
use crate::fixtures::{self, RECORD_BYTES_MAX, chunked_request, request};
use crate::format::otlp::Otlp;
use crate::http::server::Wish;
use crate::limits::HEAD_BYTES_MAX;
use crate::queue::route::{ROUTES, RouteId};
use crate::source::telemetry::Decoder;

const NOW: Wall = Wall(1_795_252_500_200);

/// All that a stream of bytes has led to.
#[derive(PartialEq, Debug)]
struct Outcome {
    /// But those for more bytes.
    wishes: Vec<Wish>,
    records: Vec<(u64, Vec<u8>)>,
    ledger: Ledger,
    observed: String,
}

/// One connection, read to its end in these pieces, as `reactor::listener` does it.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut intake = fixtures::intake(false);
    let mut decoder = Decoder::new(RECORD_BYTES_MAX);
    let wishes = fixtures::connection(pieces, |piece| decoder.feed(piece, &mut intake, NOW));
    decoder.give_up(&mut intake);
    assert!(!decoder.is_in_request());
    let records: Vec<_> = intake
        .ring
        .frames(LOGS)
        .map(|frame| (frame.sequence, frame.payload.to_vec()))
        .collect();
    intake.settle_accounts();
    assert_eq!(resident(&intake), [records.len() as u64, 0]);
    assert!(intake.ledger.is_balanced(&intake.ring));
    Outcome {
        wishes,
        records,
        ledger: intake.ledger,
        observed: format!("{:?}", intake.take_observed()),
    }
}

/// The bytes in one piece, split at every position, and in pieces of one to nine bytes.
fn any_chunking(bytes: &[u8]) -> Outcome {
    let expected = read([bytes].into_iter());
    for at in 0..=bytes.len() {
        let (first, second) = bytes.split_at(at);
        assert_eq!(read([first, second].into_iter()), expected, "split at {at}");
    }
    for size in 1..10 {
        assert_eq!(read(bytes.chunks(size)), expected, "pieces of {size}");
    }
    expected
}

const ANSWER: Wish = Wish::Answer { keep_alive: true };
const LAST_ANSWER: Wish = Wish::Answer { keep_alive: false };

#[test]
fn what_sandboxes_send() {
    for run in fixtures::runs() {
        let is_event = |bytes: &&[u8]| *bytes == b"{\"time\":";
        let batches = run.batches.iter();
        let events: usize = batches
            .map(|batch| batch.windows(8).filter(is_event).count())
            .sum();
        assert!(events > 10);
        let stream = |frame: fn(usize, &[u8]) -> Vec<u8>| -> Vec<u8> {
            let batches = run.batches.iter().enumerate();
            batches.flat_map(|(n, batch)| frame(n, batch)).collect()
        };
        let sized = read([&stream(|_, batch| request(batch))[..]].into_iter());
        let mixed = stream(|n, batch| {
            if n.is_multiple_of(2) {
                chunked_request(batch, 100)
            } else {
                request(batch)
            }
        });
        assert_eq!(any_chunking(&mixed), sized, "{}", run.name);
        let (ledger, records) = (sized.ledger, sized.records.len() as u64);
        assert_eq!(sized.wishes, vec![ANSWER; run.batches.len()]);
        assert_eq!(
            (ledger.received, ledger.requests_broken),
            (events as u64, 0)
        );
        assert_eq!(records + ledger.malformed + ledger.filtered, events as u64);
    }
}

const EVENT: &str =
    r#"{"time":"2026-11-21T09:15:00.101Z","type":"function","record":"a line, \"quoted\" 😀"}"#;

#[test]
fn interim_answers_are_wished_for_before_the_body() {
    let body = format!("[{EVENT},{EVENT}]");
    let expecting = |more: &str| {
        let framed = String::from_utf8(request(body.as_bytes())).unwrap();
        framed.replacen("Host:", &format!("Expect: 100-continue\r\n{more}Host:"), 1)
    };
    let stream = format!(
        "{}{}GET / HTTP/1.1\r\n\r\n{}",
        expecting(""),
        expecting(""),
        expecting("Connection: close\r\n")
    );
    let outcome = any_chunking(stream.as_bytes());
    assert_eq!(
        outcome.wishes,
        [
            Wish::Continue,
            ANSWER,
            Wish::Continue,
            ANSWER,
            ANSWER,
            Wish::Continue,
            LAST_ANSWER
        ]
    );
    assert_eq!((outcome.ledger.received, outcome.records.len()), (6, 6));
    // What is not asked for is not sent.
    let head = expecting("").replace(&body, "");
    assert_eq!(any_chunking(head.as_bytes()).wishes, [Wish::Continue]);
}

/// Requests and what they come to: events received, malformed, records, broken requests, wishes.
#[test]
fn good_and_bad_requests_are_counted() {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let good = text(request(format!("[{EVENT}]").as_bytes()));
    let get = "GET / HTTP/1.1\r\n\r\n";
    for (stream, counts, wishes) in [
        (String::new(), [0, 0, 0, 0], vec![]),
        (good.clone(), [1, 0, 1, 0], vec![ANSWER]),
        (good.repeat(3), [3, 0, 3, 0], vec![ANSWER; 3]),
        // Without a body there is no batch, and none is missed.
        (get.into(), [0, 0, 0, 0], vec![ANSWER]),
        (format!("{get}{good}{get}"), [1, 0, 1, 0], vec![ANSWER; 3]),
        (
            "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n".into(),
            [0, 0, 0, 0],
            vec![ANSWER],
        ),
        (text(chunked_request(b"", 1)), [0, 0, 0, 0], vec![ANSWER]),
        (
            "POST / HTTP/1.0\r\n\r\n".into(),
            [0, 0, 0, 0],
            vec![LAST_ANSWER],
        ),
        (text(request(b"[]")), [0, 0, 0, 0], vec![ANSWER]),
        (text(request(EVENT.as_bytes())), [1, 0, 1, 0], vec![ANSWER]),
        // Bodies that are no arrays of events: answered like all others, and the next request is good again.
        (text(request(b"x")) + &good, [2, 1, 1, 0], vec![ANSWER; 2]),
        (text(request(b" ")) + &good, [2, 1, 1, 0], vec![ANSWER; 2]),
        (
            text(request(b"[1,2]")) + &good,
            [3, 2, 1, 0],
            vec![ANSWER; 2],
        ),
        (text(request(b"[")) + &good, [2, 1, 1, 0], vec![ANSWER; 2]),
        (
            text(request(format!("[{EVENT},{EVENT}").as_bytes())) + &good,
            [4, 1, 3, 0],
            vec![ANSWER; 2],
        ),
        (
            text(request(format!("[{EVENT},}},{EVENT},]").as_bytes())) + &good,
            [3, 1, 2, 0],
            vec![ANSWER; 2],
        ),
        (
            text(request(format!("[{EVENT}][{EVENT}]").as_bytes())) + &good,
            [3, 1, 2, 0],
            vec![ANSWER; 2],
        ),
        // Framing that is broken: what came whole is kept.
        (
            format!(
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n[{EVENT},\r\nzz\r\n{good}",
                EVENT.len() + 2
            ),
            [2, 1, 1, 1],
            vec![LAST_ANSWER],
        ),
        // The connection ends in a request.
        (
            format!("POST / HTTP/1.1\r\nContent-Length: 999\r\n\r\n[{EVENT},{{\"ti"),
            [2, 1, 1, 1],
            vec![],
        ),
        (
            "POST / HTTP/1.1\r\nContent-Length: 999\r\n\r\n".into(),
            [0, 0, 0, 1],
            vec![],
        ),
        ("POST / HTTP/1.1\r\nContent-Le".into(), [0, 0, 0, 1], vec![]),
        // Not HTTP.
        (
            format!("\u{16}\u{3}\u{1}{good}"),
            [0, 0, 0, 1],
            vec![Wish::Close],
        ),
        (
            format!("{good}POST / HTTP/2.0\r\n\r\n{good}"),
            [1, 0, 1, 1],
            vec![ANSWER, Wish::Close],
        ),
        (
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".into(),
            [0, 0, 0, 1],
            vec![Wish::Close],
        ),
    ] {
        let outcome = any_chunking(stream.as_bytes());
        let ledger = outcome.ledger;
        let found = [
            ledger.received,
            ledger.malformed,
            outcome.records.len() as u64,
            ledger.requests_broken,
        ];
        assert_eq!((found, outcome.wishes), (counts, wishes), "{stream}");
    }
}

/// Heads of one length are taken or refused in any chunking, and no more of them is kept.
#[test]
fn heads_are_bounded() {
    let head = |bytes: usize| {
        let start = "GET / HTTP/1.1\r\nX: ";
        format!("{start}{}\r\n\r\n", "x".repeat(bytes - start.len() - 4))
    };
    for (bytes, wish) in [
        (HEAD_BYTES_MAX, ANSWER),
        (HEAD_BYTES_MAX + 1, Wish::Close),
        (3 * HEAD_BYTES_MAX, Wish::Close),
    ] {
        let stream = head(bytes);
        assert_eq!(stream.len(), bytes);
        for size in [
            1,
            1000,
            HEAD_BYTES_MAX - 1,
            HEAD_BYTES_MAX,
            HEAD_BYTES_MAX + 1,
            bytes,
        ] {
            let outcome = read(stream.as_bytes().chunks(size));
            assert_eq!(outcome.wishes, [wish], "{bytes} {size}");
            assert_eq!(
                outcome.ledger.requests_broken,
                u64::from(wish == Wish::Close)
            );
        }
    }
    // A long body behind a head in two pieces is no part of it.
    let body = format!("[{}]", vec![EVENT; 500].join(","));
    let stream = request(body.as_bytes());
    let (first, second) = stream.split_at(10);
    let outcome = read([first, second].into_iter());
    assert_eq!((outcome.wishes, outcome.records.len()), (vec![ANSWER], 500));
}

/// An event longer than a record may be arrives cut, in any chunking, and is counted as such.
#[test]
fn long_events_are_cut_alike() {
    let event = format!(
        r#"{{"time":"2026-11-21T09:15:00.101Z","type":"function","record":"{}"}}"#,
        r"text\n".repeat(RECORD_BYTES_MAX / 4)
    );
    let stream = request(format!("[{event},{EVENT}]").as_bytes());
    let expected = read([&stream[..]].into_iter());
    assert_eq!((expected.records.len(), expected.ledger.cut), (2, 1));
    assert!(expected.records[0].1.len() <= RECORD_BYTES_MAX);
    for size in [1, 7, 4096, 65_536] {
        assert_eq!(read(stream.chunks(size)), expected, "pieces of {size}");
    }
}

fn timer(name: &str) -> Vec<u8> {
    format!("{name}:1|ms|#route:/a/route").into_bytes()
}

fn resident(intake: &Intake) -> [u64; ROUTES] {
    [LOGS, METRICS].map(|route| intake.ring.resident(route))
}

/// All frames of a route are sent and taken.
fn deliver(intake: &mut Intake, route: RouteId) {
    let sequences: Vec<_> = intake
        .ring
        .frames(route)
        .map(|frame| frame.sequence)
        .collect();
    if let (Some(first), Some(last)) = (sequences.first(), sequences.last()) {
        intake.ring.begin_flight_of(route, *first, *last);
        intake.ring.end_flight(route, u64::MAX, 0);
    }
    assert!(intake.ledger.is_balanced(&intake.ring));
}

/// A ring with so many KiB of logs in it, and timers for more points than have room: they go in little by little, no log gives
/// way, and at the end all of them are told or counted.
#[test]
fn points_take_what_room_there_is() {
    const TIMERS: u64 = 1000;
    for (kib, is_taken) in [
        (0, true),
        (100, true),
        (200, true),
        (300, true),
        (300, false),
    ] {
        let mut intake = fixtures::intake_for(&Otlp, false);
        for number in 0..TIMERS {
            intake.datagrams(&[&timer(&format!("timer.{number}"))], NOW);
        }
        let line = request(format!("[{EVENT}]").as_bytes());
        let mut decoder = Decoder::new(RECORD_BYTES_MAX);
        let mut write = |intake: &mut Intake| decoder.feed(&mut &line[..], intake, NOW);
        while intake.ring.unsettled_bytes() < kib * 1024 && intake.ring.fate(LOGS).evicted == 0 {
            write(&mut intake);
        }
        let (evicted, mut drains) = (intake.ring.fate(LOGS).evicted, 0);
        loop {
            while intake.may_drain(METRICS) {
                intake.drain_metrics(NOW);
                drains += 1;
                let points = intake.ring.frames(METRICS);
                let bytes: usize = points.map(|frame| frame.payload.len()).sum();
                assert!(bytes <= intake.ring.capacity() / 4, "{kib}");
                deliver(&mut intake, METRICS);
            }
            assert_eq!(intake.ring.fate(LOGS).evicted, evicted, "{kib}");
            if intake.is_drained() || !is_taken {
                break;
            }
            assert_eq!(intake.oldest_measurement(), None, "there is no room");
            deliver(&mut intake, LOGS);
            assert!(intake.may_drain(METRICS), "{kib}");
        }
        let delivered = intake.ring.fate(METRICS).delivered;
        if is_taken {
            assert_eq!((delivered, intake.oldest_measurement()), (TIMERS, None));
            assert!(drains > 3, "{kib}: {drains}");
        } else {
            assert!(evicted > 0 && delivered > 10 && delivered < TIMERS / 10);
            // A log that gives way to others makes room for points, too.
            for _ in 0..100 {
                write(&mut intake);
            }
            assert!(intake.may_drain(METRICS));
        }
        intake.abandon_all();
        assert!(intake.ledger.is_balanced(&intake.ring), "{kib}");
        assert_eq!(intake.ring.fate(METRICS).entered, TIMERS, "{kib}");
    }
}

/// Without somewhere to send logs to there are none in the ring, whatever asks for one.
#[test]
fn nothing_is_kept_without_a_route() {
    let mut intake = fixtures::intake_for(&Otlp, false);
    intake.ships_logs = false;
    let event = |kind: &str, record: &str| {
        format!(r#"{{"time":"2026-11-21T09:15:00.101Z","type":"{kind}","record":{record}}}"#)
    };
    let events = [
        event(
            "platform.logsDropped",
            r#"{"droppedRecords":2,"droppedBytes":3}"#,
        ),
        event("platform.start", r#"{"requestId":"x"}"#),
        event("function", r#""a line""#),
        event("function", r#"{"message":"an object"}"#),
        event("extension", r#""a line""#),
        event("a.type.to.come", "17"),
        EVENT.into(),
    ];
    let body = request(format!("[{}]", events.join(",")).as_bytes());
    let mut decoder = Decoder::new(RECORD_BYTES_MAX);
    assert_eq!(decoder.feed(&mut &body[..], &mut intake, NOW), ANSWER);
    intake.datagrams(&[b"_e{1,1}:a|b\n_sc|check|0\norders:1|c"], NOW);
    let received = events.len() as u64 + 2;
    assert_eq!(
        (intake.ledger.received, intake.ledger.filtered),
        (received, received)
    );
    assert_eq!(resident(&intake), [0; ROUTES]);
    assert!(intake.ledger.is_balanced(&intake.ring));
    // Points, too.
    intake.metrics = None;
    intake.datagrams(&[b"orders:1|c"], NOW);
    intake.drain_metrics(NOW);
    assert_eq!(
        (intake.ring.fate(METRICS).entered, resident(&intake)),
        (0, [0; ROUTES])
    );
}
#[test]
fn a_runtime_done_that_is_missing_is_noticed_by_what_follows_it() {
    let event = |kind: &str, id: &str| {
        format!(
            r#"{{"time":"2026-11-21T09:15:00.760Z","type":"platform.{kind}","record":{{"requestId":"{id}"}}}}"#
        )
    };
    for (stream, is_missing) in [
        ("", false),
        ("start 1", false),
        ("start 1, runtimeDone 1, report 1, start 2", false),
        // In one batch, short invocations: each kind is observed once.
        (
            "start 1, runtimeDone 1, report 1, start 2, runtimeDone 2, report 2, start 3",
            false,
        ),
        ("start 1, report 1", true),
        ("start 1, start 2", true),
        ("start 1, report 1, start 2", true),
        ("start 1, report 1, start 2, runtimeDone 2", false),
        (
            "start 1, report 1, start 2, runtimeDone 2, report 2, start 3",
            false,
        ),
        // Delivered twice.
        ("start 1, start 1", false),
        ("report 1, start 2, report 1, start 2", false),
        ("runtimeDone 1, start 2, runtimeDone 1, start 2", false),
        // An invocation that is repeated with the same id.
        ("start 1, runtimeDone 1, report 1, start 1, report 1", true),
        // The Logs API's older word.
        ("start 1, end 1, report 1", false),
    ] {
        let mut intake = fixtures::intake_for(&Otlp, false);
        let events: Vec<_> = stream
            .split(", ")
            .filter_map(|words| words.split_once(' '))
            .map(|(kind, id)| event(kind, id))
            .collect();
        let request = request(format!("[{}]", events.join(",")).as_bytes());
        Decoder::new(RECORD_BYTES_MAX).feed(&mut request.as_slice(), &mut intake, NOW);
        assert_eq!(intake.is_done_missing, is_missing, "{stream}");
        let latest = if events.is_empty() {
            0
        } else {
            1_795_252_500_760
        };
        assert_eq!(intake.latest(), Wall(latest), "{stream}");
    }
}
