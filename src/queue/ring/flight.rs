//! What is being sent: from the moment a batch is written until it is answered for.

use super::Ring;
use crate::clock::Wall;
use crate::queue::frame::{FrameHeader, SETTLED, STATE_AT};
use crate::queue::route::RouteId;

#[derive(Clone, Copy)]
pub(super) struct Flight {
    pub(super) first: u64,
    pub(super) last: u64,
    /// Its oldest frames, which have left the ring meanwhile.
    pub(super) evicted: u64,
    /// When its first frame was pushed.
    pub(super) oldest: Option<Wall>,
    /// All frames from the head to `last`, if all of them are in flight: settling them is one step.
    whole: Option<Whole>,
}

#[derive(Clone, Copy, Default)]
struct Whole {
    /// Offset behind the last frame.
    end: usize,
    bytes: usize,
    frames: u64,
    /// Unused bytes at the end of the memory, if the frames wrap.
    gap: usize,
}

impl Ring {
    /// Declares that the unsettled frames of a route from sequence `first` to `last` are being sent.
    pub fn begin_flight(&mut self, route: RouteId, first: u64, last: u64) {
        let flight = Flight {
            first,
            last,
            evicted: 0,
            oldest: self.oldest(route),
            whole: self.whole(route, first, last),
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
        let gone = settled.min(flight.evicted);
        let left = settled - gone;
        let settled = gone
            + match flight.whole {
                Some(whole) if self.head_sequence == flight.first && left >= whole.frames => {
                    self.remove_whole(&whole, route, flight.last)
                }
                _ => self.settle(route, &flight, left),
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
        while frames < frames_max && sequence <= flight.last && sequence < self.next_sequence {
            let Some((at, header)) = self.frame_at(offset) else {
                break;
            };
            if sequence >= flight.first && header.is_waiting(route) {
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

    /// Looks at frames while they are warm: they have just been put into a batch.
    fn whole(&self, route: RouteId, first: u64, last: u64) -> Option<Whole> {
        let mut whole = Whole {
            end: self.head,
            ..Whole::default()
        };
        if first != self.head_sequence {
            return None;
        }
        for _ in first..=last {
            let (at, header) = self.frame_at(whole.end)?;
            if !header.is_waiting(route) {
                return None;
            }
            if at != whole.end {
                whole.gap = self.capacity - whole.end;
            }
            whole.bytes += header.frame_bytes();
            whole.frames += 1;
            whole.end = at + header.frame_bytes();
        }
        Some(whole)
    }

    fn remove_whole(&mut self, whole: &Whole, route: RouteId, last: u64) -> u64 {
        self.unsettled_bytes -= whole.bytes;
        route.of_mut(&mut self.lanes).unsettled -= whole.frames;
        self.head_sequence = last + 1;
        self.leave(whole.end, whole.bytes + whole.gap);
        self.drop_settled();
        self.look_for_oldest(route);
        whole.frames
    }
}
