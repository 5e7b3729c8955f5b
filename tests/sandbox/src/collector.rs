//! A collector in a thread of its own: takes what an extension ships and decodes it when asked.

mod fault;
mod record;

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

pub use self::fault::{FAULTS, Fault};
pub use self::record::{Attributes, Record, Signal, decode};
use crate::http::{Answer, Request, RequestReader};
use crate::server::Server;

/// One request that reached the collector.
#[derive(Clone, Debug)]
pub struct Received {
    pub at: Instant,
    /// Number of the connection it came over, counted from 0.
    pub connection: u64,
    pub request: Arc<Request>,
    /// The status it was answered with; `None` while unanswered, and for ever under some faults.
    pub answered: Option<u16>,
}

impl Received {
    /// Whether the extension could know that it was taken.
    pub fn accepted(&self) -> bool {
        self.answered
            .is_some_and(|status| (200..300).contains(&status))
    }
}

/// What is called for every accepted request, with its number.
pub type OnReceived = Box<dyn Fn(usize, &Request) + Send + Sync>;

/// The collector; dropping it closes its port.
pub struct Collector {
    server: Server,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    on_received: Option<OnReceived>,
}

struct State {
    fault: Fault,
    /// Counts changes of the fault: whatever hangs in an old one ends.
    turn: u64,
    received: Vec<Received>,
}

impl Collector {
    pub fn start(fault: Fault) -> anyhow::Result<Collector> {
        Collector::start_with(fault, None)
    }

    /// Like `start`, and `on_received` sees every accepted request as it comes.
    pub fn start_with(fault: Fault, on_received: Option<OnReceived>) -> anyhow::Result<Collector> {
        let state = State {
            fault: fault.clone(),
            turn: 0,
            received: Vec::new(),
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            on_received,
        });
        let serving = shared.clone();
        let server = Server::start(Arc::new(move |stream, number| {
            // A broken connection is the peer's affair; what it brought whole has been kept.
            let _ = serving.serve(RequestReader::new(stream), number);
        }))?;
        let collector = Collector { server, shared };
        collector.set_fault(fault);
        Ok(collector)
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Changes the fault. A hanging request's connection is closed; `Refuse` closes all and stops listening.
    pub fn set_fault(&self, fault: Fault) {
        let refuses = fault.refuses();
        {
            let mut state = self.shared.state.lock().unwrap();
            state.turn += 1;
            state.fault = fault;
        }
        self.shared.changed.notify_all();
        if refuses {
            self.server.close();
        } else {
            self.server
                .open()
                .expect("the collector's port is reserved");
        }
    }

    /// Every request that was read, in order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.state.lock().unwrap().received.clone()
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> u64 {
        self.server.accepted()
    }

    /// The records of all accepted requests, in order. Panics on a body that a strict receiver would refuse.
    pub fn records(&self) -> Vec<Record> {
        self.try_records()
            .unwrap_or_else(|error| panic!("the collector received {error}"))
    }

    /// The records of all accepted requests, in order, or what is wrong with one of them.
    pub fn try_records(&self) -> Result<Vec<Record>, String> {
        let mut records = Vec::new();
        for (number, received) in self
            .requests()
            .iter()
            .enumerate()
            .filter(|(_, received)| received.accepted())
        {
            records.extend(decode(
                &received.request.path,
                &received.request.body,
                number,
            )?);
        }
        Ok(records)
    }

    /// The log records only.
    pub fn logs(&self) -> Vec<Record> {
        self.records()
            .into_iter()
            .filter(|record| record.signal == Signal::Log)
            .collect()
    }

    /// The metric data points only.
    pub fn metrics(&self) -> Vec<Record> {
        self.records()
            .into_iter()
            .filter(|record| record.signal == Signal::Metric)
            .collect()
    }

