//! What waits for one subscriber: filled into batches by count, bytes and time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Events ready to be posted: a JSON array, not yet closed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    pub(crate) events: usize,
    /// How many of them are lines of the function.
    pub(crate) lines: usize,
}

pub(crate) struct Buffer {
    items_max: usize,
    bytes_max: usize,
    timeout: Duration,
    full: VecDeque<Batch>,
    filling: Batch,
    /// When the first event of the filling batch came: the time counts from there, as in AWS's own emulator. So an event waits
    /// for `timeout` only if it is the first of its batch, and less if something was written shortly before it.
    since: Option<Instant>,
}

impl Buffer {
    pub(crate) fn new(items_max: usize, bytes_max: usize, timeout: Duration) -> Buffer {
        Buffer {
            items_max,
            bytes_max,
            timeout,
            full: VecDeque::new(),
            filling: Batch::default(),
            since: None,
        }
    }

    /// Appends one rendered event.
    pub(crate) fn push(&mut self, event: &[u8], is_line: bool, now: Instant) {
        let batch = &mut self.filling;
        batch
            .bytes
            .push(if batch.events == 0 { b'[' } else { b',' });
        batch.bytes.extend_from_slice(event);
        batch.events += 1;
        batch.lines += usize::from(is_line);
        self.since.get_or_insert(now);
        if batch.events >= self.items_max || batch.bytes.len() >= self.bytes_max {
            self.flush();
        }
    }

    /// Closes the filling batch early, as Lambda does when a stream ends.
    pub(crate) fn flush(&mut self) {
        if self.filling.events > 0 {
            self.full.push_back(std::mem::take(&mut self.filling));
            self.since = None;
        }
    }

    /// The next batch that is due at `now`.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Batch> {
        if self.full.is_empty() && self.due().is_some_and(|due| due <= now) {
            self.flush();
        }
        let mut batch = self.full.pop_front()?;
        batch.bytes.push(b']');
        Some(batch)
    }

    /// When the filling batch has waited long enough.
    pub(crate) fn due(&self) -> Option<Instant> {
        Some(self.since? + self.timeout)
    }

    /// Whether a full batch waits.
    pub(crate) fn has_full(&self) -> bool {
        !self.full.is_empty()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.full.is_empty() && self.filling.events == 0
    }

    /// Bytes that wait.
    pub(crate) fn backlog(&self) -> usize {
        self.full
            .iter()
            .map(|batch| batch.bytes.len())
            .sum::<usize>()
            + self.filling.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn by_time() {
        let (start, mut buffer) = (Instant::now(), Buffer::new(10, 1000, 25 * MS));
        buffer.push(b"1", true, start);
        buffer.push(b"2", false, start + 20 * MS);
        assert_eq!(buffer.take(start + 24 * MS), None);
        let batch = buffer.take(start + 25 * MS).unwrap();
        assert_eq!(
            (batch.bytes.as_slice(), batch.events, batch.lines),
            (&b"[1,2]"[..], 2, 1)
        );
        assert!(buffer.is_empty() && buffer.due().is_none());
    }

    #[test]
    fn by_count_and_by_bytes() {
        let (start, mut buffer) = (Instant::now(), Buffer::new(2, 10, 25 * MS));
        for event in [&b"1"[..], b"2", b"\"345678901\"", b"4"] {
            buffer.push(event, true, start);
        }
        let taken: Vec<_> = std::iter::from_fn(|| buffer.take(start))
            .map(|batch| batch.bytes)
            .collect();
        assert_eq!(taken, [&b"[1,2]"[..], b"[\"345678901\"]"]);
        assert_eq!(buffer.backlog(), 2);
        buffer.flush();
        assert_eq!(buffer.take(start).unwrap().bytes, b"[4]");
    }
}
