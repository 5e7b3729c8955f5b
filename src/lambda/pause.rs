//! When telemetry is left unread: while the ring is filling up and can still be emptied, it is better there than evicted here.
//!
//! But nobody may wait for ever. A pause is bounded at a stretch, and in all for one request: Lambda drops what it has for a
//! listener that does not answer. And as `runtimeDone` may be among what is unread, the pause knows since when.

use crate::clock::{Clocks, Mono, Wall};
use crate::limits::{READ_BYTES, READ_BYTES_MIN, RECEIVE_PAUSE_MS_MAX, REQUEST_WAIT_MS_MAX};

/// The ring, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    pub free_bytes: usize,
    pub capacity_bytes: usize,
    /// The collector is well.
    pub can_drain: bool,
    /// A POST is in flight.
    pub is_posting: bool,
}

/// How much is read at once while so many bytes are free: little near the end of the room, so that a pause does not come too late.
/// A ring that nobody empties is not spared.
#[must_use]
pub const fn read_bytes_max(free_bytes: usize, can_drain: bool) -> usize {
    match free_bytes / 8 {
        _ if !can_drain => READ_BYTES,
        part if part < READ_BYTES_MIN => READ_BYTES_MIN,
        part if part < READ_BYTES => part,
        _ => READ_BYTES,
    }
}

#[derive(Clone, Default, Debug)]
pub struct Pause {
    since: Option<Mono>,
    /// Room in the ring when it was looked at last. When it grows, the pause begins anew: it is of use.
    room_bytes: usize,
    /// It has lasted too long: until there is more room, telemetry is read and the oldest records are evicted.
    is_spent: bool,
    /// When the first pause began that the request in progress has met.
    request_since: Option<Mono>,
    /// Up to this moment telemetry was left unread.
    unread_until: Wall,
}

impl Pause {
    /// Decides whether telemetry is left unread from now on, until the next look. True if a pause has ended.
    pub fn look(&mut self, room: Room, now: Clocks) -> bool {
        // With a POST in flight there will soon be room again, and what is in the ring then fits into the time that
        // SHUTDOWN leaves to a slow collector.
        let parts = if room.is_posting { 2 } else { 4 };
        let before = self.since;
        if before.is_some() {
            self.unread_until = now.wall;
        }
        if room.free_bytes > core::mem::replace(&mut self.room_bytes, room.free_bytes) {
            (self.since, self.is_spent) = (None, false);
        }
        let has_room = room.free_bytes >= room.capacity_bytes / parts;
        let is_over =
            |since: Option<Mono>, ms| since.is_some_and(|since| now.mono.since(since) >= ms);
        self.is_spent |= is_over(self.since, RECEIVE_PAUSE_MS_MAX);
        if has_room
            || !room.can_drain
            || self.is_spent
            || is_over(self.request_since, REQUEST_WAIT_MS_MAX)
        {
            self.since = None;
        } else {
            let since = *self.since.get_or_insert(now.mono);
            self.request_since.get_or_insert(since);
            self.unread_until = now.wall;
        }
        before.is_some() && self.since.is_none()
    }

    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// When it has to be looked at again, if nothing else happens.
    #[must_use]
    pub fn ends_at(&self) -> Option<Mono> {
        let end = self.since?.plus(RECEIVE_PAUSE_MS_MAX);
        let request = self.request_since?.plus(REQUEST_WAIT_MS_MAX);
        Some(end.min(request))
    }

    /// Telemetry was read, and no request is in progress.
    pub const fn answered(&mut self) {
        self.request_since = None;
    }

