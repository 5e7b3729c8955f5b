//! The table of series has its size, whatever a function sends.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use kinglet_sandbox::{Collector, Fault, Sandbox, Signal};

use super::measured::{accounts, named, total};
use super::statsd_client::StatsdClient;
use crate::extension::{healthy_collector, spin_down};

/// Each of these names in a datagram of its own, ten lines each.
fn datagrams(prefix: &str, count: usize) -> Vec<String> {
    let all: Vec<String> = (0..count)
        .map(|number| format!("{prefix}.{number}:1|c"))
        .collect();
    all.chunks(10).map(|lines| lines.join("\n")).collect()
}

fn grown(lambda: &Sandbox, before_kb: u64) -> u64 {
    lambda.memory_peak_kb() - before_kb
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

/// New names without end take no more memory than the first did.
#[test]
fn memory_is_bounded() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = client.beside(&collector).freezes(false).start().unwrap();
    let mut peaks = Vec::new();
    for round in 0..10 {
        let before = lambda.memory_peak_kb();
        client.invoke(
            &lambda,
            datagrams(&format!("a.name.of.some.length.{round}"), 2000),
        );
        peaks.push(grown(&lambda, before));
    }
    let counters = accounts(&spin_down(&lambda));
    assert!(counters.get("datagrams") >= 1900, "{counters:?}");
    let later: u64 = peaks[3..].iter().sum();
    // The names of seven rounds alone would be 400 kB. A few pages more, where a busy machine has let more wait than before, are none.
    assert!(later <= 160, "kB for each round: {peaks:?}");
    assert_eq!(total(&collector, "faas.invocations"), 10.0);
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
