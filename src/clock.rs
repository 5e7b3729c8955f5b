//! Two clocks that must not be mixed up.
//!
//! `CLOCK_MONOTONIC` stops while Lambda has the sandbox frozen, the wall clock goes on. How long *we* have worked or waited
//! is [`Mono`]; how long it has been *outside* is [`Wall`]. The types have no conversion into each other but
//! [`Clocks::mono_of`], which reads "at that wall time" as "after that many milliseconds awake", and [`Clocks::mono_then`], the
//! same for what was.

/// Wall clock, milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Wall(pub u64);

/// `CLOCK_MONOTONIC`, milliseconds since some start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Mono(pub u64);

/// Both clocks, read at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Clocks {
    pub wall: Wall,
    pub mono: Mono,
}

impl Wall {
    /// Milliseconds from `earlier` to here; 0 if the clock was set back meanwhile.
    #[must_use]
    pub const fn since(self, earlier: Wall) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Nanoseconds since 1970-01-01 UTC, as records and points have it; at most what 64 bits hold.
    #[must_use]
    pub const fn unix_nano(self) -> u64 {
        self.0.saturating_mul(1_000_000)
    }

    #[must_use]
    pub const fn plus(self, ms: u64) -> Wall {
        Wall(self.0.saturating_add(ms))
    }

    /// What is left, at this moment, of so many milliseconds that began at `began`: never more than all of them, and nothing if
    /// the clock was set back to before their beginning, for nobody knows then how long that is ago.
    #[must_use]
    pub const fn left(self, began: Wall, ms: u64) -> u64 {
        if self.0 < began.0 {
            0
        } else {
            ms.saturating_sub(self.0 - began.0)
        }
    }
}

impl Mono {
    /// Milliseconds awake from `earlier` to here.
    #[must_use]
    pub const fn since(self, earlier: Mono) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    #[must_use]
    pub const fn plus(self, ms: u64) -> Mono {
        Mono(self.0.saturating_add(ms))
    }

    #[must_use]
    pub const fn minus(self, ms: u64) -> Mono {
        Mono(self.0.saturating_sub(ms))
    }
}

impl Clocks {
    /// The moment on the monotonic clock that `at` is, if the sandbox stays awake until then.
    #[must_use]
    pub const fn mono_of(self, at: Wall) -> Mono {
        self.mono.plus(at.since(self.wall))
    }

    /// The moment on the monotonic clock that `at` was, if the sandbox has been awake since; not later than now.
    #[must_use]
    pub const fn mono_then(self, at: Wall) -> Mono {
        self.mono.minus(self.wall.since(at))
    }
}

/// The earlier of two moments, of which there may be none.
#[inline(never)]
#[must_use]
pub fn earliest(one: Option<Mono>, other: Option<Mono>) -> Option<Mono> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_never_longer_than_it_was_meant_to_be() {
        const HOUR_MS: u64 = 3_600_000;
        let began = Wall(10 * HOUR_MS);
        for (now, left) in [
            (began, 1_000),
            (began.plus(400), 600),
            (began.plus(999), 1),
            (began.plus(1_000), 0),
            (began.plus(HOUR_MS), 0),
            (Wall(began.0 - 1), 0),
            (Wall(began.0 - HOUR_MS), 0),
            (Wall(0), 0),
            (Wall(u64::MAX), 0),
        ] {
            assert_eq!(now.left(began, 1_000), left, "{now:?}");
        }
        assert_eq!(began.left(began, u64::MAX), u64::MAX);
    }
}
