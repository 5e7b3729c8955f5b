//! A ring of framed, contiguous, sequence-numbered records in one fixed piece of memory.
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
//!   until there is room, and says how many telemetry events were lost by that.
//! * A batch is *in flight* between [`Ring::begin_flight`] and its end. Frames of it that are evicted meanwhile are not
//!   lost yet: the outcome decides ([`Ring::settle_flight`]: they were delivered; [`Ring::abandon_flight`]: they are lost).
//! * A frame leaves only from the head. One that was answered for is *settled* and leaves when all before it have left,
//!   so that logs and metrics can be settled apart in one ring.
//! * The ring does not know what a payload means, and never copies or moves one.

use crate::clock::Wall;

/// What a record is shipped as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    Log,
    Metric,
}

/// One frame, as it is read back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Position in the stream of all frames ever pushed, from 0.
    pub sequence: u64,
    /// When it was pushed.
    pub received: Wall,
    pub payload: &'a [u8],
}

pub struct Ring {
    bytes: Vec<u8>,
    head: usize,
    tail: usize,
    /// Bytes from head to tail, the unused end of the memory included when they wrap.
    used: usize,
    head_sequence: u64,
    next_sequence: u64,
    unsettled_bytes: usize,
    resident_events: u64,
    flight: Option<Flight>,
}

#[derive(Clone, Copy)]
struct Flight {
    signal: Signal,
    first: u64,
    last: u64,
    evicted_events: u64,
    /// All frames from the head to `last`, if all of them are in flight: settling them is one step.
    whole: Option<Whole>,
}

#[derive(Clone, Copy, Default)]
struct Whole {
    /// Offset behind the last frame.
    end: usize,
    bytes: usize,
    events: u64,
    /// Unused bytes at the end of the memory, if the frames wrap.
    gap: usize,
}

const HEADER_BYTES: usize = 16;
const METRIC: u8 = 1;
const SETTLED: u8 = 2;
/// The frame counts as one telemetry event in the accounts (kinglet's own records do not).
const EVENT: u8 = 4;
/// Not a frame: the next one is at the start of the memory.
const WRAP: u8 = 8;

#[derive(Clone, Copy)]
struct Header {
    payload_bytes: usize,
    flags: u8,
    received: Wall,
}

impl Header {
    const fn is_unsettled(self, signal: Signal) -> bool {
        self.flags & (METRIC | SETTLED) == signal.flag()
    }

    const fn events(self) -> u64 {
        (self.flags & EVENT != 0) as u64
    }
}

impl Signal {
    const fn flag(self) -> u8 {
        match self {
            Signal::Log => 0,
            Signal::Metric => METRIC,
        }
    }
}

impl Ring {
    /// A ring of `capacity` bytes. The memory is zeroed lazily by the kernel: untouched pages cost nothing.
    #[must_use]
    pub fn new(capacity: usize) -> Ring {
        Ring {
            bytes: vec![0; capacity],
            head: 0,
            tail: 0,
            used: 0,
            head_sequence: 0,
            next_sequence: 0,
            unsettled_bytes: 0,
            resident_events: 0,
            flight: None,
        }
    }

    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Longest payload that [`Ring::push`] takes.
    #[must_use]
    pub fn payload_bytes_max(&self) -> usize {
        self.capacity().saturating_sub(HEADER_BYTES)
    }

    /// Bytes that can be pushed, headers included, without an eviction (a payload that has to wrap may need more).
    #[must_use]
    pub fn room(&self) -> usize {
        self.capacity() - self.used
    }

    /// Bytes, headers included, that nobody has answered for yet.
    #[must_use]
    pub const fn unsettled_bytes(&self) -> usize {
        self.unsettled_bytes
    }

    /// Telemetry events in the ring that nobody has answered for yet, and those evicted while in flight.
    #[must_use]
    pub fn resident_events(&self) -> u64 {
        self.resident_events + self.flight.map_or(0, |flight| flight.evicted_events)
    }

