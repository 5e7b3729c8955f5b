//! How frames leave: from the head, when they are settled, or evicted.

use super::Ring;
use crate::queue::frame::{FrameHeader, SETTLED};
use crate::queue::route::RouteId;

impl Ring {
    /// Removes the oldest frame, and counts it if it is lost by that.
    pub(super) fn evict(&mut self) {
        let sequence = self.head_sequence;
        let Some(header) = self.remove_head() else {
            return;
        };
        if header.state == SETTLED {
            return;
        }
        self.unsettled_bytes -= header.frame_bytes();
        let lane = header.route.of_mut(&mut self.lanes);
        lane.unsettled -= 1;
        match &mut lane.flight {
            Some(flight) if (flight.taken.first..=flight.taken.last).contains(&sequence) => {
                flight.evicted += 1;
            }
            _ => lane.fate.evicted += 1,
        }
        self.drop_settled();
        self.look_for_oldest(header.route);
    }

    /// The oldest frame of the route has left or was settled. The next is near: it is the head, unless another route's frames
    /// wait there.
    pub(super) fn look_for_oldest(&mut self, route: RouteId) {
        let oldest = self.frames(route).next().map(|frame| frame.received);
        route.of_mut(&mut self.lanes).oldest = oldest;
    }

    pub(super) fn drop_settled(&mut self) {
        while self.used > 0 {
            match self.frame_at(self.head) {
                Some((_, header)) if header.state == SETTLED => self.remove_head(),
                _ => break,
            };
        }
    }

    fn remove_head(&mut self) -> Option<FrameHeader> {
        if self.used == 0 {
            return None;
        }
        let (at, header) = self.frame_at(self.head)?;
        let gap = if at == self.head {
            0
        } else {
            self.capacity - self.head
        };
        let frame_bytes = header.frame_bytes();
        self.head_sequence += 1;
        self.leave(at + frame_bytes, gap + frame_bytes);
        Some(header)
    }

    /// Moves the head to an offset, over so many bytes.
    pub(super) fn leave(&mut self, offset: usize, bytes: usize) {
        self.used -= bytes;
        self.head = if offset == self.capacity { 0 } else { offset };
        // The head may now stand before a gap; step over it, so that `oldest` finds a frame there.
        if self.used > 0
            && let Some((at, _)) = self.frame_at(self.head)
            && at != self.head
        {
            self.used -= self.capacity - self.head;
            self.head = at;
        }
    }
}
