//! What is kept, until it is answered for: frames, oldest first, and what became of each.

pub mod breaker;
pub mod ledger;
pub mod ring;
pub mod signal;
