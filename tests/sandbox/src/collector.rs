//! A collector in a thread of its own: takes what an extension ships and decodes it when asked.

mod body;
mod fault;
mod point;
mod protobuf;
mod record;
mod serving;
mod stream;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

pub use self::body::{Signal, decode, decode_logs, decode_points};
pub use self::fault::{FAULTS, Fault};
pub use self::point::{Data, Histogram, Point, Temporality};
pub use self::record::{Attributes, Record};
use self::serving::Serving;
pub use self::stream::{Endless, Framing, Pace};
use crate::http::{Request, RequestReader};
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
    pub fn signal(&self) -> Signal {
        Signal::of_path(&self.request.path)
    }

    /// Whether the extension could know that it was taken.
    pub fn accepted(&self) -> bool {
        self.answered
            .is_some_and(|status| (200..300).contains(&status))
    }
}

/// What is called for every request that is answered, with its number and the answer's status.
pub type OnAnswered = Box<dyn Fn(usize, &Request, u16) + Send + Sync>;

/// The collector; dropping it closes its port.
pub struct Collector {
    server: Server,
    serving: Arc<Serving>,
}

impl Collector {
    pub fn start(fault: Fault) -> anyhow::Result<Collector> {
        Collector::start_with(fault, None)
    }

    /// Like `start`, at this address instead of any port of 127.0.0.1.
    pub fn start_at(address: SocketAddrV4, fault: Fault) -> anyhow::Result<Collector> {
        Collector::start_there(address, fault, None)
    }

    /// Like `start`, and `on_answered` sees every request that is answered, as it comes.
    pub fn start_with(fault: Fault, on_answered: Option<OnAnswered>) -> anyhow::Result<Collector> {
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        Collector::start_there(any, fault, on_answered)
    }

    fn start_there(
        address: SocketAddrV4,
        fault: Fault,
        on_answered: Option<OnAnswered>,
    ) -> anyhow::Result<Collector> {
        let serving = Arc::new(Serving::new(fault.clone(), on_answered));
        let server = Server::start_at(
            address,
            Arc::new({
                let serving = serving.clone();
                move |stream, number| {
                    // A broken connection is the peer's affair; what it brought whole has been kept.
                    let _ = serving.serve(RequestReader::new(stream), number);
                }
            }),
        )?;
        let collector = Collector { server, serving };
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
        self.serving.set_fault(Signal::Log, fault.clone());
        self.serving.set_fault(Signal::Metric, fault);
        if refuses {
            self.server.close();
        } else {
            self.server
                .open()
                .expect("the collector's port is reserved");
        }
    }

    /// Changes the fault of requests about this signal, by their path; the other's is as it was.
    ///
    /// # Panics
    ///
    /// With `Refuse`: both come over one port. Give the signal a collector of its own.
    pub fn set_fault_of(&self, signal: Signal, fault: Fault) {
        assert!(!fault.refuses(), "both signals come over one port");
        self.serving.set_fault(signal, fault);
    }

    /// Once nobody waits for answers any more: ends every pause, and returns when each request that was read has its fate.
    pub fn finish(&self) {
        self.serving.release();
        self.serving.wait_settled(Duration::from_secs(5));
        self.server.close();
        self.serving.wait_settled(Duration::from_secs(5));
    }

    /// Every request that was read, in order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.serving.received()
    }

    /// The requests about this signal, in order of arrival.
    pub fn requests_of(&self, signal: Signal) -> Vec<Received> {
        let mut requests = self.requests();
        requests.retain(|received| received.signal() == signal);
        requests
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> u64 {
        self.server.accepted()
    }

    /// The log records of all accepted requests, in order. Panics on a body that a strict receiver would refuse.
    pub fn records(&self) -> Vec<Record> {
        expect_valid(self.try_records())
    }

    /// The log records of all accepted requests, in order, or what is wrong with one of them.
    pub fn try_records(&self) -> Result<Vec<Record>, String> {
        self.decoded(&decode_logs)
    }

    /// The same as `records`.
    pub fn logs(&self) -> Vec<Record> {
        self.records()
    }

    /// The data points of all accepted requests, in order. Panics on a body that a strict receiver would refuse.
    pub fn points(&self) -> Vec<Point> {
        expect_valid(self.try_points())
    }

    /// The data points of all accepted requests, in order, or what is wrong with one of them.
    pub fn try_points(&self) -> Result<Vec<Point>, String> {
        self.decoded(&decode_points)
    }

    fn decoded<T>(&self, decode: &Decode<T>) -> Result<Vec<T>, String> {
        let mut all = Vec::new();
        for (number, received) in self.requests().iter().enumerate() {
            if received.accepted() {
                all.extend(decode(&received.request, number)?);
            }
        }
        Ok(all)
    }

    /// Waits until this many requests were read (answered or not), at most `timeout`; says whether they were.
    pub fn wait_requests(&self, count: usize, timeout: Duration) -> bool {
        self.serving.wait_received(count, timeout)
    }

    /// Waits until `enough` holds for the records, at most `timeout`; gives the records either way.
    pub fn wait_records(
        &self,
        timeout: Duration,
        enough: impl Fn(&[Record]) -> bool,
    ) -> Vec<Record> {
        wait(timeout, || self.records(), enough)
    }

    /// Waits until `enough` holds for the points, at most `timeout`; gives the points either way.
    pub fn wait_points(&self, timeout: Duration, enough: impl Fn(&[Point]) -> bool) -> Vec<Point> {
        wait(timeout, || self.points(), enough)
    }
}

/// Takes a request apart, which has this number.
type Decode<T> = dyn Fn(&Request, usize) -> Result<Vec<T>, String>;

fn expect_valid<T>(decoded: Result<T, String>) -> T {
    decoded.unwrap_or_else(|error| panic!("the collector received {error}"))
}

fn wait<T>(timeout: Duration, look: impl Fn() -> Vec<T>, enough: impl Fn(&[T]) -> bool) -> Vec<T> {
    let deadline = Instant::now() + timeout;
    loop {
        let found = look();
        if enough(&found) || Instant::now() >= deadline {
            return found;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.release();
    }
}
