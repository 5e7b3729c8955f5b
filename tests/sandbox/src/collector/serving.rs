//! How the collector answers: each request by the fault of its signal.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use socket2::SockRef;

use super::stream::Framing;
use super::{Fault, OnAnswered, Received, Signal, decode_logs};
use crate::http::{Answer, Request, RequestReader};

pub struct Serving {
    state: Mutex<State>,
    changed: Condvar,
    on_answered: Option<OnAnswered>,
}

struct State {
    routes: Routes,
    received: Vec<Received>,
    /// How many of them have no fate yet: they will be answered, or never.
    unsettled: usize,
    /// Nobody waits for answers any more.
    ended: bool,
}

struct Routes {
    log: Route,
    metric: Route,
}

/// What requests about one signal meet.
struct Route {
    fault: Fault,
    /// Counts changes of the fault: whatever hangs in an old one ends.
    turn: u64,
    /// Bytes of the next answer of [`Fault::Longer`].
    longer: usize,
}

impl Routes {
    fn of(&mut self, signal: Signal) -> &mut Route {
        match signal {
            Signal::Log => &mut self.log,
            Signal::Metric => &mut self.metric,
        }
    }
}

impl Serving {
    pub fn new(fault: Fault, on_answered: Option<OnAnswered>) -> Serving {
        let route = || Route {
            fault: fault.clone(),
            turn: 0,
            longer: 0,
        };
        let routes = Routes {
            log: route(),
            metric: route(),
        };
        Serving {
            state: Mutex::new(State {
                routes,
                received: Vec::new(),
                unsettled: 0,
                ended: false,
            }),
            changed: Condvar::new(),
            on_answered,
        }
    }

    pub fn set_fault(&self, signal: Signal, fault: Fault) {
        {
            let mut state = self.state.lock().unwrap();
            let route = state.routes.of(signal);
            route.turn += 1;
            route.fault = fault;
        }
        self.changed.notify_all();
    }

    /// Ends whatever hangs, and will hang.
    pub fn release(&self) {
        self.state.lock().unwrap().ended = true;
        self.changed.notify_all();
    }

