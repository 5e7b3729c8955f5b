//! The telemetry listener's service: streams the bodies of Lambda's POSTs into the intake, event by event.

use crate::clock::Wall;
use crate::http::server::{Requests, Service, Wish};
use crate::source::intake::Intake;
use crate::text::json::Elements;

/// The events of one connection. It keeps only what an event needs that spans two reads.
pub struct Decoder {
    requests: Requests,
    batch: Batch,
}

/// A body, which is an array of events.
struct Batch {
    elements: Elements,
    /// The array was damaged: the rest of the body is read and ignored.
    is_broken: bool,
    /// No byte of the body has come yet. A request without a body is no batch, and none is missed.
    is_empty: bool,
}

/// A batch, and where its events go.
struct Feeding<'a> {
    batch: &'a mut Batch,
    intake: &'a mut Intake,
    now: Wall,
}

impl Decoder {
    /// `record_bytes_max`: longest event that is put together.
    #[must_use]
    pub const fn new(record_bytes_max: usize) -> Decoder {
        Decoder {
            requests: Requests::new(),
            batch: Batch {
                elements: Elements::new(record_bytes_max),
                is_broken: false,
                is_empty: true,
            },
        }
    }

    /// In the middle of a request.
    #[must_use]
    pub const fn is_in_request(&self) -> bool {
        self.requests.is_in_request()
    }

    /// Takes bytes from the front of `input` until it wishes something; [`Wish::Read`] means that all are taken.
    pub fn feed(&mut self, input: &mut &[u8], intake: &mut Intake, now: Wall) -> Wish {
        let batch = &mut self.batch;
        let mut feeding = Feeding { batch, intake, now };
        self.requests.feed(input, &mut feeding)
    }

    /// The connection has ended. A request in its middle is counted; the events that came whole are kept.
    pub fn give_up(&mut self, intake: &mut Intake) {
        let batch = &mut self.batch;
        // No event is read, so there is none to have a time.
        let now = Wall(0);
        self.requests.give_up(&mut Feeding { batch, intake, now });
    }
}

impl Service for Feeding<'_> {
    fn run(&mut self, mut run: &[u8]) {
        let Feeding { batch, intake, now } = self;
        batch.is_empty = false;
        while !batch.is_broken {
            let plain = |bytes: &[u8]| intake.plain_line(bytes, *now);
            let taken = match batch.elements.next_known(&mut run, plain) {
                Ok(true) => continue,
                Ok(false) => batch.elements.next(&mut run),
                Err(malformed) => Err(malformed),
            };
            match taken {
                Ok(Some(element)) => intake.event(&element, *now),
                Ok(None) => break,
                Err(_) => {
                    intake.broken_body();
                    batch.is_broken = true;
                }
            }
        }
    }

    fn end(&mut self) {
        let Feeding { batch, intake, .. } = self;
        if batch.elements.finish().is_err() && !batch.is_broken && !batch.is_empty {
            intake.broken_body();
        }
        (batch.is_broken, batch.is_empty) = (false, true);
    }

    fn broken(&mut self) {
        self.intake.ledger.requests_broken += 1;
    }
}
