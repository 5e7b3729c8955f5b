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
pub enum Consequence {
    /// Send it as it is, at once.
    Repeat,
    /// Send it as it is when the breaker closes, which opens now.
    Keep,
    /// Send what is in it again, but less of it at once.
    Halve,
    /// So many of its frames are done with, the first ones, and so many of these were rejected. The others are sent again in
    /// another batch.
    End {
        is_accepted: bool,
        settled: u64,
        rejected: u64,
    },
}

impl Consequence {
    /// The batch is counted as one that failed.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Consequence::Keep | Consequence::Halve)
    }

    /// The losses that it told of are known to the collector. Or they are not told again: a collector that does not even take the
    /// record of them alone will not take it the next time.
    #[must_use]
    pub const fn are_losses_told(self) -> bool {
        match self {
            Consequence::End {
                is_accepted,
                settled,
                ..
            } => is_accepted || settled == 0,
            _ => false,
        }
    }

    /// Whether losses are not sent alone from now on, if that is known: the collector has rejected all, or has just got them so.
    #[must_use]
    pub const fn is_silent_on_losses(self) -> Option<bool> {
        match self {
            Consequence::End {
                is_accepted,
                settled,
                ..
            } => Some(!is_accepted || settled == 0),
            _ => None,
        }
    }
}

/// What follows from an answer, or from there being none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settlement {
    pub consequence: Consequence,
    /// Trouble that was not told yet, or its end ([`AGAIN`]).
    pub told: Option<&'static [u8]>,
}

const LATER: &[u8] = b"records are kept for later";
const REJECTED: &[u8] = b"records are rejected";
const PARTLY: &[u8] = b"some records are rejected (partialSuccess)";
/// The trouble is over.
pub const AGAIN: &[u8] = b"the collector takes records again";

impl Course {
    /// The collector has answered.
    pub fn answered(&mut self, status: u16, judgement: Judgement, sent: Sent) -> Settlement {
        self.is_repeated = false;
        let records = sent.records as u64;
        let (is_accepted, settled, rejected, trouble) = match judgement {
            Judgement::Taken { rejected } => {
                self.narrowing.accepted(sent.records);
                let rejected = rejected.min(records);
                let trouble = (rejected > 0).then_some(PARTLY);
                (true, records, rejected, trouble)
            }
            Judgement::TakenUpTo(items) => {
                // The record of losses may be the first of them, or the one that is rejected.
                let settled = items.saturating_add(1) - u64::from(sent.has_losses);
                // If it says that all of them are taken, or more, there is no next one.
                let is_all = settled > records;
                let rejected = u64::from(settled > 0 && !is_all);
                let trouble = (!is_all).then_some(PARTLY);
                (true, settled.min(records), rejected, trouble)
            }
            Judgement::Later => {
                return Settlement {
                    consequence: Consequence::Keep,
                    told: self.tell(status, Some(LATER)),
                };
            }
            Judgement::TooLarge | Judgement::Invalid
                if self.narrowing.refused(
                    judgement == Judgement::TooLarge,
                    sent.records,
                    sent.body_bytes,
                ) =>
            {
                return Settlement {
                    consequence: Consequence::Halve,
                    told: None,
                };
            }
            _ => (false, records, records, Some(REJECTED)),
        };
        Settlement {
            consequence: Consequence::End {
                is_accepted,
                settled,
                rejected,
            },
            told: self.tell(status, trouble),
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
                consequence: Consequence::Repeat,
                told: None,
            };
        }
        self.is_repeated = false;
        Settlement {
            consequence: Consequence::Keep,
            told: self.tell(NO_ANSWER, Some(reason)),
        }
    }

    /// What is to be said, once for each kind of trouble, and at its end.
    fn tell(&mut self, status: u16, trouble: Option<&'static [u8]>) -> Option<&'static [u8]> {
        let status = if trouble.is_some() { status } else { 0 };
        let is_told = core::mem::replace(&mut self.told_status, status) == status;
        trouble.or(Some(AGAIN)).filter(|_| !is_told)
    }
}

#[cfg(test)]
mod tests;
