//! Platform events as metrics: each invocation counts once, and sums are those that the platform has told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kinglet_sandbox::{Builder, Data, Happening, Temporality, Work};

use super::measured::{
    accounts_without_losses, assert_close, count, measuring, measuring_at_end, named, names,
    single, total,
};
use crate::extension::{healthy_collector, invoke, spin_down};

/// What the platform has told, in milliseconds.
#[derive(Clone, Default)]
struct Told {
    durations: Arc<Mutex<Vec<f64>>>,
    billed: Arc<Mutex<Vec<u64>>>,
}

impl Told {
    fn watching(&self, builder: Builder) -> Builder {
        let told = self.clone();
        builder.watch(move |happening| match happening {
            Happening::RuntimeDone { ms, .. } => told.durations.lock().unwrap().push(*ms),
            Happening::InvocationDone { billed_ms, .. } => {
                told.billed.lock().unwrap().push(*billed_ms)
            }
            _ => {}
        })
    }

    fn seconds(&self) -> f64 {
        self.durations.lock().unwrap().iter().sum::<f64>() / 1e3
    }

    fn billed_seconds(&self) -> f64 {
        self.billed.lock().unwrap().iter().sum::<u64>() as f64 / 1e3
    }
}

/// Twenty invocations are twenty, in whatever way they were sent, and their durations add up to what the platform told.
#[test]
fn twenty_invocations_are_twenty() {
    for flush in ["start", "end", "adaptive"] {
        let (collector, told) = (healthy_collector(), Told::default());
        let builder = measuring(&collector)
            .env("KINGLET_FLUSH", flush)
            .freezes(false);
        let lambda = told.watching(builder).start().unwrap();
        for number in 0..20 {
            invoke(&lambda, [format!("line {number}")]);
        }
        assert!(lambda.drain(Duration::from_secs(5)));
        let exit = spin_down(&lambda);
        accounts_without_losses(&exit, &collector).assert_clean(&lambda);
        assert_eq!(total(&collector, "faas.invocations"), 20.0, "{flush}");
        assert_eq!(total(&collector, "faas.coldstarts"), 1.0, "{flush}");
        assert_eq!(count(&collector, "faas.init_duration"), 1, "{flush}");
        for name in [
            "faas.invoke_duration",
            "faas.mem_usage",
            "aws.lambda.billed_duration",
            "aws.lambda.response_latency",
            "aws.lambda.response_duration",
            "aws.lambda.runtime_overhead",
            "aws.lambda.extension_overhead",
            "aws.lambda.response_size",
        ] {
            assert_eq!(count(&collector, name), 20, "{flush}: {name}");
        }
        assert_close(
            total(&collector, "faas.invoke_duration"),
            told.seconds(),
            flush,
        );
        assert_close(
            total(&collector, "aws.lambda.billed_duration"),
            told.billed_seconds(),
            flush,
        );
        // The answer is "OK", with its quotes.
        assert_eq!(
            total(&collector, "aws.lambda.response_size"),
            80.0,
            "{flush}"
        );
        for absent in ["faas.errors", "faas.timeouts", "aws.lambda.out_of_memory"] {
            assert!(named(&collector, absent).is_empty(), "{flush}: {absent}");
        }
        let [in_logs, in_points] = [
            collector.records()[0].resource.clone(),
            collector.points()[0].resource.clone(),
        ];
        for key in [
            "service.name",
            "faas.name",
            "cloud.provider",
            "cloud.region",
        ] {
            assert!(
                in_points[key].is_string() && in_points[key] == in_logs[key],
                "{in_points:?}"
            );
        }
    }
}

