//! A ring of framed, contiguous, sequence-numbered payloads in one fixed piece of memory.
//!
//! ```text
//!        head (oldest)                     tail
//!          │                                │
//!   ┌──────┬───────────┬──────────┬─────────┬─────────┐
//!   │ free │ 7 settled │ 8        │ 9       │ free    │   frame = 16 bytes of header + payload
//!   └──────┴───────────┴──────────┴─────────┴─────────┘
//! ```
//!
//! * [`Ring::push`] always succeeds for a payload of at most [`Ring::payload_bytes_max`]: it evicts the oldest frames
//!   until there is room.
//! * A batch of each route is *in flight* from [`Ring::begin_flight`] until [`Ring::end_flight`], however often it is sent:
//!   whoever sends it keeps a copy. Frames of it that are evicted meanwhile are not lost yet: the outcome decides.
//! * A frame leaves only from the head. One that was answered for is *settled* and leaves when all before it have left,
//!   so that routes can be settled apart in one ring.
//! * The ring does not know what a payload means, and never copies or moves one. It counts what becomes of each, and is the
//!   only one to do so ([`Ring::fate`]).

pub mod flight;
mod frames;
mod head;

use crate::clock::Wall;
use crate::limits::METRIC_ROOM_PERCENT;
use crate::queue::frame::{FrameHeader, HEADER_BYTES, WAITING, WRAP};
use crate::queue::route::{Fate, ROUTES, RouteId};
use flight::Flight;

pub struct Ring {
    capacity: usize,
    /// Empty before the first frame: the memory is asked for when it is needed, not in the cold start.
    bytes: Vec<u8>,
    head: usize,
    tail: usize,
    /// Bytes from head to tail, the unused end of the memory included when they wrap.
    used: usize,
    head_sequence: u64,
    next_sequence: u64,
    unsettled_bytes: usize,
    lanes: [Lane; ROUTES],
    /// Frames that evict others leave so many bytes free.
    kept_free: usize,
}

/// What the ring holds of one route.
#[derive(Clone, Copy, Default)]
struct Lane {
    unsettled: u64,
    /// When the first unsettled frame was pushed.
    oldest: Option<Wall>,
    flight: Option<Flight>,
    fate: Fate,
}

impl Ring {
    /// A ring of `capacity` bytes. The memory is zeroed lazily by the kernel: untouched pages cost nothing.
    #[must_use]
    pub fn new(capacity: usize) -> Ring {
        Ring {
            capacity,
            bytes: Vec::new(),
            head: 0,
            tail: 0,
            used: 0,
            head_sequence: 0,
            next_sequence: 0,
            unsettled_bytes: 0,
            lanes: Default::default(),
            kept_free: 0,
        }
    }

    /// From now on frames that evict others leave room for those that never do.
    pub const fn keep_room(&mut self) {
        self.kept_free = self.capacity / 100 * METRIC_ROOM_PERCENT;
    }

    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Longest payload that [`Ring::push`] takes.
    #[must_use]
    pub const fn payload_bytes_max(&self) -> usize {
        self.capacity.saturating_sub(HEADER_BYTES)
    }

    /// Bytes that can be pushed, headers included, without an eviction (a payload that has to wrap may need more).
    #[must_use]
    pub const fn room(&self) -> usize {
        self.capacity - self.used
    }

    /// The capacity without the bytes that nobody has answered for yet. Settled frames that wait for the head count as free:
    /// they leave with it, answered for or evicted.
    #[must_use]
    pub const fn free_bytes(&self) -> usize {
        self.capacity - self.unsettled_bytes
    }

    /// Bytes, headers included, that nobody has answered for yet.
    #[must_use]
    pub const fn unsettled_bytes(&self) -> usize {
        self.unsettled_bytes
    }

    /// Frames that nobody has answered for yet, and those evicted while in flight.
    #[must_use]
    pub fn resident(&self, route: RouteId) -> u64 {
        let lane = route.of(&self.lanes);
        lane.unsettled + lane.flight.map_or(0, |flight| flight.evicted)
    }

    /// When the oldest of them was pushed.
    #[must_use]
    pub fn oldest(&self, route: RouteId) -> Option<Wall> {
        let lane = route.of(&self.lanes);
        lane.flight.map_or(lane.oldest, |flight| flight.oldest)
    }

