//! The connections of the telemetry listener: stalled, idle, too many, and not even HTTP.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::arrived::function_lines;
use crate::extension::{TOLERANCE, invoke};
use crate::telemetry_input::{awake, event, finish};

fn request(head: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: sandbox\r\n{head}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A read with a timeout is interrupted when this process itself is stopped for a while.
fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Reads answers until the peer closes or this text has come so often.
fn answers(stream: &mut TcpStream, text: &str, count: usize) -> String {
    let (mut all, mut buffer) = (String::new(), [0; 1024]);
    while all.matches(text).count() < count {
        match read(stream, &mut buffer).expect("an answer in time") {
            0 => break,
            length => all.push_str(&String::from_utf8_lossy(&buffer[..length])),
        }
    }
    all
}

/// Half a request and then silence: closed after 5 s and counted, while everything else goes on.
#[test]
fn a_stalled_request_is_closed_and_others_go_on() {
    let (collector, lambda) = awake();
    let whole = request("", &format!("[{},{}]", event("half"), event("never")));
    let began = Instant::now();
    let mut stalled = lambda
        .inject_raw(&whole.as_bytes()[..whole.len() - 20])
        .unwrap();
    let mut in_head = lambda.inject_raw(b"POST / HTTP/1.1\r\nHost: san").unwrap();
    invoke(&lambda, ["meanwhile"]);
    assert!(lambda.drain(Duration::from_secs(1)), "others are served");
    for stream in [&mut stalled, &mut in_head] {
        stream
            .set_read_timeout(Some(Duration::from_secs(8)))
            .unwrap();
        assert_eq!(
            read(stream, &mut [0]).unwrap_or(0),
            0,
            "closed without an answer"
        );
        assert!(
            began.elapsed() >= Duration::from_millis(4900),
            "{:?}",
            began.elapsed()
        );
    }
    assert!(
        began.elapsed() < Duration::from_secs(7),
        "{:?}",
        began.elapsed()
    );
    let (_, counters) = finish(&lambda);
    assert_eq!(
        (counters.get("requests_broken"), counters.get("malformed")),
        (2, 1)
    );
    let arrived = function_lines(&collector);
    for line in ["first", "half", "meanwhile", "last"] {
        assert!(arrived.contains(&line.to_string()), "{arrived:?}");
    }
}

/// More connections than there are places: idle ones give way, and no request is lost.
#[test]
fn idle_connections_give_way() {
    let (collector, lambda) = awake();
    let mut connections = Vec::new();
    for number in 0..20 {
        let one = request("", &format!("[{}]", event(&format!("connection {number}"))));
        let mut stream = lambda.inject_raw(one.as_bytes()).unwrap();
        assert!(answers(&mut stream, "200 OK", 1).contains("200 OK"));
        connections.push(stream);
    }
    let (_, counters) = finish(&lambda);
    assert_eq!(function_lines(&collector).len(), 22);
    assert_eq!(counters.losses(), []);
    drop(connections);
}

/// More connections than there are places, all of them with a request, while nobody reads: none gives way before it was read.
#[test]
fn a_backlog_is_read_to_its_end() {
    let (collector, lambda) = awake();
    lambda.freeze();
    let waiting: Vec<_> = (0..24)
        .map(|number| {
            let one = request("", &format!("[{}]", event(&format!("waiting {number}"))));
            lambda.inject_raw(one.as_bytes()).unwrap()
        })
        .collect();
    lambda.thaw();
    for mut stream in waiting {
        assert!(answers(&mut stream, "200 OK", 1).contains("200 OK"));
    }
    let (_, counters) = finish(&lambda);
    assert_eq!(function_lines(&collector).len(), 26);
    assert_eq!(counters.losses(), []);
}

/// While every place is taken by a request that makes no progress, one waits; then the first of them gives way, and nothing of
/// the one that waits is lost.
#[test]
fn a_stalled_request_gives_way() {
    let (collector, lambda) = awake();
    let began = Instant::now();
    let stalled: Vec<_> = (0..8)
        .map(|_| lambda.inject_raw(b"POST / HTTP/1.1\r\n").unwrap())
        .collect();
    thread::sleep(Duration::from_millis(50));
    let mut one = lambda
        .inject_raw(request("", &format!("[{}]", event("patient"))).as_bytes())
        .unwrap();
    one.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
    assert!(answers(&mut one, "200 OK", 1).contains("200 OK"));
    let took = began.elapsed();
    let limits = Duration::from_millis(950)..Duration::from_millis(4000);
    assert!(limits.contains(&took), "{took:?}");
    let (_, counters) = finish(&lambda);
    assert_eq!(counters.get("requests_broken"), 1);
    assert_eq!(function_lines(&collector), ["first", "patient", "last"]);
    drop(stalled);
}

/// Sends a byte of a head now and then, until the peer closes; how long it has lasted.
fn drip(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    while stream.write_all(b"x").is_ok() && began.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(50));
    }
    began.elapsed()
}

