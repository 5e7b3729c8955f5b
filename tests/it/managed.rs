//! Managed Instances: no INVOKE, no freeze, several invocations at once.

use std::time::Duration;

use kinglet_sandbox::{Builder, Collector, LogFormat, Mode, Outcome, Work};

use crate::arrived::{events, function_lines, of_type};
use crate::counters::Counters;
use crate::extension::{beside, faulty_collector, healthy_collector, spin_down};

fn managed(collector: &Collector) -> Builder {
    beside(collector)
        .mode(Mode::ManagedInstances)
        .env("KINGLET_FLUSH_INTERVAL_MS", "150")
}

/// INVOKE is refused, so it registers for SHUTDOWN alone and delivers by interval, long before SHUTDOWN.
#[test]
fn delivery_is_by_interval() {
    let collector = healthy_collector();
    let lambda = managed(&collector).start().unwrap();
    for number in 1..4 {
        let work = Work::lines([format!("line {number}")]);
        let invocation = lambda.invoke(work).unwrap();
        assert_eq!((invocation.answer, invocation.error), ("OK".into(), false));
        let arrived = collector.wait_records(Duration::from_secs(5), |records| {
            records
                .iter()
                .any(|record| record.text() == format!("line {number}"))
        });
        assert!(!arrived.is_empty());
        assert_eq!(
            function_lines(&collector).len(),
            number,
            "by interval, before anything else happens"
        );
    }
    let exit = spin_down(&lambda);
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    assert_eq!(
        (counters.losses(), counters.get("invocations")),
        (vec![], 0)
    );
    assert_eq!(counters.get("delivered"), events(&collector));
}

/// With several invocations open at once a line has a request id if it names one itself, and else none: never a wrong one.
#[test]
fn a_request_id_is_known_or_absent() {
    for (format, named) in [(LogFormat::Json, true), (LogFormat::Text, false)] {
        let collector = healthy_collector();
        let lambda = managed(&collector).log_format(format).start().unwrap();
        let speak = |name: &'static str| {
            Work::script(move |context| {
                // Both have started before either writes.
                context.sleep(Duration::from_millis(100));
                (0..20).for_each(|number| context.write(&format!("{name} {number}")));
                context.sleep(Duration::from_millis(50));
                Outcome::Succeeds
            })
        };
        let (a, b) = (
            lambda.begin(speak("a")).unwrap(),
            lambda.begin(speak("b")).unwrap(),
        );
        let ids = [a.wait().unwrap(), b.wait().unwrap()].map(|invocation| invocation.request_id);
        spin_down(&lambda);
        let records = of_type(&collector, "function");
        assert_eq!(records.len(), 40);
        for record in &records {
            let own = if record.text().starts_with('a') {
                &ids[0]
            } else {
                &ids[1]
            };
            assert_eq!(
                record.request_id(),
                named.then_some(own.as_str()),
                "{:?}",
                record.text()
            );
        }
    }
}

/// What is left at SHUTDOWN goes out, and a collector that is down neither keeps the process nor hides what is lost.
#[test]
fn shutdown_is_as_elsewhere() {
    use kinglet_sandbox::Fault;
    for fault in [Fault::None, Fault::Status(503), Fault::Hang] {
        let collector = faulty_collector(fault.clone());
        let builder = beside(&collector).mode(Mode::ManagedInstances);
        let lambda = builder.start().unwrap();
        lambda.invoke(["a line", "another"]).unwrap();
        let exit = spin_down(&lambda);
        let counters = Counters::of(&exit);
        counters.assert_all_received(&lambda);
        let lost = if fault == Fault::None {
            "delivered"
        } else {
            "abandoned"
        };
        assert_eq!(
            counters.get(lost),
            counters.get("received"),
            "{fault}: {counters:?}"
        );
        assert!(counters.get("received") > 2, "{fault}: {counters:?}");
    }
}
