//! More than the ring can hold.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kinglet_sandbox::{Collector, Fault, Outcome, Wire, Work};

use crate::arrived::{events, function_lines, lines, told_losses};
use crate::counters::Counters;
use crate::extension::{
    HELD_MAX, Held, PATIENT, beside, faulty_collector, invoke, spin_down, spin_down_at_once,
    start_heard,
};
use crate::telemetry_input::event;

/// What is left unread waits for room at least so long: kinglet's second, less what a busy machine may take of it.
const PAUSE_MIN: Duration = Duration::from_millis(800);

const SMALLEST_RING: (&str, &str) = ("KINGLET_BUFFER_BYTES", "65536");

/// Without a collector the oldest records are evicted, one for one accounted for, but not those of the batch that is to be
/// repeated; the newest survive until it is back.
#[test]
fn the_oldest_are_evicted_and_counted() {
    let collector = faulty_collector(Fault::Refuse);
    let lambda = beside(&collector)
        .env(SMALLEST_RING.0, SMALLEST_RING.1)
        .freezes(false)
        .start()
        .unwrap();
    let mut sent = Vec::new();
    for number in 0..4 {
        let some = lines(&format!("invocation {number} {}", "x".repeat(70)), 1000);
        assert!(invoke(&lambda, some.clone()) < HELD_MAX);
        sent.extend(some);
    }
    assert!(lambda.drain(Duration::from_secs(10)));
    collector.set_fault(Fault::None);
    let exit = spin_down(&lambda);
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    assert!(counters.get("evicted") > 3000, "{counters:?}");
    assert_eq!(counters.get("abandoned"), 0, "{counters:?}");
    assert_eq!(counters.get("delivered"), events(&collector));
    assert_eq!(told_losses(&collector), [counters.get("evicted"), 0, 0]);
    let arrived = function_lines(&collector);
    assert!(arrived.len() > 100, "{}", arrived.len());
    // The batch that was tried is kept for its repetition; of all others the newest are left.
    let both = arrived.iter().zip(&sent);
    let tried = both.take_while(|(arrived, sent)| arrived == sent).count();
    assert!(sent.ends_with(&arrived[tried..]), "the newest, in order");
}

/// With a collector that stays away the identity holds to the event: evicted and abandoned make up all that was received.
#[test]
fn every_event_is_evicted_or_abandoned() {
    let collector = faulty_collector(Fault::Status(503));
    let lambda = beside(&collector)
        .env(SMALLEST_RING.0, SMALLEST_RING.1)
        .start()
        .unwrap();
    for number in 0..3 {
        invoke(
            &lambda,
            lines(&format!("invocation {number} {}", "x".repeat(70)), 1000),
        );
    }
    let exit = spin_down(&lambda);
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    assert_eq!(
        counters.get("evicted") + counters.get("abandoned"),
        counters.get("received"),
        "{counters:?}"
    );
    assert!(
        counters.get("evicted") > 2000 && counters.get("abandoned") > 100,
        "{counters:?}"
    );
    assert!(exit.memory_peak_kb < 8 * 1024, "{} kB", exit.memory_peak_kb);
}

/// The longest time from one POST at the collector to the next.
fn longest_wait(collector: &Collector) -> Duration {
    let requests = collector.requests();
    let pauses = requests.windows(2).map(|pair| pair[1].at - pair[0].at);
    pauses.max().unwrap_or_default()
}

/// A burst many times larger than the ring is not lost while the collector takes it: reading waits for room.
#[test]
fn a_burst_waits_for_a_collector_that_takes_it() {
    let slow = Fault::Slow(Duration::from_millis(20));
    for (fault, flush) in [
        (Fault::None, "adaptive"),
        (slow.clone(), "adaptive"),
        (slow, "start"),
    ] {
        let collector = faulty_collector(fault.clone());
        let builder = beside(&collector).env(SMALLEST_RING.0, SMALLEST_RING.1);
        let lambda = builder.env("KINGLET_FLUSH", flush).start().unwrap();
        let sent = lines(&"x".repeat(70), 4000);
        let burst = sent.clone();
        // Awake until the burst is over.
        let burst = Work::script(move |context| {
            burst.iter().for_each(|line| context.write(line));
            assert!(context.drain(Duration::from_secs(20)));
            Outcome::Succeeds
        });
        assert!(Held::of(&lambda, burst).0 < HELD_MAX, "{fault} {flush}");
        let exit = spin_down(&lambda);
        let counters = Counters::of(&exit);
        counters.assert_all_received(&lambda);
        let arrived = function_lines(&collector);
        let shown = format!(
            "{fault} {flush}: {counters:?}, {:?}",
            longest_wait(&collector)
        );
        if longest_wait(&collector) < PAUSE_MIN {
            assert_eq!(counters.losses(), [], "{shown}");
            assert!(arrived == sent, "{shown}");
        } else {
            // The collector had no turn on this machine for longer than telemetry waits. Then what is lost is counted.
            let lost = counters.get("evicted") + counters.get("abandoned");
            assert_eq!(
                counters.get("received"),
                events(&collector) + lost,
                "{shown}"
            );
        }
    }
}