/// A request that makes progress, but never comes to its end, is given up as one that stalls.
#[test]
fn a_dripping_request_is_given_up() {
    let (_collector, lambda) = awake();
    let took = drip(lambda.inject_raw(b"POST / HTTP/1.1\r\nX: ").unwrap());
    let limits = Duration::from_millis(4900)..Duration::from_millis(7000);
    assert!(limits.contains(&took), "{took:?}");
    let (_, counters) = finish(&lambda);
    assert_eq!(counters.get("requests_broken"), 1);
}

/// Requests that drip have all places, and come again and again: others are served all the same.
#[test]
fn dripping_requests_do_not_keep_others_out() {
    let (collector, lambda) = awake();
    let dripping: Vec<_> = (0..8)
        .map(|_| lambda.inject_raw(b"POST / HTTP/1.1\r\nX: ").unwrap())
        .map(|stream| thread::spawn(|| drip(stream)))
        .collect();
    let began = Instant::now();
    for number in 0..3 {
        let one = request("", &format!("[{}]", event(&format!("honest {number}"))));
        let mut stream = lambda.inject_raw(one.as_bytes()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(8)))
            .unwrap();
        assert!(answers(&mut stream, "200 OK", 1).contains("200 OK"));
    }
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    finish(&lambda);
    assert_eq!(
        function_lines(&collector),
        ["first", "honest 0", "honest 1", "honest 2", "last"]
    );
    for thread in dripping {
        thread.join().unwrap();
    }
}

/// What is not HTTP is closed and counted; it harms nobody else.
#[test]
fn garbage_is_closed() {
    let (collector, lambda) = awake();
    let long = format!(
        "POST / HTTP/1.1\r\nX-Long: {}\r\n\r\n",
        "x".repeat(64 * 1024)
    );
    for garbage in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".as_slice(),
        b"\0\0\0\0\r\n\r\n",
        long.as_bytes(),
    ] {
        // The listener may close before all is written.
        if let Ok(mut stream) = lambda.inject_raw(garbage) {
            assert_eq!(read(&mut stream, &mut [0]).unwrap_or(0), 0);
        }
    }
    let (_, counters) = finish(&lambda);
    assert_eq!(function_lines(&collector), ["first", "last"]);
    assert_eq!(
        (counters.get("requests_broken"), counters.get("malformed")),
        (3, 0)
    );
}

/// Requests that come in one piece are answered one by one, in order.
#[test]
fn pipelined_requests_are_answered_in_turn() {
    let (collector, lambda) = awake();
    let three: String = (0..3)
        .map(|number| request("", &format!("[{}]", event(&format!("piped {number}")))))
        .collect();
    let mut stream = lambda.inject_raw(three.as_bytes()).unwrap();
    assert_eq!(
        answers(&mut stream, "200 OK", 3)
            .matches("HTTP/1.1 200 OK")
            .count(),
        3
    );
    finish(&lambda);
    assert_eq!(
        function_lines(&collector),
        ["first", "piped 0", "piped 1", "piped 2", "last"]
    );
}

/// A client that waits with its body for `100 Continue` gets it; one that asks for a close gets that, too.
#[test]
fn expectations_and_closes_are_understood() {
    let (collector, lambda) = awake();
    let body = format!("[{}]", event("expected"));
    let whole = request("Expect: 100-continue\r\nConnection: close\r\n", &body);
    let (head, body) = whole.split_at(whole.len() - body.len());
    let mut stream = lambda.inject_raw(head.as_bytes()).unwrap();
    assert!(answers(&mut stream, "\r\n\r\n", 1).starts_with("HTTP/1.1 100 "));
    stream.write_all(body.as_bytes()).unwrap();
    let began = Instant::now();
    let last = answers(&mut stream, "nothing else", 1);
    assert!(
        last.starts_with("HTTP/1.1 200 ") && last.contains("Connection: close"),
        "{last}"
    );
    assert!(began.elapsed() < TOLERANCE * 2, "closed at once");
    finish(&lambda);
    assert_eq!(function_lines(&collector), ["first", "expected", "last"]);
}
