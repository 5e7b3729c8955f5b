//! kinglet's own cost, told with the metrics unless it is switched off.

use std::time::Duration;

use kinglet_sandbox::Signal;

use super::measured::{accounts, accounts_without_losses, measuring, named, names, single, total};
use crate::extension::{PATIENT, healthy_collector, invoke, spin_down, start_heard};

/// What is told agrees with the last account: sums are behind it only by what the last POST itself has cost.
#[test]
fn the_cost_is_told() {
    let collector = healthy_collector();
    let builder = measuring(&collector)
        .env("KINGLET_SELF_METRICS", "on")
        .env("KINGLET_FLUSH", "end")
        .env(PATIENT.0, PATIENT.1);
    let lambda = start_heard(builder.freezes(false));
    for number in 0..5 {
        invoke(&lambda, [format!("line {number}")]);
    }
    assert!(lambda.drain(Duration::from_secs(5)));
    let counters = accounts_without_losses(&spin_down(&lambda), &collector);
    let cpu = total(&collector, "kinglet.cpu.time");
    assert!(cpu > 0.0 && cpu < 2.0, "{cpu} s");
    let memory = named(&collector, "kinglet.memory.resident.max")
        .last()
        .unwrap()
        .value();
    assert!((100e3..50e6).contains(&memory), "{memory} bytes");
    let init = single(&collector, "kinglet.init.duration");
    assert!(
        init.value() > 0.0 && init.value() < 2.0 && init.unit == "s",
        "{init:?}"
    );
    let by_fate = |name: &str, fate: &str| -> u64 {
        let points = named(&collector, name);
        let of_fate = points
            .iter()
            .filter(|point| point.attribute("kinglet.fate") == Some(fate));
        of_fate.map(|point| point.value() as u64).sum()
    };
    let received = by_fate("kinglet.records", "received");
    assert_eq!(
        received,
        counters.get("received"),
        "{:?}",
        names(&collector)
    );
    let delivered = by_fate("kinglet.records", "delivered");
    assert!(
        delivered > 0 && delivered <= counters.get("delivered"),
        "{delivered}"
    );
    let points = by_fate("kinglet.points", "delivered");
    assert!(
        points > 0 && points < counters.get("points_delivered"),
        "{points}"
    );
    let posts = total(&collector, "kinglet.posts") as u64;
    assert!(posts > 0 && posts < counters.get("posts"), "{posts}");
    let breakers = named(&collector, "kinglet.breaker.open");
    assert!(
        breakers.iter().all(|point| point.value() == 0.0),
        "{breakers:?}"
    );
    assert!(
        breakers
            .iter()
            .any(|point| point.attribute("kinglet.signal") == Some("metrics"))
    );
}

/// Switched off, not one of its names is there.
#[test]
fn the_cost_can_be_kept_quiet() {
    for (value, is_told) in [("off", false), ("", true)] {
        let collector = healthy_collector();
        let lambda = measuring(&collector)
            .env("KINGLET_SELF_METRICS", value)
            .start()
            .unwrap();
        invoke(&lambda, ["a line"]);
        accounts(&spin_down(&lambda));
        let own = names(&collector)
            .iter()
            .any(|name| name.starts_with("kinglet."));
        assert_eq!(own, is_told, "{value}: {:?}", names(&collector));
    }
}

/// They are never the reason for a POST: without anything else to tell, nothing is sent.
#[test]
fn the_cost_is_no_reason_for_a_post() {
    let collector = healthy_collector();
    let builder = measuring(&collector).env("KINGLET_SELF_METRICS", "on");
    let lambda = builder
        .mode(kinglet_sandbox::Mode::ManagedInstances)
        .env("KINGLET_FLUSH_INTERVAL_MS", "50")
        .start()
        .unwrap();
    lambda.invoke(["a line"]).unwrap();
    collector.wait_points(Duration::from_secs(5), |points| {
        points.iter().any(|point| point.name == "faas.invocations")
    });
    std::thread::sleep(Duration::from_millis(200));
    let before = collector.requests_of(Signal::Metric).len();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(collector.requests_of(Signal::Metric).len(), before);
    spin_down(&lambda);
}
