//! Managed Instances: no runtimeDone, several invocations at once, and points by interval.

use std::time::Duration;

use kinglet_sandbox::{Mode, Point, Work};

use super::measured::{accounts_without_losses, measuring, total};
use super::statsd_client::StatsdClient;
use crate::extension::{healthy_collector, spin_down};

/// On Managed Instances there is no runtimeDone, and points go out by interval, long before SHUTDOWN.
#[test]
fn managed_instances_count_by_reports() {
    let collector = healthy_collector();
    let lambda = measuring(&collector)
        .mode(Mode::ManagedInstances)
        .env("KINGLET_FLUSH_INTERVAL_MS", "100")
        .start()
        .unwrap();
    for round in 1..=3 {
        let running: Vec<_> = (0..4)
            .map(|_| lambda.begin(Work::lines(["a line"]).takes_ms(20)).unwrap())
            .collect();
        running
            .into_iter()
            .for_each(|running| drop(running.wait().unwrap()));
        let wanted = f64::from(4 * round);
        let so_far = |points: &[Point]| {
            let of_invocations = points
                .iter()
                .filter(|point| point.name == "faas.invocations");
            of_invocations.map(|point| point.value()).sum::<f64>() >= wanted
        };
        collector.wait_points(Duration::from_secs(5), so_far);
        assert_eq!(
            total(&collector, "faas.invocations"),
            wanted,
            "by interval, before anything else happens"
        );
    }
    assert!(
        !lambda
            .invoke(Work::lines(["throws"]).throws())
            .unwrap()
            .answer
            .is_null()
    );
    let exit = spin_down(&lambda);
    accounts_without_losses(&exit, &collector);
    assert_eq!(total(&collector, "faas.invocations"), 12.0);
    assert_eq!(total(&collector, "faas.errors"), 1.0);
}

#[test]
fn managed_instances_listen_too() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let builder = client
        .heard_by(measuring(&collector))
        .mode(Mode::ManagedInstances);
    let lambda = builder
        .env("KINGLET_FLUSH_INTERVAL_MS", "100")
        .start()
        .unwrap();
    for _ in 0..3 {
        client.invoke(&lambda, ["orders:2|c"]);
    }
    let exit = spin_down(&lambda);
    accounts_without_losses(&exit, &collector);
    assert_eq!(total(&collector, "orders"), 6.0);
}