    /// Waits until this many requests were read (answered or not), at most `timeout`; says whether they were.
    pub fn wait_requests(&self, count: usize, timeout: Duration) -> bool {
        let state = self.shared.state.lock().unwrap();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, timeout, |state| state.received.len() < count);
        waited.unwrap().0.received.len() >= count
    }

    /// Waits until `enough` holds for the records, at most `timeout`; gives the records either way.
    pub fn wait_records(
        &self,
        timeout: Duration,
        enough: impl Fn(&[Record]) -> bool,
    ) -> Vec<Record> {
        let deadline = Instant::now() + timeout;
        loop {
            let records = self.records();
            if enough(&records) || Instant::now() >= deadline {
                return records;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap().turn += 1;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn serve(&self, mut reader: RequestReader, connection: u64) -> std::io::Result<()> {
        while let Some(mut request) = reader.head()? {
            let (fault, turn) = {
                let mut state = self.state.lock().unwrap();
                (state.fault.next(), state.turn)
            };
            if let Fault::Cut(bytes) = fault {
                return reader.body(&mut request, bytes);
            }
            reader.body(&mut request, usize::MAX)?;
            let request = Arc::new(request);
            let number = self.keep(connection, request.clone());
            let (answer, keep_alive) = match fault {
                Fault::None | Fault::Refuse | Fault::Cut(_) | Fault::First(..) => {
                    (ok(&request), true)
                }
                Fault::Slow(pause) => {
                    self.pause(turn, pause);
                    (ok(&request), true)
                }
                Fault::Status(status) => (Answer::new(status, ""), true),
                Fault::RetryAfter(seconds) => (
                    Answer::new(503, "").with("Retry-After", seconds.to_string()),
                    true,
                ),
                Fault::Partial(rejected) => (partial(&request, rejected), true),
                Fault::Close => (ok(&request).with("Connection", "close"), false),
                Fault::Reset => {
                    return SockRef::from(&*reader.stream()).set_linger(Some(Duration::ZERO));
                }
                Fault::Hang => {
                    self.pause(turn, Duration::from_secs(3600));
                    return Ok(());
                }
                Fault::Garbage => {
                    use std::io::Write;
                    return reader
                        .stream()
                        .write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n");
                }
            };
            let keep_alive = keep_alive && request.header("connection") != Some("close");
            // Before the write: whoever has the answer must find the request accepted.
            self.answered(number, Some(answer.status), &request);
            if let Err(error) = answer.write(reader.stream(), false) {
                self.answered(number, None, &request);
                return Err(error);
            }
            if !keep_alive {
                return Ok(());
            }
        }
        Ok(())
    }

    fn keep(&self, connection: u64, request: Arc<Request>) -> usize {
        let mut state = self.state.lock().unwrap();
        state.received.push(Received {
            at: Instant::now(),
            connection,
            request,
            answered: None,
        });
        let number = state.received.len() - 1;
        drop(state);
        self.changed.notify_all();
        number
    }

    fn answered(&self, number: usize, status: Option<u16>, request: &Request) {
        self.state.lock().unwrap().received[number].answered = status;
        self.changed.notify_all();
        if let (Some(on_received), Some(200..300)) = (&self.on_received, status) {
            on_received(number, request);
        }
    }

    /// Waits, but no longer than this turn of the fault lasts.
    fn pause(&self, turn: u64, pause: Duration) {
        let state = self.state.lock().unwrap();
        let _ = self
            .changed
            .wait_timeout_while(state, pause, |state| state.turn == turn);
    }
}

fn ok(request: &Request) -> Answer {
    let body = if request.path.contains("/v1/") {
        "{}"
    } else {
        ""
    };
    Answer::new(200, body).with("Content-Type", "application/json")
}

fn partial(request: &Request, rejected: u32) -> Answer {
    let member = if request.path.ends_with("/v1/metrics") {
        "rejectedDataPoints"
    } else {
        "rejectedLogRecords"
    };
    // OTLP JSON writes 64-bit integers as strings.
    let body = serde_json::json!({"partialSuccess": {member: rejected.to_string(), "errorMessage": "too many"}});
    Answer::json(200, &body)
}