    /// When the oldest unsettled frame was pushed. (The head is never a settled frame.)
    #[must_use]
    pub fn oldest(&self) -> Option<Wall> {
        (self.used > 0)
            .then(|| self.header(self.head))
            .flatten()
            .map(|header| header.received)
    }

    /// Appends a frame, evicting the oldest ones if there is no room. `is_event`: it counts as one telemetry event.
    /// Returns the events that were lost by it: evicted ones, or the frame itself if it can never fit.
    pub fn push(&mut self, signal: Signal, is_event: bool, received: Wall, payload: &[u8]) -> u64 {
        let frame_bytes = HEADER_BYTES + payload.len();
        if frame_bytes > self.capacity() {
            return u64::from(is_event);
        }
        let mut lost = 0;
        loop {
            if self.used == 0 {
                (self.head, self.tail) = (0, 0);
            }
            let to_end = self.capacity() - self.tail;
            let gap = if frame_bytes > to_end { to_end } else { 0 };
            if self.room() >= frame_bytes + gap {
                if gap > 0 {
                    self.wrap(gap);
                }
                break;
            }
            lost += self.evict();
        }
        let flags = signal.flag() | if is_event { EVENT } else { 0 };
        self.write(
            Header {
                payload_bytes: payload.len(),
                flags,
                received,
            },
            payload,
        );
        self.used += frame_bytes;
        self.tail += frame_bytes;
        if self.tail == self.capacity() {
            self.tail = 0;
        }
        self.next_sequence += 1;
        self.unsettled_bytes += frame_bytes;
        self.resident_events += u64::from(is_event);
        lost
    }

