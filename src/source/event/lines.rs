//! Lines of the function, of extensions, and of types that Lambda has added since.

use super::claims::claims;
use super::*;

/// No invocation is open.
const NOBODY: &[u8] = b"";

impl Reader {
    /// Reads a StatsD event or service check, which is like a line of the function.
    pub fn statsd(&mut self, log: &statsd::Log<'_>, now: Wall, resource: &Resource) -> Verdict {
        if !(self.filter.function && self.filter.keeps(log.severity)) {
            return Verdict::Filtered;
        }
        let current = self.current;
        let now = now.unix_nano();
        let head = Head {
            time_unix_nano: now,
            observed_unix_nano: now,
            severity: 0,
            event_type: b"",
            request_id: current.as_ref().map_or(b"", RequestId::as_bytes),
            trace: self.trace.as_ref(),
            coldstart: self.coldstart,
            resource,
        };
        statsd::write(log, &head, &mut self.encoder);
        Verdict::Record
    }

    /// A line of the function, of an extension, or of a type that Lambda has added since.
    #[inline(never)]
    pub(super) fn line(
        &mut self,
        envelope: &Envelope<'_>,
        resource: &Resource,
        sink: Sink<'_>,
    ) -> Verdict {
        let is_own =
            || matches!(envelope.record, Value::String(raw) if raw.starts_with(OWN_PREFIX));
        let mut is_shipped = if envelope.event_type == FUNCTION {
            self.filter.function
        } else if envelope.event_type == b"extension" {
            self.filter.extension && !is_own()
        } else {
            true
        };
        let may_measure = envelope.event_type == FUNCTION && self.filter.emf != Emf::Logs;
        if !is_shipped && !may_measure {
            return Verdict::Filtered;
        }
        let text = json::text(&envelope.record);
        let is_string = matches!(envelope.record, Value::String(_));
        let is_braced = text.first() == Some(&b'{');
        let is_object = is_braced && !is_string;
        let current = self.current;
        let mut unescaped = core::mem::take(&mut self.scratch);
        unescaped.clear();
        if is_string && is_braced {
            json::append_unescaped(&mut unescaped, text, text.len());
        }
        let object = if is_object { text } else { &unescaped };
        let mut claims = claims(object);
        if is_string {
            // All of it is the message, and its time is the event's.
            (claims.message, claims.time_unix_nano) = (Some((text, true)), None);
        }
        if is_string && !is_braced {
            let id = current.as_ref().map_or(NOBODY, RequestId::as_bytes);
            let prefix = text_line::prefix(text, id);
            (claims.severity, claims.request_id) = (prefix.severity, prefix.request_id);
        }
        if claims.is_emf {
            is_shipped &= self.measure_emf(envelope, object, sink);
        }
        is_shipped &= self.filter.keeps(claims.severity);
        if is_shipped {
            let request_id = claims.request_id.and_then(RequestId::new);
            let about = About {
                severity: claims.severity,
                request_id: request_id.or(current),
                time_unix_nano: claims.time_unix_nano.unwrap_or(envelope.time_unix_nano),
            };
            // What is neither a string nor an object is kept as its text.
            let (body, is_cut) = match claims.message {
                Some((message, is_complete)) => (Text::Raw(message), !is_complete),
                None => (Text::Text(text), is_object && !envelope.is_complete),
            };
            self.encode(envelope, &about, (&body, is_cut), resource, &mut |reader| {
                if is_object {
                    reader.attributes(text, Some(&claims), &[]);
                }
            });
        }
        self.scratch = unescaped;
        if is_shipped {
            Verdict::Record
        } else {
            Verdict::Filtered
        }
    }

    /// Measures what a line in the embedded metric format says. True unless the line itself is not to be shipped.
    fn measure_emf(&mut self, envelope: &Envelope<'_>, object: &[u8], sink: Sink<'_>) -> bool {
        if envelope.event_type != FUNCTION || self.filter.emf == Emf::Logs {
            return true;
        }
        self.measurements_malformed += u64::from(emf::read(object, sink).malformed);
        self.filter.emf == Emf::Both
    }
}
