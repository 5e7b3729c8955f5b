//! Addresses that were found, and how long they are taken.

use core::net::IpAddr;

use crate::clock::Wall;
use crate::limits::{RESOLVED_ADDRESSES_MAX, RESOLVED_MS_MAX, RESOLVED_MS_MIN};

/// Addresses found by name, each with the name it was found for: what is meant for one host must never reach another.
#[derive(Default)]
pub struct Known {
    entries: Vec<KnownAddress>,
}

struct KnownAddress {
    name: String,
    ip: IpAddr,
    /// When it was found, and how long it is taken from then on.
    found: Wall,
    kept_ms: u64,
}

impl Known {
    /// The address of this very name, while it may be taken. A clock that was set back ends that, too.
    #[must_use]
    pub fn get(&self, name: &str, now: Wall) -> Option<IpAddr> {
        let entry = self.entries.iter().rfind(|entry| entry.name == name)?;
        (now.0.wrapping_sub(entry.found.0) < entry.kept_ms).then_some(entry.ip)
    }

    /// Keeps an address for its time to live, within [`RESOLVED_MS_MIN`] and [`RESOLVED_MS_MAX`]. When there are
    /// [`RESOLVED_ADDRESSES_MAX`], they are forgotten first.
    pub fn put(&mut self, name: &str, ip: IpAddr, found: Wall, ttl_ms: u64) {
        if self.entries.len() >= RESOLVED_ADDRESSES_MAX {
            self.entries.clear();
        }
        self.entries.push(KnownAddress {
            name: name.into(),
            ip,
            found,
            kept_ms: ttl_ms.clamp(RESOLVED_MS_MIN, RESOLVED_MS_MAX),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_with_its_name() {
        let [logs, metrics] = [IpAddr::from([127, 0, 0, 2]), IpAddr::from([127, 0, 0, 3])];
        let found = Wall(1_000_000);
        let mut known = Known::default();
        known.put("logs.test", logs, found, 60_000);
        assert_eq!(known.get("logs.test", found), Some(logs));
        for other in ["metrics.test", "logs.tes", "logs.test.", "ogs.test", ""] {
            assert_eq!(known.get(other, found), None, "{other}");
        }
        known.put("metrics.test", metrics, found, 0);
        assert_eq!(known.get("logs.test", found), Some(logs));
        assert_eq!(known.get("metrics.test", found), Some(metrics));
        // Found again: it is the new address.
        known.put("metrics.test", logs, found.plus(1), 0);
        assert_eq!(known.get("metrics.test", found.plus(1)), Some(logs));
    }

    #[test]
    fn an_address_is_kept_for_its_time() {
        let (ip, found) = (IpAddr::from([127, 0, 0, 2]), Wall(1_000_000));
        for (ttl_ms, kept_ms) in [
            (0, RESOLVED_MS_MIN),
            (60_000, 60_000),
            (u64::MAX, RESOLVED_MS_MAX),
        ] {
            let mut known = Known::default();
            known.put("x", ip, found, ttl_ms);
            assert_eq!(known.get("x", found.plus(kept_ms - 1)), Some(ip));
            assert_eq!(known.get("x", found.plus(kept_ms)), None);
            // Set back by a second, or by an hour: it is looked up again.
            assert_eq!(known.get("x", Wall(found.0 - 1_000)), None);
        }
    }

    #[test]
    fn addresses_are_few_and_never_of_another_name() {
        let mut known = Known::default();
        let names: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let ip = |number: usize| IpAddr::from([0, 0, 0, number as u8]);
        for (number, name) in names.iter().enumerate() {
            known.put(name, ip(number), Wall(0), 60_000);
            assert!(known.entries.len() <= RESOLVED_ADDRESSES_MAX);
            assert_eq!(known.get(name, Wall(0)), Some(ip(number)));
            for (number, name) in names.iter().enumerate() {
                let found = known.get(name, Wall(0));
                assert!(found.is_none_or(|found| found == ip(number)), "{name}");
            }
        }
    }
}
