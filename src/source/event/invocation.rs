//! Events of the platform.

use super::*;
use crate::metric::platform;
use crate::text::delimited::parts;

const LOGS_DROPPED: &[u8] = b"logsDropped";

impl Reader {
    #[inline(never)]
    pub(super) fn platform(
        &mut self,
        event: &[u8],
        envelope: &Envelope<'_>,
        resource: &mut Resource,
        sink: Sink<'_>,
    ) -> (Verdict, Observation) {
        let object = match envelope.record {
            Value::Nested(object) => object,
            // `platform.fault` and old platform records are text.
            _ => b"",
        };
        let observation = self.observe(event, envelope.time_unix_nano, object, resource);
        let malformed = platform::measure(event, object, self.is_concurrent, sink);
        self.measurements_malformed += u64::from(malformed);
        let is_loss = event == LOGS_DROPPED;
        let is_shipped = self.filter.platform
            && (self.filter.invocation_lines || !platform_events::is_invocation_line(event));
        let severity = platform_severity(event, object);
        if !is_loss && (!is_shipped || !self.filter.keeps(severity)) {
            return (Verdict::Filtered, observation);
        }
        let request_id = match envelope.record {
            Value::String(raw) => raw
                .strip_prefix(b"RequestId: ")
                .and_then(|rest| rest.get(..36)),
            _ => string(object, b"requestId"),
        };
        let request_id = request_id.and_then(RequestId::new);
        let mut line = core::mem::take(&mut self.scratch);
        line.clear();
        let mut is_cut = false;
        let body = match envelope.record {
            Value::Nested(object) => {
                is_cut = platform_events::append_line(
                    &mut line,
                    event,
                    object,
                    self.encoder.body_bytes_max(),
                );
                Text::Raw(&line)
            }
            Value::String(raw) => Text::Raw(raw),
            other => Text::Text(json::text(&other)),
        };
        let about = About {
            severity,
            request_id,
            time_unix_nano: envelope.time_unix_nano,
        };
        self.encode(envelope, &about, (&body, is_cut), resource, &mut |reader| {
            reader.attributes(object, None, &[b"requestId"]);
        });
        self.scratch = line;
        (Verdict::Record, observation)
    }

    /// Takes what a platform event says about the invocation and about us.
    fn observe(
        &mut self,
        event: &[u8],
        time_unix_nano: u64,
        object: &[u8],
        resource: &mut Resource,
    ) -> Observation {
        let text = |name: &[u8]| string(object, name).unwrap_or_default();
        // Compared one by one: a `match` on byte strings becomes a decision tree of single bytes, ten times as large.
        if event == b"initStart" || event == b"restoreStart" {
            resource.set(b"faas.instance", text(b"instanceId"));
            self.coldstart &= text(b"initializationType") != b"provisioned-concurrency";
            self.encoder.forget_template();
            return Observation::Nothing;
        }
        if event == LOGS_DROPPED {
            if let Some(Value::Number(records)) = platform_events::member(object, b"droppedRecords")
            {
                let records = json::integer(records).unwrap_or(0);
                self.platform_dropped = self.platform_dropped.saturating_add(records);
            }
            return Observation::Nothing;
        }
        let Some(id) = RequestId::new(text(b"requestId")) else {
            return Observation::Nothing;
        };
        if event == b"start" {
            self.start(id, time_unix_nano, object);
            if self.is_concurrent {
                // Elsewhere INVOKE tells it.
                resource.set_function_arn(text(b"functionArn"));
            }
            resource.set(b"aws.lambda.tenant_id", text(b"tenantId"));
            Observation::Started(id)
        } else if event == b"runtimeDone" || event == b"end" {
            let success = is_success(object);
            Observation::Done { id, success }
        } else if event == b"report" {
            self.open_invocations = self.open_invocations.saturating_sub(1);
            Observation::Reported(id)
        } else {
            Observation::Nothing
        }
    }

    #[inline(never)]
    fn start(&mut self, id: RequestId, time_unix_nano: u64, object: &[u8]) {
        // An asynchronous retry has the id of its first try, and a time of its own.
        if self.current == Some(id) && time_unix_nano <= self.started_unix_nano {
            // Delivered twice.
            return;
        }
        self.started_unix_nano = time_unix_nano;
        self.is_ambiguous = self.is_concurrent && self.open_invocations > 0;
        self.open_invocations += 1;
        self.current = Some(id).filter(|_| !self.is_ambiguous);
        self.trace = if self.is_ambiguous {
            None
        } else {
            trace(object)
        };
        self.coldstart &= self.invocations == 0;
        self.encoder.forget_template();
        self.invocations = self.invocations.saturating_add(1);
    }
}

/// Error for an invocation or a phase that did not succeed, warning for a loss, else info.
fn platform_severity(event: &[u8], object: &[u8]) -> u8 {
    if event == LOGS_DROPPED {
        severity::WARN
    } else if event == b"fault" || !is_success(object) {
        severity::ERROR
    } else {
        severity::INFO
    }
}

/// A status that is missing is taken as success.
fn is_success(object: &[u8]) -> bool {
    string(object, b"status").is_none_or(|status| status == b"success")
}

/// `Root=1-6b012345-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1` to OpenTelemetry's form. The span id of
/// the event itself comes before the parent's.
fn trace(object: &[u8]) -> Option<Trace> {
    let Some(Value::Nested(tracing)) = platform_events::member(object, b"tracing") else {
        return None;
    };
    let value = string(tracing, b"value")?;
    let field = |name: &[u8]| parts(value, b';').find_map(|part| part.strip_prefix(name));
    let root = field(b"Root=1-")?;
    let (time, unique) = root.split_at_checked(8)?;
    let unique = unique.get(1..)?;
    let span_id = string(tracing, b"spanId").or_else(|| field(b"Parent="));
    let mut trace = Trace {
        trace_id: [0; 32],
        span_id: [b'0'; 16],
        sampled: field(b"Sampled=") == Some(b"1"),
    };
    let (first, last) = trace.trace_id.split_at_mut_checked(8)?;
    let is_trace = hex(first, time) & hex(last, unique);
    // One that is none stays unknown.
    hex(&mut trace.span_id, span_id.unwrap_or_default());
    is_trace.then_some(trace)
}

/// Takes exactly as many hexadecimal digits as there is room for, in lower case. False, and nothing is taken, if they are none.
fn hex(place: &mut [u8], digits: &[u8]) -> bool {
    let fits = place.len() == digits.len() && digits.iter().all(u8::is_ascii_hexdigit);
    if fits {
        place.copy_from_slice(digits);
        place.make_ascii_lowercase();
    }
    fits
}

/// A string member, raw.
fn string<'a>(object: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match platform_events::member(object, name) {
        Some(Value::String(raw)) => Some(raw),
        _ => None,
    }
}