/// A burst into a collector that is too slow for it: some is lost, and the accounts still agree with the collector's.
#[test]
fn the_accounts_agree_when_records_in_flight_are_overwritten() {
    let collector = faulty_collector(Fault::Slow(Duration::from_millis(700)));
    let lambda = beside(&collector)
        .env(SMALLEST_RING.0, SMALLEST_RING.1)
        .start()
        .unwrap();
    for number in 0..2 {
        invoke(
            &lambda,
            lines(&format!("invocation {number} {}", "x".repeat(70)), 2000),
        );
    }
    let exit = spin_down_at_once(&lambda);
    let counters = Counters::of(&exit);
    // A record that was overwritten while in flight was delivered all the same if the POST went well. One whose POST was cut by
    // SHUTDOWN's deadline may have arrived, though it counts as abandoned.
    let (delivered, abandoned) = (counters.get("delivered"), counters.get("abandoned"));
    let arrived = events(&collector);
    assert!(
        (delivered..=delivered + abandoned).contains(&arrived),
        "{arrived}: {counters:?}"
    );
    let gone = counters.get("received") - counters.get("delivered");
    assert_eq!(
        gone,
        counters.get("evicted") + counters.get("abandoned"),
        "{counters:?}"
    );
    assert!(told_losses(&collector)[0] <= counters.get("evicted"));
}

/// What may have arrived, because only its answer was lost, comes again as the same bytes under the same key, though some of
/// its records were overwritten meanwhile; and nothing of it comes under another key.
#[test]
fn what_has_to_be_repeated_is_never_cut() {
    // The more, the further into the batch they reach.
    for overwriting in [100, 200, 250, 300, 400] {
        let collector = faulty_collector(Fault::Reset);
        let builder = beside(&collector)
            .env(SMALLEST_RING.0, SMALLEST_RING.1)
            .env(PATIENT.0, PATIENT.1);
        let lambda = start_heard(builder.freezes(false));
        invoke(&lambda, lines("first", 150));
        assert!(collector.wait_requests(1, Duration::from_secs(5)));
        invoke(
            &lambda,
            lines(&format!("then {}", "x".repeat(70)), overwriting),
        );
        assert!(lambda.drain(Duration::from_secs(10)));
        collector.set_fault(Fault::None);
        let counters = Counters::of(&spin_down(&lambda));
        counters.assert_all_received(&lambda);

        let requests = collector.requests();
        let mut batches = BTreeMap::new();
        for received in &requests {
            let key = received.request.header("idempotency-key").unwrap();
            let body = batches.entry(key).or_insert(&received.request.body);
            assert!(*body == &received.request.body, "{overwriting}: {key}");
        }
        assert!(
            batches.len() < requests.len(),
            "{overwriting}: none came again"
        );
        let mut ranges: Vec<(u64, u64)> = batches.keys().map(|key| range(key)).collect();
        ranges.sort();
        assert!(
            ranges.windows(2).all(|pair| pair[0].1 < pair[1].0),
            "{overwriting}: {ranges:?}"
        );
        assert_eq!(counters.get("delivered"), events(&collector));
        assert_eq!(told_losses(&collector), [counters.get("evicted"), 0, 0]);
    }
}

/// The first and the last record of a batch, by its key.
fn range(key: &str) -> (u64, u64) {
    let mut parts = key.rsplit('-').map(|part| part.parse().unwrap());
    let (last, first) = (parts.next().unwrap(), parts.next().unwrap());
    (first, last)
}

/// A request that is larger than the ring, and a collector that is too slow for it: it is left unread for a while, but not for
/// long in all, however often there is a little more room. Then it is taken, and what had to go for it is counted.
#[test]
fn no_request_waits_for_long() {
    let collector = faulty_collector(Fault::Slow(Duration::from_millis(900)));
    let lambda = beside(&collector)
        .env(SMALLEST_RING.0, SMALLEST_RING.1)
        .function_timeout(Duration::from_secs(30))
        .start()
        .unwrap();
    let running = lambda.begin(Work::quiet().takes_ms(4_000)).unwrap();
    let one = event(&"x".repeat(150));
    let body = format!("[{}]", vec![one.as_str(); 2_500].join(","));
    let began = Instant::now();
    assert_eq!(lambda.post(body.as_bytes(), Wire::default()).unwrap(), 200);
    let took = began.elapsed();
    assert!(took > Duration::from_millis(900), "it does wait: {took:?}");
    assert!(took < Duration::from_millis(4_000), "{took:?}");
    running.wait().unwrap();
    let counters = Counters::of(&spin_down(&lambda));
    assert!(counters.get("received") >= 2_500, "{counters:?}");
    assert!(counters.get("evicted") > 500, "{counters:?}");
}
