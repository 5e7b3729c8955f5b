//! Where the batches of each route are sent.

use ureq::http::{HeaderName, HeaderValue, Uri};

use super::variables::Variables;
use super::{Formats, pairs, table, url};
use crate::limits;
use crate::queue::route::{LOGS, METRICS, ROUTES, RouteId};
use crate::queue::signal::Signal;
use crate::text::delimited;

type Header = (HeaderName, HeaderValue);
pub type Headers = Vec<Header>;

/// The collector of one route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    pub url: Uri,
    /// The variable that told, for messages.
    pub variable: &'static str,
    /// Additional request headers, first what the user info of the URL says. Of two with the same name the last one counts.
    pub headers: Headers,
    /// Bound on one POST, awake.
    pub timeout_ms: u64,
}

/// Why a route has no endpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// It is not wanted.
    Off,
    Unset,
    /// What a variable says is no URL, which was told.
    Wrong,
}

/// This build ships metrics.
const HAS_METRICS: bool = cfg!(feature = "metrics");

/// Headers that say how a request is framed or how its body is to be read, which the client alone knows; and the batch's id.
const CLIENTS: &str = "accept-encoding,connection,content-encoding,content-length,expect,host,idempotency-key,keep-alive,te,\
    trailer,transfer-encoding,upgrade";

impl Variables<'_, '_> {
    pub(super) fn endpoints(&mut self, formats: &Formats) -> [Option<Endpoint>; ROUTES] {
        let has_metrics = self.value(table::METRICS, None) == 0 && HAS_METRICS;
        let log = self.endpoint(LOGS, formats);
        let metric = if has_metrics {
            self.endpoint(METRICS, formats)
        } else {
            Err(Missing::Off)
        };
        match (&log, &metric) {
            (Err(Missing::Off), Err(Missing::Off)) => (self.warn)(&[
                b"OTEL_LOGS_EXPORTER, and KINGLET_METRICS or OTEL_METRICS_EXPORTER, switch all off: nothing is recorded",
            ]),
            (Err(Missing::Off | Missing::Unset), Err(Missing::Off | Missing::Unset)) => (self.warn)(&[
                b"KINGLET_ENDPOINT is not set: nothing is recorded. Set it to the URL of an OTLP/HTTP collector, such as http://10.0.0.5:4318",
            ]),
            _ => {}
        }
        [log.ok(), metric.ok()]
    }

    fn endpoint(&mut self, route: RouteId, formats: &Formats) -> Result<Endpoint, Missing> {
        let signal = route.facts().signal;
        let of = Some(signal);
        if self.is_off(signal) {
            return Err(Missing::Off);
        }
        let own = self.first(table::METRICS_ENDPOINT, of);
        let Some((variable, value)) = own.or_else(|| self.first(table::ENDPOINT, of)) else {
            return Err(Missing::Unset);
        };
        // A route's own variable is the whole URL.
        let path = match table::signal(variable.as_bytes()) {
            None => route.of(formats).path(signal),
            Some(_) => "",
        };
        let (url, mut headers) = match url::judge(value, path) {
            Ok(judged) => judged,
            Err(problem) => {
                let consequence: &[u8] = match signal {
                    Signal::Log => b": no logs are recorded",
                    Signal::Metric => b": no metrics are recorded",
                };
                self.say(&[variable.as_bytes(), problem, consequence]);
                return Err(Missing::Wrong);
            }
        };
        self.headers(signal, &mut headers);
        Ok(Endpoint {
            url,
            variable,
            headers,
            timeout_ms: self.value(table::TIMEOUT_MS, of),
        })
    }

    /// Other exporters are the function's own, and may stand beside `otlp`.
    fn is_off(&mut self, signal: Signal) -> bool {
        let Some((name, value)) = self.first(table::EXPORTER, Some(signal)) else {
            return false;
        };
        let is_none = value.eq_ignore_ascii_case("none");
        if !is_none && !delimited::list(value).any(|word| word.eq_ignore_ascii_case("otlp")) {
            self.wrong(table::EXPORTER, name, value);
        }
        is_none
    }

    /// `name=value,name=value`, percent-encoded (W3C Baggage, as OTLP prescribes).
    fn headers(&mut self, signal: Signal, headers: &mut Headers) {
        let Some((variable, list)) = self.first(table::HEADERS, Some(signal)) else {
            return;
        };
        let mut place = 0;
        for pair in delimited::list(list) {
            place += 1;
            let pair = pairs::pair(pair);
            let name = pair.as_ref().map_or("", |(name, _)| name);
            if delimited::list(CLIENTS).any(|known| name.eq_ignore_ascii_case(known)) {
                self.say(&[
                    variable.as_bytes(),
                    b": ",
                    name.as_bytes(),
                    b" is left out: only the client sets it",
                ]);
                continue;
            }
            match pair.and_then(header) {
                Some(header) if place <= limits::HEADERS_MAX => headers.push(header),
                _ => self.left_out(variable, place),
            }
        }
    }
}

/// A header as the client takes it.
fn header((name, value): (&str, String)) -> Option<Header> {
    // ureq refuses a request whose authorization is not ASCII.
    if name.eq_ignore_ascii_case("authorization") && !value.is_ascii() {
        return None;
    }
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        for (pair, is_header) in [
            ("a=b", true),
            ("content-type=text/plain", true),
            ("x=\u{e9}", true),
            ("x=\u{fffd}", false),
            ("authorization=\u{e9}", false),
            ("authorization=%C3%A9", false),
            ("x=a%0Ab", false),
            ("x=%zz", false),
            ("a b=c", false),
            ("=c", false),
            ("c", false),
        ] {
            let header = pairs::pair(pair).and_then(header);
            assert_eq!(header.is_some(), is_header, "{pair}");
        }
    }
}
