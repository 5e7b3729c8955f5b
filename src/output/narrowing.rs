//! How much a batch may hold, by what the collector has refused.
//!
//! A 413 halves the bytes, and what goes through is remembered: only seldom is more tried. A 400 means that some record is at
//! fault: the batch is halved until that one is alone, so that none of its neighbours is rejected with it, and then grows
//! again. A collector that refuses whatever comes is not asked about each record: after [`NARROWINGS_MAX`] refusals in a row
//! as many batches are rejected as they are, each larger than the one before, before it is tried again.

use crate::limits::{BATCH_BYTES_MAX, NARROWINGS_MAX, WIDENING_POSTS};

/// Of one route's batches.
pub struct Narrowing {
    pub records_max: usize,
    pub bytes_max: usize,
    /// One of the next so many records is at fault. 0: none is known to be.
    suspects: usize,
    /// Refusals since a batch was accepted, over and over from 0.
    refusals: u32,
    /// Batches accepted since `bytes_max` has changed.
    accepted: u32,
}

impl Default for Narrowing {
    /// Nothing was refused.
    fn default() -> Narrowing {
        Narrowing {
            records_max: usize::MAX,
            bytes_max: BATCH_BYTES_MAX,
            suspects: 0,
            refusals: 0,
            accepted: 0,
        }
    }
}

impl Narrowing {
    /// A batch of so many records was accepted.
    pub const fn accepted(&mut self, records: usize) {
        self.refusals = 0;
        if records < self.suspects {
            self.suspects -= records;
            self.records_max = self.suspects.div_ceil(2);
        } else if records < self.records_max {
            (self.suspects, self.records_max) = (0, usize::MAX);
        } else {
            self.suspects = 0;
            self.records_max = self.records_max.saturating_mul(2);
        }
        self.accepted += 1;
        if self.accepted >= WIDENING_POSTS {
            self.widen_bytes();
        }
    }

    /// A batch was refused, for its size or for what is in it. True: less of it is sent next; false: it is rejected.
    pub const fn refused(&mut self, is_too_large: bool, records: usize, bytes: usize) -> bool {
        let may_narrow = self.refusals < NARROWINGS_MAX;
        self.refusals = (self.refusals + 1) % (2 * NARROWINGS_MAX);
        let narrows = may_narrow && records > 1;
        if !narrows {
            self.suspects = 0;
        }
        if is_too_large {
            if narrows {
                (self.bytes_max, self.accepted) = (bytes / 2, 0);
            } else if !may_narrow {
                self.widen_bytes();
            }
        } else if narrows {
            self.suspects = records;
            self.records_max = records / 2;
        } else if !may_narrow {
            self.records_max = self.records_max.saturating_mul(2);
        }
        narrows
    }

