//! One POST to a collector, from the request to the end of the answer, by way of ureq.

use std::io::Read;
use std::sync::Mutex;

use ureq::config::Config as AgentConfig;
use ureq::http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use ureq::{Agent, BodyReader};

use crate::config::Endpoint;
use crate::format::Format;
use crate::limits::ANSWER_BYTES_MAX;
use crate::output::resolver::CollectorResolver;
use crate::output::transport::CollectorConnector;
use crate::reactor::{Shared, lock};
use crate::sys;
use crate::text::timestamp;

/// The headers that are ours: who sends, what, and which batch.
static OURS: [HeaderName; 3] = [
    USER_AGENT,
    CONTENT_TYPE,
    HeaderName::from_static("idempotency-key"),
];

/// An answer of the collector, as far as it matters.
pub struct Response {
    pub status: u16,
    pub retry_after_ms: Option<u64>,
    pub body: Vec<u8>,
}

/// The way to all collectors. The agent is built at the first POST: a cold start does not pay for it.
#[derive(Default)]
pub struct Client {
    agent: Option<Agent>,
}

/// Where the batches of one route go.
pub struct Collector {
    pub endpoint: Endpoint,
    /// How they are written, and what is made of the answer.
    pub format: &'static dyn Format,
}

impl Collector {
    /// Ours, then the user's, which win.
    fn set_headers(&self, headers: &mut HeaderMap, batch_id: &[u8]) {
        let values = [
            concat!("kinglet/", env!("CARGO_PKG_VERSION")).as_bytes(),
            self.format.content_type().as_bytes(),
            batch_id,
        ];
        for (name, value) in OURS.iter().zip(&values) {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.insert(name.clone(), value);
            }
        }
        for (name, value) in &self.endpoint.headers {
            headers.insert(name.clone(), value.clone());
        }
    }
}

impl Client {
    /// One POST, to the end of the answer. The reactor turns meanwhile.
    pub fn post(
        &mut self,
        shared: Shared,
        collector: &Collector,
        batch_id: &[u8],
        body: &[u8],
    ) -> Result<Response, ureq::Error> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = collector.endpoint.url.clone();
        collector.set_headers(request.headers_mut(), batch_id);
        let agent = self.agent.get_or_insert_with(|| new_agent(shared));
        let (parts, body) = agent.run(request)?.into_parts();
        lock(shared).post_is_answered();
        let retry_after_ms = parts
            .headers
            .get(RETRY_AFTER)
            .and_then(|value| timestamp::delay_ms(value.as_bytes(), sys::clocks().wall));
        Ok(Response {
            status: parts.status.as_u16(),
            retry_after_ms,
            body: start_of(body.into_reader()),
        })
    }
}

/// What a body begins with. The connection can be used again only if it was read to its end; what has no end here, in bytes or
/// in time, is left.
fn start_of(mut body: BodyReader<'static>) -> Vec<u8> {
    let mut start = vec![0; ANSWER_BYTES_MAX];
    let mut used = 0;
    // Without room ureq would wait for input.
    while let Some(room @ [_, ..]) = start.get_mut(used..)
        && let Ok(count @ 1..) = body.read(room)
    {
        used += count;
    }
    start.truncate(used);
    start
}

fn new_agent(shared: Shared) -> Agent {
    let config = AgentConfig::builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build();
    let connector = CollectorConnector { reactor: shared };
    let resolver = CollectorResolver {
        reactor: shared,
        known: Mutex::default(),
    };
    Agent::with_parts(config, connector, resolver)
}

/// Why there was no answer, in a few words.
pub fn reason(problem: &ureq::Error) -> &'static [u8] {
    match problem {
        ureq::Error::Timeout(_) => b"out of time",
        ureq::Error::HostNotFound => b"its name is not known",
        ureq::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused => b"connection refused",
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe => {
                b"connection reset"
            }
            _ => b"connection failed",
        },
        _ => b"what came is not HTTP",
    }
}
