//! One record: encoded once, when it is made, in the form in which it will be sent.
//!
//! Text arrives as JSON. What a format makes of it is its own business: see [`crate::format::Value`].

use crate::format::{Format, Head, InPlace, ORIGINAL_BYTES, Times, Value, is_own};
use crate::limits::{
    ATTRIBUTE_KEY_BYTES_MAX, ATTRIBUTE_OVERHEAD_BYTES_MAX, ATTRIBUTES_MAX,
    RECORD_OVERHEAD_BYTES_MAX,
};
use crate::text::decimal;
use crate::text::hash::hash;

/// Writes one record after the other into the same memory: [`Encoder::begin`], any number of [`Encoder::attribute`],
/// [`Encoder::finish`].
pub struct Encoder {
    format: &'static dyn Format,
    bytes: Vec<u8>,
    bytes_max: usize,
    /// Hashes of the attributes' keys: OpenTelemetry wants them to be unique.
    keys: Vec<u64>,
    dropped: u32,
    is_cut: bool,
    /// For plain lines of the open invocation; see [`InPlace::template`]. Empty: there is none yet.
    template: Vec<u8>,
}

impl Encoder {
    /// `bytes_max`: longest record, see [`crate::limits::record_bytes_max`]. Memory is taken as it is needed.
    #[must_use]
    pub const fn new(format: &'static dyn Format, bytes_max: usize) -> Encoder {
        Encoder {
            format,
            bytes: Vec::new(),
            bytes_max,
            keys: Vec::new(),
            dropped: 0,
            is_cut: false,
            template: Vec::new(),
        }
    }

    /// What a plain line of the function has in common with others may have changed.
    pub fn forget_template(&mut self) {
        self.template.clear();
    }

    /// Begins a record in the place where it will stay. `head`: what all plain lines have in common, if that has to be looked at;
    /// without a severity.
    pub fn begin_in_place<'o, 'h>(
        &mut self,
        head: &mut dyn FnMut() -> Head<'h>,
        out: &'o mut [u8],
    ) -> Option<RecordInPlace<'o>> {
        let format = self.format.in_place()?;
        if self.template.is_empty() {
            format.template(&mut self.template, &head());
        }
        let written = self.template.len();
        out.get_mut(..written)?.copy_from_slice(&self.template);
        Some(RecordInPlace {
            format,
            out,
            written,
        })
    }

    /// Begins a record with all but its attributes. True if the body was cut.
    pub fn begin(&mut self, head: &Head<'_>, body: &Value<'_>) -> bool {
        self.bytes.clear();
        self.keys.clear();
        self.dropped = 0;
        self.is_cut = false;
        let room = self.body_bytes_max();
        self.format.record(&mut self.bytes, head, body, room)
    }

    /// Longest body, in the form in which it is sent.
    #[must_use]
    pub const fn body_bytes_max(&self) -> usize {
        self.bytes_max.saturating_sub(RECORD_OVERHEAD_BYTES_MAX)
    }

    /// The body is shorter than it came, which was so many bytes on the wire.
    pub fn cut(&mut self, original_bytes: usize) {
        self.is_cut = true;
        let mut digits = Vec::new();
        decimal::push(&mut digits, original_bytes as u64);
        let value = Value::Integer(&digits);
        self.format
            .attribute(&mut self.bytes, ORIGINAL_BYTES, &value, usize::MAX);
    }

    /// Adds an attribute. One that is too many or too long, or whose key is empty (OpenTelemetry allows none), that of one
    /// before or one of kinglet's own, is counted as dropped. `key`: raw string content, in its canonical form.
    pub fn attribute(&mut self, key: &[u8], value: &Value<'_>) {
        let overhead = RECORD_OVERHEAD_BYTES_MAX / 2 + ATTRIBUTE_OVERHEAD_BYTES_MAX + key.len();
        let room = self.bytes_max.saturating_sub(self.bytes.len() + overhead);
        let hash = hash(key, 0);
        let is_taken = self.keys.len() < ATTRIBUTES_MAX as usize
            && (1..=ATTRIBUTE_KEY_BYTES_MAX).contains(&key.len())
            && room > 0
            && !is_own(key)
            && !self.keys.contains(&hash)
            && self.format.attribute(&mut self.bytes, key, value, room);
        if is_taken {
            self.keys.push(hash);
        } else {
            self.dropped += 1;
        }
    }

    /// The body was cut.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Ends the record. `head`: that of its beginning.
    pub fn finish(&mut self, head: &Head<'_>) -> &[u8] {
        self.format
            .end_record(&mut self.bytes, 0, head, self.dropped);
        &self.bytes
    }

    /// The record that was finished last.
    #[must_use]
    pub fn record(&self) -> &[u8] {
        &self.bytes
    }
}

/// A record that is being written where it will stay; see [`InPlace`].
pub struct RecordInPlace<'o> {
    format: &'static dyn InPlace,
    out: &'o mut [u8],
    written: usize,
}

impl RecordInPlace<'_> {
    /// Adds the string content that `text` begins with: an attribute, or, where `key` is empty, the body. Returns how many bytes of
    /// `text` it was.
    pub fn text(&mut self, key: &[u8], text: &[u8]) -> Option<usize> {
        let encoded = self
            .format
            .text(key, text, self.out.get_mut(self.written..)?)?;
        self.written += encoded.written;
        Some(encoded.taken)
    }

    /// Adds an attribute that is not a text.
    pub fn scalar(&mut self, key: &[u8], value: &Value<'_>) -> Option<()> {
        self.written += self
            .format
            .scalar(key, value, self.out.get_mut(self.written..)?)?;
        Some(())
    }

    /// Ends it. Returns how many bytes it has.
    pub fn end(self, times: Times, severity: u8) -> Option<usize> {
        self.format.end(self.out, self.written, times, severity)
    }
}

#[cfg(test)]
pub mod captured;
#[cfg(test)]
mod tests;
