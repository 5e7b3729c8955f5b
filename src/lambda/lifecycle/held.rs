//! How long next was held after the runtime was done, counted from the time that `runtimeDone` itself tells.

use crate::clock::Wall;
use crate::lambda::request_id::RequestId;
use crate::limits::HELD_UNSEEN_MAX;

/// An invocation whose next was asked before its `runtimeDone` was seen.
#[derive(Clone, Copy, Debug)]
struct Asked {
    id: RequestId,
    began: Wall,
    /// From there until next was asked.
    ms: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Held {
    /// All of it, in milliseconds.
    pub(super) ms: u64,
    /// The latest first.
    asked: [Option<Asked>; HELD_UNSEEN_MAX],
}

impl Held {
    pub(super) const fn new() -> Held {
        Held {
            ms: 0,
            asked: [None; HELD_UNSEEN_MAX],
        }
    }

    /// Next was asked so long after the beginning of an invocation whose `runtimeDone` is still to come.
    pub(super) fn asked(&mut self, id: RequestId, now: Wall, ms: u64) {
        if ms > 0 {
            let began = Wall(now.0.saturating_sub(ms));
            self.asked.copy_within(..HELD_UNSEEN_MAX - 1, 1);
            let [first, ..] = &mut self.asked;
            *first = Some(Asked { id, began, ms });
        }
    }

    /// The `runtimeDone` of such an invocation. If the function was still running when next was asked: after how long that was.
    pub(super) fn done(&mut self, id: RequestId, at: Wall) -> u64 {
        for place in &mut self.asked {
            if let Some(Asked { began, ms, .. }) = place.take_if(|asked| asked.id == id) {
                // Before it began, as far as we know, it was not held.
                let ran_ms = at.since(began);
                self.ms += ms.saturating_sub(ran_ms);
                return if ran_ms >= ms { ms } else { 0 };
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> RequestId {
        RequestId::new(number.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_hold_is_told_when_runtime_done_comes() {
        let mut held = Held::new();
        // Begun at 1000, 2000, 3000 and 4000.
        for (number, held_ms) in [(1, 250), (2, 0), (3, 300), (4, 100)] {
            held.asked(id(number), Wall(number * 1_000 + held_ms), held_ms);
        }
        for (number, at, in_vain_ms, ms) in [
            (1, 1_010, 0, 240),
            // Delivered twice.
            (1, 1_010, 0, 240),
            // Not held at all.
            (2, 2_000, 0, 240),
            // Next was asked first.
            (3, 3_300, 300, 240),
            // It was done before the INVOKE was read.
            (4, 3_900, 0, 340),
            (5, 5_000, 0, 340),
        ] {
            let told = held.done(id(number), Wall(at));
            assert_eq!((told, held.ms), (in_vain_ms, ms), "{number}");
        }
    }

    #[test]
    fn the_latest_are_remembered() {
        let mut held = Held::new();
        for number in 1..=9 {
            held.asked(id(number), Wall(number * 1_000 + 100), 100);
        }
        for number in 1..=9 {
            held.done(id(number), Wall(number * 1_000 + 90));
        }
        assert_eq!(held.ms, 10 * HELD_UNSEEN_MAX as u64);
    }
}
