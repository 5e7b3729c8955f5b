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
//!   until there is room, and says how many frames of each signal were lost by that.
//! * A batch of each signal is *in flight* from [`Ring::begin_flight`] until it is answered for, however often it is sent:
//!   whoever sends it keeps a copy. Frames of it that are evicted meanwhile are not lost yet: the outcome decides
//!   ([`Ring::settle_flight`]: they were delivered; [`Ring::abandon_flight`]: they are lost).
//! * A frame leaves only from the head. One that was answered for is *settled* and leaves when all before it have left,
//!   so that logs and metrics can be settled apart in one ring.
//! * The ring does not know what a payload means, and never copies or moves one.

use crate::clock::Wall;
use crate::limits::METRIC_ROOM_PERCENT;
use crate::queue::signal::{PerSignal, Signal};

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
    unsettled: PerSignal<u64>,
    /// When the first unsettled frame was pushed.
    oldest: PerSignal<Option<Wall>>,
    flights: PerSignal<Option<Flight>>,
    /// Logs leave so many bytes free.
    room_for_metrics: usize,
}

#[derive(Clone, Copy)]
struct Flight {
    first: u64,
    last: u64,
    evicted: u64,
    /// When its first frame was pushed.
    oldest: Option<Wall>,
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

const HEADER_BYTES: usize = 16;
const METRIC: u8 = 1;
const SETTLED: u8 = 2;
/// Not a frame: the next one is at the start of the memory.
const WRAP: u8 = 4;

#[derive(Clone, Copy)]
struct Header {
    payload_bytes: usize,
    flags: u8,
    received: Wall,
}

impl Header {
    const fn is_unsettled(self, signal: Signal) -> bool {
        self.flags & (METRIC | SETTLED) == flag(signal)
    }