    /// The unsettled frames of a signal, oldest first.
    #[must_use]
    pub fn frames(&self, signal: Signal) -> Frames<'_> {
        Frames {
            ring: self,
            signal,
            offset: self.head,
            sequence: self.head_sequence,
        }
    }

    /// Declares that the unsettled frames of `signal` from sequence `first` to `last` are being sent.
    pub fn begin_flight(&mut self, signal: Signal, first: u64, last: u64) {
        debug_assert!(self.flight.is_none(), "at most one batch is in flight");
        self.flight = Some(Flight {
            signal,
            first,
            last,
            evicted_events: 0,
            whole: self.whole(signal, first, last),
        });
    }

    /// The frames in flight were answered for, whether accepted or refused. Returns how many events they were.
    pub fn settle_flight(&mut self) -> u64 {
        let Some(flight) = self.flight.take() else {
            return 0;
        };
        if let Some(whole) = flight.whole.filter(|_| self.head_sequence == flight.first) {
            return self.remove_whole(&whole, flight.last);
        }
        let mut events = flight.evicted_events;
        let (mut offset, mut sequence) = (self.head, self.head_sequence);
        while sequence <= flight.last && sequence < self.next_sequence {
            let Some((at, header)) = self.frame_at(offset) else {
                break;
            };
            if sequence >= flight.first && header.is_unsettled(flight.signal) {
                self.settle(at, header);
                events += header.events();
            }
            offset = at + HEADER_BYTES + header.payload_bytes;
            sequence += 1;
        }
        self.drop_settled();
        events
    }

    /// The frames in flight were not delivered: they stay. Returns how many events of them were evicted meanwhile, which
    /// are lost now.
    pub fn abandon_flight(&mut self) -> u64 {
        self.flight.take().map_or(0, |flight| flight.evicted_events)
    }

    /// Looks at frames while they are warm: they have just been encoded.
    fn whole(&self, signal: Signal, first: u64, last: u64) -> Option<Whole> {
        let mut whole = Whole {
            end: self.head,
            ..Whole::default()
        };
        if first != self.head_sequence {
            return None;
        }
        for _ in first..=last {
            let (at, header) = self.frame_at(whole.end)?;
            if !header.is_unsettled(signal) {
                return None;
            }
            if at != whole.end {
                whole.gap = self.capacity() - whole.end;
            }
            let frame_bytes = HEADER_BYTES + header.payload_bytes;
            whole.bytes += frame_bytes;
            whole.events += header.events();
            whole.end = at + frame_bytes;
        }
        Some(whole)
    }

    fn remove_whole(&mut self, whole: &Whole, last: u64) -> u64 {
        self.unsettled_bytes -= whole.bytes;
        self.resident_events -= whole.events;
        self.head_sequence = last + 1;
        self.leave(whole.end, whole.bytes + whole.gap);
        self.drop_settled();
        whole.events
    }

    /// Removes the oldest frame; returns the events lost by it.
    fn evict(&mut self) -> u64 {
        let sequence = self.head_sequence;
        let Some(header) = self.remove_head() else {
            return 0;
        };
        if header.flags & SETTLED != 0 {
            return 0;
        }
        self.unsettled_bytes -= HEADER_BYTES + header.payload_bytes;
        self.resident_events -= header.events();
        let lost = match &mut self.flight {
            Some(flight)
                if header.is_unsettled(flight.signal)
                    && (flight.first..=flight.last).contains(&sequence) =>
            {
                flight.evicted_events += header.events();
                0
            }
            _ => header.events(),
        };
        self.drop_settled();
        lost
    }

    fn drop_settled(&mut self) {
        while self.used > 0 {
            match self.frame_at(self.head) {
                Some((_, header)) if header.flags & SETTLED != 0 => self.remove_head(),
                _ => break,
            };
        }
    }

    fn remove_head(&mut self) -> Option<Header> {
        if self.used == 0 {
            return None;
        }
        let (at, header) = self.frame_at(self.head)?;
        let gap = if at == self.head {
            0
        } else {
            self.capacity() - self.head
        };
        let frame_bytes = HEADER_BYTES + header.payload_bytes;
        self.head_sequence += 1;
        self.leave(at + frame_bytes, gap + frame_bytes);
        Some(header)
    }

    /// Moves the head to an offset, over so many bytes.
    fn leave(&mut self, offset: usize, bytes: usize) {
        self.used -= bytes;
        self.head = if offset == self.capacity() { 0 } else { offset };
        // The head may now stand before a gap; step over it, so that `oldest` finds a frame there.
        if self.used > 0
            && let Some((at, _)) = self.frame_at(self.head)
            && at != self.head
        {
            self.used -= self.capacity() - self.head;
            self.head = at;
        }
    }

    fn settle(&mut self, at: usize, header: Header) {
        self.unsettled_bytes -= HEADER_BYTES + header.payload_bytes;
        self.resident_events -= header.events();
        if let Some(flags) = self.bytes.get_mut(at + 4) {
            *flags |= SETTLED;
        }
    }

    /// The frame at an offset, or at the start of the memory if there is only a gap.
    fn frame_at(&self, offset: usize) -> Option<(usize, Header)> {
        match self.header(offset) {
            Some(header) if header.flags & WRAP == 0 => Some((offset, header)),
            _ => self.header(0).map(|header| (0, header)),
        }
    }

    fn header(&self, offset: usize) -> Option<Header> {
        let bytes: &[u8; HEADER_BYTES] = self.bytes.get(offset..)?.first_chunk()?;
        let [l0, l1, l2, l3, flags, _, _, _, received @ ..] = *bytes;
        Some(Header {
            payload_bytes: u32::from_le_bytes([l0, l1, l2, l3]) as usize,
            flags,
            received: Wall(u64::from_le_bytes(received)),
        })
    }

    /// Leaves the last `gap` bytes of the memory unused.
    fn wrap(&mut self, gap: usize) {
        if gap >= HEADER_BYTES {
            let marker = Header {
                payload_bytes: 0,
                flags: WRAP,
                received: Wall(0),
            };
            self.write(marker, &[]);
        }
        self.used += gap;
        self.tail = 0;
    }

    fn write(&mut self, header: Header, payload: &[u8]) {
        let mut bytes = [0; HEADER_BYTES];
        let fields = (header.payload_bytes as u64) | (u64::from(header.flags) << 32);
        let (low, high) = bytes.split_at_mut(8);
        low.copy_from_slice(&fields.to_le_bytes());
        high.copy_from_slice(&header.received.0.to_le_bytes());
        let place = self
            .bytes
            .get_mut(self.tail..)
            .and_then(|rest| rest.get_mut(..HEADER_BYTES + payload.len()));
        debug_assert!(place.is_some(), "push has made room");
        if let Some((head, body)) = place.and_then(|place| place.split_at_mut_checked(HEADER_BYTES))
        {
            head.copy_from_slice(&bytes);
            body.copy_from_slice(payload);
        }
    }
}

