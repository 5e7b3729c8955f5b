//! The freeze as the deliverers see it: while the sandbox is frozen nothing of Lambda's moves either.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

#[derive(Default)]
pub(crate) struct Gate {
    /// Since when it is frozen.
    frozen: Mutex<Option<Instant>>,
    changed: Condvar,
}

impl Gate {
    pub(crate) fn set_frozen(&self, frozen: bool) {
        let mut since = self.frozen.lock().unwrap();
        *since = frozen.then(|| since.unwrap_or_else(Instant::now));
        drop(since);
        self.changed.notify_all();
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.lock().unwrap().is_some()
    }

    /// Returns when the sandbox is not frozen.
    pub(crate) fn wait_awake(&self) {
        let frozen = self.frozen.lock().unwrap();
        drop(
            self.changed
                .wait_while(frozen, |frozen| frozen.is_some())
                .unwrap(),
        );
    }
}

impl Gate {
    /// Sleeps so long, not counting the time frozen.
    pub(crate) fn sleep(&self, duration: Duration) {
        let mut left = duration;
        while !left.is_zero() {
            self.wait_awake();
            let began = Instant::now();
            let frozen = self.frozen.lock().unwrap();
            // Woken early by a freeze, maybe late; otherwise the time is up.
            let (frozen, _) = self
                .changed
                .wait_timeout_while(frozen, left, |frozen| frozen.is_none())
                .unwrap();
            let ended = frozen.unwrap_or_else(Instant::now);
            left = left.saturating_sub(ended.saturating_duration_since(began));
        }
    }
}

/// A time limit that counts only the time awake.
pub(crate) struct AwakeDeadline<'a> {
    gate: &'a Gate,
    left: Duration,
    checked: Instant,
}

impl<'a> AwakeDeadline<'a> {
    pub(crate) fn new(gate: &'a Gate, limit: Duration) -> Self {
        AwakeDeadline {
            gate,
            left: limit,
            checked: Instant::now(),
        }
    }

    /// Call this at least every few dozen milliseconds.
    pub(crate) fn has_passed(&mut self) -> bool {
        let now = Instant::now();
        if !self.gate.is_frozen() {
            self.left = self.left.saturating_sub(now - self.checked);
        }
        self.checked = now;
        self.left.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn sleep_and_deadlines_do_not_count_the_time_frozen() {
        let gate = Arc::new(Gate::default());
        let (sleeping, began) = (gate.clone(), Instant::now());
        let sleeper = thread::spawn(move || sleeping.sleep(60 * MS));
        let mut deadline = AwakeDeadline::new(&gate, 60 * MS);
        thread::sleep(20 * MS);
        assert!(!deadline.has_passed());
        gate.set_frozen(true);
        thread::sleep(100 * MS);
        assert!(!deadline.has_passed() && !sleeper.is_finished());
        gate.set_frozen(false);
        sleeper.join().unwrap();
        assert!(began.elapsed() >= 160 * MS);
        // It counts from check to check, so it may be a little behind.
        while !deadline.has_passed() {
            assert!(began.elapsed() < 1000 * MS);
            thread::sleep(MS);
        }
    }
}
