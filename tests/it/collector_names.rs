//! Collectors that are named, in `/etc/hosts` or by a name server: each gets what is its own, and nothing else.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use kinglet_sandbox::{Builder, Collector, Fault, Signal};

use crate::arrived::{function_lines, lines};
use crate::counters::Counters;
use crate::extension::{HELD_MAX, PATIENT, alone, invoke, spin_down, start_heard};
use crate::private_network::{cover, in_private_network, serve_dns};

const LOGS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const METRICS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 53);
/// On both hosts the same: that is where logs and metrics are sent by default.
const PORT: u16 = 4318;

fn collector(address: Ipv4Addr) -> Collector {
    Collector::start_at(SocketAddrV4::new(address, PORT), Fault::None).expect("every port is free")
}

fn kinglet() -> Builder {
    alone()
        .env("KINGLET_FLUSH", "end")
        .env("KINGLET_METRICS", "on")
        .env(
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            "http://logs.test:4318/v1/logs",
        )
        .env("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "authorization=logs-only")
        .env(
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            "http://metrics.test:4318/v1/metrics",
        )
        .env(
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
            "authorization=metrics-only",
        )
}

/// Several invocations, so that names are looked up, kept, and used again; then what each host has got.
fn each_gets_its_own() {
    let (logs, metrics) = (collector(LOGS), collector(METRICS));
    let lambda = start_heard(kinglet().env(PATIENT.0, PATIENT.1));
    for number in 0..5 {
        invoke(&lambda, lines(&format!("invocation {number}"), 10));
    }
    let exit = spin_down(&lambda);
    Counters::of(&exit).assert_clean(&lambda);
    for (collector, signal, path, credentials) in [
        (&logs, Signal::Log, "/v1/logs", "logs-only"),
        (&metrics, Signal::Metric, "/v1/metrics", "metrics-only"),
    ] {
        let requests = collector.requests();
        assert!(requests.len() >= 2, "{path}: {}", requests.len());
        for received in requests {
            let request = &received.request;
            assert_eq!((request.path.as_str(), received.signal()), (path, signal));
            assert_eq!(request.header("authorization"), Some(credentials));
            let host = request.header("host").unwrap();
            assert!(path[4..].starts_with(&host[..4]), "{host} {path}");
        }
    }
    assert_eq!(function_lines(&logs).len(), 50);
    assert!(!metrics.points().is_empty());
}

/// Two hosts with names from `/etc/hosts`.
#[test]
fn hosts_in_a_file_get_what_is_theirs() {
    in_private_network(
        "collector_names::hosts_in_a_file_get_what_is_theirs",
        || {
            cover(
                "/etc/hosts",
                "127.0.0.2 logs.test\n127.0.0.3 metrics.test\n",
            );
            cover("/etc/resolv.conf", "");
            each_gets_its_own();
        },
    );
}

/// Two hosts with names from a name server, which is asked for each.
#[test]
fn hosts_of_a_name_server_get_what_is_theirs() {
    in_private_network(
        "collector_names::hosts_of_a_name_server_get_what_is_theirs",
        || {
            cover("/etc/hosts", "127.0.0.1 localhost\n");
            cover("/etc/resolv.conf", "nameserver 127.0.0.53\n");
            let asked = Arc::new(AtomicU64::new(0));
            let count = asked.clone();
            serve_dns(SERVER, move |question, reply| {
                count.fetch_add(1, Ordering::Relaxed);
                reply(&match question.name() {
                    (name, 1) if name == "logs.test" => question.address(LOGS),
                    (name, 1) if name == "metrics.test" => question.address(METRICS),
                    _ => question.unknown(),
                });
            });
            let began = Instant::now();
            each_gets_its_own();
            // Each name once, and again when its five seconds are over.
            let asked = asked.load(Ordering::Relaxed);
            assert!(
                (2..=2 * (1 + began.elapsed().as_secs() / 5)).contains(&asked),
                "{asked}"
            );
        },
    );
}

/// A name server, or whoever answers in its place, that floods with what does not answer the question: no invocation is held
/// past the budget, SHUTDOWN is obeyed, and everything is accounted for.
#[test]
fn a_flood_of_wrong_answers_holds_nothing() {
    in_private_network(
        "collector_names::a_flood_of_wrong_answers_holds_nothing",
        || {
            cover("/etc/hosts", "127.0.0.1 localhost\n");
            cover("/etc/resolv.conf", "nameserver 127.0.0.53\n");
            serve_dns(SERVER, |question, reply| {
                let mut wrong = question.address(METRICS);
                wrong[0] ^= 1;
                // Longer than any try.
                let end = Instant::now() + Duration::from_secs(3);
                while Instant::now() < end {
                    (0..100).for_each(|_| reply(&wrong));
                    thread::yield_now();
                }
            });
            let (logs, metrics) = (collector(LOGS), collector(METRICS));
            let lambda = kinglet().start().unwrap();
            let held: Vec<_> = (0..3)
                .map(|number| invoke(&lambda, lines(&format!("invocation {number}"), 10)))
                .collect();
            let exit = spin_down(&lambda);
            assert!(held.iter().all(|held| *held < HELD_MAX), "{held:?}");
            Counters::of(&exit).assert_all_received(&lambda);
            assert_eq!(logs.connections() + metrics.connections(), 0);
        },
    );
}
