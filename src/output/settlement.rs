//! What becomes of a batch that was sent: settled, in part or whole, halved, repeated or kept; and what is told of it.

use crate::clock::Clocks;
use crate::format::judgement::Judgement;
use crate::limits::FREEZE_MS_MIN;
use crate::output::narrowing::Narrowing;

/// How the batches of one route fare.
#[derive(Default)]
pub struct Course {
    pub narrowing: Narrowing,
    /// The batch has had its free repetition on a fresh connection.
    is_repeated: bool,
    /// The status that was told last, so that the same trouble is told once; or [`NO_ANSWER`].
    told_status: u16,
}

/// In place of a status.
pub const NO_ANSWER: u16 = 1;

/// What was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Frames; 0: there was only the record of losses.
    pub records: usize,
    /// The record of losses stood before them.
    pub has_losses: bool,
    pub body_bytes: usize,
}

/// Why there was no answer, as far as it says something about the collector.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    pub began: Clocks,
    pub now: Clocks,
    /// The connection had carried a POST before.
    pub was_reused: bool,
    /// The sandbox is gone.
    pub is_gone: bool,
}

/// What is to be done with the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Send it as it is, at once.
    Repeat,
    /// Send it as it is when the breaker closes, which opens now.
    Keep,
    /// The breaker closes; of its frames so many are done with, the first ones, and so many of these at most were rejected. The
    /// others are sent again in another batch.
    End { settled: u64, rejected: u64 },
}

/// All that follows from an answer, or from there being none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settlement {
    pub next: Next,
    /// It is counted as failed.
    pub has_failed: bool,
    /// Its bytes count as sent.
    pub is_accepted: bool,
    /// The losses that it told of are known to the collector, or are not told again.
    pub are_losses_told: bool,
    /// Whether losses are sent alone from now on.
    pub is_silent_on_losses: Option<bool>,
    /// Trouble that was not told yet, or its end ([`AGAIN`]).
    pub told: Option<&'static [u8]>,
}

const LATER: &[u8] = b"records are kept for later";
const REJECTED: &[u8] = b"records are rejected";
const PARTLY: &[u8] = b"some records are rejected (partialSuccess)";
/// The trouble is over.
pub const AGAIN: &[u8] = b"the collector takes records again";

/// Nothing was refused: the batch is done with.
const DONE: Settlement = Settlement {
    next: Next::End {
        settled: u64::MAX,
        rejected: 0,
    },
    has_failed: false,
    is_accepted: false,
    are_losses_told: false,
    is_silent_on_losses: None,
    told: None,
};

impl Course {
    /// The collector has answered.
    pub fn answered(&mut self, status: u16, judgement: Judgement, sent: Sent) -> Settlement {
        self.is_repeated = false;
        let (rejected, is_too_large) = match judgement {
            Judgement::Taken { rejected } => return self.accepted(status, rejected, sent),
            Judgement::TakenUpTo(items) => return self.accepted_up_to(status, items, sent),
            Judgement::Later => {
                return Settlement {
                    next: Next::Keep,
                    has_failed: true,
                    told: self.tell(status, LATER),
                    ..DONE
                };
            }
            Judgement::TooLarge => (false, true),
            Judgement::Invalid => (false, false),
            Judgement::Rejected => (true, false),
        };
        if !rejected
            && self
                .narrowing
                .refused(is_too_large, sent.records, sent.body_bytes)
        {
            // They go back into the ring; less of it is sent next.
            return Settlement {
                next: Next::End {
                    settled: 0,
                    rejected: 0,
                },
                has_failed: true,
                ..DONE
            };
        }
        Settlement {
            next: Next::End {
                settled: u64::MAX,
                rejected: u64::MAX,
            },
            // A collector that does not even take the record of losses will not take it the next time.
            are_losses_told: sent.records == 0,
            is_silent_on_losses: Some(true),
            told: self.tell(status, REJECTED),
            ..DONE
        }
    }

    /// There was no answer. The batch is repeated at once if it went over a connection that had been used before, or if a freeze
    /// has cut the POST: then a failure says nothing about the collector.
    pub fn failed(&mut self, failure: Failure, reason: &'static [u8]) -> Settlement {
        let Failure { began, now, .. } = failure;
        let was_frozen = now.wall.since(began.wall) >= now.mono.since(began.mono) + FREEZE_MS_MIN;
        if (failure.was_reused || was_frozen) && !self.is_repeated && !failure.is_gone {
            self.is_repeated = true;
            return Settlement {
                next: Next::Repeat,
                ..DONE
            };
        }
        self.is_repeated = false;
        Settlement {
            next: Next::Keep,
            has_failed: true,
            told: self.tell(NO_ANSWER, reason),
            ..DONE
        }
    }

    fn accepted(&mut self, status: u16, rejected: u64, sent: Sent) -> Settlement {
        self.narrowing.accepted(sent.records);
        let told = if rejected.min(sent.records as u64) > 0 {
            self.tell(status, PARTLY)
        } else {
            (core::mem::take(&mut self.told_status) != 0).then_some(AGAIN)
        };
        Settlement {
            next: Next::End {
                settled: u64::MAX,
                rejected,
            },
            is_accepted: true,
            are_losses_told: true,
            is_silent_on_losses: Some(sent.records == 0),
            told,
            ..DONE
        }
    }

    /// Of `items`, the first may be the record of losses. The next one is rejected.
    fn accepted_up_to(&mut self, status: u16, items: u64, sent: Sent) -> Settlement {
        let settled = items.saturating_add(1) - u64::from(sent.has_losses);
        Settlement {
            next: Next::End {
                settled,
                rejected: settled.min(1),
            },
            is_accepted: true,
            are_losses_told: true,
            is_silent_on_losses: Some(settled == 0),
            told: self.tell(status, PARTLY),
            ..DONE
        }
    }

    /// What is to be said, once for each kind of trouble.
    fn tell(&mut self, status: u16, consequence: &'static [u8]) -> Option<&'static [u8]> {
        let is_told = core::mem::replace(&mut self.told_status, status) == status;
        (!is_told).then_some(consequence)
    }
}

#[cfg(test)]
mod tests;
