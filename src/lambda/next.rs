//! Asking for the next event: what an answer means, what a lost connection, and when next is asked again. Pauses double while
//! nothing is answered; when that lasts too long, the sandbox is gone.

use crate::clock::{Clocks, Mono, Wall};
use crate::lambda::request_id::RequestId;
use crate::lambda::said::Said;
use crate::limits::{
    NEXT_REFUSALS_MAX, NEXT_RETRY_MS_MAX, NEXT_RETRY_MS_MIN, NEXT_UNREACHABLE_MS_MAX,
};

/// What became of an outstanding next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    Invoke {
        id: RequestId,
        deadline: Option<Mono>,
    },
    Shutdown {
        deadline: Option<Mono>,
    },
    /// It will be asked again at this moment.
    Again {
        at: Mono,
    },
    /// The sandbox is gone.
    Gone,
}

/// How asking has gone lately.
pub struct Asking {
    retry_ms: u64,
    refusals: u32,
    unreachable_since: Option<Mono>,
}

impl Asking {
    #[must_use]
    pub const fn new() -> Asking {
        Asking {
            retry_ms: NEXT_RETRY_MS_MIN,
            refusals: 0,
            unreachable_since: None,
        }
    }

    /// There is a connection: what comes later is not the same outage.
    pub const fn reached(&mut self) {
        self.unreachable_since = None;
    }

    /// The connection on which next was outstanding is lost.
    pub fn lost(&mut self, now: Mono) -> Event {
        let since = *self.unreachable_since.get_or_insert(now);
        if now.since(since) >= NEXT_UNREACHABLE_MS_MAX {
            return Event::Gone;
        }
        self.again(now)
    }

    /// Lambda has answered so. An invocation whose answer cannot be read is one all the same: next must be asked.
    pub fn answered(&mut self, status: u16, said: &Said, now: Clocks) -> Event {
        self.reached();
        if status != 200 {
            self.refusals += 1;
            return if self.refusals >= NEXT_REFUSALS_MAX {
                Event::Gone
            } else {
                self.again(now.mono)
            };
        }
        (self.refusals, self.retry_ms) = (0, NEXT_RETRY_MS_MIN);
        let deadline = said
            .deadline_ms
            .map(Wall)
            .filter(|at| *at > now.wall)
            .map(|at| now.mono_of(at));
        if said.event_type.as_deref() == Some("SHUTDOWN") {
            return Event::Shutdown { deadline };
        }
        let id = said.request_id.as_deref().unwrap_or_default();
        Event::Invoke {
            id: RequestId::new(id.as_bytes()).unwrap_or(RequestId::UNKNOWN),
            deadline,
        }
    }

    fn again(&mut self, now: Mono) -> Event {
        let at = now.plus(self.retry_ms);
        self.retry_ms = (self.retry_ms * 2).min(NEXT_RETRY_MS_MAX);
        Event::Again { at }
    }
}

impl Default for Asking {
    fn default() -> Asking {
        Asking::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_refusal_in_a_row_is_the_end() {
        let mut asking = Asking::new();
        let mut answered = |status| asking.answered(status, &Said::default(), Clocks::default());
        assert_eq!(answered(500), Event::Again { at: Mono(10) });
        assert_eq!(answered(403), Event::Again { at: Mono(20) });
        assert!(matches!(answered(200), Event::Invoke { .. }));
        assert_eq!(answered(500), Event::Again { at: Mono(10) });
        assert_eq!(answered(500), Event::Again { at: Mono(20) });
        assert_eq!(answered(500), Event::Gone);
    }

    #[test]
    fn two_lost_connections_far_apart_are_not_the_end() {
        let mut asking = Asking::new();
        for now in [Mono(100), Mono(60_000), Mono(120_000)] {
            asking.reached();
            assert!(matches!(asking.lost(now), Event::Again { .. }), "{now:?}");
        }
    }

    #[test]
    fn five_seconds_without_a_connection_are_the_end() {
        let mut asking = Asking::new();
        let mut now = Mono(100);
        let mut tries = 0;
        while let Event::Again { at } = asking.lost(now) {
            assert!(at > now, "never a loop without a pause");
            now = at;
            tries += 1;
        }
        assert!((5_100..=6_200).contains(&now.0), "{now:?}");
        assert!(tries < 20);
    }
}