    const fn signal(self) -> Signal {
        if self.flags & METRIC == 0 {
            Signal::Log
        } else {
            Signal::Metric
        }
    }
}

const fn flag(signal: Signal) -> u8 {
    match signal {
        Signal::Log => 0,
        Signal::Metric => METRIC,
    }
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
            unsettled: PerSignal { log: 0, metric: 0 },
            oldest: PerSignal {
                log: None,
                metric: None,
            },
            flights: PerSignal {
                log: None,
                metric: None,
            },
            room_for_metrics: 0,
        }
    }

    /// From now on logs leave room for metrics, which never evict one.
    pub const fn keep_room_for_metrics(&mut self) {
        self.room_for_metrics = self.capacity / 100 * METRIC_ROOM_PERCENT;
    }

    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
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

    /// The capacity without the bytes that nobody has answered for yet. Settled frames that wait for the head count as free:
    /// they leave with it, answered for or evicted.
    #[must_use]
    pub fn free_bytes(&self) -> usize {
        self.capacity() - self.unsettled_bytes
    }

    /// Bytes, headers included, that nobody has answered for yet.
    #[must_use]
    pub const fn unsettled_bytes(&self) -> usize {
        self.unsettled_bytes
    }

    /// Frames that nobody has answered for yet, and those evicted while in flight.
    #[must_use]
    pub fn resident(&self, signal: Signal) -> u64 {
        let flight = self.flights.of(signal);
        self.unsettled.of(signal) + flight.map_or(0, |flight| flight.evicted)
    }

    /// When the oldest of them was pushed.
    #[must_use]
    pub const fn oldest(&self, signal: Signal) -> Option<Wall> {
        match self.flights.of(signal) {
            Some(flight) => flight.oldest,
            None => *self.oldest.of(signal),
        }
    }

    /// Whether a payload can be pushed without an eviction.
    #[must_use]
    pub fn has_room(&self, payload_bytes: usize) -> bool {
        let frame_bytes = HEADER_BYTES + payload_bytes;
        self.room() >= frame_bytes + self.gap(frame_bytes)
    }

    /// Bytes that stay unused at the end of the memory if the next frame is of this length.
    fn gap(&self, frame_bytes: usize) -> usize {
        let to_end = self.capacity() - self.tail;
        if self.used > 0 && frame_bytes > to_end {
            to_end
        } else {
            0
        }
    }

    /// Appends a frame, evicting the oldest ones if there is no room. Returns how many were lost by it: evicted ones, or the
    /// frame itself if it can never fit.
    pub fn push(&mut self, signal: Signal, received: Wall, payload: &[u8]) -> PerSignal<u64> {
        let kept_free = match signal {
            Signal::Log => self.room_for_metrics,
            Signal::Metric => 0,
        };
        if self.bytes.is_empty() {
            self.bytes = vec![0; self.capacity];
        }
        let mut lost = PerSignal::default();
        let frame_bytes = HEADER_BYTES + payload.len();
        if frame_bytes > self.capacity() {
            *lost.of_mut(signal) = 1;
            return lost;
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
            self.evict(&mut lost);
        }
        self.write(
            Header {
                payload_bytes: payload.len(),
                flags: flag(signal),
                received,
            },
            payload,
        );
        self.pushed(signal, received, frame_bytes);
        lost
    }

    fn pushed(&mut self, signal: Signal, received: Wall, frame_bytes: usize) {
        self.used += frame_bytes;
        self.tail += frame_bytes;
        if self.tail == self.capacity() {
            self.tail = 0;
        }
        self.next_sequence += 1;
        self.unsettled_bytes += frame_bytes;
        *self.unsettled.of_mut(signal) += 1;
        self.oldest.of_mut(signal).get_or_insert(received);
    }

    /// Room for a log's payload of at least so many bytes, where it will stand: what is written there is a frame once it is committed. `None`:
    /// it takes an eviction, or there is too little up to the end of the memory; [`Ring::push`] finds a place.
    pub fn grant(&mut self, payload_bytes: usize) -> Option<&mut [u8]> {
        if self.used == 0 {
            (self.head, self.tail) = (0, 0);
        }
        let room = self.room().saturating_sub(self.room_for_metrics);
        let end = self.capacity.min(self.tail + room);
        let place = self.bytes.get_mut(self.tail + HEADER_BYTES..end)?;
        (place.len() >= payload_bytes).then_some(place)
    }

    /// What was written into the last grant is a frame of so many bytes.
    pub fn commit(&mut self, signal: Signal, received: Wall, payload_bytes: usize) {
        let header = Header {
            payload_bytes,
            flags: flag(signal),
            received,
        };
        self.write(header, &[]);
        self.pushed(signal, received, HEADER_BYTES + payload_bytes);
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
        debug_assert!(self.flights.of(signal).is_none(), "at most one batch");
        *self.flights.of_mut(signal) = Some(Flight {
            first,
            last,
            evicted: 0,
            oldest: self.oldest(signal),
            whole: self.whole(signal, first, last),
        });
    }

    /// The frames in flight were answered for, whether accepted or refused. Returns how many they were.
    pub fn settle_flight(&mut self, signal: Signal) -> u64 {
        let Some(flight) = self.flights.of_mut(signal).take() else {
            return 0;
        };
        if let Some(whole) = flight.whole.filter(|_| self.head_sequence == flight.first) {
            return self.remove_whole(&whole, signal, flight.last);
        }
        let mut frames = flight.evicted;
        let (mut offset, mut sequence) = (self.head, self.head_sequence);
        while sequence <= flight.last && sequence < self.next_sequence {
            let Some((at, header)) = self.frame_at(offset) else {
                break;
            };
            if sequence >= flight.first && header.is_unsettled(signal) {
                self.settle(at, header);
                frames += 1;
            }
            offset = at + HEADER_BYTES + header.payload_bytes;
            sequence += 1;
        }
        self.drop_settled();
        self.look_for_oldest(signal);
        frames
    }

    /// The frames in flight are not sent again as they were: they stay. Returns how many of them were evicted meanwhile, which
    /// are lost now.
    pub fn abandon_flight(&mut self, signal: Signal) -> u64 {
        let flight = self.flights.of_mut(signal).take();
        flight.map_or(0, |flight| flight.evicted)
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
            whole.frames += 1;
            whole.end = at + frame_bytes;
        }
        Some(whole)
    }

    fn remove_whole(&mut self, whole: &Whole, signal: Signal, last: u64) -> u64 {
        self.unsettled_bytes -= whole.bytes;
        *self.unsettled.of_mut(signal) -= whole.frames;
        self.head_sequence = last + 1;
        self.leave(whole.end, whole.bytes + whole.gap);
        self.drop_settled();
        self.look_for_oldest(signal);
        whole.frames
    }

    /// Removes the oldest frame, and counts it if it is lost by that.
    fn evict(&mut self, lost: &mut PerSignal<u64>) {
        let sequence = self.head_sequence;
        let Some(header) = self.remove_head() else {
            return;
        };
        if header.flags & SETTLED != 0 {
            return;
        }
        let signal = header.signal();
        self.unsettled_bytes -= HEADER_BYTES + header.payload_bytes;
        *self.unsettled.of_mut(signal) -= 1;
        match self.flights.of_mut(signal) {
            Some(flight) if (flight.first..=flight.last).contains(&sequence) => {
                flight.evicted += 1;
            }
            _ => *lost.of_mut(signal) += 1,
        }
        self.drop_settled();
        self.look_for_oldest(signal);
    }

    /// The oldest frame of the signal has left or was settled. The next is near: it is the head, unless the other signal's
    /// frames wait there.
    fn look_for_oldest(&mut self, signal: Signal) {
        let oldest = self.frames(signal).next().map(|frame| frame.received);
        *self.oldest.of_mut(signal) = oldest;
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
        *self.unsettled.of_mut(header.signal()) -= 1;
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
    use crate::random::Numbers;
    use std::collections::VecDeque;

    const NOTHING: PerSignal<u64> = PerSignal { log: 0, metric: 0 };

    fn sequences(ring: &Ring, signal: Signal) -> Vec<u64> {
        ring.frames(signal).map(|frame| frame.sequence).collect()
    }

    #[test]
    fn frames_come_back_as_pushed() {
        let mut ring = Ring::new(256);
        assert_eq!(ring.oldest(Signal::Log), None);
        assert_eq!(ring.push(Signal::Log, Wall(7), b"one"), NOTHING);
        assert_eq!(ring.push(Signal::Metric, Wall(8), b""), NOTHING);
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
        assert_eq!(ring.oldest(Signal::Log), Some(Wall(7)));
        assert_eq!(ring.oldest(Signal::Metric), Some(Wall(8)));
        assert_eq!(ring.unsettled_bytes(), 2 * HEADER_BYTES + 3);
        assert_eq!(ring.resident(Signal::Log), 1);
        assert_eq!(ring.resident(Signal::Metric), 1);
    }

    #[test]
    fn a_payload_that_can_never_fit_is_a_counted_loss() {
        let mut ring = Ring::new(64);
        let lost = PerSignal { log: 1, metric: 0 };
        assert_eq!(ring.push(Signal::Log, Wall(0), &[0; 49]), lost);
        let longest = vec![1; ring.payload_bytes_max()];
        assert_eq!(ring.push(Signal::Log, Wall(0), &longest), NOTHING);
        assert_eq!(ring.resident(Signal::Log), 1);
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
            ring.push(signal, Wall(sequence), b"x");
        }
        ring.begin_flight(Signal::Metric, 1, 3);
        assert_eq!(ring.settle_flight(Signal::Metric), 2);
        assert!(sequences(&ring, Signal::Metric).is_empty());
        assert_eq!(sequences(&ring, Signal::Log), [0, 2]);
        assert_eq!(
            ring.room(),
            256 - 4 * 17,
            "settled frames wait for the head"
        );
        // Evicting a settled frame is no loss.
        let mut lost = 0;
        while ring.oldest(Signal::Log) == Some(Wall(0)) {
            let evicted = ring.push(Signal::Log, Wall(9), b"x");
            assert_eq!(evicted.metric, 0);
            lost += evicted.log;
        }
        assert_eq!(lost, 1);
        assert_eq!(sequences(&ring, Signal::Log).first(), Some(&2));
    }

    #[test]
    fn the_outcome_decides_about_what_was_evicted_in_flight() {
        for delivered in [true, false] {
            let mut ring = Ring::new(100);
            for number in 0..5 {
                ring.push(Signal::Log, Wall(number), &[0; 4]);
            }
            ring.begin_flight(Signal::Log, 0, 1);
            let lost = ring.push(Signal::Log, Wall(5), &[0; 44]);
            assert_eq!(lost.log, 1, "two of flight, one not");
            assert_eq!(ring.resident(Signal::Log), 2 + 1 + 2);
            assert_eq!(ring.oldest(Signal::Log), Some(Wall(0)));
            if delivered {
                assert_eq!(ring.settle_flight(Signal::Log), 2);
            } else {
                assert_eq!(ring.abandon_flight(Signal::Log), 2);
            }
            assert_eq!(sequences(&ring, Signal::Log), [3, 4, 5]);
            assert_eq!(ring.resident(Signal::Log), 3);
            assert_eq!(ring.oldest(Signal::Log), Some(Wall(3)));
        }
    }

    /// A batch that is in flight: its frames when it began, and when the first of them was pushed.
    struct Sent {
        sequences: Vec<u64>,
        oldest: Option<Wall>,
    }

    /// A plain queue, and what has become of all that was pushed.
    #[derive(Default)]
    struct Model {
        frames: VecDeque<(u64, Signal, Vec<u8>)>,
        pushed: u64,
        of: PerSignal<u64>,
        lost: PerSignal<u64>,
        settled: PerSignal<u64>,
        flights: PerSignal<Option<Sent>>,
    }

    impl Model {
        /// One random step for both.
        fn step(&mut self, ring: &mut Ring, next: &mut dyn FnMut(u64) -> u64) {
            let signal = Signal::ALL[next(2) as usize];
            match next(10) {
                0 if self.flights.of(signal).is_none() => {
                    let all = sequences(ring, signal);
                    if !all.is_empty() {
                        let count = 1 + next(all.len() as u64) as usize;
                        let sequences = all[..count].to_vec();
                        let oldest = ring.oldest(signal);
                        ring.begin_flight(signal, sequences[0], sequences[count - 1]);
                        *self.flights.of_mut(signal) = Some(Sent { sequences, oldest });
                    }
                }
                1 => {
                    let sent = self.flights.of_mut(signal).take();
                    let sequences = sent.map(|sent| sent.sequences).unwrap_or_default();
                    let count = ring.settle_flight(signal);
                    // All that was sent, whatever was evicted meanwhile.
                    assert_eq!(count, sequences.len() as u64);
                    *self.settled.of_mut(signal) += count;
                    self.frames.retain(|frame| !sequences.contains(&frame.0));
                }
                2 => {
                    let sent = self.flights.of_mut(signal).take();
                    let sequences = sent.map(|sent| sent.sequences).unwrap_or_default();
                    let left = self.frames.iter();
                    let left = left.filter(|frame| sequences.contains(&frame.0)).count();
                    let lost = ring.abandon_flight(signal);
                    assert_eq!(lost as usize, sequences.len() - left);
                    *self.lost.of_mut(signal) += lost;
                }
                _ => self.push(ring, next),
            }
        }

        fn push(&mut self, ring: &mut Ring, next: &mut dyn FnMut(u64) -> u64) {
            let signal = Signal::ALL[usize::from(next(3) == 0)];
            let length = next(ring.capacity() as u64 / 3) as usize;
            let pushed = self.pushed as usize;
            let payload: Vec<u8> = (0..length).map(|i| (pushed + i) as u8).collect();
            let (has_room, before) = (ring.has_room(length), ring.head_sequence);
            let received = Wall(self.pushed);
            let place = ring
                .grant(length)
                .filter(|_| signal == Signal::Log && next(2) == 0);
            let lost = match place.and_then(|place| place.get_mut(..length)) {
                Some(place) => {
                    place.copy_from_slice(&payload);
                    ring.commit(signal, received, length);
                    NOTHING
                }
                None => ring.push(signal, received, &payload),
            };
            let is_evicting = ring.head_sequence > before;
            match signal {
                Signal::Metric => assert_eq!(is_evicting, !has_room),
                Signal::Log => {
                    assert!(is_evicting || has_room);
                    let is_alone = ring.used == HEADER_BYTES + length;
                    assert!(is_alone || ring.room() >= ring.room_for_metrics);
                }
            }
            self.lost.log += lost.log;
            self.lost.metric += lost.metric;
            self.frames.push_back((self.pushed, signal, payload));
            self.pushed += 1;
            *self.of.of_mut(signal) += 1;
        }

        /// Whatever the ring has evicted must be the oldest frames of the model, and nothing else.
        fn compare(&mut self, ring: &Ring) {
            let both = ring
                .frames(Signal::Log)
                .chain(ring.frames(Signal::Metric))
                .map(|frame| frame.sequence);
            let oldest = both.min().unwrap_or(u64::MAX);
            self.frames.retain(|frame| frame.0 >= oldest);
            for signal in Signal::ALL {
                let mine: Vec<_> = ring
                    .frames(signal)
                    .map(|frame| (frame.sequence, frame.received.0, frame.payload.to_vec()))
                    .collect();
                let expected: Vec<_> = self
                    .frames
                    .iter()
                    .filter(|frame| frame.1 == signal)
                    .map(|frame| (frame.0, frame.0, frame.2.clone()))
                    .collect();
                assert_eq!(mine, expected);
                assert_eq!(
                    *self.of.of(signal),
                    ring.resident(signal) + self.lost.of(signal) + self.settled.of(signal),
                    "every frame is somewhere"
                );
                let oldest = match self.flights.of(signal) {
                    // While it is not answered for, it waits, even if nothing of it is left in the ring.
                    Some(sent) => sent.oldest,
                    None => expected.first().map(|frame| Wall(frame.0)),
                };
                assert_eq!(ring.oldest(signal), oldest);
                assert_eq!(ring.resident(signal) > 0, oldest.is_some());
            }
            let bytes = self
                .frames
                .iter()
                .map(|frame| HEADER_BYTES + frame.2.len())
                .sum::<usize>();
            assert_eq!(ring.unsettled_bytes(), bytes);
        }
    }

    /// The ring against the model: random pushes, flights, settlements, with capacities that make every wrap happen.
    #[test]
    fn against_a_model() {
        let mut random = Numbers(0x9e37_79b9_7f4a_7c15);
        let mut next = move |below: u64| random.below(below as usize) as u64;
        for (capacity, keeps_room) in [
            (64, false),
            (100, false),
            (128, false),
            (257, false),
            (1000, false),
            (1000, true),
            (3000, true),
        ] {
            let (mut ring, mut model) = (Ring::new(capacity), Model::default());
            if keeps_room {
                ring.keep_room_for_metrics();
            }
            for _ in 0..20_000 {
                model.step(&mut ring, &mut next);
                model.compare(&ring);
            }
            for signal in Signal::ALL {
                assert!(*model.lost.of(signal) > 0 && *model.settled.of(signal) > 0);
            }
        }
    }
}