/// Names, kinds and units are those of OpenTelemetry's conventions for FaaS.
#[test]
fn forms_are_the_conventions() {
    let collector = healthy_collector();
    let lambda = measuring_at_end(&collector).start().unwrap();
    invoke(&lambda, ["a line"]);
    spin_down(&lambda);
    for (name, unit) in [
        ("faas.invocations", "{invocation}"),
        ("faas.coldstarts", "{coldstart}"),
    ] {
        let point = single(&collector, name);
        let (value, is_monotonic) = (1.0, true);
        assert_eq!(
            point.data,
            Data::Sum {
                value,
                is_monotonic
            },
            "{name}"
        );
        assert_eq!(
            (point.unit.as_str(), point.temporality),
            (unit, Some(Temporality::Delta)),
            "{name}"
        );
    }
    for (name, unit) in [
        ("faas.invoke_duration", "s"),
        ("faas.init_duration", "s"),
        ("faas.mem_usage", "By"),
        ("aws.lambda.billed_duration", "s"),
        ("aws.lambda.response_size", "By"),
    ] {
        let point = single(&collector, name);
        assert_eq!(
            (point.kind(), point.unit.as_str(), point.count()),
            ("histogram", unit, 1),
            "{name}"
        );
        assert!(
            point.attributes.is_empty() && point.value() > 0.0,
            "{point:?}"
        );
    }
    let megabytes = total(&collector, "faas.mem_usage") / 1_048_576.0;
    assert!(megabytes >= 1.0 && megabytes.fract() == 0.0, "{megabytes}");
    assert!(
        collector
            .points()
            .iter()
            .all(|point| point.scope["name"] == "kinglet")
    );
}

/// A crash is an error and a timeout a timeout, each with its own invocation; what a handler throws is a success to Lambda.
#[test]
fn failures_are_counted_by_their_status() {
    let collector = healthy_collector();
    let timeout = Duration::from_millis(700);
    let lambda = measuring_at_end(&collector)
        .function_timeout(timeout)
        .start()
        .unwrap();
    let mut statuses = Vec::new();
    for work in [
        Work::lines(["fine"]),
        Work::lines(["throws"]).throws(),
        Work::lines(["crashes"]).crashes(),
        Work::lines(["times out"]).times_out(),
        Work::lines(["fine again"]),
    ] {
        statuses.push(lambda.invoke(work).unwrap().status);
    }
    assert_eq!(
        statuses,
        ["success", "success", "error", "timeout", "success"]
    );
    spin_down(&lambda);
    assert_eq!(total(&collector, "faas.invocations"), 3.0);
    assert_eq!(total(&collector, "faas.errors"), 1.0);
    assert_eq!(total(&collector, "faas.timeouts"), 1.0);
    // The two resets were inits within an invocation: nobody waited for a cold start.
    assert_eq!(total(&collector, "faas.coldstarts"), 1.0);
    assert_eq!(count(&collector, "faas.invoke_duration"), 5);
    assert_eq!(named(&collector, "faas.errors")[0].unit, "{error}");
    assert_eq!(named(&collector, "faas.timeouts")[0].unit, "{timeout}");
}

/// The last report comes when the sandbox is thawed for SHUTDOWN, and counts.
#[test]
fn freezes_lose_nothing() {
    let (collector, told) = (healthy_collector(), Told::default());
    let lambda = told.watching(measuring(&collector)).start().unwrap();
    for number in 0..6 {
        invoke(&lambda, [format!("line {number}")]);
    }
    let exit = spin_down(&lambda);
    accounts_without_losses(&exit, &collector);
    assert_eq!(total(&collector, "faas.invocations"), 6.0);
    assert_close(
        total(&collector, "faas.invoke_duration"),
        told.seconds(),
        "durations",
    );
    // A busy machine may be too late with the last one.
    assert!(
        (5..=6).contains(&count(&collector, "faas.mem_usage")),
        "{:?}",
        collector.points()
    );
}

/// Without an invocation the init is told.
#[test]
fn an_init_alone_is_told() {
    let collector = healthy_collector();
    let lambda = measuring(&collector).start().unwrap();
    assert!(lambda.drain(Duration::from_secs(2)));
    spin_down(&lambda);
    assert_eq!(names(&collector), ["faas.coldstarts", "faas.init_duration"]);
}
