//! The frames that wait, read back.

use super::Ring;
use crate::queue::frame::{Frame, FrameHeader, HEADER_BYTES, WRAP};
use crate::queue::route::RouteId;

impl Ring {
    /// The unsettled frames of a route, oldest first.
    #[must_use]
    pub const fn frames(&self, route: RouteId) -> Frames<'_> {
        Frames {
            ring: self,
            route,
            offset: self.head,
            sequence: self.head_sequence,
        }
    }

    /// The frame at an offset, or at the start of the memory if there is only a gap.
    #[inline(never)]
    pub(super) fn frame_at(&self, offset: usize) -> Option<(usize, FrameHeader)> {
        self.located(offset)
    }

    /// The same, for the loop over all frames, where a call costs more than the rest.
    #[inline(always)]
    fn located(&self, offset: usize) -> Option<(usize, FrameHeader)> {
        match self.header(offset) {
            Some(header) if header.state != WRAP => Some((offset, header)),
            _ => self.header(0).map(|header| (0, header)),
        }
    }

    fn header(&self, offset: usize) -> Option<FrameHeader> {
        FrameHeader::read(self.bytes.get(offset..)?)
    }
}

/// See [`Ring::frames`].
pub struct Frames<'a> {
    ring: &'a Ring,
    route: RouteId,
    offset: usize,
    sequence: u64,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Frame<'a>> {
        while self.sequence < self.ring.next_sequence {
            let (at, header) = self.ring.located(self.offset)?;
            let payload = at + HEADER_BYTES;
            let sequence = self.sequence;
            self.offset = at + header.frame_bytes();
            self.sequence += 1;
            if header.is_waiting(self.route) {
                return Some(Frame {
                    sequence,
                    received: header.received,
                    payload: self.ring.bytes.get(payload..self.offset)?,
                    end: self.offset,
                });
            }
        }
        None
    }
}