/// See [`Ring::frames`].
pub struct Frames<'a> {
    ring: &'a Ring,
    signal: Signal,
    offset: usize,
    sequence: u64,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        while self.sequence < self.ring.next_sequence {
            let (at, header) = self.ring.frame_at(self.offset)?;
            let payload = at + HEADER_BYTES;
            let sequence = self.sequence;
            self.offset = payload + header.payload_bytes;
            self.sequence += 1;
            if header.is_unsettled(self.signal) {
                return Some(Frame {
                    sequence,
                    received: header.received,
                    payload: self.ring.bytes.get(payload..self.offset)?,
                });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    fn sequences(ring: &Ring, signal: Signal) -> Vec<u64> {
        ring.frames(signal).map(|frame| frame.sequence).collect()
    }

    #[test]
    fn frames_come_back_as_pushed() {
        let mut ring = Ring::new(256);
        assert_eq!(ring.oldest(), None);
        assert_eq!(ring.push(Signal::Log, true, Wall(7), b"one"), 0);
        assert_eq!(ring.push(Signal::Metric, false, Wall(8), b""), 0);
        let frame = ring.frames(Signal::Log).next().unwrap();
        assert_eq!(
            frame,
            Frame {
                sequence: 0,
                received: Wall(7),
                payload: b"one"
            }
        );
        assert_eq!(sequences(&ring, Signal::Metric), [1]);
        assert_eq!(ring.oldest(), Some(Wall(7)));
        assert_eq!(ring.unsettled_bytes(), 2 * HEADER_BYTES + 3);
        assert_eq!(ring.resident_events(), 1);
    }

    #[test]
    fn a_payload_that_can_never_fit_is_a_counted_loss() {
        let mut ring = Ring::new(64);
        assert_eq!(ring.push(Signal::Log, true, Wall(0), &[0; 49]), 1);
        assert_eq!(
            ring.push(
                Signal::Log,
                true,
                Wall(0),
                &vec![1; ring.payload_bytes_max()]
            ),
            0
        );
        assert_eq!(ring.resident_events(), 1);
    }

    #[test]
    fn signals_are_settled_apart_and_leave_in_order() {
        let mut ring = Ring::new(256);
        for sequence in 0..4 {
            let signal = if sequence % 2 == 0 {
                Signal::Log
            } else {
                Signal::Metric
            };
            ring.push(signal, true, Wall(sequence), b"x");
        }
        ring.begin_flight(Signal::Metric, 1, 3);
        assert_eq!(ring.settle_flight(), 2);
        assert!(sequences(&ring, Signal::Metric).is_empty());
        assert_eq!(sequences(&ring, Signal::Log), [0, 2]);
        assert_eq!(
            ring.room(),
            256 - 4 * 17,
            "settled frames wait for the head"
        );
        // Evicting a settled frame is no loss.
        let mut lost = 0;
        while ring.oldest() == Some(Wall(0)) {
            lost += ring.push(Signal::Log, true, Wall(9), b"x");
        }
        assert_eq!(lost, 1);
        assert_eq!(sequences(&ring, Signal::Log).first(), Some(&2));
    }

    #[test]
    fn the_outcome_decides_about_what_was_evicted_in_flight() {
        for delivered in [true, false] {
            let mut ring = Ring::new(100);
            for _ in 0..5 {
                ring.push(Signal::Log, true, Wall(0), &[0; 4]);
            }
            ring.begin_flight(Signal::Log, 0, 1);
            assert_eq!(
                ring.push(Signal::Log, true, Wall(0), &[0; 44]),
                1,
                "two of flight, one not"
            );
            assert_eq!(ring.resident_events(), 2 + 1 + 2);
            if delivered {
                assert_eq!(ring.settle_flight(), 2);
            } else {
                assert_eq!(ring.abandon_flight(), 2);
            }
            assert_eq!(sequences(&ring, Signal::Log), [3, 4, 5]);
            assert_eq!(ring.resident_events(), 3);
        }
    }

    /// The ring against a plain queue: random pushes, flights, settlements, with capacities that make every wrap happen.
    #[test]
    fn against_a_model() {
        struct Model {
            frames: VecDeque<(u64, Signal, bool, Vec<u8>)>,
        }
        let mut random = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = move |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        for capacity in [64, 100, 128, 257, 1000] {
            let mut ring = Ring::new(capacity);
            let mut model = Model {
                frames: VecDeque::new(),
            };
            let (mut pushed, mut events, mut lost, mut settled) = (0u64, 0u64, 0u64, 0u64);
            for _ in 0..20_000 {
                match next(10) {
                    0 if ring.flight.is_none() => {
                        let signal = if next(2) == 0 {
                            Signal::Log
                        } else {
                            Signal::Metric
                        };
                        let all = sequences(&ring, signal);
                        if !all.is_empty() {
                            let last = all[next(all.len() as u64) as usize];
                            ring.begin_flight(signal, all[0], last);
                        }
                    }
                    1 => {
                        let flight = ring.flight;
                        settled += ring.settle_flight();
                        if let Some(flight) = flight {
                            model.frames.retain(|(sequence, signal, ..)| {
                                !(*signal == flight.signal
                                    && (flight.first..=flight.last).contains(sequence))
                            });
                        }
                    }
                    2 => lost += ring.abandon_flight(),
                    _ => {
                        let signal = if next(3) == 0 {
                            Signal::Metric
                        } else {
                            Signal::Log
                        };
                        let is_event = next(4) > 0;
                        let length = next(capacity as u64 / 3) as usize;
                        let payload: Vec<u8> =
                            (0..length).map(|i| (pushed as usize + i) as u8).collect();
                        lost += ring.push(signal, is_event, Wall(pushed), &payload);
                        model.frames.push_back((pushed, signal, is_event, payload));
                        pushed += 1;
                        events += u64::from(is_event);
                    }
                }
                // Whatever the ring has evicted must be the oldest frames of the model, and nothing else.
                let oldest = ring
                    .frames(Signal::Log)
                    .chain(ring.frames(Signal::Metric))
                    .map(|frame| frame.sequence)
                    .min();
                while model
                    .frames
                    .front()
                    .is_some_and(|frame| oldest.is_none_or(|oldest| frame.0 < oldest))
                {
                    model.frames.pop_front();
                }
                for signal in [Signal::Log, Signal::Metric] {
                    let mine: Vec<_> = ring
                        .frames(signal)
                        .map(|frame| (frame.sequence, frame.received.0, frame.payload.to_vec()))
                        .collect();
                    let expected: Vec<_> = model
                        .frames
                        .iter()
                        .filter(|frame| frame.1 == signal)
                        .map(|frame| (frame.0, frame.0, frame.3.clone()))
                        .collect();
                    assert_eq!(mine, expected);
                }
                assert_eq!(
                    events,
                    ring.resident_events() + lost + settled,
                    "every event is somewhere"
                );
                assert_eq!(
                    ring.unsettled_bytes(),
                    model
                        .frames
                        .iter()
                        .map(|frame| HEADER_BYTES + frame.3.len())
                        .sum::<usize>()
                );
                assert_eq!(
                    ring.oldest(),
                    model.frames.front().map(|frame| Wall(frame.0))
                );
            }
            assert!(lost > 0 && settled > 0);
        }
    }
}
