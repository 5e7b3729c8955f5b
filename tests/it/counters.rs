//! The last line of kinglet's life: `kinglet: exit reason=… received=… delivered=…`.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use kinglet_sandbox::{Exit, Sandbox};

/// The counters, balanced: whoever holds one of these knows that the accounts agree.
#[derive(Debug)]
pub struct Counters {
    pub reason: String,
    values: BTreeMap<String, u64>,
}

impl Counters {
    /// Reads the counters line, which must be there once and last, and checks that
    /// received = resident + delivered + evicted + rejected + filtered + malformed + abandoned.
    pub fn of(exit: &Exit) -> Counters {
        let prefix = "kinglet: exit ";
        let told = exit
            .stderr
            .iter()
            .filter(|line| line.starts_with(prefix))
            .count();
        assert_eq!(told, 1, "{:?}", exit.stderr);
        let last = exit
            .stderr
            .last()
            .and_then(|line| line.strip_prefix(prefix));
        let last = last.unwrap_or_else(|| panic!("it is not the last: {:?}", exit.stderr));
        let mut counters = Counters {
            reason: String::new(),
            values: BTreeMap::new(),
        };
        for pair in last.split(' ') {
            match pair.split_once('=') {
                Some(("reason", reason)) => counters.reason = reason.into(),
                Some((name, value)) => {
                    let value = value
                        .parse()
                        .unwrap_or_else(|_| panic!("{pair} in {last:?}"));
                    counters.values.insert(name.into(), value);
                }
                None => panic!("{pair:?} in {last:?}"),
            }
        }
        let gone = [
            "delivered",
            "evicted",
            "rejected",
            "filtered",
            "malformed",
            "abandoned",
        ];
        let gone: u64 = gone.iter().map(|name| counters.get(name)).sum();
        assert_eq!(
            counters.get("received"),
            counters.get("resident") + gone,
            "{last}"
        );
        assert_eq!(
            counters.get("resident"),
            0,
            "nothing stays after the end: {last}"
        );
        counters
    }

    pub fn get(&self, name: &str) -> u64 {
        *self
            .values
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// The counters that are not zero, of those that tell of a loss.
    pub fn losses(&self) -> Vec<(&'static str, u64)> {
        let names = [
            "evicted",
            "rejected",
            "filtered",
            "malformed",
            "abandoned",
            "cut",
            "requests_broken",
        ];
        names
            .into_iter()
            .map(|name| (name, self.get(name)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// Checks that as many events were received as the sandbox knows to be taken.
    pub fn assert_all_received(&self, lambda: &Sandbox) {
        // The sandbox's thread may still be reading the last answer.
        let deadline = Instant::now() + Duration::from_secs(1);
        let taken = || lambda.delivered().delivered as u64;
        while taken() != self.get("received") && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(self.get("received"), taken(), "{self:?}");
    }

    /// Checks that all was received, nothing lost, and no POST failed.
    pub fn assert_clean(&self, lambda: &Sandbox) {
        self.assert_all_received(lambda);
        assert_eq!((self.losses(), self.get("posts_failed")), (vec![], 0));
    }
}
