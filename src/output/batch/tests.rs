use super::*;
use crate::clock::{Mono, Wall};
use crate::fixtures;
use crate::format::ndjson::NdJson;
use crate::queue::route::{LOGS, METRICS};

const NOW: Clocks = Clocks {
    wall: Wall(1_795_252_500_200),
    mono: Mono(0),
};

fn writer() -> BatchWriter {
    BatchWriter::new(b"id".to_vec())
}

/// An intake whose ring holds these payloads, each of its route.
fn holding(payloads: &[(RouteId, usize)]) -> Intake {
    let mut intake = fixtures::intake_for(&NdJson, false);
    for (place, (route, bytes)) in payloads.iter().enumerate() {
        let payload = vec![b'a' + place as u8; *bytes];
        intake.ring.push(*route, Wall(place as u64), &payload);
    }
    intake
}

/// How many records a batch has, and its id.
fn written(intake: &mut Intake, route: RouteId, narrowing: &Narrowing) -> Option<(usize, String)> {
    let batch = writer().write(route, &NdJson, narrowing, intake, NOW)?;
    Some((batch.records, String::from_utf8(batch.id).unwrap()))
}

#[test]
fn a_batch_takes_what_it_may() {
    const ROOM: usize = 1000 + BATCH_END_BYTES_MAX;
    for (records_max, bytes_max, logs) in [
        (usize::MAX, ROOM, "3 id-0-0-4"),
        (2, ROOM, "2 id-0-0-2"),
        (1, ROOM, "1 id-0-0-0"),
        (usize::MAX, ROOM - 1, "2 id-0-0-2"),
        (usize::MAX, 400 + BATCH_END_BYTES_MAX, "2 id-0-0-2"),
        // One is taken however long it is: it would never go otherwise.
        (usize::MAX, 0, "1 id-0-0-0"),
    ] {
        let all = [
            (LOGS, 100),
            (METRICS, 700),
            (LOGS, 300),
            (METRICS, 1),
            (LOGS, 600),
            (LOGS, 100),
        ];
        let mut intake = holding(&all);
        let mut narrowing = Narrowing::default();
        (narrowing.records_max, narrowing.bytes_max) = (records_max, bytes_max);
        let (records, id) = written(&mut intake, LOGS, &narrowing).unwrap();
        assert_eq!(format!("{records} {id}"), logs, "{records_max} {bytes_max}");
        // They are in flight, and nothing else.
        intake.ring.end_flight(LOGS, u64::MAX, 0);
        assert_eq!(intake.ring.fate(LOGS).delivered, records as u64);
        assert_eq!(intake.ring.resident(METRICS), 2);
    }
}

/// What is to be repeated is sent with the same id; any other range has another.
#[test]
fn an_id_is_that_of_a_range() {
    let mut intake = holding(&[(LOGS, 9), (LOGS, 9), (LOGS, 9)]);
    let mut ids = Vec::new();
    for records_max in [3, 2, 1] {
        let mut narrowing = Narrowing::default();
        narrowing.records_max = records_max;
        ids.push(written(&mut intake, LOGS, &narrowing).unwrap().1);
        intake.ring.end_flight(LOGS, 0, 0);
    }
    assert_eq!(ids, ["id-0-0-2", "id-0-0-1", "id-0-0-0"]);
}

#[test]
fn losses_go_with_the_route_that_tells_them_and_alone_if_there_is_nothing_else() {
    let mut intake = holding(&[(METRICS, 5)]);
    let all = Narrowing::default();
    assert_eq!(written(&mut intake, LOGS, &all), None);
    intake.ledger.malformed = 3;
    assert_eq!(
        written(&mut intake, METRICS, &all),
        Some((1, "id-0-0-0".into()))
    );
    let batch = writer().write(LOGS, &NdJson, &all, &mut intake, NOW);
    let batch = batch.unwrap();
    assert_eq!((batch.records, batch.losses.malformed), (0, 3));
    assert!(batch.sent().has_losses);
    let body = String::from_utf8(batch.body).unwrap();
    assert!(
        body.contains("kinglet has lost 3 telemetry events"),
        "{body}"
    );
    intake.ring.push(LOGS, Wall(1), b"a record");
    let batch = writer().write(LOGS, &NdJson, &all, &mut intake, NOW);
    let body = String::from_utf8(batch.unwrap().body).unwrap();
    assert!(body.contains("has lost 3") && body.ends_with("a record"));
}
