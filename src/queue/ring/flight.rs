//! What is being sent: from the moment a batch is written until it is answered for.

use super::Ring;
use crate::clock::Wall;
use crate::queue::frame::{Frame, FrameHeader, HEADER_BYTES, SETTLED, STATE_AT};
use crate::queue::route::RouteId;

/// Frames of a route that are put into a batch.
#[derive(Clone, Copy, Default)]
pub struct Taken {
    pub first: u64,
    pub last: u64,
    pub frames: u64,
    /// Their headers included.
    bytes: usize,
    /// Offset behind the last one.
    end: usize,
}

impl Taken {
    pub const fn add(&mut self, frame: &Frame<'_>) {
        if self.frames == 0 {
            self.first = frame.sequence;
        }
        self.last = frame.sequence;
        self.frames += 1;
        self.bytes += HEADER_BYTES + frame.payload.len();
        self.end = frame.end;
    }
}

#[derive(Clone, Copy)]
pub(super) struct Flight {
    pub(super) taken: Taken,
    /// Its oldest frames, which have left the ring meanwhile.
    pub(super) evicted: u64,
    /// When its first frame was pushed.
    pub(super) oldest: Option<Wall>,
}

impl Ring {
    /// Declares that these unsettled frames of a route are being sent.
    pub fn begin_flight(&mut self, route: RouteId, taken: &Taken) {
        let flight = Flight {
            taken: *taken,
            evicted: 0,
            oldest: self.oldest(route),
        };
        let lane = route.of_mut(&mut self.lanes);
        debug_assert!(lane.flight.is_none(), "at most one batch");
        lane.flight = Some(flight);
    }

    /// The first `settled` frames in flight were answered for, or all if it has not so many: so many of them at most were rejected,
    /// the others delivered. What is behind them is not sent again as it was: it stays, or is lost now if it was evicted
    /// meanwhile.
    pub fn end_flight(&mut self, route: RouteId, settled: u64, rejected: u64) {
        let Some(flight) = route.of_mut(&mut self.lanes).flight.take() else {
            return;
        };
        let taken = flight.taken;
        let gone = settled.min(flight.evicted);
        let left = settled - gone;
        let settled = gone
            + if self.head_sequence == taken.first
                && taken.last - taken.first < taken.frames
                && left >= taken.frames
            {
                self.remove(&taken, route)
            } else {
                self.settle(route, &flight, left)
            };
        let fate = &mut route.of_mut(&mut self.lanes).fate;
        let rejected = rejected.min(settled);
        fate.rejected += rejected;
        fate.delivered += settled - rejected;
        fate.evicted += flight.evicted - gone;
    }

    /// Settles so many frames in flight at most; how many there were.
    fn settle(&mut self, route: RouteId, flight: &Flight, frames_max: u64) -> u64 {
        let mut frames = 0;
        let (mut offset, mut sequence) = (self.head, self.head_sequence);
        while frames < frames_max && sequence <= flight.taken.last && sequence < self.next_sequence
        {
            let Some((at, header)) = self.frame_at(offset) else {
                break;
            };
            if sequence >= flight.taken.first && header.is_waiting(route) {
                self.mark_settled(at, &header);
                frames += 1;
            }
            offset = at + header.frame_bytes();
            sequence += 1;
        }
        self.drop_settled();
        self.look_for_oldest(route);
        frames
    }

    fn mark_settled(&mut self, at: usize, header: &FrameHeader) {
        self.unsettled_bytes -= header.frame_bytes();
        header.route.of_mut(&mut self.lanes).unsettled -= 1;
        if let Some(state) = self.bytes.get_mut(at + STATE_AT) {
            *state = SETTLED;
        }
    }

    /// Removes frames that stand at the head, and nothing between them.
    fn remove(&mut self, taken: &Taken, route: RouteId) -> u64 {
        self.unsettled_bytes -= taken.bytes;
        route.of_mut(&mut self.lanes).unsettled -= taken.frames;
        self.head_sequence = taken.last + 1;
        // With the gap at the end of the memory, if they wrap.
        let mut bytes = taken.end.wrapping_sub(self.head);
        if taken.end <= self.head {
            bytes = bytes.wrapping_add(self.capacity);
        }
        self.leave(taken.end, bytes);
        self.drop_settled();
        self.look_for_oldest(route);
        taken.frames
    }

    #[cfg(test)]
    pub fn begin_flight_of(&mut self, route: RouteId, first: u64, last: u64) {
        let mut taken = Taken::default();
        for frame in self.frames(route) {
            if (first..=last).contains(&frame.sequence) {
                taken.add(&frame);
            }
        }
        self.begin_flight(route, &taken);
    }
}
