//! Lines of the function, of extensions, and of types that Lambda has added since.

use super::claims::claims;
use super::*;

impl Reader {
    /// Reads a StatsD event or service check, which is like a line of the function.
    pub fn statsd(&mut self, log: &statsd::Log<'_>, now: Wall, resource: &Resource) -> Verdict {
        if !self.filter.function || self.is_below_minimum(log.severity) {
            return Verdict::Filtered;
        }
        let current = self.current;
        let now = nanoseconds(now);
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
    pub(super) fn line(
        &mut self,
        envelope: &Envelope<'_>,
        resource: &Resource,
        sink: Sink<'_>,
    ) -> Verdict {
        let is_own =
            || matches!(envelope.record, Value::String(raw) if raw.starts_with(OWN_PREFIX));
        let is_shipped = if envelope.event_type == FUNCTION {
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
        match envelope.record {
            Value::String(raw) => self.string_line(envelope, raw, is_shipped, resource, sink),
            Value::Nested(object) if object.first() == Some(&b'{') => {
                self.object_line(envelope, object, is_shipped, resource, sink)
            }
            _ if !is_shipped => Verdict::Filtered,
            // One that is neither a string nor an object is kept as its text.
            other => {
                let about = About {
                    severity: 0,
                    request_id: self.current,
                    time_unix_nano: envelope.time_unix_nano,
                };
                let body = Text::Text(json::text(&other));
                self.encode(envelope, &about, (&body, false), resource, &mut |_| {});
                Verdict::Record
            }
        }
    }

    fn string_line(
        &mut self,
        envelope: &Envelope<'_>,
        raw: &[u8],
        mut is_shipped: bool,
        resource: &Resource,
        sink: Sink<'_>,
    ) -> Verdict {
        let (severity, request_id, is_emf) = self.string_claims(raw);
        if is_emf {
            let object = core::mem::take(&mut self.scratch);
            is_shipped &= self.measure_emf(envelope, &object, sink);
            self.scratch = object;
        }
        if !is_shipped || self.is_below_minimum(severity) {
            return Verdict::Filtered;
        }
        let about = About {
            severity,
            request_id,
            time_unix_nano: envelope.time_unix_nano,
        };
        self.encode(
            envelope,
            &about,
            (&Text::Raw(raw), false),
            resource,
            &mut |_| {},
        );
        Verdict::Record
    }

    /// Severity and request id of a string record: from its prefix, or from the JSON object that it is. That object stands in
    /// the scratch; the last says whether it is EMF.
    fn string_claims(&mut self, raw: &[u8]) -> (u8, Option<RequestId>, bool) {
        let (severity, request_id, is_emf) = if raw.first() == Some(&b'{') {
            self.scratch.clear();
            json::append_unescaped(&mut self.scratch, raw, raw.len());
            let claims = claims(&self.scratch);
            (claims.severity, claims.request_id, claims.is_emf)
        } else {
            let current = self
                .current
                .as_ref()
                .map_or(b"".as_slice(), RequestId::as_bytes);
            let prefix = text_line::prefix(raw, current);
            (prefix.severity, prefix.request_id, false)
        };
        let request_id = request_id.and_then(|raw| self.request_id(raw));
        (severity, request_id.or(self.current), is_emf)
    }

    /// Measures what a line in the embedded metric format says. True unless the line itself is not to be shipped.
    fn measure_emf(&mut self, envelope: &Envelope<'_>, object: &[u8], sink: Sink<'_>) -> bool {
        if envelope.event_type != FUNCTION || self.filter.emf == Emf::Logs {
            return true;
        }
        self.measurements_malformed += u64::from(emf::read(object, sink).malformed);
        self.filter.emf == Emf::Both
    }

    fn object_line(
        &mut self,
        envelope: &Envelope<'_>,
        object: &[u8],
        mut is_shipped: bool,
        resource: &Resource,
        sink: Sink<'_>,
    ) -> Verdict {
        let claims = claims(object);
        if claims.is_emf {
            is_shipped &= self.measure_emf(envelope, object, sink);
        }
        if !is_shipped || self.is_below_minimum(claims.severity) {
            return Verdict::Filtered;
        }
        let request_id = claims
            .request_id
            .and_then(|raw| self.request_id(raw))
            .or(self.current);
        let about = About {
            severity: claims.severity,
            request_id,
            time_unix_nano: claims.time_unix_nano.unwrap_or(envelope.time_unix_nano),
        };
        let body = match claims.message {
            Some((message, is_complete)) => (&Text::Raw(message), !is_complete),
            None => (&Text::Text(object), !envelope.is_complete),
        };
        self.encode(envelope, &about, body, resource, &mut |reader| {
            reader.attributes(object, Some(&claims), &[]);
        });
        Verdict::Record
    }

    /// The id in `raw`; nearly always it is the current one.
    fn request_id(&self, raw: &[u8]) -> Option<RequestId> {
        match &self.current {
            Some(current) if current.as_bytes() == raw => self.current,
            _ => RequestId::new(raw),
        }
    }

    pub(super) fn is_below_minimum(&self, severity: u8) -> bool {
        severity != 0 && severity < self.filter.severity_min
    }
}
