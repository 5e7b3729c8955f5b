//! The StatsD socket beside all else: events and service checks among the logs, a port that is taken, freezes.

use std::net::{Ipv4Addr, UdpSocket};

use super::measured::{accounts, accounts_without_losses, measuring, total};
use super::statsd_client::StatsdClient;
use crate::arrived::{function_lines, of_type};
use crate::extension::{healthy_collector, invoke, spin_down};

/// Events and service checks are log records of the invocation.
#[test]
fn events_and_checks_are_records() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = client.beside(&collector).start().unwrap();
    client.invoke(
        &lambda,
        [
            "_e{6,5}:Deploy|first|t:warning|k:release|#shop:north",
            "_sc|db.up|2|#shop:north|m:cannot connect",
            "_e{3,2}:bad|lies",
        ],
    );
    let exit = spin_down(&lambda);
    let counters = accounts(&exit);
    assert_eq!(
        counters.get("measurements_malformed"),
        1,
        "a length that lies: {counters:?}"
    );
    assert_eq!(
        counters.get("received"),
        lambda.delivered().delivered as u64 + 2,
        "{counters:?}"
    );
    let [event] = of_type(&collector, "statsd.event").try_into().unwrap();
    assert_eq!(
        (event.text().as_str(), event.severity.as_str()),
        ("Deploy\nfirst", "WARN")
    );
    let [check] = of_type(&collector, "statsd.service_check")
        .try_into()
        .unwrap();
    assert_eq!(
        (check.text().as_str(), check.severity.as_str()),
        ("cannot connect", "ERROR")
    );
    assert_eq!(
        check.attribute("statsd.service_check.name").unwrap(),
        "db.up"
    );
    for record in [&event, &check] {
        assert_eq!(record.attribute("shop").unwrap(), "north");
    }
}

/// The port is another's: one line says so, and all the rest goes on.
#[test]
fn a_taken_port_is_told_once() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let _other = UdpSocket::bind((Ipv4Addr::LOCALHOST, client.port)).unwrap();
    let lambda = client.beside(&collector).start().unwrap();
    for number in 0..3 {
        invoke(&lambda, [format!("line {number}")]);
    }
    let exit = spin_down(&lambda);
    assert_eq!(exit.stderr.len(), 2, "{:?}", exit.stderr);
    assert!(
        exit.stderr[0].contains("KINGLET_STATSD_PORT"),
        "{:?}",
        exit.stderr
    );
    assert_eq!(function_lines(&collector), ["line 0", "line 1", "line 2"]);
    assert_eq!(total(&collector, "faas.invocations"), 3.0);
}

/// Port 0: nobody listens, and the port may be used by the function.
#[test]
fn no_port_is_no_socket() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = measuring(&collector).start().unwrap();
    invoke(&lambda, ["a line"]);
    assert!(UdpSocket::bind((Ipv4Addr::LOCALHOST, client.port)).is_ok());
    let counters = accounts(&spin_down(&lambda));
    assert_eq!(counters.get("datagrams"), 0);
}

/// What comes between invocations waits in the socket, over the freeze.
#[test]
fn datagrams_wait_while_it_is_frozen() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = client.beside(&collector).start().unwrap();
    client.invoke(&lambda, ["during:1|c"]);
    client.send(&[b"frozen:1|c".to_vec(), b"frozen:2|c".to_vec()]);
    client.invoke(&lambda, ["during:1|c"]);
    client.send(&[b"frozen:4|c".to_vec()]);
    let exit = spin_down(&lambda);
    accounts_without_losses(&exit, &collector);
    assert_eq!(
        (total(&collector, "during"), total(&collector, "frozen")),
        (2.0, 7.0)
    );
}
