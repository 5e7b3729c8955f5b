//! One frame: a header of 16 bytes, and a payload that nobody here knows the meaning of.

use crate::clock::Wall;
use crate::queue::route::RouteId;

/// One frame, as it is read back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Position in the stream of all frames ever pushed, from 0.
    pub sequence: u64,
    /// When it was pushed.
    pub received: Wall,
    pub payload: &'a [u8],
    /// Offset in the ring's memory, behind it.
    pub end: usize,
}

pub const HEADER_BYTES: usize = 16;
/// Where in a header its state stands.
pub const STATE_AT: usize = 4;

/// Nobody has answered for it yet.
pub const WAITING: u8 = 0;
pub const SETTLED: u8 = 1;
/// Not a frame: the next one is at the start of the memory.
pub const WRAP: u8 = 2;

#[derive(Clone, Copy)]
pub struct FrameHeader {
    pub payload_bytes: usize,
    pub state: u8,
    pub route: RouteId,
    pub received: Wall,
}

impl FrameHeader {
    /// The one that these bytes begin with.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<FrameHeader> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        let [l0, l1, l2, l3, state, route, _, _, received @ ..] = *bytes;
        Some(FrameHeader {
            payload_bytes: u32::from_le_bytes([l0, l1, l2, l3]) as usize,
            state,
            route: RouteId(route),
            received: Wall(u64::from_le_bytes(received)),
        })
    }

    #[must_use]
    pub fn bytes(&self) -> [u8; HEADER_BYTES] {
        let fields = (self.payload_bytes as u128)
            | u128::from(self.state) << 32
            | u128::from(self.route.0) << 40
            | u128::from(self.received.0) << 64;
        fields.to_le_bytes()
    }

    /// Of the whole frame.
    #[must_use]
    pub const fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.payload_bytes
    }

    #[must_use]
    pub fn is_waiting(&self, route: RouteId) -> bool {
        self.state == WAITING && self.route == route
    }
}
