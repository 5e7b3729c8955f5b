//! More datagrams than a function would send: none is unaccounted for, and the logs do not suffer.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use kinglet_sandbox::{InvocationContext, Outcome, Work};

use super::measured::{accounts, named, total};
use super::statsd_client::StatsdClient;
use crate::arrived::function_lines;
use crate::extension::{healthy_collector, spin_down};

const DATAGRAMS: u32 = 20_000;
/// A line comes after so many datagrams.
const DATAGRAMS_PER_LINE: u32 = 500;

/// Sends the datagrams evenly over a second, half of them counters and half of them timers, and lines between them.
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
        if number % DATAGRAMS_PER_LINE == 0 {
            context.write(&format!("line {number}"));
        }
    }
    // For the last of them to be taken.
    context.sleep(Duration::from_millis(20));
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