    /// What has become of a route's frames so far.
    #[must_use]
    pub fn fate(&self, route: RouteId) -> &Fate {
        &route.of(&self.lanes).fate
    }

    /// Nobody takes what the ring still holds, nor so many more of a route that never came into it.
    pub fn abandon(&mut self, route: RouteId, more: u64) {
        let resident = self.resident(route);
        let lane = route.of_mut(&mut self.lanes);
        lane.fate.entered += more;
        lane.fate.abandoned += resident + more;
        (lane.unsettled, lane.oldest, lane.flight) = (0, None, None);
    }

    /// Whether a payload can be pushed without an eviction.
    #[must_use]
    pub const fn has_room(&self, payload_bytes: usize) -> bool {
        let frame_bytes = HEADER_BYTES + payload_bytes;
        self.room() >= frame_bytes + self.gap(frame_bytes)
    }

    /// Bytes that stay unused at the end of the memory if the next frame is of this length.
    const fn gap(&self, frame_bytes: usize) -> usize {
        let to_end = self.capacity - self.tail;
        if self.used > 0 && frame_bytes > to_end {
            to_end
        } else {
            0
        }
    }

    /// Appends a frame, evicting the oldest ones if there is no room. One that can never fit is lost itself.
    pub fn push(&mut self, route: RouteId, received: Wall, payload: &[u8]) {
        let kept_free = if route.facts().evicts {
            self.kept_free
        } else {
            0
        };
        if self.bytes.is_empty() {
            self.bytes = vec![0; self.capacity];
        }
        let frame_bytes = HEADER_BYTES + payload.len();
        if frame_bytes > self.capacity {
            let fate = &mut route.of_mut(&mut self.lanes).fate;
            fate.entered += 1;
            fate.evicted += 1;
            return;
        }
        loop {
            if self.used == 0 {
                (self.head, self.tail) = (0, 0);
            }
            let gap = self.gap(frame_bytes);
            if self.used == 0 || self.room() >= frame_bytes + gap + kept_free {
                if gap > 0 {
                    self.wrap(gap);
                }
                break;
            }
            self.evict();
        }
        if let Some(place) = self
            .bytes
            .get_mut(self.tail + HEADER_BYTES..self.tail + frame_bytes)
        {
            place.copy_from_slice(payload);
        }
        self.commit(route, received, payload.len());
    }

    /// Room for the payload of a frame that evicts others, of at least so many bytes, where it will stand: what is written there is
    /// a frame once it is committed. `None`: it takes an eviction, or there is too little up to the end of the memory;
    /// [`Ring::push`] finds a place.
    pub fn grant(&mut self, payload_bytes: usize) -> Option<&mut [u8]> {
        if self.used == 0 {
            (self.head, self.tail) = (0, 0);
        }
        let room = self.room().saturating_sub(self.kept_free);
        let end = self.capacity.min(self.tail + room);
        let place = self.bytes.get_mut(self.tail + HEADER_BYTES..end)?;
        (place.len() >= payload_bytes).then_some(place)
    }

    /// What was written into the last grant is a frame of so many bytes.
    pub fn commit(&mut self, route: RouteId, received: Wall, payload_bytes: usize) {
        let header = FrameHeader {
            payload_bytes,
            state: WAITING,
            route,
            received,
        };
        self.write(&header);
        let frame_bytes = header.frame_bytes();
        self.used += frame_bytes;
        self.tail += frame_bytes;
        if self.tail == self.capacity {
            self.tail = 0;
        }
        self.next_sequence += 1;
        self.unsettled_bytes += frame_bytes;
        let lane = route.of_mut(&mut self.lanes);
        lane.fate.entered += 1;
        lane.unsettled += 1;
        lane.oldest.get_or_insert(received);
    }

    /// Leaves the last `gap` bytes of the memory unused.
    fn wrap(&mut self, gap: usize) {
        if gap >= HEADER_BYTES {
            self.write(&FrameHeader {
                payload_bytes: 0,
                state: WRAP,
                route: RouteId::default(),
                received: Wall(0),
            });
        }
        self.used += gap;
        self.tail = 0;
    }

    fn write(&mut self, header: &FrameHeader) {
        let from = self.bytes.get_mut(self.tail..);
        if let Some(place) = from.and_then(|from| from.first_chunk_mut()) {
            *place = header.bytes();
        }
    }
}

#[cfg(test)]
mod tests;
