//! How late this machine is: on one that is busy with other things a thread that should run at a moment runs later, and so
//! does everything that is timed here.

use std::collections::VecDeque;
use std::sync::{Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

/// How often it is tried.
const PERIOD: Duration = Duration::from_millis(10);
/// How long a try is remembered.
const MEMORY: Duration = Duration::from_secs(60);
/// How far [`lateness`] looks back.
const LATELY: Duration = Duration::from_secs(10);

static TRIES: Mutex<VecDeque<(Instant, Duration)>> = Mutex::new(VecDeque::new());

/// What a thread that should have run every ten milliseconds had to wait for its turn in some time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Late {
    /// In all.
    pub sum: Duration,
    /// At a stretch.
    pub longest: Duration,
}

/// The longest that a thread had to wait for its turn in the last ten seconds. It is measured from the first sandbox, or the first
/// call, on.
pub fn lateness() -> Duration {
    watch();
    let now = Instant::now();
    now.checked_sub(LATELY)
        .map_or_else(Late::default, late_since)
        .longest
}

/// What this machine was late since then, at most a minute ago.
pub fn late_since(since: Instant) -> Late {
    watch();
    let tries = TRIES.lock().unwrap();
    let tries = tries.iter().filter(|(at, _)| *at >= since);
    tries.fold(Late::default(), |late, (_, try_late)| Late {
        sum: late.sum + *try_late,
        longest: late.longest.max(*try_late),
    })
}

/// Begins to measure, once.
pub(crate) fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        drop(
            thread::Builder::new()
                .name("lateness".into())
                .spawn(measure),
        )
    });
}

fn measure() {
    loop {
        let began = Instant::now();
        thread::sleep(PERIOD);
        let now = Instant::now();
        let late = (now - began).saturating_sub(PERIOD);
        let mut tries = TRIES.lock().unwrap();
        while tries.front().is_some_and(|(at, _)| now - *at > MEMORY) {
            tries.pop_front();
        }
        tries.push_back((now, late));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_measured() {
        watch();
        let deadline = Instant::now() + Duration::from_secs(10);
        while lateness().is_zero() {
            assert!(
                Instant::now() < deadline,
                "no thread is ever in time to the nanosecond"
            );
            thread::sleep(PERIOD);
        }
    }
}
