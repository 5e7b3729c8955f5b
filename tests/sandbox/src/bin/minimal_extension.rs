//! The least an extension does: register, subscribe, ask for events; prints nothing. With `KINGLET_ENDPOINT` it
//! forwards the function's lines there as NDJSON, with `MINIMAL_FORWARD=all` every event. `MINIMAL_FAULT` makes it misbehave, for the sandbox's own tests:
//! `exit-in-init`, `exit-on-invoke`, `never-next`, `ignore-shutdown`, `wrong-name`, `hold` (100 ms).

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::exit;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

fn main() {
    let fault = env::var("MINIMAL_FAULT").unwrap_or_default();
    let path = env::args().next().unwrap_or_default();
    let name = match fault.as_str() {
        "wrong-name" => "another-name",
        _ => path.rsplit('/').next().unwrap_or_default(),
    };
    let mut api = Api::connect();
    let headers =
        format!("Lambda-Extension-Name: {name}\r\nLambda-Extension-Accept-Feature: accountId\r\n");
    let (mut status, mut head, _) = api.call(
        "POST",
        "/2020-01-01/extension/register",
        &headers,
        r#"{"events":["INVOKE","SHUTDOWN"]}"#,
    );
    if status == 403 {
        (status, head, _) = api.call(
            "POST",
            "/2020-01-01/extension/register",
            &headers,
            r#"{"events":["SHUTDOWN"]}"#,
        );
    }
    if status != 200 {
        exit(7);
    }
    let id = head
        .lines()
        .find_map(|line| line.strip_prefix("Lambda-Extension-Identifier: "))
        .expect("an identifier");
    let id = format!("Lambda-Extension-Identifier: {}\r\n", id.trim());
    if fault == "exit-in-init" {
        exit(3);
    }
    let listener = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || listen(&listener));
    for (path, schema) in [
        ("/2022-07-01/telemetry", "2025-01-29"),
        ("/2022-07-01/telemetry", "2022-12-13"),
        ("/2020-08-15/logs", "2021-03-18"),
    ] {
        let subscription = json!({"schemaVersion": schema, "types": ["platform", "function"],
            "buffering": {"maxItems": 10000, "maxBytes": 262144, "timeoutMs": 25},
            "destination": {"protocol": "HTTP", "URI": format!("http://sandbox.localdomain:{port}/telemetry")}});
        if api.call("PUT", path, &id, &subscription.to_string()).0 == 200 {
            break;
        }
    }
    if fault == "never-next" {
        thread::sleep(Duration::from_secs(60));
    }
    loop {
        let (status, _, body) = api.call("GET", "/2020-01-01/extension/event/next", &id, "");
        let event: Value = serde_json::from_str(&body).unwrap_or_default();
        match (status, event["eventType"].as_str(), fault.as_str()) {
            (200, Some("SHUTDOWN"), "ignore-shutdown") => thread::sleep(Duration::from_secs(60)),
            (200, Some("SHUTDOWN"), _) => {
                // The last report comes up to 25 ms after the thaw.
                thread::sleep(Duration::from_millis(60));
                exit(0);
            }
            (200, _, "exit-on-invoke") => exit(4),
            (200, _, "hold") => thread::sleep(Duration::from_millis(100)),
            (200, ..) => {}
            _ => exit(8),
        }
    }
}

struct Api {
    stream: BufReader<TcpStream>,
}

impl Api {
    fn connect() -> Api {
        let address = env::var("AWS_LAMBDA_RUNTIME_API").expect("an extension runs in Lambda");
        Api {
            stream: BufReader::new(TcpStream::connect(address).expect("the Lambda APIs")),
        }
    }

    fn call(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, String, String) {
        let length = body.len();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nHost: lambda\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        self.stream
            .get_mut()
            .write_all(text.as_bytes())
            .expect("the Lambda APIs");
        let (head, body) = read_message(&mut self.stream).expect("an answer");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        (status, head, String::from_utf8_lossy(&body).into_owned())
    }
}

fn read_message(stream: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().ok()?;
        }
        head.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn listen(listener: &TcpListener) {
    let state = Arc::new(Mutex::new((Value::Null, None)));
    for stream in listener.incoming().flatten() {
        let (mut stream, state) = (BufReader::new(stream), state.clone());
        thread::spawn(move || {
            while let Some((_, body)) = read_message(&mut stream) {
                let (request_id, collector) = &mut *state.lock().expect("no panics");
                forward(&body, request_id, collector);
                let _ = stream
                    .get_mut()
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        });
    }
}

fn forward(body: &[u8], request_id: &mut Value, collector: &mut Option<BufReader<TcpStream>>) {
    let events: Vec<Value> = serde_json::from_slice(body).unwrap_or_default();
    let mut lines = String::new();
    let all = env::var("MINIMAL_FORWARD").is_ok();
    for event in &events {
        match event["type"].as_str() {
            Some("platform.start") => *request_id = event["record"]["requestId"].clone(),
            Some("function") => {
                let record = json!({"time": event["time"], "body": event["record"], "request_id": request_id});
                lines.push_str(&format!("{record}\n"));
            }
            _ => {}
        }
        if all && event["type"] != "function" {
            lines.push_str(&format!(
                "{}\n",
                json!({"type": event["type"], "body": event["record"]})
            ));
        }
    }
    let Ok(endpoint) = env::var("KINGLET_ENDPOINT") else {
        return;
    };
    let address = endpoint.trim_start_matches("http://").to_string();
    if lines.is_empty() {
        return;
    }
    if collector.is_none() {
        *collector = TcpStream::connect(&address).ok().map(BufReader::new);
    }
    let Some(stream) = collector else { return };
    let head = format!(
        "POST /lines HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n",
        lines.len()
    );
    let sent = stream.get_mut().write_all((head + &lines).as_bytes());
    if sent.is_err() || read_message(stream).is_none() {
        *collector = None;
    }
}