    const fn widen_bytes(&mut self) {
        let twice = self.bytes_max * 2;
        self.accepted = 0;
        self.bytes_max = if twice < BATCH_BYTES_MAX {
            twice
        } else {
            BATCH_BYTES_MAX
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Numbers;

    /// What has become of records, and what it took.
    #[derive(Debug, Default, PartialEq)]
    struct Outcome {
        delivered: Vec<usize>,
        rejected: Vec<usize>,
        posts: usize,
        refused: usize,
    }

    const ENVELOPE_BYTES: usize = 1000;

    /// Sends records of these lengths, in batches, to a collector that answers 413 above `bytes_max` and 400 to a batch with a
    /// record at fault.
    fn send(
        narrowing: &mut Narrowing,
        lengths: &[usize],
        is_at_fault: &dyn Fn(usize) -> bool,
        bytes_max: usize,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let mut first = 0;
        while first < lengths.len() {
            let (mut records, mut bytes) = (0, ENVELOPE_BYTES);
            for length in &lengths[first..] {
                let is_full = bytes + length > narrowing.bytes_max;
                if records >= narrowing.records_max || (records > 0 && is_full) {
                    break;
                }
                (records, bytes) = (records + 1, bytes + length);
            }
            let batch = first..first + records;
            assert!(records > 0 && bytes <= BATCH_BYTES_MAX, "{batch:?} {bytes}");
            outcome.posts += 1;
            let is_too_large = bytes > bytes_max;
            if is_too_large || batch.clone().any(is_at_fault) {
                outcome.refused += 1;
                if !narrowing.refused(is_too_large, records, bytes) {
                    first = batch.end;
                    outcome.rejected.extend(batch);
                }
            } else {
                narrowing.accepted(records);
                first = batch.end;
                outcome.delivered.extend(batch);
            }
        }
        outcome
    }

    #[test]
    fn only_those_at_fault_are_rejected() {
        for (count, at_fault, posts_max) in [
            (1, vec![0], 1),
            (2, vec![1], 3),
            (1000, vec![0], 22),
            (1000, vec![999], 22),
            (1000, vec![500], 22),
            (1000, vec![333, 334], 44),
            (1000, vec![0, 999], 44),
            (1000, (100..120).collect(), 50),
            // Each tenth.
            (1000, (0..1000).step_by(10).collect(), 800),
        ] {
            let mut narrowing = Narrowing::default();
            let is_at_fault = |number: usize| at_fault.contains(&number);
            let outcome = send(&mut narrowing, &vec![100; count], &is_at_fault, usize::MAX);
            assert_eq!(outcome.rejected, at_fault);
            assert_eq!(outcome.delivered.len(), count - at_fault.len());
            assert!(
                outcome.posts <= posts_max,
                "{at_fault:?}: {}",
                outcome.posts
            );
            // All that is sent afterwards is as large as before.
            let good = vec![100; 4000];
            let outcome = send(&mut narrowing, &good, &|_| false, usize::MAX);
            assert!(outcome.posts <= 12, "{at_fault:?}: {}", outcome.posts);
        }
    }

    /// One that is at fault in random places, for each batch: what is found out costs about twice the logarithm.
    #[test]
    fn one_at_fault_costs_little() {
        let mut random = Numbers(0x9e37_79b9_7f4a_7c15);
        let mut posts = 0;
        for _ in 0..1000 {
            let at_fault = random.below(1000);
            let is_at_fault = |number| number == at_fault;
            let mut narrowing = Narrowing::default();
            let outcome = send(&mut narrowing, &[100; 1000], &is_at_fault, usize::MAX);
            assert_eq!(outcome.rejected, [at_fault]);
            assert!(outcome.posts <= 23, "{at_fault}: {}", outcome.posts);
            posts += outcome.posts;
        }
        assert!(posts < 21 * 1000, "{posts}");
    }

    #[test]
    fn the_size_that_goes_through_is_remembered() {
        for bytes_max in [4_000, 30_000, 60_000, 200_000, 300_000] {
            let mut narrowing = Narrowing::default();
            let count = 100_000;
            let outcome = send(&mut narrowing, &vec![200; count], &|_| false, bytes_max);
            assert_eq!(outcome.delivered.len(), count, "{bytes_max}");
            let tries = 7 + outcome.posts / WIDENING_POSTS as usize;
            assert!(outcome.refused <= tries, "{bytes_max}: {outcome:?}");
            // No batch is smaller than half of what would go through.
            let fewest = count * 200 / (bytes_max.min(BATCH_BYTES_MAX) - ENVELOPE_BYTES) + 1;
            let wasted = outcome.posts - outcome.refused;
            assert!(wasted <= 2 * fewest + 2, "{bytes_max}: {wasted} {fewest}");
        }
    }

    /// A record that is too large alone is rejected, and only that.
    #[test]
    fn too_large_a_record_is_rejected_alone() {
        let mut narrowing = Narrowing::default();
        let mut lengths = vec![200; 1000];
        for place in [0, 500, 501, 999] {
            lengths[place] = 70_000;
        }
        let outcome = send(&mut narrowing, &lengths, &|_| false, 60_000);
        assert_eq!(outcome.rejected, [0, 500, 501, 999]);
        assert!(outcome.posts < 40, "{outcome:?}");
    }

    /// Refusals without end are bounded; when they have one, so is what is rejected without fault.
    #[test]
    fn a_collector_that_refuses_everything_is_not_asked_about_each() {
        let count = 100_000;
        for bytes_max in [0, usize::MAX] {
            let mut narrowing = Narrowing::default();
            let outcome = send(&mut narrowing, &vec![200; count], &|_| true, bytes_max);
            assert_eq!(outcome.rejected.len(), count);
            assert!(outcome.posts <= 260, "{bytes_max}: {}", outcome.posts);
        }
        // A run of those at fault that is longer than the patience.
        let mut narrowing = Narrowing::default();
        let is_at_fault = |number| number < 100;
        let outcome = send(&mut narrowing, &vec![200; count], &is_at_fault, usize::MAX);
        assert!(outcome.rejected.len() < 200, "{}", outcome.rejected.len());
    }

    /// Whatever the collector refuses: each record is in one place, in order, and the POSTs are bounded.
    #[test]
    fn random_faults() {
        let mut random = Numbers(0x2545_f491_4f6c_dd1d);
        for _ in 0..300 {
            let mut narrowing = Narrowing::default();
            let share = 1 + random.below(200);
            let bytes_max = 1500 + random.below(100_000);
            for _ in 0..5 {
                let count = 1 + random.below(2000);
                let lengths: Vec<_> = (0..count).map(|_| 100 + random.below(300)).collect();
                let faults: Vec<_> = (0..count).map(|_| random.below(share) == 0).collect();
                let is_at_fault = |number: usize| faults[number];
                let outcome = send(&mut narrowing, &lengths, &is_at_fault, bytes_max);
                let mut all = [outcome.delivered, outcome.rejected].concat();
                all.sort_unstable();
                assert_eq!(all, (0..count).collect::<Vec<_>>());
                assert!(outcome.posts <= 3 * count + 20);
            }
        }
    }
}
