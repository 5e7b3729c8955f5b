//! The table of series has its size, whatever a function sends.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use kinglet_sandbox::{Collector, Fault, Sandbox, Signal};

use super::measured::{accounts, named, total};
use super::statsd_client::StatsdClient;
use crate::arrived::lines;
use crate::extension::{healthy_collector, invoke, spin_down};

/// Each of these names in a datagram of its own, ten lines each.
fn datagrams(prefix: &str, count: usize) -> Vec<String> {
    let all: Vec<String> = (0..count)
        .map(|number| format!("{prefix}.{number}:1|c"))
        .collect();
    all.chunks(10).map(|lines| lines.join("\n")).collect()
}

/// kinglet whose metrics do not arrive for now. What is nearly full is drained into the ring once, for a POST that fails.
fn without_arrivals(client: &StatsdClient, collector: &Collector) -> Sandbox {
    collector.set_fault_of(Signal::Metric, Fault::Status(503));
    let builder = client.beside(collector).env("KINGLET_FLUSH", "start");
    builder.freezes(false).start().unwrap()
}

/// 1024 series have room at a time; what is beyond that is counted, and what is in is exact.
#[test]
fn more_names_than_have_room_are_counted() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = without_arrivals(&client, &collector);
    client.invoke(&lambda, datagrams("name", 2000));
    client.invoke(&lambda, datagrams("name", 2000));
    collector.set_fault_of(Signal::Metric, Fault::None);
    let counters = accounts(&spin_down(&lambda));
    assert_eq!(counters.get("datagrams_dropped"), 0, "{counters:?}");
    let (points, dropped) = (collector.points(), counters.get("measurements_dropped"));
    let arrived: f64 = points
        .iter()
        .filter(|point| point.name.starts_with("name."))
        .map(|point| point.value())
        .sum();
    assert!(dropped > 500, "{counters:?}");
    // The platform's own have found their room.
    assert_eq!(arrived as u64 + dropped, 4000, "{counters:?}");
    // The first name was in from the start. Its second value had room only if the table was not drained in between: that is a
    // matter of when a POST was due. No name has more than was sent of it.
    let mut values = BTreeMap::new();
    for point in points
        .iter()
        .filter(|point| point.name.starts_with("name."))
    {
        *values.entry(point.name.as_str()).or_insert(0.0) += point.value();
    }
    assert!(values.contains_key("name.0"), "{counters:?}");
    for (name, value) in values {
        assert!([1.0, 2.0].contains(&value), "{name}: {value}");
    }
}

/// kinglet with a full ring and a full table, sent after the collector has come back: what it ever touches it has touched.
fn filled(client: &StatsdClient, collector: &Collector) -> Sandbox {
    collector.set_fault(Fault::Status(503));
    let lambda = client.beside(collector).freezes(false).start().unwrap();
    // More than twice the ring.
    invoke(&lambda, lines(&"x".repeat(150), 12_000));
    client.invoke(&lambda, datagrams(&"y".repeat(30), 2000));
    assert!(lambda.drain(Duration::from_secs(20)));
    collector.set_fault(Fault::None);
    let deadline = Instant::now() + Duration::from_secs(20);
    while collector.points().is_empty() || collector.logs().is_empty() {
        assert!(Instant::now() < deadline, "it does not come back");
        client.invoke(&lambda, ["again:1|c"]);
    }
    lambda
}

/// New names without end take no more memory than the first did.
#[test]
fn memory_is_bounded() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = filled(&client, &collector);
    let before_kb = lambda.memory_peak_kb();
    for round in 0..10 {
        let prefix = format!("a.name.of.some.length.{round}");
        client.invoke(&lambda, datagrams(&prefix, 2000));
    }
    let grown_kb = lambda.memory_peak_kb() - before_kb;
    let counters = accounts(&spin_down(&lambda));
    assert!(counters.get("datagrams") >= 2000, "{counters:?}");
    // The names alone would be 560 kB.
    assert!(grown_kb <= 32, "{grown_kb} kB");
    let invocations = counters.get("invocations") as f64;
    assert_eq!(total(&collector, "faas.invocations"), invocations);
}

/// Members of sets are bounded, too.
#[test]
fn a_set_of_many_members_is_bounded() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = without_arrivals(&client, &collector);
    let refused = |lambda: &Sandbox| lambda.stderr().iter().any(|line| line.contains("503"));
    let members: Vec<String> = (0..6000)
        .map(|number| format!("users:member {number}|s"))
        .collect();
    client.invoke(&lambda, members.chunks(20).map(|lines| lines.join("\n")));
    // A POST that is under way when SHUTDOWN comes is the last: it has to have failed before.
    let deadline = Instant::now() + Duration::from_secs(5);
    while !refused(&lambda) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    collector.set_fault_of(Signal::Metric, Fault::None);
    let counters = accounts(&spin_down(&lambda));
    let distinct: f64 = named(&collector, "users")
        .iter()
        .map(|point| point.value())
        .sum();
    assert_eq!(
        distinct as u64 + counters.get("measurements_dropped"),
        6000,
        "{counters:?}"
    );
    assert!((4096..=6000).contains(&(distinct as u64)), "{distinct}");
}
