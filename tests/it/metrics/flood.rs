//! More datagrams than a function would send: none is unaccounted for, and the logs do not suffer.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use kinglet_sandbox::{Fault, InvocationContext, Outcome, Signal, Work};

use super::measured::{accounts, count, named, total};
use super::statsd_client::StatsdClient;
use crate::arrived::{function_lines, lines};
use crate::extension::{healthy_collector, invoke, spin_down};

const DATAGRAMS: u32 = 20_000;
/// A line comes after so many datagrams.
const DATAGRAMS_PER_LINE: u32 = 500;

/// Sends the datagrams evenly over a second, or as fast as a busy machine takes them, half of them counters and half of them timers, and lines between them.
fn send(client: StatsdClient, context: &InvocationContext, routes: u32) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect((Ipv4Addr::LOCALHOST, client.port)).unwrap();
    let began = Instant::now();
    for number in 0..DATAGRAMS {
        let due = Duration::from_secs(1) * number / DATAGRAMS;
        let left = due.saturating_sub(began.elapsed());
        if left >= Duration::from_millis(1) {
            context.sleep(left);
        }
        let what = ["flood.count:1|c", "flood.took:2|ms"][number as usize % 2];
        let datagram = format!("{what}|#shop:north,route:r{}", number / 2 % routes);
        socket.send(datagram.as_bytes()).unwrap();
        // A part of what fits into the socket's buffer.
        if number % 100 == 99 {
            client.wait_taken();
        }
        if number % DATAGRAMS_PER_LINE == 0 {
            context.write(&format!("line {number}"));
        }
    }
    client.wait_taken();
}

#[test]
fn a_flood_is_accounted_for() {
    flood(50);
}

/// So many series that the table has to be drained all the time: the points must not push the logs out of the ring.
#[test]
fn a_flood_of_many_series_leaves_the_logs_their_room() {
    flood(450);
}

/// With two series for each route.
fn flood(routes: u32) {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = client.beside(&collector).freezes(false).start().unwrap();
    client.wait_heard();
    let work = Work::script(move |context| {
        send(client, context, routes);
        Outcome::Succeeds
    });
    let invocation = lambda.invoke(work).expect("the sandbox is up");
    assert!(!invocation.error, "{invocation:?}");
    let counters = accounts(&spin_down(&lambda));

    // What the kernel drops on a busy machine is known, and all else is here.
    let (received, dropped) = (counters.get("datagrams"), counters.get("datagrams_dropped"));
    assert_eq!(received + dropped, u64::from(DATAGRAMS), "{counters:?}");
    assert!(received > u64::from(DATAGRAMS / 2), "{counters:?}");
    assert_eq!(counters.get("measurements_dropped"), 0, "{counters:?}");
    let took = named(&collector, "flood.took");
    let values: u64 = took.iter().map(|point| point.count()).sum();
    let counted = total(&collector, "flood.count") as u64;
    assert_eq!(counted + values, received, "{counters:?}");
    assert_eq!(total(&collector, "flood.took") as u64, 2 * values);

    let lines: Vec<String> = (0..DATAGRAMS)
        .step_by(DATAGRAMS_PER_LINE as usize)
        .map(|number| format!("line {number}"))
        .collect();
    assert_eq!(function_lines(&collector), lines);
}

/// More points than the smallest ring holds: they go out little by little, and no log gives way to them.
#[test]
fn a_flush_of_many_series_evicts_no_log() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let builder = client.beside(&collector).freezes(false);
    let lambda = builder
        .env("KINGLET_BUFFER_BYTES", "65536")
        .start()
        .unwrap();
    client.wait_heard();
    const TIMERS: usize = 300;
    let written: Vec<String> = (0..100).map(|number| format!("line {number}")).collect();
    for round in 0..3 {
        let lines = written.clone();
        let work = Work::script(move |context| {
            let timers: Vec<String> = (0..TIMERS)
                .map(|number| format!("took.{number}:{round}|ms"))
                .collect();
            let datagrams: Vec<Vec<u8>> = timers
                .chunks(20)
                .map(|timers| timers.join("\n").into_bytes())
                .collect();
            client.send(&datagrams);
            // The lines come after them, and wait while they are flushed.
            context.sleep(Duration::from_millis(20));
            lines.iter().for_each(|line| context.write(line));
            Outcome::Succeeds
        });
        assert!(!lambda.invoke(work).expect("the sandbox is up").error);
    }
    assert!(lambda.drain(Duration::from_secs(5)));
    let counters = accounts(&spin_down(&lambda));
    assert_eq!(counters.losses(), [], "{counters:?}");
    let expected: Vec<String> = (0..3).flat_map(|_| written.clone()).collect();
    assert_eq!(function_lines(&collector), expected);
    assert_eq!(
        counters.get("points_delivered"),
        counters.get("points"),
        "{counters:?}"
    );
    for number in 0..TIMERS {
        let name = format!("took.{number}");
        assert_eq!(total(&collector, &name), 3.0, "{name}");
        assert_eq!(count(&collector, &name), 3, "{name}");
    }
}

/// The ring is full of logs that nobody takes: metrics still go out, and no log gives way to them.
#[test]
fn metrics_find_room_beside_logs_that_nobody_takes() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    collector.set_fault_of(Signal::Log, Fault::Status(503));
    let builder = client.beside(&collector).freezes(false);
    let lambda = builder
        .env("KINGLET_BUFFER_BYTES", "65536")
        .start()
        .unwrap();
    client.wait_heard();
    for number in 0..5 {
        invoke(&lambda, lines(&format!("invocation {number}"), 500));
        assert!(lambda.drain(Duration::from_secs(5)));
        client.invoke(&lambda, ["orders:2|c"]);
    }
    let counters = accounts(&spin_down(&lambda));
    assert!(counters.get("evicted") > 500, "{counters:?}");
    assert_eq!(total(&collector, "orders"), 10.0, "{counters:?}");
    assert_eq!(total(&collector, "faas.invocations"), 10.0, "{counters:?}");
    assert_eq!(counters.get("points_evicted"), 0, "{counters:?}");
}
