//! A batch: the frames of one route, as many as a POST may carry, between what a format writes before and behind them.

mod loss;

use crate::clock::Clocks;
use crate::format::Format;
use crate::limits::{BATCH_BYTES_MAX, BATCH_END_BYTES_MAX};
use crate::output::narrowing::Narrowing;
use crate::output::settlement::Sent;
use crate::queue::ledger::Losses;
use crate::queue::ring::flight::Taken;
use crate::queue::route::RouteId;
use crate::source::intake::Intake;
use crate::text::decimal;

/// A batch, ready to be sent. Its frames are in flight until it is settled, however often that is.
pub struct Batch {
    /// 0: it has only the record of losses.
    pub records: usize,
    pub losses: Losses,
    pub id: Vec<u8>,
    pub body: Vec<u8>,
}

impl Batch {
    #[must_use]
    pub const fn sent(&self) -> Sent {
        Sent {
            records: self.records,
            has_losses: self.losses.total() > 0,
            body_bytes: self.body.len(),
        }
    }
}

/// Writes batches.
pub struct BatchWriter {
    /// Begins every batch id.
    extension_id: Vec<u8>,
    /// Memory for the body of the next batch.
    spare: Vec<u8>,
}

impl BatchWriter {
    #[must_use]
    pub const fn new(extension_id: Vec<u8>) -> BatchWriter {
        BatchWriter {
            extension_id,
            spare: Vec::new(),
        }
    }

    /// Takes the memory of a batch that is done with.
    pub fn recycle(&mut self, batch: Batch) {
        self.spare = batch.body;
    }

    /// Writes the next batch of a route, whose frames are then in flight. `None`: there is nothing to send.
    pub fn write(
        &mut self,
        route: RouteId,
        format: &'static dyn Format,
        narrowing: &Narrowing,
        intake: &mut Intake,
        now: Clocks,
    ) -> Option<Box<Batch>> {
        let facts = route.facts();
        let losses = if facts.tells_losses {
            intake.untold_losses()
        } else {
            Losses::default()
        };
        let mut body = core::mem::take(&mut self.spare);
        body.clear();
        body.reserve(BATCH_BYTES_MAX);
        format.begin(&mut body, &intake.resource, facts.signal);
        let separator = format.separator();
        let mut before: &[u8] = b"";
        if losses.total() > 0 {
            loss::record(&mut body, format, &intake.resource, losses, now);
            before = separator;
        }
        let (mut taken, mut first_received) = (Taken::default(), now.wall);
        for frame in intake.ring.frames(route) {
            let bytes = body.len() + before.len() + frame.payload.len() + BATCH_END_BYTES_MAX;
            let is_full = taken.frames > 0 && bytes > narrowing.bytes_max;
            if is_full || taken.frames as usize >= narrowing.records_max {
                break;
            }
            if taken.frames == 0 {
                first_received = frame.received;
            }
            taken.add(&frame);
            if !before.is_empty() {
                body.extend_from_slice(before);
            }
            body.extend_from_slice(frame.payload);
            before = separator;
        }
        if taken.frames > 0 {
            intake.ring.begin_flight(route, &taken);
        } else if losses.total() == 0 {
            self.spare = body;
            return None;
        }
        let id = self.batch_id([first_received.0, taken.first, taken.last]);
        format.end(&mut body, &id);
        Some(Box::new(Batch {
            records: taken.frames as usize,
            losses,
            id,
            body,
        }))
    }

    /// Extension id, when the first record was received, first and last sequence number.
    fn batch_id(&self, parts: [u64; 3]) -> Vec<u8> {
        let mut id = self.extension_id.clone();
        for part in parts {
            id.push(b'-');
            decimal::push(&mut id, part);
        }
        id
    }
}

#[cfg(test)]
#[cfg(feature = "json")]
mod tests;
