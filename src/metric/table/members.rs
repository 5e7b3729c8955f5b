//! The members of all sets, as 64-bit hashes: two of 4096 members are taken for one with a chance of one in a trillion.

use crate::limits::SET_MEMBERS_MAX;

/// At most half of them are used, so that a free one is found soon.
const PLACES: usize = 2 * SET_MEMBERS_MAX;

pub struct Members {
    /// Open addressing; 0 is a free place. Empty before the first member.
    places: Vec<u64>,
    count: usize,
}

impl Members {
    pub const fn new() -> Members {
        Members {
            places: Vec::new(),
            count: 0,
        }
    }

    pub const fn count(&self) -> usize {
        self.count
    }

    /// Whether the member is new; `None` if it is, and there is no room. The hash is one of the member in its set.
    pub fn insert(&mut self, hash: u64) -> Option<bool> {
        let hash = hash.max(1);
        if self.places.is_empty() {
            self.places = vec![0; PLACES];
        }
        for step in 0..PLACES {
            let place = self
                .places
                .get_mut((hash as usize).wrapping_add(step) % PLACES)?;
            if *place == hash {
                return Some(false);
            }
            if *place == 0 {
                if self.count >= SET_MEMBERS_MAX {
                    return None;
                }
                *place = hash;
                self.count += 1;
                return Some(true);
            }
        }
        None
    }

    #[cfg(test)]
    pub const fn capacity(&self) -> usize {
        self.places.capacity() * 8
    }

    pub fn clear(&mut self) {
        if self.count > 0 {
            self.places.fill(0);
            self.count = 0;
        }
    }
}