    /// Waits until each request that was read has its fate, at most `timeout`.
    pub fn wait_settled(&self, timeout: Duration) {
        let state = self.state.lock().unwrap();
        let _ = self
            .changed
            .wait_timeout_while(state, timeout, |state| state.unsettled > 0);
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    /// Waits until this many requests were read, at most `timeout`; says whether they were.
    pub fn wait_received(&self, count: usize, timeout: Duration) -> bool {
        let state = self.state.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(state, timeout, |state| state.received.len() < count);
        waited.unwrap().0.received.len() >= count
    }

    /// Answers the requests of one connection.
    pub fn serve(&self, mut reader: RequestReader, connection: u64) -> std::io::Result<()> {
        while let Some(mut request) = reader.head()? {
            let signal = Signal::of_path(&request.path);
            let (fault, turn) = {
                let mut state = self.state.lock().unwrap();
                let route = state.routes.of(signal);
                (route.fault.next(), route.turn)
            };
            if let Fault::Cut(bytes) = fault {
                return reader.body(&mut request, bytes);
            }
            reader.body(&mut request, usize::MAX)?;
            let request = Arc::new(request);
            let number = self.keep(connection, request.clone());
            // A long answer need not be read to its end: whoever has its status has it.
            let is_long = matches!(fault, Fault::Body(..) | Fault::Longer(..));
            let mut framing = Framing::Whole;
            let _settles = Settles(self);
            let (answer, keep_alive) = match fault {
                Fault::None | Fault::Refuse | Fault::Cut(_) | Fault::First(..) => {
                    (ok(&request), true)
                }
                Fault::Slow(pause) => {
                    self.pause(signal, turn, pause);
                    (ok(&request), true)
                }
                Fault::Status(status) => (Answer::new(status, ""), true),
                Fault::RetryAfter(seconds) => (
                    Answer::new(503, "").with("Retry-After", seconds.to_string()),
                    true,
                ),
                Fault::RetryAt(seconds) => (retry_at(seconds), true),
                Fault::Body(status, bytes, as_told) => {
                    framing = as_told;
                    (long(status, bytes), true)
                }
                Fault::Longer(step, as_told) => {
                    framing = as_told;
                    (self.longer(signal, &request, step), true)
                }
                Fault::Endless(endless, pace) => {
                    if endless.has_status() {
                        self.answered(number, Some(200), &request);
                    }
                    let is_over = || self.state.lock().unwrap().routes.of(signal).turn != turn;
                    return endless.send(pace, reader.stream(), is_over);
                }
                Fault::Partial(rejected) => (partial(&request, rejected), true),
                Fault::TooLarge(bytes) if request.body.len() > bytes => {
                    (Answer::new(413, ""), true)
                }
                Fault::Strict(text) if contains(&request.body, text.as_bytes()) => {
                    (Answer::new(400, ""), true)
                }
                Fault::TooLarge(_) | Fault::Strict(_) => (ok(&request), true),
                Fault::Close => (ok(&request).with("Connection", "close"), false),
                Fault::Reset => {
                    return SockRef::from(&*reader.stream()).set_linger(Some(Duration::ZERO));
                }
                Fault::Hang => {
                    self.pause(signal, turn, Duration::from_secs(3600));
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
            if let Err(error) = framing.send(&answer, reader.stream()) {
                if !is_long {
                    self.answered(number, None, &request);
                }
                return Err(error);
            }
            if !keep_alive {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next answer of [`Fault::Longer`].
    fn longer(&self, signal: Signal, request: &Request, step: usize) -> Answer {
        let is_one = decode_logs(request, 0).is_ok_and(|logs| logs.len() < 2);
        let mut state = self.state.lock().unwrap();
        let longer = &mut state.routes.of(signal).longer;
        let bytes = *longer;
        *longer += step;
        long(if is_one { 200 } else { 413 }, bytes)
    }

    fn keep(&self, connection: u64, request: Arc<Request>) -> usize {
        let mut state = self.state.lock().unwrap();
        state.received.push(Received {
            at: Instant::now(),
            connection,
            request,
            answered: None,
        });
        state.unsettled += 1;
        let number = state.received.len() - 1;
        drop(state);
        self.changed.notify_all();
        number
    }

    fn answered(&self, number: usize, status: Option<u16>, request: &Request) {
        self.state.lock().unwrap().received[number].answered = status;
        self.changed.notify_all();
        if let (Some(on_answered), Some(status)) = (&self.on_answered, status) {
            on_answered(number, request, status);
        }
    }

    /// Waits, but no longer than this turn of the fault lasts.
    fn pause(&self, signal: Signal, turn: u64, pause: Duration) {
        let state = self.state.lock().unwrap();
        let _ = self.changed.wait_timeout_while(state, pause, |state| {
            !state.ended && state.routes.of(signal).turn == turn
        });
    }
}

/// Until it is dropped, a request that was kept has no fate.
struct Settles<'a>(&'a Serving);

impl Drop for Settles<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.unsettled -= 1;
        drop(state);
        self.0.changed.notify_all();
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

/// An empty object, if there is room for it, with spaces in it.
fn long(status: u16, bytes: usize) -> Answer {
    let mut body = vec![b' '; bytes];
    if let [first, .., last] = body.as_mut_slice() {
        (*first, *last) = (b'{', b'}');
    }
    Answer::new(status, body)
}

fn retry_at(seconds: u32) -> Answer {
    let at = SystemTime::now() + Duration::from_secs(seconds.into());
    Answer::new(503, "").with("Retry-After", httpdate::fmt_http_date(at))
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}

/// In the form of the request.
fn partial(request: &Request, rejected: u32) -> Answer {
    const PROTOBUF: &str = "application/x-protobuf";
    if request.header("content-type") == Some(PROTOBUF) {
        let body = super::protobuf::partial_success(rejected);
        return Answer::new(200, body).with("Content-Type", PROTOBUF);
    }
    let member = match Signal::of_path(&request.path) {
        Signal::Log => "rejectedLogRecords",
        Signal::Metric => "rejectedDataPoints",
    };
    // OTLP JSON writes 64-bit integers as strings.
    let body = serde_json::json!({"partialSuccess": {member: rejected.to_string(), "errorMessage": "too many"}});
    Answer::json(200, &body)
}
