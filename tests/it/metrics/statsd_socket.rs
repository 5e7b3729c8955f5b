//! The StatsD socket beside all else: events and service checks among the logs, a port that is taken, freezes.

use std::net::{Ipv4Addr, UdpSocket};

use kinglet_sandbox::Record;
use serde_json::json;

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

/// They obey the least level as lines do, by their alert type or status, and what is cut of them is counted.
#[test]
fn events_and_checks_are_filtered_and_cut_as_lines_are() {
    let long = "x".repeat(30_000);
    let datagrams = [
        "_e{4,5}:Calm|first".to_string(),
        "_e{4,4}:Well|done|t:success".into(),
        "_e{3,5}:Bad|luck!|t:error".into(),
        "_e{4,7}:Some|trouble|t:warning".into(),
        "_sc|db.up|0|m:fine".into(),
        "_sc|db.up|1|m:slow".into(),
        format!("_e{{4,30000}}:Long|{long}|t:error"),
    ];
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = client
        .beside(&collector)
        .env("KINGLET_MIN_LEVEL", "warn")
        .env("KINGLET_BUFFER_BYTES", "65536")
        .start()
        .unwrap();
    client.invoke(&lambda, datagrams);
    let counters = accounts(&spin_down(&lambda));
    let mut events = of_type(&collector, "statsd.event");
    let long_event = events.pop().unwrap();
    let texts: Vec<_> = events.iter().map(Record::text).collect();
    assert_eq!(texts, ["Bad\nluck!", "Some\ntrouble"]);
    assert_eq!(
        long_event.attribute("kinglet.original_bytes"),
        Some(&json!(30_005))
    );
    assert_eq!(counters.get("cut"), 1, "{counters:?}");
    let checks = of_type(&collector, "statsd.service_check");
    let texts: Vec<_> = checks.iter().map(Record::text).collect();
    assert_eq!(texts, ["slow"]);
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

/// More than one system call takes, among them the longest that there are; one that is too long does not leave the function.
#[test]
fn many_at_once_of_any_length_are_all_taken() {
    const LONGEST: usize = 65_507;
    let longest = |number: usize| {
        let mut datagram = b"long:1|c".to_vec();
        datagram.resize(LONGEST - 9, b'\n');
        datagram.extend_from_slice(format!("\nlast:{number}|c").as_bytes());
        datagram
    };
    let mut datagrams: Vec<Vec<u8>> = (0..40).map(|_| b"short:1|c".to_vec()).collect();
    datagrams[3] = longest(2);
    datagrams[9] = longest(4);
    assert_eq!(datagrams[3].len(), LONGEST);
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = client.beside(&collector).start().unwrap();
    client.invoke(&lambda, ["before:1|c"]);
    // It is frozen, so that all wait when it looks.
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let to = (Ipv4Addr::LOCALHOST, client.port);
    for (number, datagram) in datagrams.iter().enumerate() {
        if number == 5 {
            assert!(socket.send_to(&vec![b'x'; LONGEST + 1], to).is_err());
        }
        socket.send_to(datagram, to).unwrap();
    }
    client.invoke(&lambda, ["after:1|c"]);
    let exit = spin_down(&lambda);
    let counters = accounts(&exit);
    let (received, dropped) = (counters.get("datagrams"), counters.get("datagrams_dropped"));
    assert_eq!(
        received + dropped,
        datagrams.len() as u64 + 2,
        "{counters:?}"
    );
    assert_eq!(dropped, 0, "{counters:?}");
    assert_eq!(counters.get("measurements_malformed"), 0, "{counters:?}");
    let totals = ["short", "long", "last", "before", "after"].map(|name| total(&collector, name));
    assert_eq!(totals, [38.0, 2.0, 6.0, 1.0, 1.0]);
}