    /// Since when what happens may be unseen, if something was left unread that is not read by now: from the time on that the
    /// event which was read last has by its own account.
    #[must_use]
    pub fn unread_since(&self, latest: Wall, now: Clocks) -> Option<Mono> {
        let is_behind = latest < self.unread_until && self.unread_until <= now.wall;
        is_behind.then(|| now.mono_then(latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Clocks = Clocks {
        wall: Wall(1_700_000_000_000),
        mono: Mono(100_000),
    };

    fn at(ms: u64) -> Clocks {
        Clocks {
            wall: START.wall.plus(ms),
            mono: START.mono.plus(ms),
        }
    }

    const fn posting(free_bytes: usize) -> Room {
        Room {
            free_bytes,
            capacity_bytes: 1000,
            can_drain: true,
            is_posting: true,
        }
    }

    #[test]
    fn it_pauses_while_there_is_little_room_that_can_grow() {
        for (free_bytes, can_drain, is_posting, is_on) in [
            (499, true, true, true),
            (500, true, true, false),
            (249, true, false, true),
            (250, true, false, false),
            (0, false, true, false),
            (0, false, false, false),
        ] {
            let mut pause = Pause::default();
            let room = Room {
                can_drain,
                is_posting,
                ..posting(free_bytes)
            };
            pause.look(room, at(0));
            assert_eq!(pause.is_on(), is_on, "{room:?}");
        }
    }

    #[test]
    fn reads_are_short_near_the_end_of_the_room() {
        for (free_bytes, can_drain, bytes_max) in [
            (usize::MAX, true, 64 * 1024),
            (512 * 1024, true, 64 * 1024),
            (256 * 1024, true, 32 * 1024),
            (16 * 1024, true, 2 * 1024),
            (0, true, 2 * 1024),
            (0, false, 64 * 1024),
            (256 * 1024, false, 64 * 1024),
        ] {
            let found = read_bytes_max(free_bytes, can_drain);
            assert_eq!(found, bytes_max, "{free_bytes} {can_drain}");
        }
    }

    /// What happens at so many milliseconds, and whether telemetry is then left unread.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Look(u64, usize),
        Answered,
    }

    #[test]
    fn a_pause_and_a_request_have_their_bounds() {
        use Step::{Answered, Look};
        for steps in [
            // At a stretch: until there is more room.
            [
                (Look(0, 100), true),
                (Look(999, 100), true),
                (Look(1_000, 100), false),
                (Look(1_100, 100), false),
                (Look(1_200, 200), true),
                (Look(1_999, 200), true),
                // In all: 2 s after the first of them.
                (Look(2_000, 200), false),
                (Look(2_100, 300), false),
                (Answered, false),
                (Look(2_200, 300), true),
            ],
            // With room again and again, and none that is enough.
            [
                (Look(0, 100), true),
                (Look(900, 200), true),
                (Look(1_800, 300), true),
                (Look(1_999, 300), true),
                (Look(2_000, 300), false),
                (Look(2_700, 400), false),
                (Look(9_000, 450), false),
                (Answered, false),
                (Look(9_001, 400), true),
                (Look(9_002, 600), false),
            ],
        ] {
            let mut pause = Pause::default();
            for (step, is_on) in steps {
                match step {
                    Look(ms, free_bytes) => {
                        let was_on = pause.is_on();
                        let has_ended = pause.look(posting(free_bytes), at(ms));
                        assert_eq!(has_ended, was_on && !is_on, "{step:?}");
                        let comes = pause.ends_at();
                        assert!(comes.is_none_or(|end| end > at(ms).mono), "{step:?}");
                        assert_eq!(comes.is_some(), is_on, "{step:?}");
                    }
                    Answered => pause.answered(),
                }
                assert_eq!(pause.is_on(), is_on, "{step:?}");
            }
        }
    }

    #[test]
    fn what_is_behind_is_known_by_the_time_of_the_event_that_was_read_last() {
        let mut pause = Pause::default();
        let latest = at(0).wall;
        assert_eq!(pause.unread_since(latest, at(5)), None);
        pause.look(posting(100), at(10));
        assert_eq!(pause.unread_since(latest, at(10)), Some(at(0).mono));
        // Read again, and the first of it is from before the pause's end.
        pause.look(posting(900), at(300));
        let later = at(40).wall;
        assert_eq!(pause.unread_since(later, at(310)), Some(at(40).mono));
        assert_eq!(pause.unread_since(at(300).wall, at(320)), None);
        // A clock that was set back says nothing.
        let back = Clocks {
            wall: Wall(START.wall.0 - 3_600_000),
            ..at(330)
        };
        assert_eq!(pause.unread_since(later, back), None);
    }
}
