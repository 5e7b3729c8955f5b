//! The smallest Runtime API that an extension can start beside: it answers register and subscribe, and next with SHUTDOWN.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

const REGISTERED: &str =
    r#"{"functionName":"f","functionVersion":"$LATEST","handler":"h","accountId":"123456789012"}"#;
const SHUTDOWN: &str = r#"{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":0}"#;
const IDENTIFIER: &str = "Lambda-Extension-Identifier: 00000000-0000-4000-8000-000000000000\r\n";

/// An extension that says nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(5);

/// Serves one connection until it ends.
pub(crate) fn serve_one(listener: &TcpListener) -> Option<()> {
    let (stream, _) = listener.accept().ok()?;
    stream.set_read_timeout(Some(SILENCE)).ok()?;
    let mut requests = BufReader::new(stream);
    loop {
        let request_line = request(&mut requests)?;
        let stream = requests.get_mut();
        if request_line.contains("/extension/register") {
            answer(stream, IDENTIFIER, REGISTERED)?;
        } else if request_line.contains("/telemetry") {
            answer(stream, "", "\"OK\"")?;
        } else {
            answer(stream, "", SHUTDOWN)?;
        }
    }
}

/// Reads a request to its end, and gives its first line.
fn request(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push(line);
    }
    let length = head.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok()).flatten()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    head.into_iter().next()
}

fn answer(stream: &mut TcpStream, headers: &str, body: &str) -> Option<()> {
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    // In one write, as Lambda does: in two it would be read in two.
    stream.write_all(answer.as_bytes()).ok()
}
