//! A Runtime API that answers to next whatever a test has written down, where the sandbox is too well-behaved.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::extension::{Bound, KINGLET};

/// A SHUTDOWN whose deadline is 0, past, far away or missing is a SHUTDOWN, and so is one that is hardly JSON.
#[test]
fn shutdown_is_understood_in_any_form() {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    for last in [
        shutdown(0),
        shutdown(now - 1000),
        shutdown(u64::MAX),
        (200, r#"{"eventType":"SHUTDOWN"}"#.into()),
        (
            200,
            r#"{"eventType":"SHUTDOWN","deadlineMs":-5,"shutdownReason":17}"#.into(),
        ),
        (200, r#"{"eventType":"SHUTDOWN""#.into()),
    ] {
        let began = Instant::now();
        let (output, _) = against(std::slice::from_ref(&last));
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{last:?}: {text}");
        assert!(text.contains("kinglet: exit reason="), "{last:?}: {text}");
        assert!(
            began.elapsed() < Bound::ms(2000),
            "{last:?}: {:?}",
            began.elapsed()
        );
    }
}

/// An answer to next that cannot be read is an invocation all the same: next is asked, and SHUTDOWN comes.
#[test]
fn an_unreadable_event_is_an_invocation() {
    let bodies = [
        "",
        "{}",
        "not JSON",
        r#"{"eventType":"INVOKE"}"#,
        r#"{"eventType":"INVOKE","requestId":7,"deadlineMs":"x"}"#,
    ];
    let mut answers: Vec<(u16, String)> =
        bodies.iter().map(|body| (200, body.to_string())).collect();
    answers.push(shutdown(0));
    let (output, taken) = against(&answers);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        (output.status.code(), taken),
        (Some(0), answers.len()),
        "{text}"
    );
    assert!(text.contains(" invocations=5 "), "{text}");
}

/// Errors are counted in a row only: one good answer between them, and it goes on. Then a sandbox that is gone is left.
#[test]
fn errors_that_are_not_in_a_row_are_not_the_end() {
    let invoke = (
        200,
        r#"{"eventType":"INVOKE","requestId":"r","deadlineMs":0}"#.to_string(),
    );
    let error = (500, String::new());
    let refused = (403, "{}".to_string());
    let (output, taken) = against(&[
        error.clone(),
        error.clone(),
        invoke.clone(),
        refused.clone(),
        error.clone(),
        invoke,
        shutdown(0),
    ]);
    assert_eq!((output.status.code(), taken), (Some(0), 7));
    let (output, _) = against(&[refused.clone(), error, refused, shutdown(0)]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// With nobody at the other end of its stderr kinglet has nobody to tell that it was not given an endpoint, and goes on.
#[test]
fn nobody_reads_what_is_said() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let (output, taken) = against_with(&[shutdown(0)], |kinglet| kinglet.stderr(writer));
    assert_eq!((output.status.code(), taken), (Some(0), 1), "{output:?}");
}

/// An answer to subscribe that comes a byte at a time is awaited for a second in all, not for a second each.
#[test]
fn an_answer_to_subscribe_that_trickles_is_not_awaited() {
    let began = Instant::now();
    let (output, taken) = against_with(&[shutdown(0)], |kinglet| {
        kinglet
            .env("KINGLET_ENDPOINT", "http://127.0.0.1:9")
            .env("KINGLET_PORT", "0")
    });
    assert_eq!((output.status.code(), taken), (Some(0), 1), "{output:?}");
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(900) && took < Bound::ms(1800),
        "{took:?}"
    );
}

/// A Runtime API that gives these answers to one next after the other, and then no more. How kinglet ends, and how many of
/// them it has taken.
fn against(answers: &[(u16, String)]) -> (Output, usize) {
    against_with(answers, |kinglet| kinglet)
}

/// As [`against`], with a kinglet that is set up further. Its subscribe, if it comes to that, is answered at a trickle.
fn against_with(
    answers: &[(u16, String)],
    set_up: impl FnOnce(&mut Command) -> &mut Command,
) -> (Output, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut kinglet = Command::new(KINGLET);
    kinglet
        .env_clear()
        .env(
            "AWS_LAMBDA_RUNTIME_API",
            listener.local_addr().unwrap().to_string(),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = set_up(&mut kinglet).spawn().unwrap();
    let (taken, answers) = (Arc::new(AtomicUsize::new(0)), answers.to_vec());
    let counting = taken.clone();
    // Left behind in `accept` when kinglet has gone.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            while let Some(path) = read_request(&mut reader) {
                if path.ends_with("/telemetry") {
                    trickle(reader.get_mut());
                    break;
                }
                let (status, body) = if path.ends_with("/next") {
                    match answers.get(counting.fetch_add(1, SeqCst)) {
                        Some((status, body)) => (*status, body.as_str()),
                        None => return,
                    }
                } else {
                    (200, "{\"functionName\":\"orders\"}")
                };
                let head = format!(
                    "HTTP/1.1 {status} Whatever\r\nLambda-Extension-Identifier: an-id\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                reader
                    .get_mut()
                    .write_all((head + body).as_bytes())
                    .unwrap();
            }
        }
    });
    let output = child.wait_with_output().unwrap();
    (output, taken.load(SeqCst))
}

/// A byte every 100 ms, until the peer has closed.
fn trickle(stream: &mut TcpStream) {
    for byte in b"HTTP/1.1 200 OK".iter().chain(std::iter::repeat(&b' ')) {
        if stream.write_all(&[*byte]).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Reads one request; its path. `None`: the peer has closed.
fn read_request(reader: &mut impl BufRead) -> Option<String> {
    let (mut path, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        reader
            .read_line(&mut line)
            .ok()
            .filter(|count| *count > 0)?;
        let line = line.trim_end().to_ascii_lowercase();
        if path.is_none() {
            path = line.split(' ').nth(1).map(Into::into);
        } else if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        } else if line.is_empty() {
            reader.read_exact(&mut vec![0; length]).ok()?;
            return path;
        }
    }
}

fn shutdown(deadline_ms: u64) -> (u16, String) {
    (
        200,
        format!(
            r#"{{"eventType":"SHUTDOWN","deadlineMs":{deadline_ms},"shutdownReason":"retired"}}"#
        ),
    )
}
